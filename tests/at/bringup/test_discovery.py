"""Discovery: which ports are asked, in which order, and which modem is taken."""

from __future__ import annotations

from pathlib import Path

import pytest

from at import commands
from at.bringup import discovery
from at.bringup.discovery import candidates, find, open_modem
from at.errors import PortBusyError, PortError
from at.modem import Modem
from tests.at.peer import OK, Peer

IMEI = "490154203237518"


class Tree:
    """A /sys and /dev as the kernel lays them out."""

    def __init__(self, root: Path) -> None:
        self.root = root
        (root / "sys/class/tty").mkdir(parents=True)
        (root / "dev/serial/by-id").mkdir(parents=True)
        (root / "dev/serial/by-path").mkdir()
        (root / "sys/drivers").mkdir()

    def device(self, usb: str, vendor: str, product: str) -> Path:
        place = self.root / "sys/devices/usb1" / usb
        place.mkdir(parents=True)
        (place / "idVendor").write_text(f"{vendor}\n")
        (place / "idProduct").write_text(f"{product}\n")
        (place / "manufacturer").write_text("Maker\n")
        (place / "product").write_text("Modem\n")
        return place

    def port(self, device: Path, interface: int, name: str, driver: str = "option") -> None:
        place = device / f"{device.name}:1.{interface}"
        place.mkdir()
        (place / "bInterfaceNumber").write_text(f"{interface:02x}\n")
        (self.root / "sys/drivers" / driver).mkdir(exist_ok=True)
        (place / "driver").symlink_to(self.root / "sys/drivers" / driver)
        if name.startswith("ttyUSB"):
            (place / name).mkdir()
            place = place / name
        (self.root / "sys/class/tty" / name).mkdir()
        (self.root / "sys/class/tty" / name / "device").symlink_to(place)
        (self.root / "dev" / name).touch()

    def link(self, folder: str, name: str, node: str) -> None:
        link = self.root / "dev/serial" / folder / name
        link.symlink_to(self.root / "dev" / node)


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path)


def test_known_at_port_comes_first(tree: Tree) -> None:
    device = tree.device("1-1.4", "2c7c", "0125")
    for interface in range(4):
        tree.port(device, interface, f"ttyUSB{interface}")
    found = candidates(tree.root)
    assert [one.device for one in found] == [
        "/dev/ttyUSB2", "/dev/ttyUSB3", "/dev/ttyUSB0", "/dev/ttyUSB1",
    ]  # fmt: skip
    assert {one.usb for one in found} == {"1-1.4"}
    assert found[0].label == "Maker Modem"


def test_name_that_stays_is_preferred(tree: Tree) -> None:
    device = tree.device("1-1", "1e0e", "9001")
    tree.port(device, 2, "ttyUSB2")
    tree.port(device, 3, "ttyUSB3")
    tree.port(device, 4, "ttyUSB4")
    tree.link("by-path", "pci-usb-0:1:1.2-port0", "ttyUSB2")
    tree.link("by-id", "usb-SimTech_SIM7600-if02-port0", "ttyUSB2")
    tree.link("by-path", "pci-usb-0:1:1.3-port0", "ttyUSB3")
    assert [one.path for one in candidates(tree.root)] == [
        "/dev/serial/by-id/usb-SimTech_SIM7600-if02-port0",
        "/dev/serial/by-path/pci-usb-0:1:1.3-port0",
        "/dev/ttyUSB4",
    ]


def test_acm_port_of_a_modem_vendor_is_taken(tree: Tree) -> None:
    tree.port(tree.device("1-2", "1546", "1102"), 0, "ttyACM0", "cdc_acm")
    assert [one.device for one in candidates(tree.root)] == ["/dev/ttyACM0"]


@pytest.mark.parametrize("driver", ["ftdi_sio", "cp210x", "cdc_acm"])
def test_device_that_need_not_be_a_modem_is_left_alone(tree: Tree, driver: str) -> None:
    tree.port(tree.device("1-3", "2341", "0043"), 0, "ttyUSB7", driver)
    assert candidates(tree.root) == []


def test_port_without_a_usb_device_is_left_alone(tree: Tree) -> None:
    (tree.root / "sys/class/tty/ttyS0").mkdir()
    (tree.root / "sys/class/tty/ttyUSB9").mkdir()
    assert candidates(tree.root) == []


def patch(monkeypatch: pytest.MonkeyPatch, *paths: str) -> None:
    found = [
        discovery.Candidate(path, path, "1-1", "2c7c", "0125", n, "option", "", n)
        for n, path in enumerate(paths)
    ]
    monkeypatch.setattr(discovery, "candidates", lambda _root=None: found)


async def test_first_port_that_answers_is_taken_and_the_mute_one_closed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answers = {"+CGSN": f"\r\n{IMEI}\r\n".encode() + OK}
    async with Peer() as mute, Peer(answers) as good:
        mute.mute = True
        monkeypatch.setattr(discovery, "PROBE_TIMEOUT_S", 0.3)
        patch(monkeypatch, mute.path, good.path)
        modem, findings = await find()
        assert modem.path == good.path
        assert [finding.imei for finding in findings] == [None, IMEI]
        again = await Modem.open(mute.path)
        await again.close()
        await modem.close()


async def test_modem_is_found_again_by_its_imei(monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[object] = []
    other = {"+CGSN": b"\r\n490154203237500\r\n" + OK}
    answers = {"+CGSN": f"\r\n{IMEI}\r\n".encode() + OK}
    async with Peer(other) as first, Peer(answers) as second:
        patch(monkeypatch, first.path, second.path)
        modem = await open_modem("auto", imei=IMEI, on_urc=heard.append)
        assert modem.path == second.path
        second.say(b"\r\nRDY\r\n")
        await modem.send(commands.ATTENTION)
        assert len(heard) == 1
        await modem.close()


async def test_mute_port_is_taken_only_where_the_modem_was(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    other = {"+CGSN": b"\r\n490154203237500\r\n" + OK}
    async with Peer() as mute, Peer(other) as another:
        mute.mute = True
        monkeypatch.setattr(discovery, "PROBE_TIMEOUT_S", 0.3)
        patch(monkeypatch, mute.path, another.path)
        for last in (None, another.path, "/dev/ttyUSB99"):
            with pytest.raises(PortError, match="not 4901542"):
                await open_modem("auto", imei=IMEI, last=last)
        modem = await open_modem("auto", imei=IMEI, last=mute.path)
        assert modem.path == mute.path
        await modem.close()


async def test_no_port_is_told_with_what_is_wrong_with_each(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with Peer({"+CGSN": b"\r\n490154203237500\r\n" + OK}) as peer:
        holder = await Modem.open(peer.path)
        patch(monkeypatch, peer.path, "/dev/ttyUSB99")
        with pytest.raises(PortBusyError) as caught:
            await open_modem("auto")
        await holder.close()
        assert "ttyUSB99: no such device" in caught.value.reason
        with pytest.raises(PortError, match="not 1234"):
            await open_modem("auto", imei="1234")


async def test_without_any_candidate_the_remedy_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    patch(monkeypatch)
    with pytest.raises(PortError, match="plug one in"):
        await open_modem("auto")


async def test_named_port_is_opened_as_named() -> None:
    async with Peer() as peer:
        modem = await open_modem(peer.path)
        assert modem.path == peer.path
        await modem.close()
