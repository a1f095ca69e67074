"""The energy's terms as a file holds them and a form edits them; each knows the frozen value that it stands for."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self, TypeAlias

from pydantic import Field, field_validator, model_validator

from studio.errors import UserError
from studio.names import composed
from studio.perturb.energy import Energy
from studio.perturb.features import FEATURES
from studio.perturb.terms import TERMS, ColumnTerm, FormulaTerm, Term
from studio.settings import PathText, Settings, setting

MOST_TERMS = 32
_HUGE = 1e9
_FEATURE = "What is measured of every example; only some data sets have a hue or coordinates."


class TermConfig(Settings):
    """Base of the terms; every subclass has a literal ``kind``."""

    kind: str = ""
    enabled: bool = setting(True, "On", "Whether the term counts.")
    scale: float = setting(
        1.0,
        "Scale",
        "Factor on the term: 0 is without it, 2 twice as strong, a negative one favours what it disfavoured.",
        step=0.1,
        within=(-_HUGE, _HUGE),
    )

    def resolve(self) -> Term:
        """The term that it stands for: the one of its kind, whose fields have the names of its settings."""
        return TERMS[self.kind](**self.model_dump(exclude={"kind"}))


def _known_feature(name: str) -> str:
    known = [feature.name for feature in FEATURES]
    if name not in known:
        raise ValueError(f"there is no such feature; they are {', '.join(known)}")
    return name


class FeatureTermConfig(TermConfig):
    """Base of the terms in one feature."""

    feature: str = setting("ink", "Feature", _FEATURE)

    @field_validator("feature")
    @classmethod
    def _check_feature(cls, name: str) -> str:
        return _known_feature(name)


class LinearTermConfig(FeatureTermConfig):
    """slope·f."""

    kind: Literal["linear"] = "linear"
    slope: float = setting(
        0.1,
        "Slope",
        "ΔH = slope·f. Positive favours small values, negative large ones.",
        step=0.01,
        within=(-_HUGE, _HUGE),
    )


class QuadraticTermConfig(FeatureTermConfig):
    """½·((f − centre)/width)²."""

    kind: Literal["quadratic"] = "quadratic"
    centre: float = setting(
        0.0, "Centre", "The value that is favoured. ΔH = ½·((f − centre)/width)².", step=1, within=(-_HUGE, _HUGE)
    )
    width: float = setting(
        10.0,
        "Width",
        "How far from the centre ΔH is ½; smaller is stronger. ΔH = ½·((f − centre)/width)².",
        gt=0,
        le=_HUGE,
    )


class WindowTermConfig(FeatureTermConfig):
    """0 within low…high, height outside."""

    kind: Literal["window"] = "window"
    low: float = setting(0.0, "From", "Lower end of the window; ΔH = 0 inside.", step=1, within=(-_HUGE, _HUGE))
    high: float = setting(50.0, "To", "Upper end of the window; ΔH = 0 inside.", step=1, within=(-_HUGE, _HUGE))
    height: float = setting(
        3.0,
        "Height",
        "ΔH outside the window: what lies outside weighs e^−height as much.",
        step=0.1,
        within=(-700, 700),
    )

    @model_validator(mode="after")
    def _check_ends(self) -> WindowTermConfig:
        if self.low > self.high:
            raise ValueError("the window's lower end lies above its upper end")
        return self


class FormulaTermConfig(TermConfig):
    """Any formula over features, ``label`` and ``log_odds``."""

    kind: Literal["formula"] = "formula"
    data: str = setting(
        "",
        "Judge of",
        "The data set whose judge log_odds asks: empty for the data set itself, else one with labels, such as mnist.",
        editor="judge",
    )
    text: str = setting(
        "0",
        "Formula",
        "ΔH from features, label, log_odds, numbers and functions, such as where(slant > 10, 1, -0.1*log_odds(2)), "
        'or -2*(label == "cat") with the name of a class in quotes.',
    )

    @field_validator("text")
    @classmethod
    def _check_text(cls, text: str) -> str:
        try:
            FormulaTerm(text=text)
        except UserError as error:
            raise ValueError(str(error)) from error
        return composed(text)


class ColumnTermConfig(TermConfig):
    """A column of a CSV file: an example's number or file name, and its ΔH."""

    kind: Literal["column"] = "column"
    path: PathText = setting(
        "",
        "CSV file",
        "Two columns: the example's number from 0 or its file name, and its ΔH. Examples that are not in it have 0.",
        path="file",
    )

    def resolve(self) -> ColumnTerm:
        return ColumnTerm(source=f"csv:{self.path}", enabled=self.enabled, scale=self.scale)


