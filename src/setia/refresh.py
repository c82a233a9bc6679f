"""One refresh: what the programmes did becomes facts, then traits and predictions of every customer are made anew."""

from __future__ import annotations

import datetime as dt
import hashlib
from dataclasses import dataclass, replace
from decimal import Decimal
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Table, select, update

from setia.customers import contacts, own, traits
from setia.customers.news import Before, find_news, renewed
from setia.customers.rhythm import shop_gap_days
from setia.facts import FACTS
from setia.history.scope import Scope
from setia.kernel.progress import Progress
from setia.messaging.tables import sends
from setia.predictions import keeping
from setia.predictions.drift import Drift
from setia.predictions.foreseeing import Foreseen, drifts, foresee
from setia.predictions.outlook import Card
from setia.programmes.journeys.service import known
from setia.programmes.journeys.tables import enrolments
from setia.segments import saved, standing
from setia.segments.saved import Segment
from setia.settings import PredictionSettings
from setia.store.database import Store
from setia.warehouse import files
from setia.warehouse.duck import literal, quoted
from setia.warehouse.reader import Reader
from setia.warehouse.tables import snapshots
from setia.warehouse.writer import Writer

if TYPE_CHECKING:
    import duckdb

MARKED_AT_ONCE = 10_000
"""PostgreSQL takes at most 65,535 values in one statement."""
RECOMMENDATIONS = "recommendations"
NULLS = {"text": "varchar", "day": "date", "integer": "bigint"}
"""Types of predictions that nobody made."""
SETTLED = ("accepted", "rejected", "unknown")


@dataclass(frozen=True, slots=True)
class Refreshed:
    """What a refresh found."""

    as_of: dt.date
    customers: int
    with_news: int | None
    """Customers whose traits were worked out again; None: everybody's were made from scratch."""
    shop_gap_days: float
    card: Card
    drift: list[Drift]
    """What became of earlier predictions."""
    snapshot: int


def refresh(
    reader: Reader,
    writer: Writer,
    store: Store,
    workspace: Path,
    scope: Scope,
    now: dt.datetime,
    settings: PredictionSettings,
    progress: Progress,
    *,
    from_scratch: bool = False,
) -> Refreshed:
    """Make the derived tables of everybody as of `scope.as_of`: `traits`, and `segments`, who is in which.

    Traits of customers without news since the last refresh are carried on, unless `from_scratch`. Live programmes'
    contacts are brought up to date. Raises BadStage, BadOwnTrait, BadSegment.
    """
    shops_own, known_segments = own.own_traits(workspace), list(saved.segments(workspace).values())
    with progress.stage("refresh", 6, "steps") as stage:
        gap = shop_gap_days(reader, scope)
        stage.advance(1)
        before = None if from_scratch else _before(store, scope)
        with_news = find_news(reader, before, scope) if before is not None else None
        happened = _happened(reader, writer, scope, before if with_news is not None else None)
        stage.advance(2)
        observed = _written(reader, writer, "observed", traits.judged(_read(reader, happened), scope, gap))
        stage.advance(3)
        traits_now = _read(reader, observed)
        seen = foresee(store, reader, scope, settings, traits_now, now, progress)
        _join_predicted(reader, f"read_parquet({literal(str(observed))})", seen)
        stage.advance(4)
        scored = own.with_own(reader, scope, reader.ibis.table("setia_scored"), shops_own)
        fresh = f"read_parquet({literal(str(_written(reader, writer, 'traits', scored)))})"
        customers = writer.derive("traits", f"select * from {fresh}")
        _keep_recommendations(reader, writer, seen)
        stage.advance(5)
        _keep_standing(reader, writer, scope, fresh, known_segments)
        stage.advance(6)
    summary: dict[str, object] = {
        "as_of": scope.as_of.isoformat(),
        "shop_gap_days": gap,
        "basis": _basis(scope),
    }
    came = drifts(store, reader, scope)

    def also(tx: Connection) -> None:
        keeping.keep_card(tx, scope.as_of, now, seen.card)
        if any(running.state != "stopped" for running in known(tx)):
            contacts.sync(tx, reader, fresh)

    snapshot = writer.commit(now, "refresh", summary, also)
    return Refreshed(scope.as_of, customers, with_news, gap, seen.card, came, snapshot)


def _keep_recommendations(reader: Reader, writer: Writer, seen: Foreseen) -> None:
    """The table of recommendations; without any, none of an earlier refresh stay."""
    if seen.recommendations is not None:
        writer.duck.register("setia_recommended", seen.recommendations)
        writer.derive(RECOMMENDATIONS, "select * from setia_recommended")
        writer.duck.unregister("setia_recommended")
    elif reader.rows(RECOMMENDATIONS):
        writer.derive(RECOMMENDATIONS, "select null::varchar as customer_id where false")


def _happened(reader: Reader, writer: Writer, scope: Scope, before: Before | None) -> Path:
    """The file of what follows from each customer's own facts: carried on from before, or made from scratch."""
    happenings = (
        traits.happened(reader, scope, traits.with_needs(scope, traits.OBSERVED))
        if before is None
        else renewed(reader, before, scope)
    )
    return _written(reader, writer, "happened", happenings)


