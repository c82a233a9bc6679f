"""The segments of one shop: how many are in each, who they are, who came and went, lists to take elsewhere."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from setia.conditions.behaviour import with_behaviour
from setia.conditions.condition import Condition
from setia.customers import own
from setia.customers.traits import require
from setia.history.scope import Scope
from setia.kernel.errors import SetiaError
from setia.kernel.near import nearest
from setia.kernel.spreadsheet import write_csv
from setia.segments import standing
from setia.segments.audience import PLATFORMS
from setia.segments.saved import Segment, segment, segments
from setia.warehouse.snapshot import listed

if TYPE_CHECKING:
    import pyarrow as pa

    from setia.warehouse.snapshot import Snapshot

Open = Callable[[], AbstractContextManager["Snapshot"]]
MakeScope = Callable[[Any, dt.date | None], Scope]
REACHED = ("reachable_email", "reachable_whatsapp", "reachable_sms")
COMPOSED_BY = (
    "stage", "rfm_group", "subscription", "favourite_channel", "favourite_category", "source", "country", "city",
    "language",
)  # fmt: skip
"""Traits that a segment's composition is told by."""
MOST_VALUES = 8
EXPORTED = (
    "name", "email", "phone", "stage", "orders", "net_revenue", "days_since_last_order", "usual_gap_days",
    "reachable_email", "reachable_whatsapp",
)  # fmt: skip


class UnknownColumn(SetiaError):
    """There is no column {name} to export.{near} Traits, name, email and phone are."""

    code = "segments.unknown_column"


class UnknownPlatform(SetiaError):
    """Setia makes no list for {name}; it makes them for {choices}."""

    code = "segments.unknown_platform"


class CannotWrite(SetiaError):
    """{path} cannot be written: {problem}. Give a file in a folder of yours."""

    code = "segments.cannot_write"


@dataclass(frozen=True, slots=True)
class Audience:
    """What became of a segment's members in a list for advertising."""

    path: Path
    members: int
    without_consent: int
    """Left out: nobody may write to them, on any channel."""
    held_out: int
    """Left out: a programme's held-out group, whom nothing of it may reach."""
    without_identifier: int
    """Left out: no address or number of a channel on which they may be written to, or one that another has too."""
    listed: int


