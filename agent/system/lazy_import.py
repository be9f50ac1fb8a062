"""Puts off loading a module that a library imports but need not ever use."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from types import ModuleType
from typing import Any

__all__ = ["lazily"]


class _Later(ModuleType):
    """Stands for a module until something in it is asked for, then makes way.

    importlib.util.LazyLoader would do, but in Python 3.11 the `import` itself loads its modules.
    """

    def __getattr__(self, name: str) -> Any:
        if sys.modules.get(self.__name__) is self:
            del sys.modules[self.__name__]
        return getattr(importlib.import_module(self.__name__), name)


def lazily(name: str) -> None:
    """Let an `import` of a module bind it, and only its first use load it.

    Nothing happens where it is loaded already. Raises ModuleNotFoundError as the import would.
    """
    if name in sys.modules:
        return
    if importlib.util.find_spec(name) is None:
        raise ModuleNotFoundError(name=name)
    module = sys.modules[name] = _Later(name)
    package, _, child = name.rpartition(".")
    if package:
        setattr(sys.modules[package], child, module)
