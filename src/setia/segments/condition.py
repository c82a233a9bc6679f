"""The condition language: an SQL boolean expression over traits, checked against a list and made total.

`orders >= 2 and days_since_last_order > 1.5 * usual_gap_days`. Allowed are traits, numbers, texts, days
('2026-08-31'), true and false, `and or not`, `= <> < <= > >=`, `between`, `in`, `is null`, and `+ - * /`. A division
by zero gives null; a comparison with null is neither true nor false, and such a customer is not in the segment.
"""

from __future__ import annotations

import datetime as dt
import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from setia.customers.traits import TRAITS
from setia.kernel.errors import SetiaError

if TYPE_CHECKING:
    import ibis.expr.types as ir
    from sqlglot import expressions as sql

KINDS = {
    trait.name: "number" if trait.kind in ("integer", "money", "share") else trait.kind for trait in TRAITS.values()
}


class BadCondition(SetiaError):
    """The condition `{condition}` cannot be used: {problem}."""

    code = "segments.bad_condition"


@dataclass(frozen=True, slots=True)
class Condition:
    """A checked condition."""

    text: str
    traits: frozenset[str]
    """The traits it reads."""
    _tree: Any

    @classmethod
    def parse(cls, text: str) -> Condition:
        """Read and check a condition. Raises BadCondition, naming the place and the word that was probably meant."""
        import sqlglot
        from sqlglot import errors
        from sqlglot import expressions as exp

        try:
            tree = sqlglot.parse_one(text, into=exp.Condition, dialect="duckdb")
        except (errors.ParseError, errors.TokenError) as problem:
            details = getattr(problem, "errors", None)
            where = f"near {details[0]['highlight']!r}" if details and details[0].get("highlight") else "at its end"
            raise BadCondition(condition=text, problem=f"it breaks off or goes wrong {where}") from problem
        check = _Check(text)
        kind = check.kind(tree)
        if kind != "flag":
            raise BadCondition(condition=text, problem="it is not true or false by itself; compare it with something")
        return cls(text, frozenset(check.traits), tree)

    def on(self, table: ir.Table) -> ir.BooleanValue:
        """The condition over a table of traits, as an Ibis expression that is never null."""
        return _compiled(self._tree, table).fill_null(False)


_COMPARISONS = ("EQ", "NEQ", "LT", "LTE", "GT", "GTE")
_ARITHMETIC = ("Add", "Sub", "Mul", "Div")


class _Check:
    """Walks the tree once: every node allowed, every name known, kinds that fit."""

    def __init__(self, text: str) -> None:
        self._text = text
        self.traits: set[str] = set()

    def kind(self, node: sql.Expression) -> str:
        name = type(node).__name__
        if name == "Paren":
            return self.kind(node.this)
        if name in ("And", "Or"):
            return self._all("flag", node.this, node.expression)
        if name == "Not":
            return self._all("flag", node.this)
        if name in _COMPARISONS:
            self._same(node.this, node.expression)
            return "flag"
        if name in _ARITHMETIC:
            return self._all("number", node.this, node.expression)
        if name == "Neg":
            return self._all("number", node.this)
        if name == "Between":
            self._same(node.this, node.args["low"], node.args["high"])
            return "flag"
        if name == "In" and node.expressions:
            self._same(node.this, *node.expressions)
            return "flag"
        if name == "Is" and type(node.expression).__name__ == "Null":
            self.kind(node.this)
            return "flag"
        return self._leaf(node, name)

    def _leaf(self, node: sql.Expression, name: str) -> str:
        if name == "Boolean":
            return "flag"
        if name == "Literal":
            return "text" if node.is_string else "number"
        if name == "Column" and not node.args.get("table"):
            return self._trait(node.name)
        raise self._wrong(f"`{node.sql(dialect='duckdb')}` is not part of the condition language")

    def _trait(self, name: str) -> str:
        if name not in KINDS:
            near = difflib.get_close_matches(name, KINDS, n=1)
            place = self._text.find(name) + 1
            hint = f"; did you mean `{near[0]}`?" if near else "; docs/reference/traits.md lists them all"
            raise self._wrong(f"there is no trait `{name}` (character {place}){hint}")
        self.traits.add(name)
        return KINDS[name]

    def _all(self, wanted: str, *nodes: sql.Expression) -> str:
        for node in nodes:
            found = self.kind(node)
            if found != wanted:
                raise self._wrong(f"`{node.sql(dialect='duckdb')}` is a {found} where a {wanted} is needed")
        return wanted

    def _same(self, first: sql.Expression, *others: sql.Expression) -> None:
        wanted = self.kind(first)
        for other in others:
            found = self.kind(other)
            days = {"day", "text"} == {wanted, found} and self._is_day(first if found == "day" else other)
            if found != wanted and not days:
                raise self._wrong(
                    f"`{first.sql(dialect='duckdb')}` is a {wanted}, `{other.sql(dialect='duckdb')}` a {found}"
                )

    def _is_day(self, node: sql.Expression) -> bool:
        try:
            dt.date.fromisoformat(node.name)
        except ValueError as problem:
            raise self._wrong(f"{node.name!r} is not a day such as '2026-08-31'") from problem
        return True

    def _wrong(self, problem: str) -> BadCondition:
        return BadCondition(condition=self._text, problem=problem)


def _compiled(node: sql.Expression, table: Any) -> Any:
    name = type(node).__name__
    operation = _OPERATIONS.get(name)
    if operation is not None:
        return operation(_compiled(node.this, table), _compiled(node.expression, table))
    if name == "Paren":
        return _compiled(node.this, table)
    if name == "Not":
        return ~_compiled(node.this, table)
    if name == "Neg":
        return -_compiled(node.this, table)
    if name == "Between":
        return _compiled(node.this, table).between(
            _compiled(node.args["low"], table), _compiled(node.args["high"], table)
        )
    if name == "In":
        return _compiled(node.this, table).isin([_compiled(item, table) for item in node.expressions])
    if name == "Is":
        return _compiled(node.this, table).isnull()
    return table[node.name] if name == "Column" else _literal(node, name)


def _literal(node: sql.Expression, name: str) -> Any:
    import ibis

    if name == "Boolean":
        return ibis.literal(bool(node.this))
    if node.is_string:
        return ibis.literal(node.name)
    return ibis.literal(float(node.name) if "." in node.name or "e" in node.name.lower() else int(node.name))


_OPERATIONS: Mapping[str, Callable[[Any, Any], Any]] = {
    "And": lambda a, b: a & b,
    "Or": lambda a, b: a | b,
    "EQ": lambda a, b: a == b,
    "NEQ": lambda a, b: a != b,
    "LT": lambda a, b: a < b,
    "LTE": lambda a, b: a <= b,
    "GT": lambda a, b: a > b,
    "GTE": lambda a, b: a >= b,
    "Add": lambda a, b: a + b,
    "Sub": lambda a, b: a - b,
    "Mul": lambda a, b: a * b,
    "Div": lambda a, b: a.cast("float64") / b.cast("float64").nullif(0),
}
