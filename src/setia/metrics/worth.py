"""What customers are worth: revenue and margin by age, and when the cost of winning them has come back."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal

from setia.history.costs import costs_before
from setia.history.returns import returns_before
from setia.history.sales import first_days, month_of, no_money, priced_orders
from setia.history.scope import Scope
from setia.history.windows import months_on
from setia.kernel.i18n import N_
from setia.metrics.answer import Answer, as_table, to_money
from setia.metrics.attributes import By, attribute
from setia.metrics.metric import Listing, unpriced
from setia.metrics.populations import PEOPLE, SPENDING
from setia.warehouse.snapshot import listed

if TYPE_CHECKING:
    from setia.warehouse.snapshot import Snapshot

What = Literal["revenue", "margin"]
COLUMNS = ("cohort", "group", "age", "size", "amount", "cumulative", "per_customer", "mature")
AGES = (3, 6, 12, 24)
Money = dict[tuple[dt.date, Any], dict[int, Decimal]]
"""Net sales by cohort and group, and within them by months of age."""


def lifetime_value(
    facts: Snapshot, scope: Scope, *, what: What = "revenue", most_cohorts: int = 24, by: str | By | None = None
) -> Answer:
    """What the customers of each month have brought by each age, net of returns on the day they came back.

    `what`: `revenue`, or `margin`, which is revenue times the shop's margin. `table`: one row per cohort (and `group`)
    and age in calendar months, 0 being the month of the first order: `cohort`, `age`, `size` (customers), `amount`
    (of that month), `cumulative`, `per_customer` (cumulative ÷ size), `mature`. The headline is `per_customer` after
    twelve months (ages 0 to 11), pooled over the cohorts that are old enough; `months` says after how many where none
    is. Cohorts of different age are never compared.
    """
    key = ("worth by age", scope, most_cohorts, by)
    money, sizes, lacking = facts.remembered(key, lambda: _by_age(facts, scope, most_cohorts, by))
    factor = scope.margin if what == "margin" else Decimal(1)
    rows = []
    for (cohort, group), size in sorted(sizes.items(), key=lambda item: (item[0][0], str(item[0][1] or "~"))):
        cumulative = Decimal()
        for age, month in enumerate(_months(cohort, scope)):
            amount = money.get((cohort, group), {}).get(age, Decimal()) * factor
            cumulative += amount
            rows.append(
                {
                    "cohort": cohort,
                    "group": group,
                    "age": age,
                    "size": size,
                    "amount": to_money(amount),
                    "cumulative": to_money(cumulative),
                    "per_customer": to_money(cumulative / size),
                    "mature": months_on(month, 1) <= scope.as_of,
                }
            )
    after = {n: pooled_after(rows, n) for n in AGES}
    months = next((n for n in (12, 6, 3) if after[n][0] is not None), None)
    figures: dict[str, Any] = {"value": after[months][0] if months else None, "months": months, "what": what}
    for n in AGES:
        figures[f"after_{n}"], figures[f"after_{n}_customers"] = after[n]
    columns = [name for name in COLUMNS if by is not None or name != "group"]
    reason = None if months else "history_too_short" if rows else "no_customers"
    notes = tuple(unpriced({"unpriced": lacking}))
    return Answer("lifetime_value", scope, figures, as_table(rows, columns), reason, notes)


def pooled_after(rows: list[dict[str, Any]], months: int) -> tuple[Decimal | None, int]:
    """Cumulative amount per customer after so many months over all mature cohorts, and of how many customers."""
    mature = [row for row in rows if row["age"] == months - 1 and row["mature"]]
    size = sum(row["size"] for row in mature)
    total = sum((row["cumulative"] for row in mature), start=Decimal())
    return (to_money(total / size) if size else None), size


def _months(cohort: dt.date, scope: Scope) -> list[dt.date]:
    months = [cohort]
    while (following := months_on(months[-1], 1)) <= scope.last_day:
        months.append(following)
    return months


def _by_age(
    facts: Snapshot, scope: Scope, most: int, by: str | By | None
) -> tuple[Money, dict[tuple[dt.date, Any], int], int]:
    """Net sales and numbers of customers, and how many amounts have no rate."""
    import ibis

    first: Any = first_days(facts, scope)
    people = first.select("customer_id", cohort=month_of(first.first_day))
    oldest = months_on(scope.last_day.replace(day=1), -(most - 1))
    people = people.filter(people.cohort >= oldest)
    people = (
        attribute(by).joined(facts, scope, None, people) if by is not None else people.mutate(group=ibis.null("string"))
    )
    priced: Any = priced_orders(facts, scope)
    back: Any = returns_before(facts, scope)
    none = no_money()
    moved = priced.select(who="customer_id", month=month_of(priced.day), amount=priced.total, back=none).union(
        back.select(who="customer_id", month=month_of(back.day), amount=none, back=back.amount)
    )
    monthly = moved.group_by("who", "month").aggregate(
        amount=moved.amount.sum().fill_null(0),
        back=moved.back.sum().fill_null(0),
        unpriced=moved.count(where=moved.amount.isnull() | moved.back.isnull()),
    )
    joined = people.join(monthly, people.customer_id == monthly.who)
    sums = joined.group_by("cohort", "group", "month").aggregate(
        amount=joined.amount.sum().fill_null(0), back=joined.back.sum().fill_null(0), unpriced=joined.unpriced.sum()
    )
    money: Money = {}
    lacking = 0
    for row in listed(facts, sums):
        lacking += row["unpriced"]
        # What came back before the first order, of which nothing is known, belongs to its month.
        age = max(0, (row["month"].year - row["cohort"].year) * 12 + row["month"].month - row["cohort"].month)
        own = money.setdefault((row["cohort"], row["group"]), {})
        own[age] = own.get(age, Decimal()) + row["amount"] - row["back"]
    counted = people.group_by("cohort", "group").aggregate(customers=people.count())
    sizes = {(row["cohort"], row["group"]): row["customers"] for row in listed(facts, counted)}
    return money, sizes, lacking


def payback(facts: Snapshot, scope: Scope, *, by_channel: bool = False, months: int = 12) -> Answer:
    """When the margin of new customers has paid back what it cost to win them.

    `table`: one row per month of first orders or of costs (or, `by_channel`, per channel of the last `months` whole
    months): `cohort` or `channel`, `customers`, `cost`, `cac` (cost ÷ customers), `margin` (per customer so far),
    `value_to_cost` (margin so far ÷ CAC), `months_to_payback` (the first age, counted from 1, by whose end the margin of
    all cohorts that have reached it covers what those cost; null if none yet), `payback_customers` (of how many that
    holds). The headline pools the last `months` whole months; `margin_12` is that of customers old enough, and
    `value_to_cost` compares it with the CAC.
    """
    most = max(36, months + 1)
    answer = lifetime_value(facts, scope, what="margin", most_cohorts=most, by="source" if by_channel else None)
    valued = answer.rows()
    this_month = scope.as_of.replace(day=1)
    spent, lacking = _spent(facts, scope, by_channel, months_on(scope.last_day.replace(day=1), 1 - most))
    since = months_on(this_month, -months)
    recent = [row for row in valued if since <= row["cohort"] < this_month]
    recently = {key: cost for key, cost in spent.items() if since <= key[0] < this_month}
    if by_channel:
        names = {_channel(row["group"]) for row in recent} | {channel for _month, channel in recently}
        parts = {
            name: (
                [row for row in recent if _channel(row["group"]) == name],
                {month: cost for (month, channel), cost in recently.items() if channel == name},
            )
            for name in sorted(names, key=lambda name: (name is None, str(name)))
        }
    else:
        shown = sorted({row["cohort"] for row in valued} | {month for month, _channel in spent})
        parts = {
            month: ([row for row in valued if row["cohort"] == month], {month: _sum_of(spent, month)})
            for month in shown
        }
    rows = [{("channel" if by_channel else "cohort"): name, **_paid(scope, *own)} for name, own in parts.items()]
    whole = _paid(scope, recent, {month: _sum_of(recently, month) for month, _channel in recently})
    margin_12, of = pooled_after(valued, 12)
    figures = {
        "value": whole["months_to_payback"],
        **{name: whole[name] for name in ("customers", "cost", "cac", "payback_customers")},
        "margin_12": margin_12,
        "margin_12_customers": of,
        "value_to_cost": float(margin_12 / whole["cac"]) if margin_12 is not None and whole["cac"] else None,
        "margin_share": float(scope.margin),
    }
    columns = ("channel" if by_channel else "cohort", *_PAID)
    if not facts.rows("costs") or not whole["cost"]:
        reason: str | None = "no_costs"
    elif not whole["customers"]:
        reason = "no_new_customers"
    else:
        reason = None if figures["value"] is not None else "never_paid_back"
    notes = (*answer.notes, *unpriced({"unpriced": lacking}))
    return Answer("payback", scope, figures, as_table(rows, columns), reason, notes)


_PAID = ("customers", "cost", "cac", "margin", "value_to_cost", "months_to_payback", "payback_customers")
Spent = dict[tuple[dt.date, Any], Decimal]
"""Costs of winning by month and channel."""


def _channel(source: str | None) -> str | None:
    return source.lower() if source is not None else None


def _sum_of(spent: Spent, month: dt.date) -> Decimal:
    return sum((cost for (when, _channel), cost in spent.items() if when == month), start=Decimal())


def _paid(scope: Scope, rows: list[dict[str, Any]], costs: dict[dt.date, Decimal]) -> dict[str, Any]:
    """Margin of some cohorts, cell by cell, against their costs by month."""
    customers = sum(row["size"] for row in rows if row["age"] == 0)
    cost = sum(costs.values(), start=Decimal())
    cac = to_money(cost / customers) if customers and cost else None
    margin = sum((row["amount"] for row in rows), start=Decimal())
    so_far = to_money(margin / customers) if customers else None
    age, of = _paid_back(scope, rows, costs) if cac is not None else (None, None)
    return {
        "customers": customers,
        "cost": cost,
        "cac": cac,
        "margin": so_far,
        "value_to_cost": float(so_far / cac) if cac and so_far is not None else None,
        "months_to_payback": age,
        "payback_customers": of,
    }


def _paid_back(
    scope: Scope, rows: list[dict[str, Any]], costs: dict[dt.date, Decimal]
) -> tuple[int | None, int | None]:
    """The first age by which the cohorts that have reached it brought what they cost, and how many customers those are.

    Younger cohorts are left out on both sides, or cheap old ones would pay for dear new ones. A month that cost and won
    nobody counts once a cohort of it would be old enough.
    """
    for age in sorted({row["age"] for row in rows if row["mature"]}):
        old = [row for row in rows if row["age"] == age and row["mature"]]
        cost = sum((c for month, c in costs.items() if months_on(month, age + 1) <= scope.as_of), start=Decimal())
        if cost and sum((row["cumulative"] for row in old), start=Decimal()) >= cost:
            return age + 1, sum(row["size"] for row in old)
    return None, None


def _spent(facts: Snapshot, scope: Scope, by_channel: bool, since: dt.date) -> tuple[Spent, int]:
    """Costs of winning from a day on, and how many have no rate."""
    import ibis

    rows: Any = costs_before(facts, scope)
    rows = rows.filter(rows.purpose == "winning", rows.day >= since)
    channel = rows.channel.lower() if by_channel else ibis.null("string")
    rows = rows.select("amount", month=month_of(rows.day), channel=channel)
    summed = rows.group_by("month", "channel").aggregate(
        amount=rows.amount.sum().fill_null(0), unpriced=rows.count(where=rows.amount.isnull())
    )
    found = listed(facts, summed)
    return {(row["month"], row["channel"]): row["amount"] for row in found}, sum(row["unpriced"] for row in found)


LIFETIME_VALUE = Listing(
    name="lifetime_value",
    title=N_("Lifetime value so far, by age"),
    formula=N_(
        "Net sales to the customers of a month within their first months, returns deducted ÷ all customers of that month"
    ),
    unit="money",
    population=PEOPLE,
    better="higher",
    source="Historic lifetime value by cohort age; what is still to come is a prediction and stands elsewhere",
    answers=lifetime_value,
)
PAYBACK = Listing(
    name="payback",
    title=N_("Months until the acquisition cost has come back"),
    formula=N_(
        "First month of age by whose end the margin of the customers old enough has reached what winning them cost"
    ),
    unit="months",
    population=SPENDING,
    better="lower",
    source="Field's standard; margin is net sales × `[shop] margin`",
    needs=("orders", "costs"),
    answers=payback,
)
WORTH = (LIFETIME_VALUE, PAYBACK)
