"""Importing pyqtgraph without what nobody uses here: in 0.6 of the time, of which the first paint has to wait."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

_ROOMS = ("QtCore", "QtGui", "QtWidgets")


def import_pyqtgraph() -> None:
    """Load it, unless it is loaded already."""
    if "pyqtgraph" not in sys.modules:
        with _no_cuda(), _types_when_asked():
            importlib.import_module("pyqtgraph")


@contextmanager
def _no_cuda() -> Iterator[None]:
    """It looks for CUDA, for a widget of its own. Where torch has brought that package along, finding it takes long.
    Whoever wants it afterwards gets it.
    """
    if "cuda" in sys.modules:
        yield
        return
    sys.modules["cuda"] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        del sys.modules["cuda"]


@contextmanager
def _types_when_asked() -> Iterator[None]:
    """It copies every name of three of Qt's modules into its own. PySide6 makes a type when it is first asked for, and
    so has to make all 700. Its modules look names up where they are instead, and find nothing to copy.
    """
    modules = [importlib.import_module(f"PySide6.{room}") for room in _ROOMS]
    directories = [module.__dir__ for module in modules]
    for module in modules:
        name = f"pyqtgraph.Qt.{module.__name__.rpartition('.')[2]}"
        sys.modules[name] = _Mirror(name, module)
        module.__dir__ = list  # type: ignore[method-assign]
    try:
        yield
    finally:
        for module, directory in zip(modules, directories, strict=True):
            module.__dir__ = directory  # type: ignore[method-assign]


class _Mirror(ModuleType):
    """A module that has the names of another."""

    def __init__(self, name: str, original: ModuleType) -> None:
        super().__init__(name)
        self._original = original

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._original, name)
        setattr(self, name, value)
        return value

    def __dir__(self) -> list[str]:
        return dir(self._original)
