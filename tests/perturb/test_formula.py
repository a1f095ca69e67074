"""The formula box: what it computes, what it refuses and where, and a fuzz that nothing gets through."""

import ast
import builtins
import os
import random
import re
import subprocess
import unicodedata
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from studio.names import composed
from studio.perturb import formula as module
from studio.perturb.formula import (
    FUNCTIONS,
    MOST_NODES,
    Formula,
    Node,
    Number,
    Operation,
    Variable,
    class_of_variable,
    parse_formula,
)
from studio.perturb.formula_text import DEEPEST, LONGEST, FormulaError, quoted
from tests.conftest import LETTERS

NAMES = ("ink", "slant", "x")
VALUES = {
    "ink": np.array([0.0, 12.5, 30.0, 99.0]),
    "slant": np.array([-20.0, 0.0, 0.5, 45.0]),
    "x": np.array([-1.0, 0.25, 2.0, 3.0]),
    "label": np.array([0.0, 1.0, 2.0, 2.0]),
}
COUNT = 4


def value(text: str) -> list[float]:
    found: list[float] = parse_formula(text, NAMES).evaluate(VALUES, COUNT).tolist()
    return found


def refusal(text: str) -> FormulaError:
    with pytest.raises(FormulaError) as caught:
        parse_formula(text, NAMES)
    return caught.value


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("-1.36*(label == 2)", [0, 0, -1.36, -1.36]),
        ("1 + 2*3 - 4/8", [6.5] * 4),
        ("-2**2", [-4] * 4),
        ("2**-1", [0.5] * 4),
        ("7 % 4", [3] * 4),
        ("0 < x < 2.5", [0, 1, 1, 0]),
        ("x > 0 and label != 2", [0, 1, 0, 0]),
        ("x > 2 or not label", [1, 0, 0, 1]),
        ("where(x > 0, log(x), 0)", [0, np.log(0.25), np.log(2), np.log(3)]),
        ("clip(ink, 10, 40)", [10, 12.5, 30, 40]),
        ("max(x, 0, 0.5) + min(1, x)", [-0.5, 0.75, 3, 4]),
        ("abs(x) + sqrt(4) + floor(1.7) + sign(x)", [3, 4.25, 6, 7]),
        ("exp(0) + cos(0) + sin(pi/2) + tanh(0)", [3] * 4),
        ("  −ink × 2 ÷ 4 ", [0, -6.25, -15, -49.5]),
        ("5", [5] * 4),
    ],
)
def test_that_a_formula_computes_what_it_says(text: str, expected: list[float]) -> None:
    assert value(text) == pytest.approx(expected, abs=1e-15)


@pytest.mark.parametrize(
    ("text", "column", "says"),
    [
        ("", 1, "no formula yet"),
        ("   ", 1, "no formula yet"),
        ("  ink +  ", 8, "breaks off"),
        ("ink and", 8, "breaks off"),
        ("(ink", 1, "never closed"),
        ("0.1*(ink + (x", 12, "never closed"),
        ("ink)", 4, "never opened"),
        ("1 2", 3, "cannot be read"),
        ("inkk + 1", 1, "Did you mean “ink”"),
        ("log_odds(1.5)", 1, r"written log_odds\(2\)"),
        ("2*log_odds(-1)", 3, r"written log_odds\(2\)"),
        ("log_odds(label)", 1, "takes the number of a class"),
        ("log_odds(1, 2)", 1, "takes the number of a class"),
        ("log_odds(12345)", 1, "takes the number of a class"),
        ("log_odds + 1", 1, "is a function"),
        ("log_odds_2", 1, "There is no “log_odds_2”"),
        ("1 + hue", 5, "names are ink, label, slant, x"),
        ("ink.real", 4, "“.” has no place"),
        ("x[0]", 2, r"“\[” has no place"),
        ("'ink'", 1, "has no place"),
        ("ink = 3", 5, "Compare with =="),
        ("x^2", 2, r"Powers are written \*\*"),
        ("x//2", 2, "floor"),
        ("1 if x else 2", 3, "where"),
        ("1 + lambda: x", 5, "“lambda” has no place"),
        ("x\n+1", 2, "U\\+000A"),
        ("1j", 1, "not a number"),
        ("0x10", 1, "not a number"),
        ("1_000", 1, "not a number"),
        ("1 + 1e999", 5, "too large"),
        ("9" * 400, 1, "too large"),
        ("f(ink)", 1, "no function “f”"),
        ("ink(2)", 1, "“ink” is not a function"),
        ("1 + exp", 5, "“exp” is a function"),
        ("exp(1, 2)", 1, r"written exp\(a\)"),
        ("clip(ink, 0)", 1, r"clip\(a, low, high\)"),
        ("max(*x, 1)", 5, "not allowed"),
        ("(1, 2)", 1, "not allowed"),
        ("x, 1", 1, "not allowed"),
        ("e\u200bxp(1)", 2, "U\\+200B"),
        ("ｅｘｐ(1)", 1, "has no place"),
    ],
)
def test_that_a_refusal_names_the_place_and_what_is_allowed(text: str, column: int, says: str) -> None:
    error = refusal(text)
    assert error.column == column
    assert f"Column {column}:" in error.message
    assert error.field == "perturbation.terms"
    with pytest.raises(FormulaError, match=says):
        parse_formula(text, NAMES)


