import contextlib
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.gui.widgets.number_entry import (
    NotANumber,
    parse_number,
    parse_percent,
    plain_number,
    shown_number,
    shown_offset,
    shown_weight,
)
from tests.conftest import LETTERS

FINITE = st.floats(allow_nan=False, allow_infinity=False)


@given(FINITE)
def test_that_every_float_is_read_back_from_its_own_spelling(value: float) -> None:
    assert parse_number(repr(value)) == value


@given(FINITE)
def test_that_a_decimal_comma_and_a_true_minus_sign_mean_the_same(value: float) -> None:
    assert parse_number(repr(value).replace(".", ",").replace("-", "−")) == value


@given(st.floats(min_value=-1e15, max_value=1e15))
def test_that_what_is_shown_is_read_back_to_six_digits(value: float) -> None:
    for text in (plain_number(value), shown_number(value)):
        assert math.isclose(parse_number(text), value, rel_tol=1e-5)


@given(st.integers(min_value=1000, max_value=10**12), st.sampled_from([" ", "\u202f", "\u00a0", "'", "’"]))
def test_that_thousands_may_be_set_apart(value: int, gap: str) -> None:
    assert parse_number(f"{value:,}".replace(",", gap)) == value


@given(st.text(LETTERS, max_size=12))
def test_that_any_text_is_a_finite_number_or_refused(text: str) -> None:
    with contextlib.suppress(NotANumber):
        assert math.isfinite(parse_number(text))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1.234,5", 1234.5),
        ("1,234.5", 1234.5),
        ("1,234,567", 1234567),
        ("1.234.567", 1234567),
        ("1,5", 1.5),
        ("- 3", -3),
        ("+.5", 0.5),
        ("5.", 5),
        (" 1e-3 ", 0.001),
    ],
)
def test_that_usual_spellings_are_read(text: str, value: float) -> None:
    assert parse_number(text) == value


@pytest.mark.parametrize("text", ["", " ", "abc", "NaN", "inf", "1e999", "1 2", "1.2.3", "0x10", "1_000", "--1", "²"])
def test_that_anything_else_is_refused(text: str) -> None:
    with pytest.raises(NotANumber):
        parse_number(text)


@pytest.mark.parametrize("text", ["30", "30 %", "30%", "30,0 %", " 30.0\u00a0% "])
def test_that_a_share_is_read_in_per_cent(text: str) -> None:
    assert parse_percent(text) == pytest.approx(0.3)


def test_that_offsets_and_weights_keep_three_digits_behind_the_point() -> None:
    assert [shown_offset(value) for value in (0, -0.0, -1.3577, 0.0001)] == ["0.000", "0.000", "−1.358", "0.00010"]
    assert [shown_weight(value) for value in (0, 3.885, 1e-9, 1e5, math.inf)] == [
        "0.000", "3.885", "< 0.001", "100,000", "∞",
    ]  # fmt: skip
