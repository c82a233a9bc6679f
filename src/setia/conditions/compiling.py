"""From the tree of a checked condition to one Ibis expression, and from a call to the question that it asks."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from setia.conditions.behaviour import FUNCTIONS, Behaviour
from setia.conditions.properties import PROPERTIES, property_of, told_property
from setia.metrics.options import MOST_DAYS

DAYS = {"days_ago": -1, "days_ahead": 1}
"""Functions that name a day by its distance from `as_of`."""

if TYPE_CHECKING:
    from sqlglot import expressions as sql

    from setia.conditions.condition import Condition
    from setia.history.scope import Scope


def whole_number(node: sql.Expression) -> int | None:
    """The number of days that is written out, if it is one."""
    written = type(node).__name__ == "Literal" and not node.is_string and node.name.isdigit()
    if not written or len(node.name) > len(str(MOST_DAYS)):
        return None
    return int(node.name) if 1 <= int(node.name) <= MOST_DAYS else None


def own_condition(node: sql.Expression) -> sql.Expression | None:
    """The condition on the happenings that a call ends with."""
    last = node.expressions[-1] if node.expressions else None
    return None if last is None or type(last).__name__ == "Literal" else last


def asked_by(node: sql.Expression) -> Behaviour | str:
    """A call as a question, or what is wrong with it."""
    name, given = node.name.lower(), list(node.expressions)
    function = FUNCTIONS[name]
    if own_condition(node) is not None:
        given.pop()
    names = tuple(each.name for each in given[: function.names] if type(each).__name__ == "Literal" and each.is_string)
    rest = given[function.names :]
    if len(names) < function.names:
        return f"{'the event comes' if function.names == 1 else 'two events come'} first, in quotation marks"
    days = whole_number(rest[0]) if rest else None
    if len(rest) > 1 or (rest and days is None) or (rest and function.days == "no"):
        most = "a condition at most" if function.days == "no" else f"a number of days from 1 to {MOST_DAYS:,}, then one"
        return f"after that comes {most}"
    if not rest and function.days == "must":
        return "it needs a number of days"
    tree = own_condition(node)
    where = None if tree is None else lambda rows, scope: compiled(tree, rows, scope, {})
    return Behaviour(name, node.sql(dialect="duckdb", normalize_functions="lower"), names, days, where)


def compiled(node: sql.Expression, table: Any, scope: Scope, segments: Mapping[str, Condition]) -> Any:
    """The value of a checked tree over a table of traits and behaviours; `segments` are those it asks for."""

    def of(part: sql.Expression) -> Any:
        return compiled(part, table, scope, segments)

    name = type(node).__name__
    operation = _OPERATIONS.get(name)
    if operation is not None:
        return operation(of(node.this), of(node.expression))
    match name:
        case "Paren":
            return of(node.this)
        case "Not":
            return ~of(node.this)
        case "Neg":
            return -of(node.this)
        case "Between":
            return of(node.this).between(of(node.args["low"]), of(node.args["high"]))
        case "In":
            return of(node.this).isin([of(item) for item in node.expressions])
        case "Is":
            return of(node.this).isnull()
        case "Column":
            return table[node.name.lower()]
        case "Anonymous":
            return _called(node, table, scope, segments)
    return _literal(node, name)


def _called(node: sql.Expression, table: Any, scope: Scope, segments: Mapping[str, Condition]) -> Any:
    import ibis

    if node.name.lower() == "in_segment":
        return segments[node.expressions[0].name].on(table, scope)
    if (ahead := DAYS.get(node.name.lower())) is not None:
        return ibis.literal(scope.as_of + ahead * dt.timedelta(days=int(node.expressions[0].name)))
    if (name := property_of(node)) is not None:
        return told_property(table.properties, name, PROPERTIES[node.name.lower()])
    asked = asked_by(node)
    assert isinstance(asked, Behaviour), "the check has let it through"
    return table[asked.column]


def _literal(node: sql.Expression, name: str) -> Any:
    import ibis

    if name == "Boolean":
        return ibis.literal(bool(node.this))
    if node.is_string:
        return ibis.literal(node.name)
    whole = node.name.isdigit() and int(node.name) < 2**63
    return ibis.literal(int(node.name) if whole else float(node.name))


def _number(value: Any) -> Any:
    """A number that no sum or product overflows, on any engine."""
    return value.cast("float64")


_OPERATIONS: Mapping[str, Callable[[Any, Any], Any]] = {
    "And": lambda a, b: a & b,
    "Or": lambda a, b: a | b,
    "EQ": lambda a, b: a == b,
    "NEQ": lambda a, b: a != b,
    "LT": lambda a, b: a < b,
    "LTE": lambda a, b: a <= b,
    "GT": lambda a, b: a > b,
    "GTE": lambda a, b: a >= b,
    "Add": lambda a, b: _number(a) + _number(b),
    "Sub": lambda a, b: _number(a) - _number(b),
    "Mul": lambda a, b: _number(a) * _number(b),
    "Div": lambda a, b: _number(a) / _number(b).nullif(0),
}
