"""The segments of one shop: how many are in each, who they are, how they overlap."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from setia.history.scope import Scope
from setia.kernel.errors import SetiaError
from setia.segments.behaviour import with_behaviour
from setia.segments.condition import Condition
from setia.segments.saved import Segment, segment, segments
from setia.warehouse.snapshot import listed

if TYPE_CHECKING:
    import pyarrow as pa

    from setia.warehouse.snapshot import Snapshot

Open = Callable[[], AbstractContextManager["Snapshot"]]
MakeScope = Callable[[Any, dt.date | None], Scope]
REACHED = ("reachable_email", "reachable_whatsapp", "reachable_sms")


class TraitsOutdated(SetiaError):
    """The table of traits does not have {names} yet. Run `setia refresh` first."""

    code = "segments.traits_outdated"


class Segments:
    """Who is in which segment as of the last refresh; behaviour is read up to the last recorded day.

    Everything here raises NotRefreshed where there are no traits yet, TraitsOutdated where an older Setia made them,
    BadSegment for a file that cannot be used.
    """

    def __init__(self, reading: Open, scope: MakeScope, workspace: Path) -> None:
        self._reading = reading
        self._scope = scope
        self._workspace = workspace

    def all(self) -> list[Segment]:
        """Every segment: the usual ones and the shop's own."""
        return list(segments(self._workspace).values())

    def sizes(self) -> pa.Table:
        """One row per segment: `segment`, `title`, `own`, `version`, `customers`, `share` (of all customers),
        `reachable` (may be written to on a channel), `net_revenue`."""
        import pyarrow as pa

        known = self.all()
        with self._reading() as facts:
            people = self._marked(facts, [each.condition for each in known])
            sums = {"everybody": people.count()}
            for place in range(len(known)):
                inside = people[_mark(place)]
                sums |= {
                    f"customers_{place}": people.count(where=inside),
                    f"reachable_{place}": people.count(where=inside & people.reachable),
                    f"revenue_{place}": people.net_revenue.sum(where=inside).cast("decimal(38, 4)"),
                }
            (found,) = listed(facts, people.aggregate(**sums))
        everybody = found["everybody"]
        return pa.Table.from_pylist(
            [
                {
                    "segment": each.name,
                    "title": each.title,
                    "own": each.own,
                    "version": each.version,
                    "customers": found[f"customers_{place}"],
                    "share": found[f"customers_{place}"] / everybody if everybody else None,
                    "reachable": found[f"reachable_{place}"],
                    "net_revenue": found[f"revenue_{place}"],
                }
                for place, each in enumerate(known)
            ]
        )

    def members(self, name: str) -> list[str]:
        """The customers in a segment, sorted. Raises UnknownSegment."""
        return self._members(segment(self._workspace, name).condition)

    def matching(self, condition: str) -> list[str]:
        """The customers who meet a condition, sorted. Raises BadCondition."""
        texts = {each.name: each.condition.text for each in self.all()}
        return self._members(Condition.parse(condition, texts))

    def overlap(self) -> pa.Table:
        """One row per pair of segments: `segment`, `other`, `customers` (in both)."""
        import pyarrow as pa

        known = self.all()
        pairs = [(a, b) for a in range(len(known)) for b in range(a)]
        with self._reading() as facts:
            people = self._marked(facts, [each.condition for each in known])
            sums = {f"both_{a}_{b}": people.count(where=people[_mark(a)] & people[_mark(b)]) for a, b in pairs}
            (found,) = listed(facts, people.aggregate(**sums))
        rows = [
            {"segment": known[b].name, "other": known[a].name, "customers": found[f"both_{a}_{b}"]} for a, b in pairs
        ]
        return pa.Table.from_pylist(rows)

    def _members(self, condition: Condition) -> list[str]:
        with self._reading() as facts:
            people = self._marked(facts, [condition])
            found = people.filter(people[_mark(0)]).select("customer_id").order_by("customer_id")
            return [row["customer_id"] for row in listed(facts, found)]

    def _marked(self, facts: Snapshot, conditions: Sequence[Condition]) -> Any:
        """Everybody, with a mark for each condition; whatever they ask of behaviour is answered in one pass."""
        traits: Any = facts.table("traits")
        needed = {*REACHED, "net_revenue"}.union(*(each.traits for each in conditions))
        if missing := sorted(needed - set(traits.columns)):
            raise TraitsOutdated(names=", ".join(missing))
        scope = self._scope(facts, None)
        known = with_behaviour(facts, scope, traits, frozenset().union(*(each.behaviours for each in conditions)))
        marks = {_mark(place): each.on(known, scope) for place, each in enumerate(conditions)}
        reachable = known.reachable_email | known.reachable_whatsapp | known.reachable_sms
        return facts.kept(known.select("customer_id", "net_revenue", reachable=reachable, **marks))


def _mark(place: int) -> str:
    return f"in_{place}"
