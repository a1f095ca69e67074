"""The Python sides of what layouts hold, which outlive what they stand for."""

import shiboken6
from PySide6.QtWidgets import QLayout, QLayoutItem


def count_layout_items() -> int:
    """How many there are.

    One is not told when Qt deletes its item, and Qt gives out the address again: to a window, say, which Python then
    takes for an item. So nothing may make one of what comes and goes.
    """
    found = shiboken6.getAllValidWrappers()
    return sum(isinstance(each, QLayoutItem) and not isinstance(each, QLayout) for each in found)
