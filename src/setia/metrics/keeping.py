"""Keeping customers: retention, churn, cohorts."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from setia.metrics.answer import Answer, Scope, as_table
from setia.metrics.purchases import days_old, first_purchase_day, month_of, purchase_days

if TYPE_CHECKING:
    from setia.warehouse.reader import Reader


def retention(reader: Reader, scope: Scope, *, period_days: int = 90, periods: int = 8) -> Answer:
    """Share of one period's buyers who bought again in the next, for up to `periods` periods back from `as_of`.

    `table`: one row per period, newest last: `period_from`, `period_until` (exclusive), `start` (buyers of the
    period before), `retained` (of those, buyers of this one), `lost`, `new` (first order ever), `returned` (bought
    before, but not in the period before), `end` (buyers of this one), `retention`, `churn`, and
    `retention_by_formula` = (end − new) ÷ start, which won-back customers push up. Shares are null where
    start is 0. A period is listed only if the history reaches back over the period before it.
    """
    per_period = _buyers_by_period(reader, scope, period_days, periods)
    first_day = first_purchase_day(reader, scope)
    rows = []
    for k in reversed(range(periods)):
        until = scope.as_of - dt.timedelta(days=k * period_days)
        since = until - dt.timedelta(days=period_days)
        if first_day is None or since - dt.timedelta(days=period_days) < first_day:
            continue
        rows.append(_movement(since, until, per_period.get(k, {}), per_period.get(k + 1, {})))
    last = rows[-1] if rows else None
    reason = None if last and last["start"] else "no_customers" if last else "history_too_short"
    figures = {"period_days": period_days, **(last or dict.fromkeys(_MOVEMENT))}
    return Answer("retention", scope, figures, as_table(rows, _MOVEMENT), reason)


_MOVEMENT = (
    "period_from", "period_until", "start", "retained", "lost", "new", "returned", "end",
    "retention", "churn", "retention_by_formula",
)  # fmt: skip


def _movement(since: dt.date, until: dt.date, now: dict[str, int], before: dict[str, int]) -> dict[str, Any]:
    start, end = before.get("buyers", 0), now.get("buyers", 0)
    retained, new = now.get("retained", 0), now.get("new", 0)
    return {
        "period_from": since,
        "period_until": until,
        "start": start,
        "retained": retained,
        "lost": start - retained,
        "new": new,
        "returned": end - retained - new,
        "end": end,
        "retention": retained / start if start else None,
        "churn": (start - retained) / start if start else None,
        "retention_by_formula": (end - new) / start if start else None,
    }


def _buyers_by_period(reader: Reader, scope: Scope, period_days: int, periods: int) -> dict[int, dict[str, int]]:
    """Period number (0 is the newest) to its buyers, those of them retained from the one before, and new ones."""
    days: Any = purchase_days(reader, scope)

    def period_of(day: Any) -> Any:
        return (days_old(scope, day) // period_days).cast("int64")

    first = days.group_by("customer_id").aggregate(first_day=days.day.min())
    bought = days.mutate(period=period_of(days.day)).select("customer_id", "period").distinct()
    bought = bought.filter(bought.period <= periods).join(first, "customer_id")
    bought = bought.mutate(is_new=bought.period == period_of(bought.first_day))
    before = bought.select(customer_id=bought.customer_id, period=bought.period - 1, bought_before=True)
    joined = bought.left_join(before, ["customer_id", "period"])
    counts = joined.group_by("period").aggregate(
        buyers=joined.count(), retained=joined.bought_before.count(), new=joined.count(where=joined.is_new)
    )
    return {row.pop("period"): row for row in reader.arrow(counts).to_pylist()}


def cohorts(reader: Reader, scope: Scope, *, most_cohorts: int = 24) -> Answer:
    """Classic retention by calendar month, for the newest `most_cohorts` cohorts.

    `table`: one row per cohort and age: `cohort` (first day of the month of the first order), `age` (months since),
    `size`, `customers` (who bought in that month), `share`, `mature`. A month that is not over at `as_of` is open:
    `mature` false, `share` null.
    """
    days: Any = purchase_days(reader, scope)
    first = days.group_by("customer_id").aggregate(cohort=month_of(days.day.min()))
    months = days.mutate(month=month_of(days.day)).select("customer_id", "month").distinct()
    joined = months.join(first, "customer_id")
    cells = joined.group_by("cohort", "month").aggregate(customers=joined.count())
    found = {(row["cohort"], row["month"]): row["customers"] for row in reader.arrow(cells).to_pylist()}
    this_month = scope.as_of.replace(day=1)
    starts = sorted({cohort for cohort, _month in found})[-most_cohorts:]
    rows = []
    for cohort in starts:
        size = found[cohort, cohort]
        for age, month in enumerate(_months(cohort, scope.last_day)):
            customers = found.get((cohort, month), 0)
            mature = month < this_month
            share = customers / size if mature else None
            rows.append(
                {"cohort": cohort, "age": age, "size": size, "customers": customers, "share": share, "mature": mature}
            )
    columns = ("cohort", "age", "size", "customers", "share", "mature")
    figures = _pooled(rows)
    return Answer("cohorts", scope, figures, as_table(rows, columns), None if rows else "no_customers")


def _pooled(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Share at ages 1, 3, 6 and 12 months over all mature cells, weighted by cohort size (never a mean of rates)."""
    figures: dict[str, Any] = {}
    for age in (1, 3, 6, 12):
        mature = [row for row in rows if row["age"] == age and row["mature"]]
        size = sum(row["size"] for row in mature)
        figures[f"month_{age}"] = sum(row["customers"] for row in mature) / size if size else None
        figures[f"month_{age}_customers"] = size
    return figures


def _months(first: dt.date, last: dt.date) -> list[dt.date]:
    months = []
    while first <= last:
        months.append(first)
        first = (first + dt.timedelta(days=32)).replace(day=1)
    return months
