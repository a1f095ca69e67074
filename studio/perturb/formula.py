"""A formula over features and the class: text → an allow-listed tree → ΔH of every example, in one vectorised pass.

Numbers, features, ``label`` (the class's index 0…K−1) and ``pi``; + − * / % **; comparisons (1 where true, else 0;
chains such as ``0 < x < 1`` too); and, or, not; the functions of `FUNCTIONS`; ``label == "cat"`` and ``!=`` with the
name of a class; and ``log_odds(2)`` or ``log_odds("cat")``, what a judge says of that class, which is a variable like
the features. All is computed in float64 arrays, so no power can hang. No name reaches Python: the text is checked token
by token, parsed by `ast.parse`, and every node that is not in the tables is refused with its column. A tree has at most
`MOST_NODES` nodes, each computed once.
"""

from __future__ import annotations

import ast
import difflib
import json
import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any, TypeAlias

import numpy as np

from studio.names import composed
from studio.perturb.arrays import Floats
from studio.perturb.formula_tables import BINARY, BOOLEAN, COMPARE, UNARY
from studio.perturb.formula_tables import FUNCTIONS as FUNCTIONS
from studio.perturb.formula_text import (
    DEEPEST,
    OPERATORS,
    CheckedText,
    FormulaError,
    checked_text,
    class_number,
    quoted,
    too_deep,
)

MOST_NODES = 200
"""Cap on numbers, names and operations together."""

LABEL = "label"
LOG_ODDS = "log_odds"
"""Written like a function of a class, ``log_odds(2)`` or ``log_odds("cat")``; the variables are called ``log_odds_2``
and ``log_odds_"cat"``, with the class in JSON.
"""
_LARGEST_CLASS = 9999
_CONSTANTS = {"pi": math.pi}


_CALLED = {name: function.usage for name, function in FUNCTIONS.items()} | {LOG_ODDS: f"{LOG_ODDS}(2)"}
"""Everything that is written with brackets, as a person writes it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Number:
    """A constant."""

    value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """A feature, the label, or the log-odds of a class; or a class by its name, while classes are not known."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """An operator or function on its arguments; `compute` is one of the tables' above."""

    compute: Callable[..., Any]
    arguments: tuple[Node, ...]


Node: TypeAlias = Number | Variable | Operation


@dataclass(frozen=True, slots=True, kw_only=True)
class Formula:
    """A formula that has been read, with the names that it uses, in alphabetical order, and the size of its tree."""

    text: str
    tree: Node
    variables: tuple[str, ...]
    size: int

    def evaluate(self, values: Mapping[str, Floats], count: int) -> Floats:
        """The formula of every example, float64, of its variables, all of shape (count,); may not be finite."""
        with np.errstate(all="ignore"):
            found = np.asarray(_value(self.tree, values), dtype=np.float64)
        return np.array(np.broadcast_to(found, (count,)))


def _value(node: Node, values: Mapping[str, Floats]) -> Any:
    match node:
        case Number():
            return np.float64(node.value)
        case Variable():
            return values[node.name]
        case Operation():
            found = node.compute(*(_value(argument, values) for argument in node.arguments))
            return np.asarray(found, dtype=np.float64)


def class_of_variable(variable: str) -> int | str | None:
    """Of which class, by its number or its name, a variable is the log-odds; None if it is something else."""
    head, _, of = variable.partition(f"{LOG_ODDS}_")
    if head or not of:
        return None
    found: int | str = json.loads(of)
    return found


def parse_formula(text: str, names: Collection[str], classes: Sequence[str] | None = None) -> Formula:
    """Read a formula; nothing of it is ever executed.

    Args:
        text: at most `LONGEST` characters on one line.
        names: features that it may use; `label` and `pi` come on top.
        classes: names of the classes, in the order of `label`; without them any name is taken, and a formula that
            compares with one cannot be evaluated.

    Raises:
        FormulaError: it is none, is too large, or uses what is not allowed; with the column and what is allowed there.
    """
    checked = checked_text(text)
    plain = checked.plain
    start = len(plain) - len(plain.lstrip(" "))
    try:
        parsed = ast.parse(plain[start:], mode="eval").body
    except SyntaxError as error:
        raise _unreadable(plain, start + (error.offset or 1)) from None
    except (ValueError, MemoryError, RecursionError):  # should not be, with these caps; it must not end the studio
        raise FormulaError("The formula is too involved", "it cannot be read.", column=1) from None
    reader = _Reader(names, start, checked, classes)
    tree = reader.read(parsed)
    return Formula(text=text, tree=tree, variables=tuple(sorted(reader.used)), size=reader.size)


def _unreadable(text: str, column: int) -> FormulaError:
    return FormulaError(
        "The formula cannot be read here",
        f"an operator may be missing, or stand where a value should. The operators are {OPERATORS}.",
        column=min(max(1, column), len(text)),
    )


