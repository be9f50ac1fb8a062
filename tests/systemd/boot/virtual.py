"""A virtual machine with a USB serial adapter, behind which a simulated modem answers."""

from __future__ import annotations

import contextlib
import json
import platform
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final, Self

from tests.systemd.boot.air import Air
from tests.systemd.boot.image import REPOSITORY, CannotShow, run

__all__ = ["QEMU", "RULE", "VirtualMachine", "adapter_rule", "modem"]

QEMU: Final = "qemu-system-x86_64"
RULE: Final = "/etc/udev/rules.d/71-trial.rules"
MEMORY_MIB: Final = 768
STOP_S: Final = 10.0


def adapter_rule(shipped: str) -> str:
    """Return the shipped rule of a modem, for the adapter that QEMU has (an FTDI FT232)."""
    start = 'ENV{ID_VENDOR_ID}=="1e0e"'
    (line, *_) = (one for one in shipped.splitlines() if one.startswith(start))
    for field, value in (("VENDOR_ID", "0403"), ("MODEL_ID", "6001"), ("USB_INTERFACE_NUM", "00")):
        line = re.sub(rf'(ENV\{{ID_{field}\}}==)"\w+"', rf'\1"{value}"', line)
    return f'SUBSYSTEM=="tty", ACTION!="remove", {line}\n'


@contextlib.contextmanager
def modem(folder: Path) -> Iterator[tuple[str, Air]]:
    """Run a simulated modem on TCP; its address and what goes over the air."""
    control = folder / "modem.sock"
    argv = [sys.executable, "-m", "agent", "simulate", "--json"]
    process = subprocess.Popen(
        [*argv, "--tcp", "127.0.0.1:0", "--control", str(control)],
        stdout=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        cwd=REPOSITORY,
    )
    try:
        assert process.stdout is not None
        told = json.loads(process.stdout.readline())
        yield str(told["path"]).removeprefix("socket://"), Air(control)
    finally:
        process.terminate()
        process.wait(STOP_S)
        if process.stdout is not None:
            process.stdout.close()


class VirtualMachine:
    """A system that runs in QEMU; a context manager that leaves nothing running.

    address: host:port of the modem; the adapter is plugged in while a connection stands.
    """

    def __init__(self, root: Path, folder: Path, address: str) -> None:
        if platform.machine() != "x86_64":
            raise CannotShow(f"no virtual machine of this kind on {platform.machine()}")
        self.console = folder / "console.log"
        disk = folder / "disk"
        run("mkfs.ext4", "-q", "-d", root, disk, "2G")
        host, _, port = address.rpartition(":")
        (kernel,) = (root / "boot").glob("vmlinuz-*")
        (initrd,) = (root / "boot").glob("initrd.img-*")
        for file in (kernel, initrd):
            run("cp", file, folder / file.name.partition("-")[0])
        self._argv = [
            QEMU,
            *("-accel", "tcg,thread=multi", "-m", str(MEMORY_MIB), "-smp", "2"),
            *("-display", "none", "-monitor", "none", "-nic", "none"),
            *("-serial", f"file:{self.console}"),
            *("-kernel", str(folder / "vmlinuz"), "-initrd", str(folder / "initrd.img")),
            *(
                "-append",
                "root=/dev/vda rw console=ttyS0 systemd.journald.forward_to_console=1 quiet",
            ),
            *("-drive", f"file={disk},if=virtio,format=raw,cache=unsafe"),
            *("-chardev", f"socket,id=modem,host={host},port={port},reconnect=1"),
            *("-device", "qemu-xhci", "-device", "usb-serial,chardev=modem"),
        ]
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            self._argv, stdin=subprocess.DEVNULL, start_new_session=True
        )
        return self

    def tail(self) -> str:
        """Return the end of what the console has shown."""
        return "\n".join(self.console.read_text(errors="replace").splitlines()[-40:])

    def __exit__(self, *_: object) -> None:
        assert self._process is not None
        self._process.kill()  # the disk is thrown away
        self._process.wait(STOP_S)