def _join_predicted(reader: Reader, observed: str, seen: Foreseen) -> None:
    """Make the temporary table `setia_scored`: what was observed of everybody, with what is predicted of them."""
    there = {*traits.OBSERVED, *(name for rows in seen.columns for name in rows.column_names)}
    joins = ""
    for number, rows in enumerate(seen.columns):
        reader.duck.register(f"setia_predicted_{number}", rows)
        joins += f" left join setia_predicted_{number} using (customer_id)"
    columns = ", ".join(
        quoted(name) if name in there else f"null::{NULLS.get(trait.kind, 'double')} as {quoted(name)}"
        for name, trait in traits.TRAITS.items()
    )
    reader.duck.execute(f"create or replace temp table setia_scored as select {columns} from {observed}{joins}")
    for number in range(len(seen.columns)):
        reader.duck.unregister(f"setia_predicted_{number}")


def _keep_standing(reader: Reader, writer: Writer, scope: Scope, fresh: str, known: list[Segment]) -> None:
    """Who is in which segment by the fresh traits, and who came and went since the refresh before."""
    reader.duck.execute(f"create or replace temp view setia_fresh as select * from {fresh}")
    held = standing.held(reader, scope, reader.ibis.table("setia_fresh"), known)
    stand = f"read_parquet({literal(str(_written(reader, writer, 'standing', held)))})"
    moves = writer.scratch / "moves.parquet"
    reader.duck.execute(f"copy ({standing.moves_sql(reader, stand, known)}) to {literal(str(moves))} (format parquet)")
    writer.derive(standing.TABLE, f"select * from {stand}")
    writer.derive(standing.MOVES, f"select * from read_parquet({literal(str(moves))})")


def _written(reader: Reader, writer: Writer, name: str, expression: Any) -> Path:
    file = writer.scratch / f"{name}.parquet"
    reader.duck.execute(f"copy ({reader.ibis.compile(expression)}) to {literal(str(file))} (format parquet)")
    return file


def _read(reader: Reader, file: Path) -> Any:
    return reader.ibis.read_parquet(file)


def _basis(scope: Scope) -> str:
    """What else the traits depend on: another Setia or other settings make them anew for everybody."""
    said = repr((version("setia"), list(traits.TRAITS), replace(scope, as_of=dt.date(2000, 1, 1))))
    return hashlib.blake2b(said.encode(), digest_size=8).hexdigest()


def _before(store: Store, scope: Scope) -> Before | None:
    """The last refresh, where the present traits may be carried on from it."""
    with store.begin() as tx:
        last = tx.execute(
            select(snapshots.c.id, snapshots.c.summary, snapshots.c.forgotten)
            .where(snapshots.c.reason == "refresh")
            .order_by(snapshots.c.id.desc())
            .limit(1)
        ).first()
        if last is None or last.forgotten or last.summary.get("basis") != _basis(scope):
            return None
        return Before(dt.date.fromisoformat(last.summary["as_of"]), files.in_snapshot(tx, last.id))


def tell_facts(store: Store, writer: Writer, now: dt.datetime, zone: str) -> int:
    """Write exposures and settled messages that are not facts yet to the warehouse; returns how many rows.

    They leave the store's list of things to tell in the same transaction in which they become facts.
    """
    with store.begin() as tx:
        exposures = tx.execute(
            select(enrolments).where(enrolments.c.told.is_(False), enrolments.c.customer_id.is_not(None))
        ).all()
        messages = tx.execute(select(sends).where(sends.c.told.is_(False), sends.c.state.in_(SETTLED))).all()
        prices = {running.name: running.journey.cost_per_message for running in known(tx)}
    if not exposures and not messages:
        return 0
    day = f"timezone({literal(zone)}, {{}})::date"
    _stage(writer, "exposures", [_exposure(row) for row in exposures], day.format("exposed_at"))
    _stage(writer, "messages", [_message(row, prices) for row in messages], day.format("sent_at"))

    def also(tx: Connection) -> None:
        _mark(tx, enrolments, [row.id for row in exposures])
        _mark(tx, sends, [row.id for row in messages])

    writer.commit(now, "programmes", {"exposures": len(exposures), "messages": len(messages)}, also)
    return len(exposures) + len(messages)


def _exposure(row: Any) -> dict[str, Any]:
    return {
        "exposure_id": f"{row.measurement}-{row.id}",
        "programme": row.programme,
        "measurement": row.measurement,
        "version": row.version,
        "customer_id": row.customer_id,
        "arm": row.arm,
        "bucket": row.bucket,
        "exposed_at": row.entered_at,
    }


def _message(row: Any, prices: dict[str, Decimal]) -> dict[str, Any]:
    return {
        "message_id": row.id,
        "customer_id": row.customer_id,
        "programme": row.programme,
        "step": row.step,
        "channel": row.channel,
        "state": row.state,
        "code": row.code,
        "cost": prices.get(row.programme),
        "offer_cost": Decimal(row.offer["cost"]) if row.code else None,
        "sent_at": row.attempted_at,
    }


def _stage(writer: Writer, table: str, rows: list[dict[str, Any]], day: str) -> None:
    if not rows:
        return
    import pyarrow as pa

    connection: duckdb.DuckDBPyConnection = writer.duck
    connection.register("setia_told", pa.Table.from_pylist(rows))
    # What Setia does not know of its own rows yet: an outcome, what became of a message.
    blank = (name for name in FACTS[table].names() if name not in rows[0] and name != "day")
    unknown = "".join(f", null as {quoted(name)}" for name in blank)
    writer.replace(table, f"select *, {day} as day{unknown} from setia_told")
    connection.unregister("setia_told")


def _mark(tx: Connection, table: Table, ids: list[Any]) -> None:
    for start in range(0, len(ids), MARKED_AT_ONCE):
        tx.execute(update(table).where(table.c.id.in_(ids[start : start + MARKED_AT_ONCE])).values(told=True))
