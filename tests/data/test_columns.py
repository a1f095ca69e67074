import csv
import io
import random
import re
import unicodedata
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from studio.data.columns import read_column
from studio.errors import UserError
from tests.sizes import sizes

FILES = ("cat/1.png", "cat/2.png", "dog/Zoë.jpg", "dog/a, b.png", "dog/c;d.png")


def values(path: Path, text: str | bytes, files: tuple[str, ...] = FILES, count: int = 0) -> list[float]:
    path /= "energies.csv"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return read_column(path, count or len(files), files).values.tolist()


def refusal(path: Path, text: str, files: tuple[str, ...] = FILES, count: int = 0) -> str:
    with pytest.raises(UserError) as caught:
        values(path, text, files, count)
    assert caught.value.field == "perturbation.terms"
    return str(caught.value)


@pytest.mark.parametrize(
    "text", ["nan", "", "1e999", '"1,000"', "1_000", "１", "inf", "1 000", "x", "0x1", "1.5.", "--1"]
)
def test_that_an_example_whose_number_is_bad_is_refused_with_its_line_and_cell(tmp_path: Path, text: str) -> None:
    for first in ("", "id,energy\n", "1,2\n"):
        said = refusal(tmp_path, f"{first}0,{text}\n2,1\n")
        assert f"Line {1 + bool(first)} " in said
        assert ("example “0” has no ΔH" if not text else f"“{text.strip(chr(34))}” is not a finite number") in said


@pytest.mark.parametrize("name", ["9", "-1", "cat/9.png", "1e0", "CAT/1.PNG", "1.5", "1,0"])
def test_that_a_first_row_whose_example_is_mistyped_is_refused_and_no_heading(tmp_path: Path, name: str) -> None:
    for value in ("1", "nan", "", "abc"):
        said = refusal(tmp_path, f'"{name}",{value}\n0,1\n')
        assert "Line 1 " in said
        assert f"no example “{name}”" in said


@pytest.mark.parametrize("heading", ["id,energy", "file,ΔH", ",energy", "no. of it,E2", "name,1st"])
def test_that_a_heading_is_passed_over(tmp_path: Path, heading: str) -> None:
    assert values(tmp_path, f"\n{heading}\n1,2.5\n") == [0, 2.5, 0, 0, 0]


@pytest.mark.parametrize(
    "text",
    [
        "0;1.5\n3;-2\n",
        "0\t1.5\n3\t-2\n",
        "sep=;\n0;1.5\n3;-2\n",
        "SEP=|\r\n0|1.5\r\n3|-2\r\n",
        '"sep=\t"\n0\t1.5\n3\t-2\n',
        "\ufeff0,1.5\r\n3,−2\r\n",
        "\ufeffid;energy\r0;1.5\r3;-2",
        "0.0,1.5\n3.,-2.0e0\n",
        " 0 , +1.5 \n\n,\n 3 ,-2\n",
        'cat\\1.png,1.5\n"./dog/a, b.png",-2\n',
        "cat/1.png;1.5\ndog/a, b.png;-2\n",
        '"cat/1.png","1.5"\n"dog/a, b.png","-2"\n',
        "dog/a, b.png;-2\ncat/1.png;1.5\n",
    ],
)
def test_that_every_usual_form_is_read(tmp_path: Path, text: str) -> None:
    assert values(tmp_path, text) == [1.5, 0, 0, -2, 0]


def test_that_a_decimal_comma_is_refused_and_not_taken_for_a_separator(tmp_path: Path) -> None:
    for heading in ("", "id;energy\n"):
        assert "“1,5” is not a finite number. ΔH is a number such as -1.36" in refusal(tmp_path, f"{heading}0;1,5\n")


def test_that_names_agree_however_their_accents_are_composed(tmp_path: Path) -> None:
    for form in ("NFC", "NFD"):
        stored = tuple(unicodedata.normalize(form, name) for name in FILES)
        for other in ("NFC", "NFD"):
            assert values(tmp_path, unicodedata.normalize(other, "dog/Zoë.jpg,3\n"), stored)[2] == 3


def test_that_of_two_files_whose_names_differ_in_composition_alone_each_has_its_own_value(tmp_path: Path) -> None:
    both = tuple(unicodedata.normalize(form, "ë.png") for form in ("NFC", "NFD"))
    assert values(tmp_path, f"{both[0]},1\n{both[1]},2\n", both) == [1, 2]
    assert "no example" in refusal(tmp_path, f"./{both[0]},1\n", both)


def test_that_an_example_comes_once_however_it_is_called(tmp_path: Path) -> None:
    for again in ("0", "0.0", "00", "cat/1.png", "cat\\1.png", "./cat/1.png"):
        assert "Line 2 " in refusal(tmp_path, f"0,1\n{again},1\n")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("0 1.5\n", "Line 1 .* it has 1 cell"),
        ("0,1\n1,2,3\n", "Line 2 .* it has 3 cells"),
        ('0,1\n1,"2"x\n', "line 2: "),
        ('0,1\n1,"2\n', "line 2: "),
        ('0,"1\n1,2\n', "line 1: unexpected end of data"),
        ("id,energy\n", "names no example"),
        ("", "names no example"),
        ("sep=;\n0,1\n", "Line 2 .* it has 1 cell"),
    ],
)
def test_that_what_is_no_table_of_pairs_is_refused_with_its_line(tmp_path: Path, text: str, says: str) -> None:
    assert re.search(says, refusal(tmp_path, text))


