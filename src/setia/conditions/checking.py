"""Checks the tree of a condition: every node allowed, every name known, kinds that fit."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from setia.conditions.behaviour import FUNCTIONS, SOURCES, Behaviour
from setia.conditions.compiling import DAYS, asked_by, own_condition, whole_number
from setia.conditions.properties import PROPERTIES, property_of
from setia.kernel.errors import SetiaError
from setia.kernel.near import nearest

if TYPE_CHECKING:
    from sqlglot import expressions as sql

    from setia.conditions.condition import Condition

    Inside = Callable[[str], Condition | str]
    """From a segment's name to its condition, or to what is wrong with asking for it."""


class BadCondition(SetiaError):
    """The condition `{condition}` cannot be used: {problem}."""

    code = "segments.bad_condition"


_READ = frozenset({"this", "expression", "expressions", "low", "high", "is_string", "typed", "safe"})
"""What of a node is looked at; a node with anything else on it is refused."""
_COMPARISONS = ("EQ", "NEQ", "LT", "LTE", "GT", "GTE")
_ARITHMETIC = ("Add", "Sub", "Mul", "Div")


MOST_DIGITS = 30


class Check:
    """Walks the tree once: every node allowed, every name known, kinds that fit."""

    def __init__(
        self,
        text: str,
        columns: Mapping[str, str],
        what: str = "trait",
        inside: Inside | None = None,
    ) -> None:
        self._text = text
        self._columns = columns
        self._what = what
        self.traits: set[str] = set()
        self.behaviours: set[Behaviour] = set()
        self.segments: dict[str, Condition] = {}
        self._inside = inside

    def kind(self, node: sql.Expression) -> str:
        """The kind of a node's value; notes what it reads. Raises BadCondition."""
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
            if not node.is_string and len(node.name) > MOST_DIGITS:
                raise self._wrong(f"a number has {MOST_DIGITS} digits at most")
            return "text" if node.is_string else "number"
        if name == "Column" and type(node.this).__name__ == "Identifier":
            return self._trait(node)
        if name == "Anonymous":
            return self._call(node)
        raise self._foreign(node)

    def _call(self, node: sql.Expression) -> str:
        name = node.name.lower()
        if name in DAYS:
            if len(node.expressions) != 1 or whole_number(node.expressions[0]) is None:
                raise self._wrong(f"`{node.sql(dialect='duckdb')}`: write `{name}(30)`, with a number of days")
            return "day"
        if name == "in_segment" and self._what == "trait":
            return self._member(node)
        if name in PROPERTIES and "properties" in self._columns:
            if property_of(node) is None:
                raise self._wrong(
                    f"`{node.sql(dialect='duckdb')}`: write `{name}('plan')`, with the property's name in letters, "
                    "digits, `_` and dots"
                )
            return PROPERTIES[name]
        if name not in FUNCTIONS or self._what != "trait":
            more = [*FUNCTIONS, "in_segment"] if self._what == "trait" else []
            choices = [*more, *DAYS, *(PROPERTIES if "properties" in self._columns else ())]
            meant = nearest(name, choices)
            hint = f"; did you mean `{meant}`?" if meant else f"; there are {', '.join(choices)}"
            raise self._wrong(f"there is no function `{node.name}`{hint}")
        behaviour = asked_by(node)
        if isinstance(behaviour, str):
            raise self._wrong(f"`{node.sql(dialect='duckdb')}` cannot be asked: {behaviour}")
        where = own_condition(node)
        if where is not None:
            inside = Check(self._text, SOURCES[FUNCTIONS[name].source].columns, "column")
            if inside.kind(where) != "flag":
                raise self._wrong(f"`{where.sql(dialect='duckdb')}` is not true or false by itself")
        self.behaviours.add(behaviour)
        return FUNCTIONS[name].kind

    def _member(self, node: sql.Expression) -> str:
        """Of another segment, whose condition is taken in."""
        given = node.expressions
        if len(given) != 1 or type(given[0]).__name__ != "Literal" or not given[0].is_string:
            raise self._wrong(f"`{node.sql(dialect='duckdb')}`: write `in_segment('loyal')`, with a name")
        if self._inside is None:
            raise self._wrong(
                "`in_segment` is for segments and `setia segments`; write the segment's own condition here"
            )
        name = given[0].name
        inside = self._inside(name)
        if isinstance(inside, str):
            raise self._wrong(inside)
        self.segments[name] = inside
        self.traits |= inside.traits
        self.behaviours |= inside.behaviours
        return "flag"

    def _foreign(self, node: sql.Expression) -> BadCondition:
        return self._wrong(f"`{node.sql(dialect='duckdb')}` is not part of the condition language")

    def _trait(self, node: sql.Expression) -> str:
        name = node.name.lower()
        if name not in self._columns or name == "properties":
            meant = nearest(name, self._columns)
            place = node.this.meta.get("start", self._text.find(node.name)) + 1
            listed = (
                "docs/reference/traits.md lists them all"
                if self._what == "trait"
                else f"there are {', '.join(self._columns)}"
            )
            hint = f"; did you mean `{meant}`?" if meant else f"; {listed}"
            raise self._wrong(f"there is no {self._what} `{node.name}` (character {place}){hint}")
        self.traits.add(name)
        return self._columns[name]

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
