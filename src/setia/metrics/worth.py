"""What customers are worth: revenue and margin by age, and when the cost of winning them has come back."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal

from setia.history.costs import costs_before
from setia.history.sales import customers_orders, month_of, priced_orders, returns_before
from setia.history.scope import Scope
from setia.history.windows import months_on
from setia.kernel.i18n import N_
from setia.metrics.answer import Answer, as_table, to_money
from setia.metrics.attributes import By, attribute
from setia.metrics.metric import Listing
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
    money, sizes = facts.remembered(key, lambda: _by_age(facts, scope, most_cohorts, by))
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
    return Answer("lifetime_value", scope, figures, as_table(rows, columns), reason)


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
) -> tuple[Money, dict[tuple[dt.date, Any], int]]:
    import ibis

    orders: Any = customers_orders(facts, scope)
    first = orders.group_by("customer_id").aggregate(first=orders.day.min())
    people = first.select("customer_id", cohort=month_of(first.first))
    oldest = months_on(scope.last_day.replace(day=1), -(most - 1))
    people = people.filter(people.cohort >= oldest)
    people = (
        attribute(by).joined(facts, scope, None, people) if by is not None else people.mutate(group=ibis.null("string"))
    )
    priced: Any = priced_orders(facts, scope)
    back: Any = returns_before(facts, scope)
    none = ibis.literal(0).cast("decimal(18, 4)")
    moved = priced.select(who="customer_id", month=month_of(priced.day), amount=priced.total, back=none).union(
        back.select(who="customer_id", month=month_of(back.day), amount=none, back=back.amount)
    )
    monthly = moved.group_by("who", "month").aggregate(
        amount=moved.amount.sum().fill_null(0), back=moved.back.sum().fill_null(0)
    )
    joined = people.join(monthly, people.customer_id == monthly.who)
    sums = joined.group_by("cohort", "group", "month").aggregate(
        amount=joined.amount.sum().fill_null(0), back=joined.back.sum().fill_null(0)
    )
    money: Money = {}
    for row in listed(facts, sums):
        # What came back before the first order, of which nothing is known, belongs to its month.
        age = max(0, (row["month"].year - row["cohort"].year) * 12 + row["month"].month - row["cohort"].month)
        own = money.setdefault((row["cohort"], row["group"]), {})
        own[age] = own.get(age, Decimal()) + row["amount"] - row["back"]
    counted = people.group_by("cohort", "group").aggregate(customers=people.count())
    return money, {(row["cohort"], row["group"]): row["customers"] for row in listed(facts, counted)}


def payback(facts: Snapshot, scope: Scope, *, by_channel: bool = False, months: int = 12) -> Answer:
    """When the margin of new customers has paid back what it cost to win them.

    `table`: one row per month of first orders (or, `by_channel`, per channel of the cohorts of the last `months` whole
    months): `cohort` or `channel`, `customers`, `cost`, `cac` (cost ÷ customers), `margin` (per customer so far),
    `value_to_cost` (margin so far ÷ CAC), `months_to_payback` (the first age, counted from 1, at which margin per
    customer reaches the CAC; null if it has not yet). The headline pools the last `months` whole months; `margin_12` is
    that of customers old enough, and `value_to_cost` compares it with the CAC.
    """
    valued = lifetime_value(facts, scope, what="margin", most_cohorts=36, by="source" if by_channel else None).rows()
    spent = _spent(facts, scope, by_channel)
    this_month = scope.as_of.replace(day=1)
    since = months_on(this_month, -months)
    recent = [row for row in valued if since <= row["cohort"] < this_month]
    keys = sorted({_key(row, by_channel) for row in (recent if by_channel else valued)}, key=str)
    rows = []
    for key in keys:
        own = [row for row in (recent if by_channel else valued) if _key(row, by_channel) == key]
        cost = sum((a for (m, c), a in spent.items() if (c == key and since <= m < this_month if by_channel else m == key)),
                   start=Decimal())  # fmt: skip
        rows.append({("channel" if by_channel else "cohort"): key, **_paid(own, cost)})
    total = sum((amount for (month, _c), amount in spent.items() if since <= month < this_month), start=Decimal())
    whole = _paid(recent, total)
    margin_12, of = pooled_after(valued, 12)
    figures = {
        "value": whole["months_to_payback"],
        **{name: whole[name] for name in ("customers", "cost", "cac")},
        "margin_12": margin_12,
        "margin_12_customers": of,
        "value_to_cost": float(margin_12 / whole["cac"]) if margin_12 is not None and whole["cac"] else None,
        "margin_share": float(scope.margin),
    }
    columns = ("channel" if by_channel else "cohort", *_PAID)
    if not facts.rows("costs") or not total:
        reason: str | None = "no_costs"
    elif not whole["customers"]:
        reason = "no_new_customers"
    else:
        reason = None if figures["value"] is not None else "never_paid_back"
    return Answer("payback", scope, figures, as_table(rows, columns), reason)


_PAID = ("customers", "cost", "cac", "margin", "value_to_cost", "months_to_payback")


def _key(row: dict[str, Any], by_channel: bool) -> Any:
    if not by_channel:
        return row["cohort"]
    return row["group"].lower() if row["group"] is not None else None


def _paid(rows: list[dict[str, Any]], cost: Decimal) -> dict[str, Any]:
    """Cost against margin of some cohorts, cell by cell; ages that not all of them have reached in full come last."""
    customers = sum(row["size"] for row in rows if row["age"] == 0)
    cac = to_money(cost / customers) if customers and cost else None
    margin = sum((row["amount"] for row in rows), start=Decimal())
    so_far = to_money(margin / customers) if customers else None
    return {
        "customers": customers,
        "cost": cost,
        "cac": cac,
        "margin": so_far,
        "value_to_cost": float(so_far / cac) if cac and so_far is not None else None,
        "months_to_payback": _first_age(rows, cac),
    }


def _first_age(rows: list[dict[str, Any]], cac: Decimal | None) -> int | None:
    if cac is None:
        return None
    ages: set[int] = {row["age"] for row in rows if row["mature"]}
    for age in sorted(ages):
        per_customer, _of = pooled_after(rows, age + 1)
        if per_customer is not None and per_customer >= cac:
            return age + 1
    return None


def _spent(facts: Snapshot, scope: Scope, by_channel: bool) -> dict[tuple[dt.date, Any], Decimal]:
    import ibis

    rows: Any = costs_before(facts, scope)
    rows = rows.filter(rows.purpose == "winning")
    channel = rows.channel.lower() if by_channel else ibis.null("string")
    rows = rows.select("amount", month=month_of(rows.day), channel=channel)
    summed = rows.group_by("month", "channel").aggregate(amount=rows.amount.sum().fill_null(0))
    return {(row["month"], row["channel"]): row["amount"] for row in listed(facts, summed)}


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
    formula=N_("First month of age by whose end the margin per new customer has reached the cost of winning one"),
    unit="months",
    population=SPENDING,
    better="lower",
    source="Field's standard; margin is net sales × `[shop] margin`",
    needs=("orders", "costs"),
    answers=payback,
)
WORTH = (LIFETIME_VALUE, PAYBACK)
