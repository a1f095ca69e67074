"""A formula over features and the class: text → an allow-listed tree → ΔH of every example, in one vectorised pass.

Numbers, features, ``label`` (the class's index 0…K−1) and ``pi``; + − * / % **; comparisons (1 where true, else 0;
chains such as ``0 < x < 1`` too); and, or, not; the functions of `FUNCTIONS`; and ``log_odds(2)``, what a judge says of
the class of that number, which is a variable like the features. All is computed in float64 arrays, so
no power can hang. No name reaches Python: the text is checked token by token, parsed by `ast.parse`, and every node
that is not in the tables below is refused with its column. A tree has at most `MOST_NODES` nodes, each computed once.
"""

from __future__ import annotations

import ast
import difflib
import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import reduce
from typing import Any, TypeAlias

import numpy as np

from studio.perturb.arrays import Floats
from studio.perturb.formula_text import DEEPEST, OPERATORS, FormulaError, checked_text, too_deep

MOST_NODES = 200
"""Cap on numbers, names and operations together."""

LABEL = "label"
LOG_ODDS = "log_odds"
"""Written like a function of a class's number, ``log_odds(2)``; the variable is called ``log_odds_2``."""
_LARGEST_CLASS = 9999
_CONSTANTS = {"pi": math.pi}


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """A function that formulas may call.

    Attributes:
        usage: as a person writes it.
        least, most: number of arguments.
        compute: its value from them.
    """

    usage: str
    least: int
    most: int
    compute: Callable[..., Any]


def _function(usage: str, compute: Callable[..., Any], least: int = 1, most: int = 1) -> Function:
    return Function(usage=usage, least=least, most=most, compute=compute)


