"""Who stood in which segment at each refresh, and why somebody entered or left since the one before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from setia.conditions.behaviour import with_behaviour
from setia.conditions.condition import Condition
from setia.history.scope import Scope
from setia.segments.saved import Segment
from setia.warehouse.duck import literal, quoted

if TYPE_CHECKING:
    from setia.warehouse.reader import Reader
    from setia.warehouse.snapshot import Snapshot

TABLE = "segments"
"""Derived: one row per customer; of each segment, under its name and version, which parts of its condition hold: bit n
for part n."""
MOVES = "segment_moves"
"""Derived: one row per customer and segment that was entered or left since the refresh before: `customer_id`,
`segment`, `version`, `was` and `now` (the bits), `is_new` (nobody knew the customer then), `before` (the traits that
segments read, as they were; a JSON object). A row without a customer says that the segment was there before."""
MOST_PARTS = 60


def column(segment: Segment) -> str:
    """The segment's column."""
    return f"{segment.name}@{segment.version}"


def parts(condition: Condition) -> tuple[Condition, ...]:
    """The parts of a condition that are told apart."""
    found = condition.parts
    return found if len(found) <= MOST_PARTS else (condition,)


def whole(condition: Condition) -> int:
    """The bits of a member."""
    return int((1 << len(parts(condition))) - 1)


def held(facts: Snapshot, scope: Scope, traits: Any, segments: Sequence[Segment]) -> Any:
    """The rows of `TABLE`; all that the segments ask of behaviour is answered in one pass over each kind."""
    asked = frozenset().union(*(each.condition.behaviours for each in segments))
    known = with_behaviour(facts, scope, traits, asked)
    marks = {column(each): _bits(each.condition, known, scope) for each in segments}
    return known.select("customer_id", **marks)


def _bits(condition: Condition, rows: Any, scope: Scope) -> Any:
    bits = [part.on(rows, scope).ifelse(1 << place, 0).cast("int64") for place, part in enumerate(parts(condition))]
    return sum(bits[1:], bits[0])


def moves_sql(facts: Reader, present: str, segments: Sequence[Segment]) -> str:
    """The SELECT of `MOVES`, in DuckDB's SQL: from the standing at the refresh before, as `facts` have it, to the
    `present` one.

    A segment whose condition has changed since has no column in the past: nobody has entered or left it.
    """
    past, past_traits = facts.columns(TABLE), facts.columns("traits")
    compared = [each for each in segments if column(each) in past]
    read = sorted({name for each in compared for name in each.condition.traits} & set(past_traits))
    found = ", ".join(
        f"{{'segment': {literal(each.name)}, 'version': {literal(each.version)}, "
        f"'whole': {whole(each.condition)}::bigint, 'was': coalesce(o.{quoted(column(each))}, 0)::bigint, "
        f"'now': coalesce(n.{quoted(column(each))}, 0)::bigint}}"
        for each in compared
    )
    there = ", ".join(f"{{'segment': {literal(e.name)}, 'version': {literal(e.version)}}}" for e in compared)
    if not found:
        return (
            "select null::varchar as customer_id, null::varchar as segment, null::varchar as version, "
            "null::bigint as was, null::bigint as now, null::boolean as is_new, null::varchar as before where false"
        )
    told = ", ".join(f"{literal(name)}: t.{quoted(name)}" for name in read)
    before = f"to_json({{{told}}})::varchar" if told else "'{}'"
    moved = "(m.was = m.whole) <> (m.now = m.whole)"
    return (
        f"select x.customer_id, m.segment, m.version, m.was, m.now, x.is_new, {before} as before from ("
        "select coalesce(n.customer_id, o.customer_id) as customer_id, o.customer_id is null as is_new, "
        f"unnest(list_filter([{found}], lambda m: {moved})) as m "
        f"from {present} n full join {TABLE} o on n.customer_id = o.customer_id) x "
        "left join traits t on t.customer_id = x.customer_id union all "
        f"select null, m.segment, m.version, null, null, null, null from (select unnest([{there}]) as m)"
    )


def because(condition: Condition, move: Mapping[str, Any], now: Mapping[str, Any], before: Mapping[str, Any]) -> str:
    """Why somebody entered or left, in the condition's own words, with the values that have changed."""
    flipped = move["was"] ^ move["now"]
    told = []
    for place, part in enumerate(parts(condition)):
        if not flipped & (1 << place):
            continue
        values = [
            f"{name} {_plain(before.get(name))} → {_plain(now.get(name))}"
            for name in sorted(part.traits)
            if _plain(before.get(name)) != _plain(now.get(name))
        ]
        word = "" if move["now"] & (1 << place) else "no longer "
        told.append(f"{word}{part.text}" + (f" ({', '.join(values)})" if values else ""))
    return "; ".join(told)


def _plain(value: Any) -> str:
    if value is None:
        return "–"
    try:
        return f"{float(value):.10g}" if not isinstance(value, bool) else str(value).lower()
    except (TypeError, ValueError):
        return str(value)
