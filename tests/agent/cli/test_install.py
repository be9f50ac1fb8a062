"""`modem-agent install` into a root of its own: what it writes, keeps, takes out, and says."""

from __future__ import annotations

import json
import os
import pty
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agent.cli.main import main
from agent.install import installer
from agent.install.installer import CONFIGURATION, FILES, HIDDEN, PROGRAM, RECORD, hidden
from agent.install.shipped import packaged

UNIT = "etc/systemd/system/modem-agent.service"
CONFIG = CONFIGURATION.place.lstrip("/")
Report = dict[str, Any]
Install = Callable[..., Report]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    path = tmp_path / "root"
    path.mkdir()
    return path


@pytest.fixture
def install(root: Path, capsys: pytest.CaptureFixture[str]) -> Install:
    """Run it with --root and --json; the report, and its exit status under `status`."""

    def run(*words: str) -> Report:
        status = main(["install", "--root", str(root), "--json", *words])
        out = capsys.readouterr().out
        assert out.count("\n") == 1
        report: Report = json.loads(out)
        return {**report, "status": status}

    return run


def outcomes(report: Report, kind: str = "file") -> dict[str, str]:
    """What became of each file, by its place inside the root."""
    steps = [step for step in report["steps"] if step["kind"] == kind]
    return {step["subject"].removeprefix(f"{report['root']}/"): step["outcome"] for step in steps}


def everything(root: Path) -> dict[str, bytes]:
    """Every file below the folders in /etc: not those that systemd-sysusers writes."""
    files = (path for path in root.glob("etc/*/**/*") if path.is_file())
    return {str(path.relative_to(root)): path.read_bytes() for path in files}


def test_every_shipped_file_gets_to_its_place(root: Path, install: Install) -> None:
    report = install()
    assert (report["status"], report["ok"]) == (0, True)
    assert set(outcomes(report).values()) == {"created"}
    for shipped in FILES:
        path = root / shipped.place.lstrip("/")
        assert path.read_bytes() == packaged(shipped.name).read_bytes()
        assert stat.S_IMODE(path.stat().st_mode) == shipped.mode
    assert stat.S_IMODE((root / "etc/modem-agent/secrets").stat().st_mode) == 0o700


def test_nothing_shipped_is_forgotten() -> None:
    folder = packaged("modem-agent.service").parent
    assert {shipped.name for shipped in FILES} == {path.name for path in folder.iterdir()}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file to a group")
def test_the_service_can_read_its_configuration_and_others_cannot(
    root: Path, install: Install
) -> None:
    if shutil.which("systemd-sysusers") is None:
        pytest.skip("systemd-sysusers is not installed")
    install()
    groups = (line.split(":") for line in (root / "etc/group").read_text().splitlines())
    gid = next(int(words[2]) for words in groups if words[0] == "modem-agent")
    found = (root / CONFIG).stat()
    assert (found.st_gid, stat.S_IMODE(found.st_mode)) == (gid, 0o640)


def test_where_the_group_is_not_known_it_says_so(
    install: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "which", lambda *_, **__: None)
    report = install()
    assert report["status"] == 0
    (user,) = (step for step in report["steps"] if step["subject"].startswith("systemd-sysusers"))
    assert (user["outcome"], user["detail"]) == ("skipped", "systemd-sysusers is not installed")
    (config,) = (step for step in report["steps"] if step["subject"].endswith(CONFIG))
    assert "no group modem-agent" in config["detail"]


def test_a_second_time_changes_nothing(root: Path, install: Install) -> None:
    install()
    before = everything(root)
    report = install()
    assert set(outcomes(report).values()) == {"unchanged"}
    assert everything(root) == before


def test_what_somebody_changed_is_kept_and_said(root: Path, install: Install) -> None:
    install()
    for place in (UNIT, CONFIG):
        (root / place).write_text("mine\n")
    report = install()
    assert report["status"] == 0
    kept = {place for place, outcome in outcomes(report).items() if outcome == "kept"}
    assert kept == {UNIT, CONFIG}
    assert (root / UNIT).read_text() == (root / CONFIG).read_text() == "mine\n"