FUNCTIONS: Mapping[str, Function] = {
    "abs": _function("abs(a)", np.abs),
    "clip": _function("clip(a, low, high)", lambda a, low, high: np.minimum(np.maximum(a, low), high), 3, 3),
    "cos": _function("cos(a)", np.cos),
    "exp": _function("exp(a)", np.exp),
    "floor": _function("floor(a)", np.floor),
    "log": _function("log(a)", np.log),
    "max": _function("max(a, b, …)", lambda *parts: reduce(np.maximum, parts), 2, 16),
    "min": _function("min(a, b, …)", lambda *parts: reduce(np.minimum, parts), 2, 16),
    "sign": _function("sign(a)", np.sign),
    "sin": _function("sin(a)", np.sin),
    "sqrt": _function("sqrt(a)", np.sqrt),
    "tanh": _function("tanh(a)", np.tanh),
    "where": _function("where(condition, a, b)", lambda c, a, b: np.where(c != 0, a, b), 3, 3),
}
_CALLED = {name: function.usage for name, function in FUNCTIONS.items()} | {LOG_ODDS: f"{LOG_ODDS}(2)"}
"""Everything that is written with brackets, as a person writes it."""
_BINARY: Mapping[type[ast.operator], Callable[..., Any]] = {
    ast.Add: np.add,
    ast.Sub: np.subtract,
    ast.Mult: np.multiply,
    ast.Div: np.divide,
    ast.Mod: np.mod,
    ast.Pow: np.float_power,
}
_UNARY: Mapping[type[ast.unaryop], Callable[..., Any]] = {
    ast.USub: np.negative,
    ast.UAdd: np.positive,
    ast.Not: np.logical_not,
}
_COMPARE: Mapping[type[ast.cmpop], Callable[..., Any]] = {
    ast.Lt: np.less,
    ast.LtE: np.less_equal,
    ast.Gt: np.greater,
    ast.GtE: np.greater_equal,
    ast.Eq: np.equal,
    ast.NotEq: np.not_equal,
}
_BOOLEAN: Mapping[type[ast.boolop], Callable[..., Any]] = {
    ast.And: lambda *parts: reduce(np.logical_and, parts),
    ast.Or: lambda *parts: reduce(np.logical_or, parts),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Number:
    """A constant."""

    value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """A feature, the label, or the log-odds of a class."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """An operator or function on its arguments; `compute` is one of the tables' above."""

    compute: Callable[..., Any]
    arguments: tuple[Node, ...]


Node: TypeAlias = Number | Variable | Operation


@dataclass(frozen=True, slots=True, kw_only=True)
class Formula:
    """A formula that has been read.

    Attributes:
        text: as it was written.
        tree: what it computes.
        variables: the names it uses, in alphabetical order.
        size: nodes of its tree, at most `MOST_NODES`.
    """

    text: str
    tree: Node
    variables: tuple[str, ...]
    size: int

    def evaluate(self, values: Mapping[str, Floats], count: int) -> Floats:
        """The formula of every example, shape (count,), float64; may hold what is not finite.

        Args:
            values: each of `variables`, shape (count,).
            count: number of examples.
        """
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


def parse_formula(text: str, names: Collection[str]) -> Formula:
    """Read a formula; nothing of it is ever executed.

    Args:
        text: at most `LONGEST` characters on one line.
        names: features that it may use; `label` and `pi` come on top.

    Raises:
        FormulaError: it is none, is too large, or uses what is not allowed; with the column and what is allowed there.
    """
    plain = checked_text(text)
    start = len(plain) - len(plain.lstrip(" "))
    try:
        parsed = ast.parse(plain[start:], mode="eval").body
    except SyntaxError as error:
        raise _unreadable(plain, start + (error.offset or 1)) from None
    except (ValueError, MemoryError, RecursionError):  # should not be, with these caps; it must not end the studio
        raise FormulaError("The formula is too involved", "it cannot be read.", column=1) from None
    reader = _Reader(names, start)
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

    def __init__(self, names: Collection[str], start: int) -> None:
        self._names = sorted(set(names) | {LABEL})
        self._start = start
        self.used: set[str] = set()
        self.size = 0

    def read(self, node: ast.expr, depth: int = 1) -> Node:
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
        match node:
            case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
                return Number(value=float(value))
            case ast.Name(id=name):
                return self._variable(name, node)
            case ast.BinOp() if type(node.op) in _BINARY:
                return self._operation(_BINARY[type(node.op)], [node.left, node.right], depth)
            case ast.UnaryOp() if type(node.op) in _UNARY:
                return self._operation(_UNARY[type(node.op)], [node.operand], depth)
            case ast.BoolOp():
                return self._operation(_BOOLEAN[type(node.op)], node.values, depth)
            case ast.Compare() if all(type(op) in _COMPARE for op in node.ops):
                return self._comparison(node, depth)
            case ast.Call(func=ast.Name(id=name)) if not node.keywords:
                return self._call(name, node, depth)
            case _:
                raise self._refused(node)

    def _operation(self, compute: Callable[..., Any], arguments: list[ast.expr], depth: int) -> Operation:
        return Operation(compute=compute, arguments=tuple(self.read(each, depth + 1) for each in arguments))

    def _comparison(self, node: ast.Compare, depth: int) -> Operation:
        operators = [_COMPARE[type(op)] for op in node.ops]

        def chain(*sides: Any) -> Any:
            pairs = zip(operators, sides[:-1], sides[1:], strict=True)
            return reduce(np.logical_and, [operator(left, right) for operator, left, right in pairs])

        return self._operation(chain, [node.left, *node.comparators], depth)

    def _call(self, name: str, node: ast.Call, depth: int) -> Node:
        if name == LOG_ODDS:
            return self._log_odds(node)
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
            case [ast.Constant(value=int() as number)] if not isinstance(number, bool) and number <= _LARGEST_CLASS:
                name = f"{LOG_ODDS}_{number}"
                self.used.add(name)
                return Variable(name=name)
        raise FormulaError(
            f"{LOG_ODDS} takes the number of a class", f"it is written {_CALLED[LOG_ODDS]}.", column=self._column(node)
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
