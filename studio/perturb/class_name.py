"""Classes by their names: the same letters are the same name, in whatever Unicode spelling they come."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

from studio.names import composed
from studio.perturb.formula_text import FormulaError

_MOST_SHOWN = 12


def class_number(name: str, classes: Sequence[str], column: int) -> int:
    """The number of the class named at a column of a formula; raises FormulaError, with what was probably meant."""
    known = [composed(each) for each in classes]
    if composed(name) in known:
        return known.index(composed(name))
    folded = {each.casefold(): each for each in reversed(known)}
    close = difflib.get_close_matches(composed(name).casefold(), folded, n=1)
    more = "…" if len(known) > _MOST_SHOWN else ""
    raise FormulaError(
        f"There is no class “{name[:40]}”",
        f"the classes are {', '.join(known[:_MOST_SHOWN])}{more}.",
        f"Did you mean “{folded[close[0]]}”?" if close else "",
        column=column,
    )