class JudgeTermConfig(TermConfig):
    """slope·log-odds of a class, as a judge sees each example."""

    kind: Literal["judge"] = "judge"
    data: str = setting(
        "",
        "Judge of",
        "The data set whose judge looks: empty for the data set itself, else one with labels, such as mnist or "
        "folder:/home/me/pets. Images are brought to its size and colours.",
        editor="judge",
    )
    of: str = setting("", "Class", "The class whose likeness counts, by its name in the judge's data set.")
    slope: float = setting(
        -0.1,
        "Slope",
        "Negative favours what the judge takes for the class, positive what it does not. ΔH = slope·log(q/(1 − q)), "
        "q the judge's probability of the class.",
        step=0.01,
        within=(-_HUGE, _HUGE),
    )

    @field_validator("of")
    @classmethod
    def _compose_name(cls, name: str) -> str:
        return composed(name)


if TYPE_CHECKING:
    AnyTerm: TypeAlias = TermConfig
else:
    AnyTerm = Annotated[
        LinearTermConfig
        | QuadraticTermConfig
        | WindowTermConfig
        | FormulaTermConfig
        | ColumnTermConfig
        | JudgeTermConfig,
        Field(discriminator="kind"),
    ]
"""Any term's settings, told apart by ``kind``. A new kind of term is a class here and one in `studio.perturb.terms`."""


class EnergyConfig(Settings):
    """What is added to the class offsets, and done with the sum."""

    terms: tuple[AnyTerm, ...] = setting(
        (), "Terms", "Rows of the energy beside the class offsets.", max_length=MOST_TERMS
    )
    offsets_enabled: bool = setting(True, "Class offsets", "Whether the class offsets count.")
    offsets_scale: float = setting(
        1.0, "Scale of the offsets", "Factor on every class offset.", step=0.1, within=(-_HUGE, _HUGE)
    )
    temperature: float = setting(
        1.0,
        "Temperature",
        "Divides the whole ΔH: above 1 weakens the tilt, below 1 strengthens it.",
        step=0.1,
        within=(1e-6, _HUGE),
    )
    clip: float | None = setting(
        None,
        "Clip",
        "Keeps ΔH within so much of its median over the data: no example weighs over e^clip times the median one.",
        gt=0,
        le=_HUGE,
    )

    def energy(self) -> Energy:
        """The frozen value that it stands for."""
        return Energy(**self._parts() | {"terms": tuple(term.resolve() for term in self.terms)})

    def energy_part(self) -> EnergyConfig:
        return EnergyConfig(**self._parts())

    def with_energy(self, energy: EnergyConfig) -> Self:
        return self.model_copy(update=energy._parts())

    def _parts(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in EnergyConfig.model_fields}


def energy_of_record(record: Any) -> Energy:
    """The energy that a run's summary holds; `energy_record` undone. Raises ValueError if it is none."""
    return energy_config_of_record(record).energy()


def energy_config_of_record(record: Any) -> EnergyConfig:
    """The settings that stand for a recorded energy; raises ValueError if it is none."""
    if not isinstance(record, dict) or not isinstance(record.get("terms"), list):
        raise ValueError("this is no energy")
    return EnergyConfig.model_validate(record | {"terms": [_term_fields(term) for term in record["terms"]]})


def _term_fields(term: Any) -> Any:
    """A recorded term as its settings; a column's are its path, where the record has its source."""
    if not isinstance(term, dict) or "source" not in term:
        return term
    fields = dict(term)
    return fields | {"path": str(fields.pop("source")).removeprefix("csv:")}


def energy_record(energy: Energy) -> dict[str, Any]:
    """An energy for a run's summary, in JSON."""
    record = asdict(energy)
    record["terms"] = [{"kind": term.kind, **asdict(term)} for term in energy.terms]
    return record