def test_that_log_odds_are_variables_by_the_classes_number() -> None:
    found = parse_formula("where(log_odds(2) > 0, -log_odds(2), 0.5*log_odds(10))", NAMES)
    assert found.variables == ("log_odds_10", "log_odds_2")
    values = {"log_odds_2": VALUES["x"], "log_odds_10": VALUES["slant"]}
    assert found.evaluate(values, COUNT).tolist() == [-10.0, -0.25, -2.0, -3.0]


def test_that_length_size_and_depth_are_capped() -> None:
    assert refusal("1" + " " * LONGEST).column == LONGEST + 1
    assert "nests too deeply" in str(refusal("(" * (DEEPEST + 1) + "1" + ")" * (DEEPEST + 1)))
    assert "nests too deeply" in str(refusal("-" * (DEEPEST + 1) + "1"))
    assert "nests too deeply" in str(refusal("not " * (DEEPEST + 1) + "1"))
    wide = "max(" + ",".join(["1"] * 16) + ")"
    assert "too large" in str(refusal("+".join([wide] * 13)))


def test_that_a_sum_over_thirty_classes_is_within_the_caps() -> None:
    text = "+".join(f"{n / 10}*(label=={n})" for n in range(30))
    assert value(text) == pytest.approx([0, 0.1, 0.2, 0.2])


def test_that_powers_of_powers_end_in_infinity_and_not_in_a_hang() -> None:
    assert value("9**9**9**9**9**9") == [np.inf] * 4


def test_that_nested_comparisons_compute_each_side_once(monkeypatch: pytest.MonkeyPatch) -> None:
    counter = Counter(monkeypatch)
    formula = parse_formula("(" * 30 + "x" + "<1<1)" * 30, NAMES)
    formula.evaluate(VALUES, COUNT)
    assert counter.steps == formula.size <= MOST_NODES


