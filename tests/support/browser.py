"""A headless Chromium, driven over WebDriver by the standard library alone."""

from __future__ import annotations

import base64
import contextlib
import json
import re
import shutil
import subprocess
import tempfile
import urllib.request
from collections.abc import Iterator
from typing import Any

__all__ = ["Browser", "browser", "missing"]

_ELEMENT = "element-6066-11e4-a52e-4f735466cecf"  # the key of an element, W3C WebDriver 12.1
_OPTIONS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage")


def missing() -> str | None:
    """Say which program is missing, None: none."""
    programs = ("chromium", "chromedriver")
    absent = [name for name in programs if shutil.which(name) is None]
    return f"no {' and no '.join(absent)} (packages chromium, chromium-driver)" if absent else None


class Browser:
    """One session with one window."""

    def __init__(self, url: str) -> None:
        self._url = url

    def ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        data = json.dumps(body or {}).encode() if method == "POST" else None
        head = {"Content-Type": "application/json"}
        request = urllib.request.Request(self._url + path, data, head, method=method)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)["value"]

    def open(self, url: str) -> None:
        """Leave the page that is open, forget its problems, open another."""
        self.ask("POST", "/url", {"url": "about:blank"})
        self.problems()
        self.ask("POST", "/url", {"url": url})

    def run(self, script: str, *args: Any) -> Any:
        """Return what a function body of JavaScript returns."""
        return self.ask("POST", "/execute/sync", {"script": script, "args": list(args)})

    def find(self, selector: str) -> str:
        found = self.ask("POST", "/element", {"using": "css selector", "value": selector})
        return str(found[_ELEMENT])

    def text(self, selector: str) -> str:
        return str(self.run("return document.querySelector(arguments[0]).innerText", selector))

    def write(self, selector: str, text: str) -> None:
        """Type over what a field holds."""
        element = self.find(selector)
        self.ask("POST", f"/element/{element}/clear")
        self.ask("POST", f"/element/{element}/value", {"text": text})

    def choose(self, selector: str, value: str) -> None:
        """Choose an option of a list as a person does."""
        self.click(f'{selector} option[value="{value}"]')

    def click(self, selector: str) -> None:
        self.ask("POST", f"/element/{self.find(selector)}/click")

    def screenshot(self) -> bytes:
        return base64.b64decode(self.ask("GET", "/screenshot"))

    def problems(self) -> list[str]:
        """What the browser's console has told so far: refused by the policy, not found, thrown."""
        return [str(one["message"]) for one in self.ask("POST", "/se/log", {"type": "browser"})]


@contextlib.contextmanager
def browser() -> Iterator[Browser]:
    """Run a browser with a new profile."""
    with tempfile.TemporaryDirectory(prefix="chromium-") as profile:
        driver = subprocess.Popen(
            ["chromedriver", "--port=0"],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            stdin=subprocess.DEVNULL,
            text=True,
        )
        assert driver.stdout is not None
        try:
            for line in driver.stdout:
                if found := re.search(r"on port (\d+)\.", line):
                    break
            else:
                raise AssertionError("chromedriver ended")
            root = Browser(f"http://127.0.0.1:{found[1]}")
            capabilities = {
                "browserName": "chrome",
                "goog:loggingPrefs": {"browser": "ALL"},
                "goog:chromeOptions": {
                    "binary": shutil.which("chromium"),
                    "args": [*_OPTIONS, f"--user-data-dir={profile}", "--window-size=1400,1000"],
                },
            }
            wanted = {"capabilities": {"alwaysMatch": capabilities}}
            session = root.ask("POST", "/session", wanted)["sessionId"]
            opened = Browser(f"http://127.0.0.1:{found[1]}/session/{session}")
            yield opened
            opened.ask("DELETE", "")
        finally:
            driver.terminate()
            driver.wait(20)
            driver.stdout.close()