class _Reader:
    """Turns Python's syntax tree into the allow-listed one."""

    def __init__(self, names: Collection[str], start: int, checked: CheckedText, classes: Sequence[str] | None) -> None:
        self._names = sorted(set(names) | {LABEL})
        self._start = start
        self._quoted = checked.quoted
        self._classes = classes
        self.used: set[str] = set()
        self.size = 0

    def read(self, node: ast.expr, depth: int = 1) -> Node:
        self._count(node, depth)
        match node:
            case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
                return Number(value=float(value))
            case ast.Name() if self._name_in(node) is not None:
                raise self._misplaced(node)
            case ast.Name(id=name):
                return self._variable(name, node)
            case ast.BinOp() if type(node.op) in BINARY:
                return self._operation(BINARY[type(node.op)], [node.left, node.right], depth)
            case ast.UnaryOp() if type(node.op) in UNARY:
                return self._operation(UNARY[type(node.op)], [node.operand], depth)
            case ast.BoolOp():
                return self._operation(BOOLEAN[type(node.op)], node.values, depth)
            case ast.Compare() if all(type(op) in COMPARE for op in node.ops):
                return self._comparison(node, depth)
            case ast.Call(func=ast.Name(id=name)) if not node.keywords:
                return self._call(name, node, depth)
            case _:
                raise self._refused(node)

    def _count(self, node: ast.expr, depth: int) -> None:
        self.size += 1
        if depth > DEEPEST:
            raise too_deep(self._column(node))
        if self.size > MOST_NODES:
            raise FormulaError(
                "The formula is too large",
                f"at most {MOST_NODES} numbers, names and operations are read.",
                "Split it in two terms.",
                column=self._column(node),
            )

    def _operation(self, compute: Callable[..., Any], arguments: list[ast.expr], depth: int) -> Operation:
        return Operation(compute=compute, arguments=tuple(self.read(each, depth + 1) for each in arguments))

    def _comparison(self, node: ast.Compare, depth: int) -> Operation:
        operators = [COMPARE[type(op)] for op in node.ops]

        def chain(*sides: Any) -> Any:
            pairs = zip(operators, sides[:-1], sides[1:], strict=True)
            return reduce(np.logical_and, [operator(left, right) for operator, left, right in pairs])

        sides = [node.left, *node.comparators]
        arguments = [
            self.read(side, depth + 1) if self._name_in(side) is None else self._class(side, sides, node.ops, depth + 1)
            for side in sides
        ]
        return Operation(compute=chain, arguments=tuple(arguments))

    def _name_in(self, node: ast.expr) -> str | None:
        """What stood there in quotes, if anything did."""
        return self._quoted.get(self._column(node) - 1) if isinstance(node, ast.Name) else None

    def _class(self, node: ast.expr, sides: list[ast.expr], operators: list[ast.cmpop], depth: int) -> Node:
        """A side of a comparison that is the name of a class; the number of that class."""
        self._count(node, depth)
        place = sides.index(node)
        others = sides[max(0, place - 1) : place] + sides[place + 1 : place + 2]
        equal = all(isinstance(each, ast.Eq | ast.NotEq) for each in operators[max(0, place - 1) : place + 1])
        if not equal or not all(isinstance(each, ast.Name) and each.id == LABEL for each in others):
            raise self._misplaced(node)
        name = self._name_in(node)
        assert name is not None
        if self._classes is None:
            return Variable(name=quoted(name))
        return Number(value=float(class_number(name, self._classes, self._column(node))))

    def _misplaced(self, node: ast.expr) -> FormulaError:
        name = self._name_in(node) or ""
        return FormulaError(
            f"The name “{name[:40]}” has no place here",
            f"the name of a class is compared with label, by == or !=, as in {LABEL} == {quoted(name[:40])}.",
            column=self._column(node),
        )

    def _call(self, name: str, node: ast.Call, depth: int) -> Node:
        if name == LOG_ODDS:
            return self._log_odds(node)
        for argument in node.args:
            if self._name_in(argument) is not None:
                raise self._misplaced(argument)
        function = FUNCTIONS.get(name)
        if function is None:
            what = f"“{name[:40]}” is not a function" if name in self._names else f"There is no function “{name[:40]}”"
            raise FormulaError(what, f"the functions are {', '.join(_CALLED)}.", column=self._column(node))
        if not function.least <= len(node.args) <= function.most:
            raise FormulaError(
                f"{name} takes another number of values", f"it is written {function.usage}.", column=self._column(node)
            )
        return self._operation(function.compute, node.args, depth)

    def _log_odds(self, node: ast.Call) -> Node:
        match node.args:
            case [ast.Name() as given] if (of := self._name_in(given)) is not None:
                name = f"{LOG_ODDS}_{json.dumps(composed(of), ensure_ascii=False)}"
                self.used.add(name)
                return Variable(name=name)
            case [ast.Constant(value=int() as number)] if not isinstance(number, bool) and number <= _LARGEST_CLASS:
                name = f"{LOG_ODDS}_{number}"
                self.used.add(name)
                return Variable(name=name)
        raise FormulaError(
            f"{LOG_ODDS} takes the number of a class, or its name in quotes",
            f'it is written {_CALLED[LOG_ODDS]}, or {LOG_ODDS}("cat").',
            column=self._column(node),
        )

    def _variable(self, name: str, node: ast.Name) -> Node:
        if name in _CONSTANTS:
            return Number(value=_CONSTANTS[name])
        if name in self._names:
            self.used.add(name)
            return Variable(name=name)
        if name in _CALLED:
            raise FormulaError(f"“{name}” is a function", f"it is written {_CALLED[name]}.", column=self._column(node))
        close = difflib.get_close_matches(name, [*self._names, *_CALLED], n=1)
        raise FormulaError(
            f"There is no “{name[:40]}”",
            f"names are {', '.join(self._names)}; functions are {', '.join(_CALLED)}.",
            f"Did you mean “{close[0]}”?" if close else "",
            column=self._column(node),
        )

    def _refused(self, node: ast.expr) -> FormulaError:
        return FormulaError(
            "This is not allowed in a formula",
            f"it may hold numbers, {', '.join(self._names)}, the operators {OPERATORS} and {', '.join(_CALLED)}.",
            column=self._column(node),
        )

    def _column(self, node: ast.expr) -> int:
        return self._start + node.col_offset + 1