def test_that_a_line_is_counted_as_an_editor_counts(tmp_path: Path) -> None:
    assert "Line 4 " in refusal(tmp_path, '"odd\nheading",energy\n\n0,x\n')


def test_that_what_the_file_covers_is_said(tmp_path: Path) -> None:
    path = tmp_path / "energies.csv"
    path.write_text("0,1\n1199,2\n")
    assert read_column(path, 1200, ()).says == (
        "energies.csv gives 2 of 1,200 examples their ΔH; it is 0 for the other 1,198"
    )
    path.write_text("0,1\n1,2\n")
    assert read_column(path, 2, ()).says == "energies.csv gives 2 of 2 examples their ΔH"


def test_that_a_file_that_cannot_be_read_shifts_no_other_files_value(tmp_path: Path) -> None:
    path = tmp_path / "energies.csv"
    path.write_text("0,1\n1,2\n4,3\n")
    column = read_column(path, 5, FILES, present=np.array([0, 2, 4]))
    assert column.values.tolist() == [1, 0, 3]
    assert column.says == "energies.csv gives 2 of 3 examples their ΔH; it is 0 for the other 1"


# -- files made of ingredients whose meaning is known


_NAMES = ("a", "Zoë", "x y", "q,r", "s;t", "u\tv", "7", "o'k", 'p"q', "½", "new.old")
_SOUND = (
    ("0", Fraction(0)),
    ("-1.36", Fraction(-136, 100)),
    ("+2", Fraction(2)),
    (".5", Fraction(1, 2)),
    ("3.", Fraction(3)),
    ("1e-3", Fraction(1, 1000)),
    ("−2.5E+2", Fraction(-250)),
    ("007", Fraction(7)),
)
_UNSOUND = (
    *("", "nan", "inf", "-Infinity", "1e999", "1_000", "１２", "1,000", "1,5", "1 000", "abc", "0x10", "1e", "+", "½"),
)


class _File:
    """A CSV file, with the values that it stands for or the line at fault."""

    def __init__(self, rng: random.Random) -> None:
        self.count = rng.randint(1, 12)
        named = rng.random() < 0.7
        self.files = tuple(f"{rng.choice(_NAMES)}/{n}.png" for n in range(self.count)) if named else ()
        self.expected = [Fraction(0)] * self.count
        self.fault: int | None = None
        self._rng, self._line = rng, 1
        self._out = io.StringIO()
        self._ending = rng.choice(["\n", "\r\n", "\r"])
        self._separator = rng.choice([",", ";", "\t"])
        self._writer = csv.writer(
            self._out, delimiter=self._separator, lineterminator=self._ending, quoting=rng.choice([0, 1])
        )
        if rng.random() < 0.2:
            self._plain(f"sep={self._separator}")
        if rng.random() < 0.2:
            self._plain("")
        if rng.random() < 0.5:
            self._row("file or id", rng.choice(["energy", "ΔH", "E_1"]))
        chosen = rng.sample(range(self.count), rng.randint(1, self.count))
        bad = rng.randrange(len(chosen)) if rng.random() < 0.4 else None
        for place, index in enumerate(chosen):
            if rng.random() < 0.1:
                self._plain("")
            self._example(index, bad=place == bad)
        self.content = self._out.getvalue().encode("utf-8-sig" if rng.random() < 0.3 else "utf-8")

    def _plain(self, text: str) -> None:
        self._out.write(text + self._ending)
        self._line += 1

    def _row(self, *cells: str) -> None:
        self._writer.writerow(cells)
        self._line += 1

    def _example(self, index: int, *, bad: bool) -> None:
        text, value = self._rng.choice(_SOUND)
        name = self._called(index)
        if bad:
            self.fault = self.fault or self._line
            match self._rng.randrange(3):
                case 0:
                    text = self._rng.choice(_UNSOUND)
                case 1:
                    name = self._rng.choice([str(self.count), "-1", "1e0"])
                case 2:
                    self._row(name, text, "")
                    return
        else:
            self.expected[index] = value
        self._row(self._rng.choice(["", " "]) + name, text + self._rng.choice(["", " "]))

    def _called(self, index: int) -> str:
        if not self.files or self._rng.random() < 0.3:
            return f"{index}{self._rng.choice(['', '', '.0', '.'])}"
        name = self.files[index]
        name = self._rng.choice([name, name, f"./{name}", name.replace("/", "\\")])
        return unicodedata.normalize(self._rng.choice(["NFC", "NFD"]), name)


def _read(path: Path, made: _File) -> tuple[list[float], str]:
    """The values, or what is wrong."""
    try:
        return read_column(path, made.count, made.files).values.tolist(), ""
    except UserError as error:
        return [], str(error)


def _check(count: int, path: Path) -> None:
    refused = 0
    for seed in range(count):
        made = _File(random.Random(seed))
        path.write_bytes(made.content)
        found, fault = _read(path, made)
        refused += bool(fault)
        if made.fault is not None:
            assert f"ine {made.fault:,}" in fault, (seed, made.content, fault)
        else:
            assert found == [float(value) for value in made.expected], (seed, made.content, fault)
    assert 0.2 * count < refused < 0.6 * count


def test_that_a_few_hundred_files_mean_what_they_were_made_of(tmp_path: Path) -> None:
    _check(200, tmp_path / "energies.csv")


@sizes(slow=2000, long=20_000)
def test_that_files_mean_what_they_were_made_of(count: int, tmp_path: Path) -> None:
    _check(count, tmp_path / "energies.csv")
