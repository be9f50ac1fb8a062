"""python-gsmmodem-new as a program of its own: `python -m tests.benchmarks.peer_gsmmodem PORT`.

Prints a line with the monotonic time when it is connected and for each message handed over; ends
when its standard input does. A line that comes in is sent as an SMS.
"""

from __future__ import annotations

import sys
import time
import warnings
from typing import Any

TO = "+447700900321"


def _tell(what: str) -> None:
    print(f"{time.monotonic():.6f} {what}", flush=True)


def main() -> int:
    """Hand over what is stored, then what comes."""
    warnings.simplefilter("ignore")  # the library's own deprecations
    from gsmmodem.modem import GsmModem  # type: ignore[import-untyped]  # noqa: PLC0415

    def handed_over(_message: Any) -> None:
        _tell("handled")

    modem = GsmModem(sys.argv[1], 115200, smsReceivedCallbackFunc=handed_over)
    modem.smsTextMode = False
    modem.connect()
    _tell("connected")
    modem.processStoredSms()
    _tell("swept")
    for text in sys.stdin:
        modem.sendSms(TO, text.strip(), waitForDeliveryReport=False)
        _tell("sent")
    modem.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