class Counter:
    """Counts the nodes that evaluations compute."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.steps = 0
        inner = module._value

        def counted(node: Node, values: Any) -> Any:
            self.steps += 1
            return inner(node, values)

        monkeypatch.setattr(module, "_value", counted)


# -- against Python itself


def formulas() -> st.SearchStrategy[str]:
    leaves = st.one_of(st.sampled_from(["ink", "slant", "x", "label", "2", "0.5", "1e-3", "pi"]))

    def grow(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
        return st.one_of(
            st.tuples(inner, st.sampled_from("+-*/%"), inner).map(lambda t: f"({t[0]} {t[1]} {t[2]})"),
            st.tuples(inner, st.sampled_from(["<", "<=", ">", ">=", "==", "!="]), inner).map(
                lambda t: f"({t[0]} {t[1]} {t[2]})"
            ),
            inner.map(lambda t: f"-{t}"),
            inner.map(lambda t: f"abs({t})"),
            st.tuples(inner, inner).map(lambda t: f"max({t[0]}, {t[1]})"),
        )

    return st.recursive(leaves, grow, max_leaves=12)


@given(formulas())
def test_that_a_formula_agrees_with_python_example_by_example(text: str) -> None:
    found = parse_formula(text, NAMES).evaluate(VALUES, COUNT)
    for index in range(COUNT):
        names = {name: float(values[index]) for name, values in VALUES.items()} | {"pi": np.pi}
        try:
            expected = float(eval(text, {"__builtins__": {}, "abs": abs, "max": max}, names))
        except (ZeroDivisionError, OverflowError):
            continue
        if np.isfinite(expected) and np.isfinite(found[index]):
            assert found[index] == pytest.approx(expected, rel=1e-9, abs=1e-9)


# -- fuzz

HOSTILE = (
    "__import__('os').system('touch /tmp/owned')",
    "().__class__.__bases__[0].__subclasses__()",
    "ink.__array__().tofile('x')",
    "exp.__globals__",
    "[x for x in range(10**9)]",
    "(lambda: (yield))()",
    "exec('import os')",
    "eval('1')",
    "open('/etc/passwd').read()",
    "f'{ink}'",
    "ink if slant else open('x')",
    "10**10**10",
    "2**1000000",
    "9" * 499,
    "1" * 4301,
    "(" * 400 + ")" * 400,
    "((((((((((" * 20,
    "-" * 499 + "1",
    "not " * 120 + "1",
    "1" + "+1" * 249,
    "x<" * 240 + "x",
    "max(" * 80 + "1" + ",1)" * 80,
    "where(" * 60,
    "label.real.imag",
    "x:=open",
    "*x",
    "**x",
    "max(**x)",
    "max(a=1, b=2)",
    "None",
    "...",
    "b''",
    "\x00",
    "x\x00+1",
    "1\\\n+1",
    "#",
    "1 #",
    "'''",
    '"',
    "\ud800",
    "\u202e1+1",
    "٣+٣",
    "𝐱",
    "await x",
    "async",
    "import os",
    "del x",
    "x;x",
    "print(x)",
    "getattr(x, 'y')",
    "breakpoint()",
    "exit()",
    "1or x",
    "1if x else 2",
    "0_0",
    "1e",
    "1e+",
    ".",
    "..",
    ".e1",
)
_WORDS = """
** // <= == and or not if else lambda is in for label log_odds( log_odds pi 1e9 1e-9 ( None True 0x1 1j
__class__ __import__ os eval( exec( open(
"""
_PIECES = (
    *NAMES,
    *FUNCTIONS,
    *"+-*/%<>(),.=!&|^~[]{}:;'\"\\@#$? \t\n_0123456789−×é\u200b",
    *_WORDS.split(),
)
FUZZED = 12_000


def strings(rng: random.Random) -> Iterator[str]:
    """Hostile strings, strings of random pieces and characters, and formulas with one to three wounds."""
    yield from HOSTILE
    sound = [
        "0.1*(ink - 20)**2",
        "where(slant > 0, log(abs(x)), 0)",
        "-1.36*(label == 2) + max(x, 0)",
        "clip(ink, 1, 2)",
        "-0.1*log_odds(1) + x",
    ]
    for _ in range(FUZZED // 3):
        yield "".join(rng.choices(_PIECES, k=rng.randint(1, 40)))
        yield "".join(chr(rng.choice((rng.randint(0, 127), rng.randint(0, 0x2FFF)))) for _ in range(rng.randint(0, 60)))
        wounded = list(rng.choice(sound))
        for _ in range(rng.randint(1, 3)):
            place = rng.randrange(len(wounded) + 1)
            wounded[place : place + rng.randint(0, 2)] = rng.choice(_PIECES)
        yield "".join(wounded)


def nodes(node: Node) -> Iterator[Node]:
    yield node
    if isinstance(node, Operation):
        for argument in node.arguments:
            yield from nodes(argument)


def forbidden(*_: object, **__: object) -> None:
    raise AssertionError("something was executed")


@pytest.fixture
def nothing_executes(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Whatever could run what a string says fails, and the parser may only parse, and only what is short."""
    compiled = builtins.compile

    def parse_only(source: Any, filename: Any, mode: str, flags: int = 0, *rest: Any, **more: Any) -> Any:
        assert flags & ast.PyCF_ONLY_AST
        assert len(source) <= LONGEST
        return compiled(source, filename, mode, flags, *rest, **more)

    with monkeypatch.context() as patch:
        for owner, name in ((builtins, "eval"), (builtins, "exec"), (builtins, "open"), (os, "system")):
            patch.setattr(owner, name, forbidden)
        patch.setattr(subprocess, "Popen", forbidden)
        patch.setattr(builtins, "compile", parse_only)
        yield


def read_or_refused(text: str) -> Formula | FormulaError:
    try:
        return parse_formula(text, NAMES)
    except FormulaError as error:
        return error


@pytest.mark.usefixtures("nothing_executes")
def test_that_no_string_executes_hangs_or_is_refused_without_a_place(monkeypatch: pytest.MonkeyPatch) -> None:
    """Work is counted and not timed: text and tree have hard caps, and an evaluation computes each node once."""
    counter = Counter(monkeypatch)
    cases = list(strings(random.Random(0)))
    assert len(cases) >= 10_000
    read = 0
    for text in cases:
        found = read_or_refused(text)
        if isinstance(found, FormulaError):
            assert 1 <= found.column <= min(len(text), LONGEST) + 1, text
            assert f"Column {found.column}:" in found.message, text
            assert found.title, text
            continue
        read += 1
        judged = {name: VALUES["x"] for name in found.variables if re.fullmatch(r"log_odds_[0-9]{1,4}", name)}
        assert set(found.variables) <= {*NAMES, "label", *judged}
        assert all(isinstance(each, Number | Variable | Operation) for each in nodes(found.tree))
        counter.steps = 0
        assert found.evaluate(VALUES | judged, COUNT).shape == (COUNT,)
        assert counter.steps == found.size <= MOST_NODES
    assert 100 < read < 3_000


# -- classes by name

CLASSES = ("ant", "bee", "cat")


def by_name(text: str, classes: Sequence[str] = CLASSES) -> list[float]:
    found: list[float] = parse_formula(text, NAMES, classes).evaluate(VALUES, COUNT).tolist()
    return found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('label == "cat"', [0, 0, 1, 1]),
        ("label != 'cat'", [1, 1, 0, 0]),
        ('"ant" == label', [1, 0, 0, 0]),
        ("-2*(label == “bee”) + where(label == ‘cat’, 1, 0)", [0, -2, 1, 1]),
        ('label == "ant" or label == "cat"', [1, 0, 1, 1]),
        ('"cat" != label != "ant"', [0, 1, 0, 0]),
        ('not label == "cat" and x > 0', [0, 1, 0, 0]),
        ('"cat" == label < 3', [0, 0, 1, 1]),
    ],
)
def test_that_label_is_compared_with_a_class_by_name(text: str, expected: list[float]) -> None:
    assert by_name(text) == expected


@settings(max_examples=20)
@given(st.lists(st.text(LETTERS, min_size=1, max_size=30), min_size=3, max_size=3, unique_by=composed))
@example(['a "b" c', "it’s 'x'", "back\\slash\\"])
@example(["x − y", "a·b", "==("])
@example(["−", "\\", '\\"'])
def test_that_any_name_is_written_in_quotes_and_read_as_it_is(names: list[str]) -> None:
    for number, name in enumerate(names):
        assert by_name(f"label == {quoted(name)}", names) == [float(each == number) for each in (0, 1, 2, 2)]
        spelt = unicodedata.normalize("NFD", name)
        if len(quoted(spelt)) < 400:
            assert by_name(f"(label == {quoted(spelt)})*2", names) == [2.0 * (each == number) for each in (0, 1, 2, 2)]


def test_that_a_name_of_a_class_counts_as_a_part_of_the_formula() -> None:
    assert parse_formula('label == "cat"', NAMES, CLASSES).size == 3


@pytest.mark.parametrize("count", [12, 13])
def test_that_of_many_classes_twelve_are_named(count: int) -> None:
    with pytest.raises(FormulaError) as caught:
        parse_formula('label == "none"', NAMES, [f"c{number}" for number in range(count)])
    assert ("c11…" in str(caught.value)) is (count > 12)


def test_that_as_many_arguments_and_levels_are_read_as_is_said() -> None:
    for name in ("max", "min"):
        assert parse_formula(f"{name}({', '.join(['1'] * 16)})", NAMES).size == 17
        refusal(f"{name}({', '.join(['1'] * 17)})")
    assert parse_formula("-" * (DEEPEST - 1) + "x", NAMES).size == DEEPEST
    assert parse_formula("(" * DEEPEST + "x" + ")" * DEEPEST, NAMES).size == 1


def test_that_a_name_in_one_spelling_is_the_class_in_another() -> None:
    assert by_name('label == "caf\u00e9"', ["x", "cafe\u0301", "y"]) == [0, 1, 0, 0]
    assert by_name('label == "cafe\u0301"', ["x", "caf\u00e9", "y"]) == [0, 1, 0, 0]


@pytest.mark.parametrize(
    ("text", "column", "says"),
    [
        ('ink + (label == "cta")', 17, r"There is no class “cta”.*ant, bee, cat.*Did you mean “cat”"),
        ('label == "CAT"', 10, "Did you mean “cat”"),
        ('label == ""', 10, "There is no class “”"),
        ('"cat"', 1, "has no place"),
        ('label == "cat" + 1', 10, "has no place"),
        ('label < "cat"', 9, "compared with label, by == or !="),
        ('ink == "cat"', 8, "compared with label"),
        ('"cat" == "cat"', 1, "compared with label"),
        ('0 < label == "cat" < 2', 14, "compared with label"),
        ('exp("cat")', 5, "has no place"),
        ('label == "cat', 10, "has no place"),
        ('label == "it"s"', 14, "operator is missing"),
        ('label == "a""b"', 13, "operator is missing"),
        ('2"cat"', 2, "operator is missing"),
        ('label("cat")', 7, "has no place"),
        ('log_odds("cat", 1)', 1, "takes the number of a class, or its name"),
        ('label == "\\\\\\', 10, "has no place"),
    ],
)
def test_that_a_name_that_is_none_or_stands_elsewhere_is_refused_at_its_place(
    text: str, column: int, says: str
) -> None:
    with pytest.raises(FormulaError) as caught:
        parse_formula(text, NAMES, CLASSES)
    assert caught.value.column == column
    assert re.search(says, str(caught.value))


def test_that_an_unclosed_name_of_backslashes_does_not_hang() -> None:
    with pytest.raises(FormulaError):
        parse_formula('label == "' + "\\" * (LONGEST - 20), NAMES, CLASSES)


def test_that_without_classes_any_name_is_taken_and_nothing_is_evaluated_in_silence() -> None:
    formula = parse_formula('label == "dog"', NAMES)
    assert formula.variables == ("label",)
    with pytest.raises(KeyError):
        formula.evaluate(VALUES, COUNT)


def test_that_a_judge_is_asked_for_a_class_by_its_name() -> None:
    formula = parse_formula('log_odds("big cat") - log_odds(2)', NAMES)
    assert formula.variables == ('log_odds_"big cat"', "log_odds_2")
    assert [class_of_variable(each) for each in (*formula.variables, "ink", "label")] == ["big cat", 2, None, None]


@pytest.mark.usefixtures("nothing_executes")
def test_that_what_stands_in_quotes_never_reaches_the_parser(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []
    parse = ast.parse

    def watched(source: str, **options: Any) -> Any:
        seen.append(source)
        return parse(source, **options)

    monkeypatch.setattr(ast, "parse", watched)
    evil = '__import__("os").system("true")'
    assert by_name(f"label == {quoted(evil)}", ["a", "b", evil]) == [0, 0, 1, 1]
    assert seen == ["label == " + "_" * len(quoted(evil))]
