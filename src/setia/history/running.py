"""Subscriptions as they ran from one moment to another: what each subscriber paid a month at both ends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from setia.history.exact import times_ratio
from setia.history.exchange import in_own_currency
from setia.history.sales import no_money
from setia.history.scope import Scope

if TYPE_CHECKING:
    from setia.history.windows import Spans
    from setia.warehouse.snapshot import Snapshot


def paid_rows(facts: Snapshot, scope: Scope) -> Any:
    """One row per subscription and price: `customer_id`, `subscription_id`, `paid_from` (after any trial), `ended_at`
    and its `reason`, `monthly` (decimal, of the row's `currency`).

    A year's price counts a twelfth, a week's 52 twelfths; a length of none or less is a month. What ends before its
    trial does was never paid.
    """
    import ibis

    rows: Any = facts.table("subscriptions")
    weeks, months = ((rows[name] > 0).ifelse(rows[name], None) for name in ("period_weeks", "period_months"))
    weekly = weeks.notnull()
    monthly = times_ratio(
        rows.amount,
        weekly.ifelse(52, 1).cast("int64"),
        weekly.ifelse(12 * weeks, ibis.coalesce(months, 1)).cast("int64"),
    )
    trial = rows.trial_ends_at > rows.started_at
    rows = rows.mutate(monthly=monthly, paid_from=trial.fill_null(False).ifelse(rows.trial_ends_at, rows.started_at))
    rows = rows.filter(rows.paid_from < scope.until, rows.ended_at.isnull() | (rows.ended_at > rows.paid_from))
    # Kept, because a price brought to a month is a long expression, and who asks for it asks more than once.
    return facts.kept(
        rows.select("customer_id", "subscription_id", "currency", "monthly", "paid_from", "ended_at", "reason")
    )


def at_both_ends(facts: Snapshot, scope: Scope, spans: Spans) -> Any:
    """One row per window and subscriber until its end: `mrr_start` and `mrr_end` in the shop's currency at the rates of
    the window's first day, `before` (paid at any time before the window; a free plan is no payment).

    A moment belongs to what comes after it: what begins or ends at the very first moment of a window changes in it.
    """

    crossed: Any = spans.bounds.cross_join(paid_rows(facts, scope))
    crossed = crossed.filter(crossed.paid_from < crossed.closes).rename(day="since")
    rows: Any = in_own_currency(facts, scope, crossed, "monthly")
    nothing = no_money()

    def running(at: Any) -> Any:
        return (rows.paid_from < at) & (rows.ended_at.isnull() | (rows.ended_at >= at))

    none = rows.monthly.isnull()
    known = rows.mutate(
        at_start=running(rows.opens).ifelse(rows.monthly, nothing),
        at_end=running(rows.closes).ifelse(rows.monthly, nothing),
        unknown=none & (running(rows.opens) | running(rows.closes)),
        unknown_end=none & running(rows.closes),
        earlier=(rows.paid_from < rows.opens) & (rows.monthly > 0).fill_null(True),
    )
    return known.group_by("window", "customer_id").aggregate(
        mrr_start=known.at_start.sum().fill_null(0).cast("decimal(38, 4)"),
        mrr_end=known.at_end.sum().fill_null(0).cast("decimal(38, 4)"),
        before=known.earlier.any(),
        unpriced=known.count(where=known.unknown),
        unpriced_end=known.count(where=known.unknown_end),
    )
