"""Numbers as text."""

import math

import pytest

from studio.number_text import compact, fixed, percent, percent_words, short, unbroken


@pytest.mark.parametrize(
    ("share", "cell", "words"),
    [
        (0.3, "30.00 %", "30 %"),
        (0.0993, "9.93 %", "9.93 %"),
        (0.0, "0.00 %", "0 %"),
        (-0.0, "0.00 %", "0 %"),
        (1.0, "100.00 %", "100 %"),
        (1 + 1e-16, "100.00 %", "100 %"),
        (0.9994, "99.94 %", "99.9 %"),
        (0.99999, "> 99.99 %", "more than 99.9 %"),
        (2e-5, "0.002 %", "0.002 %"),
        (2e-9, "< 0.001 %", "less than 0.001 %"),
        (1.53e-12, "< 0.001 %", "less than 0.001 %"),
        (1e-300, "< 0.001 %", "less than 0.001 %"),
        (-0.05, "−5.00 %", "−5 %"),
        (math.nan, "–", "an unknown share"),
    ],
)
def test_that_a_share_looks_like_nothing_or_all_only_where_it_is(share: float, cell: str, words: str) -> None:
    assert percent(share) == cell
    assert percent_words(share) == words


def test_that_a_share_in_a_sentence_has_as_many_digits_as_are_asked_for() -> None:
    assert [percent_words(share, 2) for share in (0.6895, 0.996, 1.0, 3e-12)] == [
        "69 %", "more than 99 %", "100 %", "less than 0.001 %",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("value", "text"),
    [(-0.0, "0.00"), (-0.001, "0.00"), (-1.5, "−1.50"), (math.nan, "–"), (math.inf, "∞"), (-math.inf, "−∞")],
)
def test_that_fixed_digits_know_no_minus_zero_and_no_words_of_a_machine(value: float, text: str) -> None:
    assert fixed(value, 2) == text


def test_that_a_few_digits_need_no_exponent_below_ten_million() -> None:
    assert [compact(value) for value in (math.nan, -12_340.4, 64.0, -math.inf, 1e3, 99_999.6, 0.0)] == [
        "–", "−12,340", "64", "−∞", "1,000", "100,000", "0",
    ]  # fmt: skip
    assert [compact(value, 3) for value in (1.0034, 3.21e-7, -4.5e12, 999.9)] == [
        "1.00", "3.21·10⁻⁷", "−4.50·10¹²", "1,000",
    ]  # fmt: skip
    assert [short(value) for value in (0.03, 12.0, 10.5, 1e4, 2e-7)] == ["0.03", "12", "10.5", "10,000", "2.000·10⁻⁷"]


def test_that_no_line_ends_within_a_share() -> None:
    said = unbroken("7 → 4 %: 29.4 ± 3.1 % of them, or ∞ % of 5")
    assert said.split(" ") == ["7\xa0→\xa04\xa0%:", "29.4\xa0±\xa03.1\xa0%", "of", "them,", "or", "∞\xa0%", "of", "5"]
