"""How long things take: the next purchase, the first one, being at home in the shop.

All are survival curves: what has not happened yet counts as open for as long as it has been watched. The mean of what
is completed leaves the slow ones out and is always too short.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from setia.history.sales import customers_orders, days_old, first_days, purchase_days
from setia.history.scope import Scope
from setia.history.visits import seen_events
from setia.history.windows import Spans
from setia.kernel.i18n import N_, Sentence
from setia.metrics.answer import Answer, as_table
from setia.metrics.attributes import By, attribute
from setia.metrics.measure import Measure
from setia.metrics.metric import Listing, Part, share
from setia.metrics.populations import NEW_PEOPLE, PEOPLE
from setia.metrics.survival import SurvivalCurve
from setia.warehouse.snapshot import listed

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from setia.warehouse.snapshot import Snapshot

CURVE = ("days", "at_risk", "ended", "open", "survival")
MOST_ORDERS = 10


def time_between_purchases(
    facts: Snapshot, scope: Scope, *, gap: str | int = "all", by: str | By | None = None
) -> Answer:
    """Median and quantiles of the gap to the next purchase day.

    `gap`: "first" for the gap from the first to the second purchase, "later" for those after, "all" for both, or the
    number of the purchase before it. Orders of one day count as one purchase. `table`: one row per length (and
    `group`): `days`, `at_risk`, `ended` (gaps that a purchase ended), `open` (seen for that long and not ended),
    `survival` (share still without a further purchase). `mean_of_completed` stands beside the median to show how far
    the usual average of completed gaps misses.
    """
    gaps: Any = purchase_gaps(facts, scope)
    match gap:
        case "first":
            gaps = gaps.filter(gaps.nth == 1)
        case "later":
            gaps = gaps.filter(gaps.nth > 1)
        case int():
            gaps = gaps.filter(gaps.nth == gap)
        case _:
            pass
    answer = _answer("time_between_purchases", facts, scope, gaps, by)
    answer.figures["gap"] = gap
    return answer


def purchase_gaps(facts: Snapshot, scope: Scope) -> ir.Table:
    """One row per customer and purchase day: `nth` (from 1), `day`, `next_day`, `days` until that or until now,
    `ended` (whether a purchase followed)."""
    import ibis

    days: Any = purchase_days(facts, scope)
    own = ibis.window(group_by="customer_id", order_by="day")
    gaps = days.mutate(next_day=days.day.lead().over(own), nth=(ibis.row_number().over(own) + 1).cast("int64"))
    return _with_length(scope, gaps, gaps.day, gaps.next_day)


def first_gaps(facts: Snapshot, scope: Scope) -> ir.Table:
    """One row per customer with a visit before any order: from the first visit to the first order."""
    events: Any = seen_events(facts, scope)
    events = events.filter(events.customer_id.notnull())
    seen = events.group_by("customer_id").aggregate(day=events.day.min())
    bought: Any = first_days(facts, scope).rename(first_id="customer_id", next_day="first_day")
    rows = seen.left_join(bought, seen.customer_id == bought.first_id).select("customer_id", "day", "next_day")
    rows = rows.filter(rows.next_day.isnull() | (rows.next_day >= rows.day))
    return _with_length(scope, rows, rows.day, rows.next_day)


def time_to_first_order(facts: Snapshot, scope: Scope, *, by: str | By | None = None) -> Answer:
    """Days from a person's first recorded visit to their first order, by survival curve.

    Whoever ordered before the first recorded visit is left out: when they first came is not known. `table` as in
    `time_between_purchases`.
    """
    return _answer("time_to_first_order", facts, scope, first_gaps(facts, scope), by)


def activations(facts: Snapshot, scope: Scope) -> ir.Table:
    """One row per customer: from the first order to what makes a new customer an active one."""
    firsts: Any = first_days(facts, scope).rename(day="first_day")
    if scope.choices.activation_event is None:
        orders: Any = customers_orders(facts, scope)
        later: Any = orders.select(active_id="customer_id", active_day="day")
        after = firsts.join(later, [firsts.customer_id == later.active_id, firsts.day < later.active_day])
    else:
        events: Any = seen_events(facts, scope)
        events = events.filter(events.name == scope.choices.activation_event)
        later = events.select(active_id="customer_id", active_day="day")
        after = firsts.join(later, [firsts.customer_id == later.active_id, firsts.day <= later.active_day])
    active = after.group_by("active_id").aggregate(next_day=after.active_day.min())
    rows = firsts.left_join(active, firsts.customer_id == active.active_id).select("customer_id", "day", "next_day")
    return _with_length(scope, rows, rows.day, rows.next_day)


def time_to_activation(facts: Snapshot, scope: Scope, *, by: str | By | None = None) -> Answer:
    """Days from the first order to activation, by survival curve. `table` as in `time_between_purchases`."""
    return _answer("time_to_activation", facts, scope, activations(facts, scope), by)


def activated(facts: Snapshot, scope: Scope, spans: Spans) -> ir.Table:
    """One row per window and customer whose first order lies in it."""
    rows: Any = spans.during(activations(facts, scope))
    in_time = rows.ended & (rows.days <= scope.choices.activation_days)
    return rows.select("window", "customer_id", customers=True, activated=in_time)


def next_order(facts: Snapshot, scope: Scope) -> Answer:
    """How likely another purchase is after the first, the second, the third …

    `table`: one row per number of purchases up to ten: `purchases`, `customers` (who got so far), `bought_again` (who
    have since), `within_90` and `within_365` (share by survival curve: those who had less time count for as long as they
    have been seen; null beyond the curve), `median_days`. The headline is the
    share within 90 days after the first purchase; `third_to_first` compares the third with it.
    """
    gaps: Any = purchase_gaps(facts, scope)
    gaps = gaps.filter(gaps.nth <= MOST_ORDERS).rename(purchases="nth")
    counted = gaps.group_by("purchases", "days").aggregate(
        ended=gaps.count(where=gaps.ended), open=gaps.count(where=~gaps.ended)
    )
    by_number: dict[int, list[dict[str, Any]]] = {}
    for row in listed(facts, counted):
        by_number.setdefault(row["purchases"], []).append(row)
    rows = []
    for purchases, own in sorted(by_number.items()):
        curve = SurvivalCurve.from_counts((r["days"], r["ended"], r["open"]) for r in own)
        rows.append(
            {
                "purchases": purchases,
                "customers": curve.at_risk[0],
                "bought_again": sum(curve.ended),
                "within_90": curve.reached(90),
                "within_365": curve.reached(365),
                "median_days": curve.quantile(0.5),
            }
        )
    first, third = (next((r["within_90"] for r in rows if r["purchases"] == n), None) for n in (1, 3))
    figures = {
        "value": first,
        "customers": rows[0]["customers"] if rows else 0,
        "after_third": third,
        "third_to_first": third / first if third is not None and first else None,
    }
    columns = ("purchases", "customers", "bought_again", "within_90", "within_365", "median_days")
    reason = None if first is not None else "history_too_short" if rows else "no_customers"
    return Answer("next_order", scope, figures, as_table(rows, columns), reason)


def _with_length(scope: Scope, rows: Any, start: Any, end: Any) -> Any:
    import ibis

    ended = end.notnull()
    days = ibis.ifelse(ended, end.delta(start, unit="day"), days_old(scope, start)).cast("int64")
    return rows.mutate(days=days, ended=ended)


def _answer(name: str, facts: Snapshot, scope: Scope, gaps: Any, by: str | By | None) -> Answer:
    if by is not None:
        gaps = attribute(by).joined(facts, scope, None, gaps)
    keys = ["days"] if by is None else ["group", "days"]
    counted = gaps.group_by(keys).aggregate(ended=gaps.count(where=gaps.ended), open=gaps.count(where=~gaps.ended))
    rows = listed(facts, counted)
    groups = sorted({row.get("group") for row in rows}, key=lambda group: (group is None, str(group)))
    table = []
    for group in groups if by is not None else [None]:
        own = (row for row in rows if by is None or row["group"] == group)
        table += [{"group": group, **row} for row in _curve(own).rows()]
    curve = _curve(rows)
    figures = {"value": curve.quantile(0.5), **_figures(curve)}
    reason = None if figures["value"] is not None else "median_not_reached" if rows else "no_customers"
    columns = CURVE if by is None else ("group", *CURVE)
    return Answer(name, scope, figures, as_table(table, columns), reason, tuple(_said(figures)))


def _curve(rows: Iterable[dict[str, Any]]) -> SurvivalCurve:
    return SurvivalCurve.from_counts((row["days"], row["ended"], row["open"]) for row in rows)


def _figures(curve: SurvivalCurve) -> dict[str, Any]:
    completed = sum(curve.ended)
    total = sum(days * ended for days, ended in zip(curve.days, curve.ended, strict=True))
    return {
        "watched": curve.at_risk[0] if curve.at_risk else 0,
        "completed": completed,
        "quarter_days": curve.quantile(0.25),
        "three_quarters_days": curve.quantile(0.75),
        "within_30": curve.reached(30),
        "within_90": curve.reached(90),
        "mean_of_completed": total / completed if completed else None,
    }


def _said(figures: dict[str, Any]) -> Iterable[str]:
    if figures["value"] is None and figures["completed"]:
        yield Sentence(
            N_("{completed} of {watched} have got there so far; the median lies beyond what has been seen."),
            completed=figures["completed"], watched=figures["watched"],
        )  # fmt: skip


def _told_by(scope: Scope) -> tuple[str, ...]:
    """Where activation is told of, if not by the orders."""
    return ("events",) if scope.choices.activation_event is not None else ()


TIME_BETWEEN_PURCHASES = Listing(
    name="time_between_purchases",
    title=N_("Time between purchases"),
    formula=N_(
        "Median of the survival curve of the gap to the next purchase day; gaps still open count as not yet ended"
    ),
    unit="days",
    population=PEOPLE,
    better="lower",
    source="Kaplan & Meier 1958; several orders on one day count as one purchase",
    answers=time_between_purchases,
)
NEXT_ORDER = Listing(
    name="next_order",
    title=N_("Chance of another order"),
    formula=N_("Share who buy again within 90 days of their first, second, third … purchase, by survival curve"),
    unit="share",
    population=PEOPLE,
    better="higher",
    source="Kaplan & Meier 1958, one curve for each number of purchases",
    answers=next_order,
)
TIME_TO_FIRST_ORDER = Listing(
    name="time_to_first_order",
    title=N_("First visit to first order"),
    formula=N_("Median of the survival curve from the first recorded visit to the first order"),
    unit="days",
    population=N_("People whose first recorded visit lies on or before the day of their first order, if there is one"),
    better="lower",
    source="Kaplan & Meier 1958",
    needs=("events",),
    answers=time_to_first_order,
)
ACTIVATION = Measure(
    name="activation",
    title=N_("Activation rate"),
    formula=N_("New customers of the window who were activated within the days that the shop has set ÷ all of them"),
    unit="share",
    population=NEW_PEOPLE,
    better="higher",
    source="The shop's own definition, `[metrics] activation_event`; without one the second purchase",
    rows=activated,
    parts=(Part("customers", N_("New customers")), Part("activated", N_("Of those, activated in time"))),
    formula_of=share("activated", "customers", "no_new_customers"),
    needs_too=_told_by,
    window_days=90,
    follow_up=lambda scope: scope.choices.activation_days,
)
TIME_TO_ACTIVATION = Listing(
    name="time_to_activation",
    title=N_("Time to activation"),
    formula=N_("Median of the survival curve from the first order to activation"),
    unit="days",
    population=PEOPLE,
    better="lower",
    source="Kaplan & Meier 1958; the shop's own definition of activation",
    needs_too=_told_by,
    answers=time_to_activation,
)
TIMING = (TIME_BETWEEN_PURCHASES, NEXT_ORDER, TIME_TO_FIRST_ORDER, ACTIVATION, TIME_TO_ACTIVATION)
