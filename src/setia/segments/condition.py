"""The condition language: an SQL boolean expression over traits, checked against a list and made total.

`orders >= 2 and days_since_last_order > 1.5 * usual_gap_days`. Allowed are traits, numbers, texts, days
('2026-08-31'), true and false, `and or not`, `= <> < <= > >=`, `between`, `in`, `is null`, and `+ - * /`. A division
by zero gives null; a comparison with null is neither true nor false, and such a customer is not in the segment.
Sums are floating-point numbers. Names may be written in capitals.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from setia.customers.traits import TRAITS
from setia.kernel.errors import SetiaError
from setia.kernel.near import nearest

if TYPE_CHECKING:
    import ibis.expr.types as ir
    import sqlglot
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
            _require_plain(text, sqlglot.tokenize(text, read="duckdb"))
            tree: Any = sqlglot.parse_one(text, into=exp.Condition, dialect="duckdb")
        except RecursionError as problem:
            raise BadCondition(condition=text, problem="it is nested too deeply") from problem
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


MOST_WORDS = 500
"""Words and signs in a condition; beyond that, engines run out of stack."""


def _require_plain(text: str, tokens: Sequence[sqlglot.Token]) -> None:
    """Refuse what the parser would pass over in silence. Raises BadCondition."""
    if len(tokens) > MOST_WORDS:
        raise BadCondition(condition=text, problem=f"it is too long: more than {MOST_WORDS} words and signs")
    if any(token.comments for token in tokens):
        raise BadCondition(condition=text, problem="comments are not part of the condition language")
    if any(token.token_type.name == "SEMICOLON" for token in tokens):
        raise BadCondition(condition=text, problem="`;` is not part of the condition language")


_READ = frozenset({"this", "expression", "expressions", "low", "high", "is_string", "typed", "safe"})
"""What of a node is looked at; a node with anything else on it is refused."""
_COMPARISONS = ("EQ", "NEQ", "LT", "LTE", "GT", "GTE")
_ARITHMETIC = ("Add", "Sub", "Mul", "Div")


class _Check:
    """Walks the tree once: every node allowed, every name known, kinds that fit."""

    def __init__(self, text: str) -> None:
        self._text = text
        self.traits: set[str] = set()

    def kind(self, node: sql.Expression) -> str:
        name = type(node).__name__
        if any(value for part, value in node.args.items() if part not in _READ):
            raise self._foreign(node)
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
        if name == "Column" and type(node.this).__name__ == "Identifier":
            return self._trait(node)
        raise self._foreign(node)

    def _foreign(self, node: sql.Expression) -> BadCondition:
        return self._wrong(f"`{node.sql(dialect='duckdb')}` is not part of the condition language")

    def _trait(self, node: sql.Expression) -> str:
        name = node.name.lower()
        if name not in KINDS:
            meant = nearest(name, KINDS)
            place = node.this.meta.get("start", self._text.find(node.name)) + 1
            hint = f"; did you mean `{meant}`?" if meant else "; docs/reference/traits.md lists them all"
            raise self._wrong(f"there is no trait `{node.name}` (character {place}){hint}")
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
        """Whether a text stands for a day; raises where it was written out and is none."""
        written = node.unnest()
        if not written.is_string:
            return False
        try:
            day = dt.date.fromisoformat(written.name)
        except ValueError:
            day = None
        if day is None or day.isoformat() != written.name:
            raise self._wrong(f"{written.name!r} is not a day such as '2026-08-31'")
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
    return table[node.name.lower()] if name == "Column" else _literal(node, name)


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
