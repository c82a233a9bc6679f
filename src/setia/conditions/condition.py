"""The condition language: an SQL boolean expression over traits, checked against a list and made total.

`orders >= 2 and days_since_last_order > 1.5 * usual_gap_days`. Allowed are traits, numbers, texts, days
('2026-08-31', `days_ago(30)`), true and false, `and or not`, `= <> < <= > >=`, `between`, `in`, `is null`, and
`+ - * /`. A division by zero gives null; a comparison with null is neither true nor false, and such a customer is not
in the segment. Sums are floating-point numbers. Names may be written in capitals.

What somebody did is asked by functions: `count_events('Product Viewed', 30) >= 3`,
`sum_orders(365, channel = 'app') > 500000`, `not_followed('Product Added', 'Order Completed', 7)`. Names of events come
first, then a number of days before `as_of`, then a condition on the happenings themselves, which may read what an event
carries: `property('plan') = 'gold'`, `number('value') > 100`. `in_segment('loyal')` asks for the members of another
segment.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from setia.conditions.behaviour import FUNCTIONS, SOURCES, Behaviour
from setia.conditions.properties import PROPERTIES, property_of, told_property
from setia.kernel.errors import SetiaError
from setia.kernel.near import nearest
from setia.metrics.options import MOST_DAYS

if TYPE_CHECKING:
    import ibis.expr.types as ir
    import sqlglot
    from sqlglot import expressions as sql

    from setia.history.scope import Scope


@dataclass(frozen=True, slots=True)
class Words:
    """What a condition may speak of."""

    traits: Mapping[str, str]
    """Names with their kinds: number, text, flag or day."""
    segments: Mapping[str, str] | None = None
    """The conditions that `in_segment` may ask for, by name."""


class BadCondition(SetiaError):
    """The condition `{condition}` cannot be used: {problem}."""

    code = "segments.bad_condition"


@dataclass(frozen=True, slots=True)
class Condition:
    """A checked condition."""

    text: str
    kind: str
    """Of its value: a flag, but for an expression that is no condition."""
    traits: frozenset[str]
    """The traits it reads."""
    behaviours: frozenset[Behaviour]
    """What it asks of what customers did: columns that `with_behaviour` puts beside the traits."""
    _tree: Any
    _words: Words = field(compare=False, repr=False)
    _segments: tuple[tuple[str, Condition], ...] = ()
    """The segments that it asks for, each with its condition."""

    @classmethod
    def parse(cls, text: str, words: Words, asking: tuple[str, ...] = ()) -> Condition:
        """Read and check a condition. Raises BadCondition, naming the place and the word that was probably meant.

        `asking` are the segments that this one stands in.
        """
        found = cls.expression(text, words, asking)
        if found.kind != "flag":
            raise BadCondition(condition=text, problem="it is not true or false by itself; compare it with something")
        return found

    @classmethod
    def expression(cls, text: str, words: Words, asking: tuple[str, ...] = ()) -> Condition:
        """The same for an expression that may be a number, a text or a day as well. Raises BadCondition."""
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
        return cls._of(text, tree, words, asking)

    @classmethod
    def _of(cls, text: str, tree: sql.Expression, words: Words, asking: tuple[str, ...] = ()) -> Condition:
        check = _Check(text, words.traits, saved=words, asking=asking)
        kind = check.kind(tree)
        segments = tuple((name, check.segments[name]) for name in sorted(check.segments))
        return cls(text, kind, frozenset(check.traits), frozenset(check.behaviours), tree, words, segments)

    @property
    def parts(self) -> tuple[Condition, ...]:
        """The conditions that must all hold: what stands between its outermost `and`s."""
        return tuple(self._of(part.sql(dialect="duckdb"), part, self._words) for part in _conjuncts(self._tree))

    def value(self, table: ir.Table, scope: Scope) -> Any:
        """Its value over a table of traits and behaviours, as an Ibis expression."""
        return _compiled(self._tree, table, scope, dict(self._segments))

    def on(self, table: ir.Table, scope: Scope) -> ir.BooleanValue:
        """The condition over a table of traits and behaviours, as an Ibis expression that is never null."""
        return self.value(table, scope).fill_null(False)


def _conjuncts(node: sql.Expression) -> list[sql.Expression]:
    inner = node.unnest()
    if type(inner).__name__ != "And":
        return [node]
    return [*_conjuncts(inner.this), *_conjuncts(inner.expression)]


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

    def __init__(
        self,
        text: str,
        columns: Mapping[str, str],
        what: str = "trait",
        saved: Words | None = None,
        asking: tuple[str, ...] = (),
    ) -> None:
        self._text = text
        self._columns = columns
        self._what = what
        self.traits: set[str] = set()
        self.behaviours: set[Behaviour] = set()
        self.segments: dict[str, Condition] = {}
        self._saved = saved
        self._asking = asking

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
        if name == "Anonymous":
            return self._call(node)
        raise self._foreign(node)

    def _call(self, node: sql.Expression) -> str:
        name = node.name.lower()
        if name == "days_ago":
            if len(node.expressions) != 1 or _whole(node.expressions[0]) is None:
                raise self._wrong(f"`{node.sql(dialect='duckdb')}`: write `days_ago(30)`, with a number of days")
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
            choices = [*more, "days_ago", *(PROPERTIES if "properties" in self._columns else ())]
            meant = nearest(name, choices)
            hint = f"; did you mean `{meant}`?" if meant else f"; there are {', '.join(choices)}"
            raise self._wrong(f"there is no function `{node.name}`{hint}")
        behaviour = _asked(node)
        if isinstance(behaviour, str):
            raise self._wrong(f"`{node.sql(dialect='duckdb')}` cannot be asked: {behaviour}")
        where = _where(node)
        if where is not None:
            inside = _Check(self._text, SOURCES[FUNCTIONS[name].source].columns, "column")
            if inside.kind(where) != "flag":
                raise self._wrong(f"`{where.sql(dialect='duckdb')}` is not true or false by itself")
        self.behaviours.add(behaviour)
        return FUNCTIONS[name].kind

    def _member(self, node: sql.Expression) -> str:
        """Of another segment, whose condition is taken in."""
        given = node.expressions
        if len(given) != 1 or type(given[0]).__name__ != "Literal" or not given[0].is_string:
            raise self._wrong(f"`{node.sql(dialect='duckdb')}`: write `in_segment('loyal')`, with a name")
        name = given[0].name
        if self._saved is None or self._saved.segments is None:
            raise self._wrong(
                "`in_segment` is for segments and `setia segments`; write the segment's own condition here"
            )
        if name in self._asking:
            raise self._wrong(f"the segment asks for itself: {' → '.join((*self._asking, name))}")
        if name not in self._saved.segments:
            meant = nearest(name, self._saved.segments)
            hint = f"; did you mean `{meant}`?" if meant else "; `setia segments` lists them all"
            raise self._wrong(f"there is no segment `{name}`{hint}")
        inside = Condition.parse(self._saved.segments[name], self._saved, (*self._asking, name))
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


def _whole(node: sql.Expression) -> int | None:
    """The number of days that is written out, if it is one."""
    if type(node).__name__ != "Literal" or node.is_string or not node.name.isdigit():
        return None
    return int(node.name) if 1 <= int(node.name) <= MOST_DAYS else None


def _where(node: sql.Expression) -> sql.Expression | None:
    """The condition on the happenings that a call ends with."""
    last = node.expressions[-1] if node.expressions else None
    return None if last is None or type(last).__name__ == "Literal" else last


def _asked(node: sql.Expression) -> Behaviour | str:
    """A call as a question, or what is wrong with it."""
    name, given = node.name.lower(), list(node.expressions)
    function = FUNCTIONS[name]
    if _where(node) is not None:
        given.pop()
    names = tuple(each.name for each in given[: function.names] if type(each).__name__ == "Literal" and each.is_string)
    rest = given[function.names :]
    if len(names) < function.names:
        return f"{'the event comes' if function.names == 1 else 'two events come'} first, in quotation marks"
    days = _whole(rest[0]) if rest else None
    if len(rest) > 1 or (rest and days is None) or (rest and function.days == "no"):
        most = "a condition at most" if function.days == "no" else f"a number of days from 1 to {MOST_DAYS:,}, then one"
        return f"after that comes {most}"
    if not rest and function.days == "must":
        return "it needs a number of days"
    tree = _where(node)
    where = None if tree is None else lambda rows, scope: _compiled(tree, rows, scope, {})
    return Behaviour(name, node.sql(dialect="duckdb", normalize_functions="lower"), names, days, where)


def _compiled(node: sql.Expression, table: Any, scope: Scope, segments: Mapping[str, Condition]) -> Any:
    def of(part: sql.Expression) -> Any:
        return _compiled(part, table, scope, segments)

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
    if node.name.lower() == "days_ago":
        return ibis.literal(scope.as_of - dt.timedelta(days=int(node.expressions[0].name)))
    if (name := property_of(node)) is not None:
        return told_property(table.properties, name, PROPERTIES[node.name.lower()])
    asked = _asked(node)
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