def test_force_replaces_everything_but_the_configuration(root: Path, install: Install) -> None:
    install()
    for place in (UNIT, CONFIG):
        (root / place).write_text("mine\n")
    report = install("--force")
    assert outcomes(report)[UNIT] == "updated"
    assert outcomes(report)[CONFIG] == "kept"
    assert (root / UNIT).read_bytes() == packaged("modem-agent.service").read_bytes()
    assert (root / CONFIG).read_text() == "mine\n"


def test_an_upgrade_updates_what_nobody_changed(
    root: Path, install: Install, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    older = tmp_path / "older"
    shutil.copytree(packaged("modem-agent.service").parent, older)
    for path in older.iterdir():
        path.write_text(path.read_text() + "# of an older version\n")
    with monkeypatch.context() as old:
        old.setattr(installer, "packaged", lambda name: older / name)
        install()
    assert "older version" in (root / UNIT).read_text()
    report = install()
    assert set(outcomes(report).values()) == {"updated"}
    assert (root / UNIT).read_bytes() == packaged("modem-agent.service").read_bytes()


@pytest.mark.parametrize("record", ["", "{", "[]", '{"/etc": 1}'])
def test_without_a_readable_record_nothing_that_differs_is_replaced(
    root: Path, install: Install, record: str
) -> None:
    install()
    (root / UNIT).write_text("theirs\n")
    (root / RECORD.lstrip("/")).write_text(record)
    assert outcomes(install())[UNIT] == "kept"
    assert (root / UNIT).read_text() == "theirs\n"


def test_a_masked_unit_stays_masked(root: Path, install: Install) -> None:
    path = root / UNIT
    path.parent.mkdir(parents=True)
    path.symlink_to("/dev/null")
    assert outcomes(install())[UNIT] == "kept"
    assert outcomes(install("--force"))[UNIT] == "kept"
    assert path.is_symlink()


def test_a_dry_run_says_all_and_does_nothing(root: Path, install: Install) -> None:
    report = install("--dry-run")
    assert (report["status"], report["dry_run"]) == (0, True)
    assert set(outcomes(report).values()) == {"created"}
    assert not list(root.iterdir())
    install()
    before = everything(root)
    folders = {path for path in root.rglob("*") if path.is_dir()}
    foretold = outcomes(install("--dry-run", "--uninstall"))
    assert set(foretold.values()) == {"removed"}
    assert everything(root) == before
    assert {path for path in root.rglob("*") if path.is_dir()} == folders
    assert outcomes(install("--uninstall")) == foretold


def test_a_dry_run_foretells_what_uninstall_keeps(root: Path, install: Install) -> None:
    install()
    (root / "etc/modem-agent/secrets/key-0").write_text("secret\n")
    (root / CONFIG).write_text("mine\n")
    foretold = [step["detail"] for step in install("--dry-run", "--uninstall")["steps"]]
    assert foretold == [step["detail"] for step in install("--uninstall")["steps"]]


def test_uninstall_leaves_nothing_where_nothing_was_changed(root: Path, install: Install) -> None:
    install()
    report = install("--uninstall")
    assert report["status"] == 0
    assert set(outcomes(report).values()) == {"removed"}
    assert everything(root) == {}
    assert not (root / "etc/modem-agent").exists()
    again = install("--uninstall")
    assert (again["status"], set(outcomes(again).values())) == (0, {"absent"})


def test_uninstall_keeps_what_is_yours(root: Path, install: Install) -> None:
    install()
    (root / CONFIG).write_text("mine\n")
    (root / UNIT).write_text("mine too\n")
    (root / "etc/modem-agent/secrets/key-0").write_text("secret\n")
    report = install("--uninstall")
    kept = {place for place, outcome in outcomes(report).items() if outcome == "kept"}
    assert kept == {UNIT, CONFIG}
    assert (root / "etc/modem-agent/secrets/key-0").exists()
    assert (root / CONFIG).read_text() == "mine\n"
    forced = outcomes(install("--uninstall", "--force"))
    assert (forced[UNIT], forced[CONFIG]) == ("removed", "kept")
    assert not (root / UNIT).exists()


def test_uninstall_disables_the_unit(root: Path, install: Install) -> None:
    if shutil.which("systemctl") is None:
        pytest.skip("systemctl is not installed")
    install()
    wants = root / "etc/systemd/system/multi-user.target.wants"
    wants.mkdir()
    (wants / "modem-agent.service").symlink_to("/etc/systemd/system/modem-agent.service")
    assert install("--uninstall")["status"] == 0
    assert not (wants / "modem-agent.service").is_symlink()


def test_the_unit_starts_the_program_that_is_named(root: Path, install: Install) -> None:
    program = "/usr/lib/modem-agent/bin/modem-agent"
    assert install("--program", program)["program"] == program
    text = (root / UNIT).read_text()
    assert f"\nExecStart={program} run --config" in text
    assert PROGRAM not in text
    assert set(outcomes(install("--program", program)).values()) == {"unchanged"}
    assert outcomes(install("--uninstall"))[UNIT] == "removed"


@pytest.mark.parametrize("folder", HIDDEN)
def test_a_program_that_the_sandbox_hides_is_refused(
    root: Path, capsys: pytest.CaptureFixture[str], folder: str
) -> None:
    program = f"{folder}/venv/bin/modem-agent"
    assert main(["install", "--root", str(root), "--program", program]) == 1
    assert f"is in {folder}, which the service cannot see" in capsys.readouterr().err
    assert not list(root.iterdir())


def test_what_is_hidden_is_what_the_unit_hides() -> None:
    unit = packaged("modem-agent.service").read_text()
    assert "ProtectHome=yes" in unit
    assert "PrivateTmp=yes" in unit
    assert hidden("/opt/modem-agent/bin/modem-agent") is None
    assert hidden("/homes/x") is None


@pytest.mark.parametrize("program", ["/opt/a b/modem-agent", "/opt/%i/modem-agent", "/opt/a\nb"])
def test_a_program_that_a_unit_would_misread_is_refused(
    root: Path, capsys: pytest.CaptureFixture[str], program: str
) -> None:
    assert main(["install", "--root", str(root), "--program", program]) == 1
    assert "plain absolute path" in capsys.readouterr().err
    assert not list(root.iterdir())


def test_usage_errors(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["install", "--root", str(root), "--program", "modem-agent"]) == 2
    assert main(["install", "--root", str(root / "nowhere")]) == 1
    with pytest.raises(SystemExit) as ended:
        main(["install", "--sideways"])
    assert ended.value.code == 2
    capsys.readouterr()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may")
def test_this_system_needs_root(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["install", "--program", PROGRAM]) == 1
    assert "this needs root" in capsys.readouterr().err


def test_what_is_in_the_way_is_a_failed_step(root: Path, install: Install) -> None:
    (root / "etc").mkdir()
    (root / "etc/udev").write_text("a file where a folder must be\n")
    report = install()
    assert (report["status"], report["ok"], report["next"]) == (1, False, [])
    failed = [step for step in report["steps"] if step["outcome"] == "failed"]
    assert [step["subject"].rpartition("/")[2] for step in failed] == ["70-modem-agent.rules"]
    assert failed[0]["detail"]
    assert outcomes(report)[UNIT] == "created"
    (root / "etc/udev").unlink()
    again = install()
    assert again["status"] == 0


def test_a_person_reads_what_was_done_and_what_is_next(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["install", "--root", str(root)]) == 0
    said = capsys.readouterr()
    lines = said.out.splitlines()
    assert f"created      {root}/{UNIT}" in lines
    following = said.out.partition("\nnext, in ")[2]
    for word in ("edit /etc/modem-agent/modem-agent.toml", "config check", "enable modem-agent"):
        assert word in following
    assert said.err == ""
    (root / CONFIG).write_text("mine\n")
    assert main(["install", "--root", str(root)]) == 0
    assert "edit /etc" not in capsys.readouterr().out


def test_with_json_progress_is_for_a_terminal_alone(root: Path, tmp_path: Path) -> None:
    argv = [sys.executable, "-m", "agent", "install", "--root", str(root), "--json"]
    piped = subprocess.run(argv, capture_output=True, text=True, timeout=30, check=True)
    assert piped.stderr == ""
    ours, theirs = pty.openpty()
    try:
        done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=theirs, timeout=30, check=True)
        seen = os.read(ours, 65536).decode()
    finally:
        os.close(ours)
        os.close(theirs)
    assert f"unchanged {root}/{UNIT}" in seen
    assert json.loads(done.stdout)["ok"] is True
