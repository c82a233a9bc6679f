"""The condition language: an SQL boolean expression over traits, checked against a list and made total.

`orders >= 2 and days_since_last_order > 1.5 * usual_gap_days`. Allowed are traits, numbers, texts, days
('2026-08-31', `days_ago(30)`, `days_ahead(7)`), true and false, `and or not`, `= <> < <= > >=`, `between`, `in`,
`is null`, and `+ - * /`. A division by zero gives null; a comparison with null is neither true nor false, and such a
customer is not in the segment. Sums are floating-point numbers. Names may be written in capitals.

What somebody did is asked by functions: `count_events('Product Viewed', 30) >= 3`,
`sum_orders(365, channel = 'app') > 500000`, `not_followed('Product Added', 'Order Completed', 7)`. Names of events come
first, then a number of days before `as_of`, then a condition on the happenings themselves, which may read what an event
carries: `property('plan') = 'gold'`, `number('value') > 100`. `in_segment('loyal')` asks for the members of another
segment.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from setia.conditions.behaviour import Behaviour
from setia.conditions.checking import BadCondition, Check
from setia.conditions.compiling import compiled
from setia.kernel.near import nearest

if TYPE_CHECKING:
    import ibis.expr.types as ir
    import sqlglot
    from sqlglot import expressions as sql

    from setia.conditions.checking import Inside
    from setia.history.scope import Scope

__all__ = ["BadCondition", "Condition", "Words"]


@dataclass(frozen=True, slots=True)
class Words:
    """What a condition may speak of."""

    traits: Mapping[str, str]
    """Names with their kinds: number, text, flag or day."""
    segments: Mapping[str, str] | None = None
    """The conditions that `in_segment` may ask for, by name."""
    _read: dict[str, Condition] = field(default_factory=dict, compare=False, repr=False)

    def inside(self, asking: tuple[str, ...]) -> Inside | None:
        """How `in_segment` finds a condition, within the segments `asking`."""
        saved = self.segments
        if saved is None:
            return None

        def find(name: str) -> Condition | str:
            if name in asking:
                return f"the segment asks for itself: {' → '.join((*asking, name))}"
            if name not in saved:
                meant = nearest(name, saved)
                hint = f"; did you mean `{meant}`?" if meant else "; `setia segments` lists them all"
                return f"there is no segment `{name}`{hint}"
            if name not in self._read:
                self._read[name] = Condition.parse(saved[name], self, (*asking, name))
            return self._read[name]

        return find


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
        found = cls._of(text, tree, words, asking)
        if found.words > MOST_WORDS_INSIDE:
            raise BadCondition(
                condition=text, problem=f"with the segments it asks for it has more than {MOST_WORDS_INSIDE:,} words"
            )
        return found

    @classmethod
    def _of(cls, text: str, tree: sql.Expression, words: Words, asking: tuple[str, ...] = ()) -> Condition:
        check = Check(text, words.traits, inside=words.inside(asking))
        kind = check.kind(tree)
        segments = tuple((name, check.segments[name]) for name in sorted(check.segments))
        return cls(text, kind, frozenset(check.traits), frozenset(check.behaviours), tree, words, segments)

    @property
    def meaning(self) -> str:
        """Its text with those of the segments that it asks for."""
        return self.text + "".join(f"\n{name}: {inside.meaning}" for name, inside in self._segments)

    @property
    def words(self) -> int:
        """Its words and signs, about, with those of the segments that it asks for."""
        asked = [node.expressions[0].name for node in _member_calls(self._tree)]
        inside = {name: each.words for name, each in self._segments}
        return len(self.text.split()) + sum(inside[name] for name in asked)

    @property
    def parts(self) -> tuple[Condition, ...]:
        """The conditions that must all hold: what stands between its outermost `and`s."""
        return tuple(self._of(part.sql(dialect="duckdb"), part, self._words) for part in _conjuncts(self._tree))

    def value(self, table: ir.Table, scope: Scope) -> Any:
        """Its value over a table of traits and behaviours, as an Ibis expression."""
        return compiled(self._tree, table, scope, dict(self._segments))

    def on(self, table: ir.Table, scope: Scope) -> ir.BooleanValue:
        """The condition over a table of traits and behaviours, as an Ibis expression that is never null."""
        return self.value(table, scope).fill_null(False)


def _member_calls(node: sql.Expression) -> list[sql.Expression]:
    from sqlglot import expressions as exp

    return [call for call in node.find_all(exp.Anonymous) if call.name.lower() == "in_segment"]


def _conjuncts(node: sql.Expression) -> list[sql.Expression]:
    inner = node.unnest()
    if type(inner).__name__ != "And":
        return [node]
    return [*_conjuncts(inner.this), *_conjuncts(inner.expression)]


MOST_WORDS_INSIDE = 2_000
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
