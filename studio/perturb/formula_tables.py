"""What formulas may compute: the functions by name, and the operators by the nodes of Python's syntax tree."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """A function that formulas may call with so many arguments, as a person writes it, and its value from them."""

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

BINARY: Mapping[type[ast.operator], Callable[..., Any]] = {
    ast.Add: np.add,
    ast.Sub: np.subtract,
    ast.Mult: np.multiply,
    ast.Div: np.divide,
    ast.Mod: np.mod,
    ast.Pow: np.float_power,
}
UNARY: Mapping[type[ast.unaryop], Callable[..., Any]] = {
    ast.USub: np.negative,
    ast.UAdd: np.positive,
    ast.Not: np.logical_not,
}
COMPARE: Mapping[type[ast.cmpop], Callable[..., Any]] = {
    ast.Lt: np.less,
    ast.LtE: np.less_equal,
    ast.Gt: np.greater,
    ast.GtE: np.greater_equal,
    ast.Eq: np.equal,
    ast.NotEq: np.not_equal,
}
BOOLEAN: Mapping[type[ast.boolop], Callable[..., Any]] = {
    ast.And: lambda *parts: reduce(np.logical_and, parts),
    ast.Or: lambda *parts: reduce(np.logical_or, parts),
}
