"""From facts to counts: what became of everybody who was assigned to an arm."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from setia.kernel.statistics import Proportion

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from setia.warehouse.reader import Reader


@dataclass(frozen=True, slots=True)
class Outcomes:
    """One measurement's counts: those whose window is over, and how many are still inside it."""

    treated: Proportion
    held_out: Proportion
    open_treated: int
    open_held_out: int
    crossed_over: int
    """Held-out customers whom a message of the programme reached all the same, after they were held out."""


def outcomes(reader: Reader, measurement: str, window_days: int, now: dt.datetime) -> Outcomes:
    """Counts by intention to treat: an order within `window_days` after exposure, everybody who was assigned.

    Only exposures whose window is over at `now` enter the proportions. Erased people count with the outcome that was
    kept of them.
    """
    rows = reader.arrow(_counts(reader, measurement, window_days, now)).to_pylist()
    cells = {(row["arm"], row["mature"]): row for row in rows}

    def proportion(arm: str) -> Proportion:
        cell = cells.get((arm, True), {"bought": 0, "n": 0})
        return Proportion(int(cell["bought"]), int(cell["n"]))

    return Outcomes(
        proportion("treated"),
        proportion("held_out"),
        int(cells.get(("treated", False), {"n": 0})["n"]),
        int(cells.get(("held_out", False), {"n": 0})["n"]),
        _crossed_over(reader, measurement, window_days, now),
    )


def with_outcome(exposures: ir.Table, orders: ir.Table, window_days: int) -> ir.Table:
    """The exposures with `bought`: whether a valid order was placed from the day of exposure on, within the window.

    By shop-local days, since many shops' orders bear no more than a date; the same for both arms.
    """
    import ibis

    people: Any = exposures
    valid: Any = orders
    valid = valid.filter(
        valid.customer_id.notnull(),
        valid.cancelled_at.isnull(),
        ~valid.is_test.fill_null(False),
        ~valid.is_staff.fill_null(False),
        ~valid.is_adjustment.fill_null(False),
    ).select("customer_id", order_day="day")
    later = people.join(valid, "customer_id")
    later = later.filter(
        later.order_day >= later.day,
        later.order_day.delta(later.day, unit="day") < window_days,
    )
    buyers = later.select("exposure_id").distinct().mutate(ordered=True)
    joined = people.left_join(buyers, "exposure_id")
    return joined.mutate(bought=ibis.coalesce(joined.outcome, joined.ordered, False))


def _counts(reader: Reader, measurement: str, window_days: int, now: dt.datetime) -> Any:
    exposures: Any = reader.table("exposures")
    rows: Any = with_outcome(
        exposures.filter(exposures.measurement == measurement), reader.table("orders"), window_days
    )
    rows = rows.mutate(mature=_mature(rows, window_days, now))
    return rows.group_by("arm", "mature").aggregate(n=rows.count(), bought=rows.bought.sum())


def _mature(exposures: Any, window_days: int, now: dt.datetime) -> Any:
    import ibis

    return exposures.exposed_at + ibis.interval(days=window_days) <= ibis.literal(now, type="timestamp('UTC')")


def _crossed_over(reader: Reader, measurement: str, window_days: int, now: dt.datetime) -> int:
    """Of the held-out customers who count, how many a message of the programme reached."""
    exposures: Any = reader.table("exposures")
    held = exposures.filter(
        exposures.measurement == measurement, exposures.arm == "held_out", _mature(exposures, window_days, now)
    )
    sent: Any = reader.table("messages")
    sent = sent.filter(sent.state == "accepted")
    reached = held.semi_join(
        sent,
        [held.customer_id == sent.customer_id, held.programme == sent.programme, sent.sent_at >= held.exposed_at],
    )
    return int(reader.arrow(reached.aggregate(n=reached.count()))["n"][0].as_py())
