"""Any modem that keeps to TS 27.007 and TS 27.005."""

from __future__ import annotations

from typing import Final

from at.profiles.profile import Profile

PROFILE: Final = Profile("generic")
