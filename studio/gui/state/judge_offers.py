"""The judges that may look at the data set in use, as panels speak of them. No Qt."""

from __future__ import annotations

from dataclasses import dataclass

from studio.training.config.energy import FormulaTermConfig, JudgeTermConfig, TermConfig
from studio.training.examples.judges import Judges, known_judges

_CHOOSE = (
    "So there are no shares of classes, and no judge’s features to measure distances in. Choose the judge of another, "
    "labelled data set under “Set-up”, “Evaluation”, “Judge of”: it labels data and samples alike."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgeOffer:
    """A judge that may look at the data: of which data set, and what it tells apart as far as that is known."""

    name: str
    title: str
    class_names: tuple[str, ...]


def judges_on_offer(judges: Judges | None) -> tuple[JudgeOffer, ...]:
    """The judges that a term may ask, the data's own first; none where the data cannot be judged."""
    if judges is None or not judges.possible:
        return ()
    own = JudgeOffer(name="", title="", class_names=judges.class_names(""))
    others = (
        JudgeOffer(name=name, title=title, class_names=judges.class_names(name))
        for name, title in known_judges()
        if title != judges.examples.name
    )
    return (own, *others)


def why_not_judged(judges: Judges | None, name: str) -> str:
    """Why what is generated of these data cannot be evaluated by that judge, and what to do; empty where it can."""
    error = judges.why_not(name) if judges is not None else None
    if error is None or judges is None:
        return ""
    advice = _CHOOSE if judges.possible else "Distances to their exact density are in the panel “Plane”."
    return f"{error.title}: {error.message}\n{advice}"


def class_names_of(judges: Judges | None, term: TermConfig) -> tuple[str, ...]:
    """The classes that a term may name, as far as they are known: what its judge tells apart, or those of the data,
    which a formula compares with; none of any other term.
    """
    if judges is None:
        return ()
    if isinstance(term, FormulaTermConfig):
        return judges.examples.class_names
    return judges.class_names(term.data) if isinstance(term, JudgeTermConfig) else ()


def mended(judges: Judges | None, term: TermConfig) -> TermConfig:
    """The term, with another class where its judge knows it by no such name, as when the judge was changed."""
    known = class_names_of(judges, term)
    if isinstance(term, JudgeTermConfig) and known and term.of not in known:
        return term.model_copy(update={"of": known[0]})
    return term