class Segments:
    """Who is in which segment as of the last refresh; behaviour is read up to the last recorded day.

    Everything here raises NotRefreshed where there are no traits yet, TraitsOutdated where an older Setia made them,
    BadSegment and BadOwnTrait for a file that cannot be used.
    """

    def __init__(
        self,
        reading: Open,
        scope: MakeScope,
        workspace: Path,
        held_out: Callable[[], Collection[str]],
        opted_out: Callable[[], Collection[tuple[str, str]]],
    ) -> None:
        self._reading = reading
        self._scope = scope
        self._workspace = workspace
        self._held_out = held_out
        self._opted_out = opted_out

    def all(self) -> list[Segment]:
        """Every segment: the usual ones and the shop's own."""
        return list(segments(self._workspace).values())

    def sizes(self) -> pa.Table:
        """One row per segment: `segment`, `title`, `own`, `version`, `customers`, `share` (of all customers),
        `reachable` (may be written to on a channel), `net_revenue`, `entered` and `left` (since the refresh before;
        null for a segment that was not there then), `entered_because` and `left_because` (the part of the condition
        that changed for most of them)."""
        import pyarrow as pa

        known = self.all()
        with self._reading() as facts:
            people = self._marked(facts, [each.condition for each in known])
            sums = {"everybody": people.count()}
            for place in range(len(known)):
                inside = people[_mark(place)]
                sums |= {
                    f"customers_{place}": people.count(where=inside),
                    f"reachable_{place}": people.count(where=inside & people._reachable),
                    f"revenue_{place}": people.net_revenue.sum(where=inside).cast("decimal(38, 4)"),
                }
            (found,) = listed(facts, people.aggregate(**sums))
            moved = _movements(facts, known)
        everybody = found["everybody"]
        return pa.Table.from_pylist(
            [
                {
                    "segment": each.name,
                    "title": each.title,
                    "own": each.is_own,
                    "version": each.version,
                    "customers": found[f"customers_{place}"],
                    "share": found[f"customers_{place}"] / everybody if everybody else None,
                    "reachable": found[f"reachable_{place}"],
                    "net_revenue": found[f"revenue_{place}"],
                    **asdict(moved.get(each.name, _UNKNOWN)),
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
        return self._members(Condition.parse(condition, own.words(own.own_traits(self._workspace), texts)))

    def of(self, customer_id: str) -> list[Segment]:
        """The segments that a customer is in."""
        known = self.all()
        with self._reading() as facts:
            people = self._marked(facts, [each.condition for each in known])
            found = listed(facts, people.filter(people.customer_id == customer_id))
        return [each for place, each in enumerate(known) if found and found[0][_mark(place)]]

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

    def composition(self, name: str) -> pa.Table:
        """Of what a segment is made: one row per trait and value, the commonest values of each first: `trait`,
        `value`, `customers`, `share` (of the segment), `share_of_all` (of all customers). Raises UnknownSegment."""
        import pyarrow as pa

        condition = segment(self._workspace, name).condition
        rows: list[dict[str, Any]] = []
        with self._reading() as facts:
            people = self._marked(facts, [condition], COMPOSED_BY)
            inside = people[_mark(0)]
            (whole,) = listed(facts, people.aggregate(everybody=people.count(), members=people.count(where=inside)))
            for trait in COMPOSED_BY:
                counted = people.group_by(value=people[trait]).aggregate(
                    everybody=people.count(), members=people.count(where=inside)
                )
                found = sorted(listed(facts, counted), key=lambda row: (-row["members"], str(row["value"])))
                rows += [
                    {
                        "trait": trait,
                        "value": row["value"],
                        "customers": row["members"],
                        "share": row["members"] / whole["members"],
                        "share_of_all": row["everybody"] / whole["everybody"],
                    }
                    for row in found[:MOST_VALUES]
                    if row["members"] and whole["members"]
                ]
        kinds = [("trait", pa.string()), ("value", pa.string()), ("customers", pa.int64()), ("share", pa.float64()),
                 ("share_of_all", pa.float64())]  # fmt: skip
        return pa.Table.from_pylist(rows, schema=pa.schema(kinds))

    def moves(self, name: str) -> pa.Table:
        """Who entered or left a segment since the refresh before the last: `customer_id`, `moved` (`entered` or
        `left`), `is_new` (nobody knew them then), `because` (in the condition's words). Raises UnknownSegment."""
        import pyarrow as pa

        about = segment(self._workspace, name)
        with self._reading() as facts:
            moves: Any = facts.table(standing.MOVES)
            own_moves = moves.filter(
                moves.segment == about.name, moves.version == about.version, moves.customer_id.notnull()
            )
            traits: Any = facts.table("traits")
            there = [each for each in sorted(about.condition.traits) if each in traits.columns]
            now = traits.select("customer_id", **{f"now_{each}": traits[each] for each in there})
            found = listed(facts, own_moves.left_join(now, "customer_id").drop("customer_id_right"))
        rows = [
            {
                "customer_id": row["customer_id"],
                "moved": "entered" if row["now"] == standing.whole(about.condition) else "left",
                "is_new": row["is_new"],
                "because": standing.because(
                    about.condition,
                    row,
                    {each: row[f"now_{each}"] for each in there},
                    json.loads(row["before"] or "{}"),
                ),
            }
            for row in sorted(found, key=lambda row: str(row["customer_id"]))
        ]
        kinds = [("customer_id", pa.string()), ("moved", pa.string()), ("is_new", pa.bool_()), ("because", pa.string())]
        return pa.Table.from_pylist(rows, schema=pa.schema(kinds))

    def export(self, name: str, path: Path | None = None, columns: Sequence[str] = EXPORTED) -> tuple[Path, int]:
        """Write a segment's members as CSV that a spreadsheet opens without running anything in it: `customer_id` and
        the columns, traits or name, email and phone. By default to the workspace's `exports/`, where erasure finds it.

        Returns the path and how many rows. Raises UnknownSegment, UnknownColumn.
        """
        target = path or self._folder() / f"{name}.csv"
        found = self._people(segment(self._workspace, name).condition, columns)
        with _written(target) as file:
            names = ("customer_id", *columns)
            count = write_csv(file, names, ([row[name] for name in names] for row in _rows(found)))
        return target, count

    def audience(self, name: str, platform: str, path: Path | None = None) -> Audience:
        """Write a list of hashed identifiers of a segment's members for an advertising platform: meta, google, tiktok.

        Left out are who may not be written to on any channel, and who is in the held-out group of a programme that is
        going on. By default to the workspace's `exports/`, where erasure finds it. Raises UnknownSegment,
        UnknownPlatform.
        """
        if platform not in PLATFORMS:
            raise UnknownPlatform(name=platform, choices=", ".join(PLATFORMS))
        made = PLATFORMS[platform]
        target = path or self._folder() / f"{name}-{platform}.csv"
        people = list(_rows(self._people(segment(self._workspace, name).condition, ("email", "phone", *REACHED))))
        stopped, held_out = self._opted_out(), self._held_out()
        agreed = [row for row in people if _channels(row, stopped)]
        open_to_it = [row for row in agreed if row["customer_id"] not in held_out]
        identifiers = {made.row(*_identifiers(row, stopped)) for row in open_to_it} - {("", "")}
        with _written(target) as file:
            listed_ = write_csv(file, made.columns, sorted(identifiers))
        return Audience(
            target,
            len(people),
            len(people) - len(agreed),
            len(agreed) - len(open_to_it),
            len(open_to_it) - listed_,
            listed_,
        )

    def _folder(self) -> Path:
        return self._workspace / "exports"

    def _people(self, condition: Condition, columns: Sequence[str]) -> pa.Table:
        """The members with columns of traits and of the contact list, sorted by key."""
        with self._reading() as facts:
            known: Any = facts.table("customers")
            traits: Any = facts.table("traits")
            choices = {*traits.columns, *own.CONTACT}
            for each in columns:
                if each not in choices:
                    meant = nearest(each, choices)
                    raise UnknownColumn(name=each, near=f" Did you mean {meant}?" if meant else "")
            wanted = [each for each in columns if each not in own.CONTACT]
            people = self._marked(facts, [condition], wanted)
            inside = people.filter(people[_mark(0)])
            contact = known.select(known_id="customer_id", **{each: known[each] for each in own.CONTACT})
            rows = inside.left_join(contact, inside.customer_id == contact.known_id)
            rows = rows.select("customer_id", *dict.fromkeys(each for each in columns if each != "customer_id"))
            return facts.arrow(rows.order_by("customer_id"))

    def _members(self, condition: Condition) -> list[str]:
        with self._reading() as facts:
            people = self._marked(facts, [condition])
            found = people.filter(people[_mark(0)]).select("customer_id").order_by("customer_id")
            return [row["customer_id"] for row in listed(facts, found)]

    def _marked(self, facts: Snapshot, conditions: Sequence[Condition], columns: Sequence[str] = ()) -> Any:
        """Everybody, with a mark for each condition; whatever they ask of behaviour is answered in one pass."""
        traits: Any = facts.table("traits")
        needed = {*REACHED, "net_revenue", *columns}.union(*(each.traits for each in conditions))
        require(needed, traits.columns)
        scope = self._scope(facts, None)
        known = with_behaviour(facts, scope, traits, frozenset().union(*(each.behaviours for each in conditions)))
        marks = {_mark(place): each.on(known, scope) for place, each in enumerate(conditions)}
        reachable = known.reachable_email | known.reachable_whatsapp | known.reachable_sms
        kept = {each: known[each] for each in ("customer_id", "net_revenue", *columns)}
        return facts.kept(known.select(**kept, _reachable=reachable, **marks))


def _channels(row: Mapping[str, Any], stopped: Collection[tuple[str, str]]) -> set[str]:
    """The channels on which somebody may be written to, by the facts and by what Setia itself was told."""
    names = (name for name in REACHED if row[name])
    return {
        channel
        for channel in (name.removeprefix("reachable_") for name in names)
        if (row["customer_id"], channel) not in stopped
    }


def _identifiers(row: Mapping[str, Any], stopped: Collection[tuple[str, str]]) -> tuple[str | None, str | None]:
    """The e-mail address and telephone number by which somebody may be reached."""
    channels = _channels(row, stopped)
    return row["email"] if "email" in channels else None, row["phone"] if channels & {"whatsapp", "sms"} else None


def _mark(place: int) -> str:
    return f"_in_{place}"


def _rows(found: pa.Table) -> Iterator[dict[str, Any]]:
    for batch in found.to_batches(max_chunksize=10_000):
        yield from batch.to_pylist()


@contextmanager
def _written(target: Path) -> Iterator[IO[str]]:
    """A file that is there whole or not at all."""
    draft = target.with_name(f"{target.name}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with draft.open("w", encoding="utf-8", newline="") as file:
            yield file
        draft.replace(target)
    except OSError as problem:
        raise CannotWrite(path=target, problem=problem.strerror or problem) from problem
    finally:
        draft.unlink(missing_ok=True)


@dataclass(frozen=True, slots=True)
class _Movement:
    """How many entered and left a segment, and the part of its condition that most of them met or lost."""

    entered: int | None
    left: int | None
    entered_because: str | None
    left_because: str | None


_UNKNOWN = _Movement(None, None, None, None)


def _movements(facts: Snapshot, known: Sequence[Segment]) -> dict[str, _Movement]:
    """The movement of each segment since the refresh before; without those that were not there then."""
    moves: Any = facts.table(standing.MOVES)
    keys = ("segment", "version", "was", "now")
    rows = listed(facts, moves.group_by(*keys).aggregate(n=moves.customer_id.count()))
    found = {}
    for each in known:
        own_rows = [row for row in rows if (row["segment"], row["version"]) == (each.name, each.version)]
        if own_rows:
            moved = [row for row in own_rows if row["was"] is not None]
            inside = standing.whole(each.condition)
            came = [row for row in moved if row["now"] == inside]
            went = [row for row in moved if row["now"] != inside]
            found[each.name] = _Movement(
                sum(row["n"] for row in came),
                sum(row["n"] for row in went),
                _commonest(each, came),
                _commonest(each, went),
            )
    return found


def _commonest(about: Segment, moved: Sequence[dict[str, Any]]) -> str | None:
    """The part of the condition that changed for most."""
    parts = standing.parts(about.condition)
    flips = [sum(row["n"] for row in moved if (row["was"] ^ row["now"]) & (1 << place)) for place in range(len(parts))]
    return parts[flips.index(max(flips))].text if moved and max(flips) else None
