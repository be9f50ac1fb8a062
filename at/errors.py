"""The errors of the AT driver and of the SMS codec: one tree, each carrying its data."""

from __future__ import annotations


class AtError(Exception):
    """Base of everything `at` raises on purpose."""


class PortError(AtError):
    """The port could not be opened, or was lost while in use.

    path: the port as configured; reason: one sentence with the remedy in it.
    """

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = path
        self.reason = reason


class PortBusyError(PortError):
    """Another program holds the port; `holder` names it (process name and id) where known."""

    def __init__(self, path: str, reason: str, holder: str | None) -> None:
        super().__init__(path, reason)
        self.holder = holder


class PortLostError(PortError):
    """The port went away under an open modem (unplugged, EIO, EOF).

    stage: as in CommandTimeoutError, where a command was in flight; else "".
    """

    def __init__(self, path: str, reason: str, stage: str = "") -> None:
        super().__init__(path, reason)
        self.stage = stage


class CommandError(AtError):
    """The modem answered with a final result code other than OK.

    line: the command after "AT"; result: the final result code as received;
    domain: "CME", "CMS" or "" (plain ERROR, NO CARRIER ...); code: the number, or None where the
    modem gave only a text; name: the standard's name; temporary: True where trying again later
    can help, False where it cannot, None where nobody can tell.
    """

    def __init__(
        self,
        line: str,
        result: str,
        *,
        domain: str = "",
        code: int | None = None,
        name: str = "",
        temporary: bool | None = None,
    ) -> None:
        super().__init__(f"AT{line}: {result}" + (f" ({name})" if name and name != result else ""))
        self.line = line
        self.result = result
        self.domain = domain
        self.code = code
        self.name = name
        self.temporary = temporary


class CommandTimeoutError(AtError):
    """No final result code in time. What the modem did is unknown.

    stage: "write", "prompt" or "result": how far the exchange had come.
    """

    def __init__(self, line: str, timeout_s: float, stage: str) -> None:
        super().__init__(f"AT{line}: no {stage} within {timeout_s:g} s")
        self.line = line
        self.timeout_s = timeout_s
        self.stage = stage


class ReplyError(AtError):
    """The modem said OK, but its information lines are not what the standard promises."""

    def __init__(self, line: str, got: tuple[str, ...]) -> None:
        super().__init__(f"AT{line}: unexpected reply {list(got)!r}")
        self.line = line
        self.got = got


class StaleError(AtError):
    """Not sent: the modem's indices may mean other messages since `generation` was read."""

    def __init__(self, line: str, generation: int) -> None:
        super().__init__(f"AT{line}: not sent, generation {generation} is over")
        self.line = line
        self.generation = generation


class SendUnknownError(AtError):
    """The message went to the modem, but whether it went on the air is unknown.

    Telling it again may send it twice. reason: what was seen instead of an answer.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(f"outcome of the sending unknown: {reason}")
        self.reason = reason


class SimError(AtError):
    """The SIM does not let the modem work, and trying again will not change that by itself.

    state: "absent", "pin-required", "pin-refused", "pin-kept" (the last two tries are never
    spent), "puk", "locked", "busy" or "failed"; remedy: one sentence of what to do.
    """

    def __init__(self, state: str, remedy: str) -> None:
        super().__init__(f"SIM {state}: {remedy}")
        self.state = state
        self.remedy = remedy


class CodecError(AtError, ValueError):
    """Base of the SMS codec's errors."""


class DecodeError(CodecError):
    """A PDU that cannot be read.

    field: dotted name of the element ("udh.ied"); octet: offset in the whole input, 0-based;
    need / have: octets needed and present where that is the complaint, else None.
    """

    def __init__(
        self,
        field: str,
        octet: int,
        *,
        need: int | None = None,
        have: int | None = None,
        detail: str = "",
    ) -> None:
        text = f"{field} at octet {octet}"
        if need is not None:
            text += f": need {need}, have {have}"
        if detail:
            text += f": {detail}"
        super().__init__(text)
        self.field = field
        self.octet = octet
        self.need = need
        self.have = have
        self.detail = detail


class EncodeError(CodecError):
    """A value that cannot be put on the air; field: dotted name of the element."""

    def __init__(self, field: str, detail: str) -> None:
        super().__init__(f"{field}: {detail}")
        self.field = field
        self.detail = detail
