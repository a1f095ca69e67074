"""The window: PySide6 and pyqtgraph live here and nowhere else; torch never does."""

from __future__ import annotations

import builtins

_import = builtins.__import__
import PySide6.QtCore  # noqa: E402, F401

# PySide6 puts a function of its own in the place of `import`, for the sake of `from __feature__ import …`, which nobody
# here writes. It reads the source of every module that is imported afterwards, of NumPy's and torch's thousands, too,
# and looks for the word PySide6 in it; and modules that ask for their parts when they are wanted, as pydantic does, are
# touched while they are half made.
builtins.__import__ = _import
