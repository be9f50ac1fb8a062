"""Coverage-guided fuzzing of the SMS codec: nothing but a DecodeError ever comes out.

pip install -e '.[fuzz]'
python tests/fuzz/pdu.py NEW_INPUTS tests/fuzz/corpus -runs=10000000 -max_len=400
"""

from __future__ import annotations

import sys
from pathlib import Path

import atheris

sys.path.insert(0, str(Path(__file__).parents[2]))

with atheris.instrument_imports(include=["at"]):
    from tests.fuzz.sms_target import one_input


def main() -> None:
    """Hand over to libFuzzer, which reads its options from the command line and never returns."""
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
