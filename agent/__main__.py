"""`modem-agent` and `python -m agent`."""

from __future__ import annotations

import sys


def main() -> int:
    """Run the command line; returns the exit status."""
    from agent.cli.main import main as run  # noqa: PLC0415 - keeps `import agent.__main__` light

    return run()


if __name__ == "__main__":
    sys.exit(main())
