"""Reads an inventory file, and tells every problem with it at once."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from agent.config.files import Files
from agent.config.model import ConfigError, Problem
from agent.config.paths import state_folder
from agent.config.problems import Complaints, guess, join, listed, shown
from agent.operator.inventory import TIMEOUT_S, Account, Device, Inventory
from agent.payload.signatures import DEFAULT_KEY_ID, key_of

__all__ = ["load"]

LOG_NAME: Final = "operator-messages.jsonl"
SHORT_KEY_OCTETS: Final = 16


@dataclass(frozen=True, slots=True)
class _Keys:
    """The keys of a table. Those that end in `_file` name a file that holds a secret."""

    required: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    url: str = ""
    token_url: str = ""

    @property
    def all(self) -> tuple[str, ...]:
        return (*self.required, *self.optional)


_KORE_TOKEN: Final = "https://api.korewireless.com/api-services/v1/auth/token"  # noqa: S105 - an address
_KORE: Final = ("client_id", "client_secret_file")
_COMMON: Final = ("url", "timeout_s")
PLATFORMS: Final[Mapping[str, _Keys]] = {
    "programmable-wireless": _Keys(
        _KORE,
        (*_COMMON, "token_url", "webhook_secret_file", "include_sid"),
        "https://programmable-wireless.api.korewireless.com",
        _KORE_TOKEN,
    ),
    "super-sim": _Keys(
        _KORE,
        (*_COMMON, "token_url", "webhook_secret_file"),
        "https://supersim.api.korewireless.com",
        _KORE_TOKEN,
    ),
    "connectivitypro": _Keys(
        (*_KORE, "api_key_file", "account_id"),
        (*_COMMON, "token_url", "from"),
        "https://api.korewireless.com",
        "https://api.korewireless.com/Api/api/token",
    ),
    # The portal's address is the customer's own: there is none to fall back to.
    "m2m-portal": _Keys(
        ("url", "username", "password_file"), ("timeout_s", "api_id", "joiner", "passphrase_file")
    ),
    "emnify": _Keys(
        ("application_token_file",),
        (*_COMMON, "source_address", "api_secret_file"),
        "https://cdn.emnify.net",
    ),
}
# How a device is named: one of these keys.
NAMED_BY: Final[Mapping[str, tuple[str, ...]]] = {
    "programmable-wireless": ("sim",),
    "super-sim": ("sim",),
    "connectivitypro": ("iccid", "msisdn"),
    "m2m-portal": ("iccid",),
    "emnify": ("endpoint",),
}
# What a device may set instead of its platform's account.
_OWN: Final[Mapping[str, tuple[str, ...]]] = {
    "programmable-wireless": ("include_sid",),
    "connectivitypro": ("from",),
    "emnify": ("source_address",),
}
_NAMES: Final = ("sim", "iccid", "msisdn", "endpoint")
_DEVICE: Final = ("platform", *_NAMES, "device_id", "key_file", "key_id")
_TOKEN_PATHS: Final[Mapping[str, str]] = {
    "programmable-wireless": "/api-services/v1/auth/token",
    "super-sim": "/api-services/v1/auth/token",
    "connectivitypro": "/Api/api/token",
}
_CHOICES: Final[Mapping[str, tuple[str, ...]]] = {
    "include_sid": ("none", "start", "end"),
    "joiner": ("_", "-", "none"),
}


def load(path: Path, env: Mapping[str, str] = os.environ) -> Inventory:
    """Read an inventory. Raises ConfigError with everything that is wrong with it."""
    complaints = Complaints()
    document = _document(path)
    files = Files(path.absolute().parent, env, complaints)
    return _Reader(path, files, complaints, env).inventory(document)


def _document(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_bytes().decode("utf-8-sig"))
    except OSError as error:
        got = os.strerror(error.errno).lower() if error.errno else str(error)
        problem = Problem("file", "a file that can be read", got)
    except UnicodeDecodeError as error:
        problem = Problem("file", "UTF-8 text", f"an octet that is none at offset {error.start}")
    except tomllib.TOMLDecodeError as error:
        problem = Problem("file", "TOML", str(error))
    except RecursionError:
        problem = Problem("file", "TOML", "too deep a nesting")
    raise ConfigError(path, (problem,))


class _Reader:
    """Judges one document; what is wrong is complained of and left out."""

    def __init__(
        self, source: Path, files: Files, complaints: Complaints, env: Mapping[str, str]
    ) -> None:
        self._source = source
        self._files = files
        self._complaints = complaints
        self._env = env

    def inventory(self, document: Mapping[str, Any]) -> Inventory:
        """Give the inventory; raises ConfigError."""
        top = ("platform", "device", "listen")
        self._known("", document, top)
        accounts = {
            name: account
            for name, table in self._tables(document, "platform").items()
            if (account := self._account(name, table)) is not None
        }
        named = document.get("platform")
        declared = set(named) if isinstance(named, dict) else set()
        devices = {
            name: device
            for name, table in self._tables(document, "device").items()
            if (device := self._device(name, table, accounts, declared)) is not None
        }
        listen = document.get("listen", {})
        if not isinstance(listen, dict):
            self._complaints.error("listen", "a table", shown(listen))
            listen = {}
        self._known("listen", listen, ("url", "log"))
        public = self._text("listen", listen, "url")
        log = self._text("listen", listen, "log")
        if public:
            self._check_url("listen.url", public)
        if self._complaints.errors:
            raise ConfigError(self._source, self._complaints.in_order(top))
        return Inventory(
            self._source,
            accounts,
            devices,
            self._files.locate(log) if log else state_folder(self._env) / LOG_NAME,
            public.rstrip("/"),
            tuple(self._complaints.warnings),
        )

    def _account(self, name: str, table: Mapping[str, Any]) -> Account | None:
        at = join("platform", name)
        if not self._complaints.one_of(at, name, tuple(PLATFORMS)):
            return None
        keys = PLATFORMS[name]
        self._known(at, table, keys.all)
        self._require(at, table, keys.required)
        texts = {key: self._text(at, table, key) for key in keys.all if key != "timeout_s"}
        url = (texts.pop("url", "") or keys.url).rstrip("/")
        own_token = url + _TOKEN_PATHS.get(name, "") if url != keys.url else keys.token_url
        token_url = texts.pop("token_url", "") or own_token
        for key, value in (("url", url), ("token_url", token_url)):
            if value and (key in table or key == "url"):
                self._check_url(join(at, key), value)
        secrets = {key: self._secret(at, key, texts) for key in texts if key.endswith("_file")}
        return Account(
            name,
            url,
            token_url if name in _TOKEN_PATHS else "",
            self._timeout(at, table),
            {k: v for k, v in texts.items() if v and not k.endswith("_file")},
            {k.removesuffix("_file"): v for k, v in secrets.items() if v},
        )

    def _device(
        self,
        name: str,
        table: Mapping[str, Any],
        accounts: Mapping[str, Account],
        declared: set[str],
    ) -> Device | None:
        at = join("device", name)
        platform = self._text(at, table, "platform")
        if not platform:
            self._require(at, table, ("platform",))
            return None
        if not self._complaints.one_of(join(at, "platform"), platform, tuple(PLATFORMS)):
            return None
        own = _OWN.get(platform, ())
        self._known(at, table, (*_DEVICE, *own))
        named_by = NAMED_BY[platform]
        known = {key: self._name(at, table, key) for key in _NAMES if key in table}
        if not known or not set(known) <= set(named_by):
            got = ", ".join(known) or "none of them"
            self._complaints.error(at, f"{' or '.join(named_by)}, and no other name", got)
        key = self._key(at, table)
        if platform not in declared:
            expected = f"a table [platform.{platform}]"
            self._complaints.error(join(at, "platform"), expected, "none")
        account = accounts.get(platform)
        if account is None:
            return None
        settings = {**account.settings, **{k: v for k in own if (v := self._text(at, table, k))}}
        if platform == "emnify" and "source_address" not in settings:
            self._complaints.warn(
                at, "a source_address, which the agent knows as a sender and answers", "none"
            )
        device_id = self._text(at, table, "device_id")
        key_id = self._text(at, table, "key_id") or DEFAULT_KEY_ID
        return Device(name, account, known, settings, device_id, key, key_id)

    def _key(self, at: str, table: Mapping[str, Any]) -> bytes | None:
        name = self._text(at, table, "key_file")
        if not name:
            return None
        if not self._text(at, table, "device_id"):
            self._complaints.error(
                join(at, "device_id"), "the agent's device.id, which signatures are for", "none"
            )
        found = self._files.secret(join(at, "key_file"), name, "a key file")
        if found is None or found[1] is None:
            return None
        key = key_of(found[1])
        if len(key) < SHORT_KEY_OCTETS:
            self._complaints.warn(
                join(at, "key_file"), f"a key of at least {SHORT_KEY_OCTETS} bytes", str(len(key))
            )
        return key

    def _secret(self, at: str, key: str, texts: Mapping[str, str]) -> str:
        name = texts[key]
        found = self._files.secret(join(at, key), name, "a file with a secret") if name else None
        if found is None or found[1] is None:
            return ""
        try:
            secret = found[1].decode()
        except UnicodeDecodeError:
            secret = ""
        if not secret.isprintable() or not secret:
            self._complaints.error(join(at, key), "one line of text in the file", "something else")
            return ""
        return secret

    # ---- single keys ----------------------------------------------------------------------

    def _tables(self, document: Mapping[str, Any], name: str) -> dict[str, Mapping[str, Any]]:
        value = document.get(name, {})
        if not isinstance(value, dict):
            self._complaints.error(name, "a table", shown(value))
            return {}
        if not value:
            self._complaints.error(name, f"at least one table [{name}.NAME]", "none")
        tables: dict[str, Mapping[str, Any]] = {}
        for key, table in value.items():
            if isinstance(table, dict):
                tables[key] = table
            else:
                self._complaints.error(join(name, key), "a table", shown(table))
        return tables

    def _known(self, at: str, table: Mapping[str, Any], keys: tuple[str, ...]) -> None:
        for key in table:
            if key not in keys:
                expected = f"one of {listed(keys)}{guess(key, keys)}"
                self._complaints.error(join(at, key), expected, "an unknown key")

    def _require(self, at: str, table: Mapping[str, Any], keys: tuple[str, ...]) -> None:
        for key in keys:
            if key not in table:
                what = "a file's name" if key.endswith("_file") else "a string"
                self._complaints.error(join(at, key), what, "nothing")

    def _text(self, at: str, table: Mapping[str, Any], key: str) -> str:
        value = table.get(key)
        if value is None:
            return ""
        if not isinstance(value, str):
            self._complaints.error(join(at, key), "a string", shown(value))
            return ""
        if key in _CHOICES:
            self._complaints.one_of(join(at, key), value, _CHOICES[key])
        elif not value or not value.isprintable():
            self._complaints.error(join(at, key), "a string of printable characters", shown(value))
            return ""
        return value

    def _name(self, at: str, table: Mapping[str, Any], key: str) -> str:
        """Read how a platform names a device: an endpoint may be written as a number."""
        value = table[key]
        if key == "endpoint" and type(value) is int and value >= 0:
            return str(value)
        text = self._text(at, table, key)
        if key == "endpoint" and text and not (text.isascii() and text.isdecimal()):
            self._complaints.error(join(at, key), "an endpoint's number", shown(text))
        return text

    def _timeout(self, at: str, table: Mapping[str, Any]) -> float:
        value = table.get("timeout_s", TIMEOUT_S)
        if isinstance(value, bool) or not isinstance(value, int | float):
            self._complaints.error(join(at, "timeout_s"), "a number", shown(value))
            return TIMEOUT_S
        self._complaints.within(join(at, "timeout_s"), value, 0.1, 600)
        return float(value)

    def _check_url(self, at: str, url: str) -> None:
        scheme, _, rest = url.partition("://")
        host = rest.partition("/")[0]
        if scheme not in ("http", "https") or not host or "?" in url or "#" in url or "@" in host:
            self._complaints.error(at, "an http:// or https:// address", shown(url))
        elif scheme == "http" and not host.startswith(("127.", "localhost", "[::1]")):
            self._complaints.warn(at, "https, as credentials go there", shown(url))
