"""Why another tool shows another figure: the other formulas in circulation, on the shop's own data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from math import fsum
from typing import TYPE_CHECKING, Any

from setia.history.sales import customers_orders
from setia.history.scope import Scope
from setia.history.windows import Spans, Window
from setia.kernel.i18n import N_
from setia.metrics.answer import Number, to_money
from setia.metrics.buying import FREQUENCY, ORDER_VALUE, REPEAT_PURCHASE, returned_value, sold
from setia.metrics.keeping import PERIOD_DAYS, RETENTION
from setia.metrics.metric import Unit
from setia.metrics.timing import time_between_purchases
from setia.metrics.worth import lifetime_value
from setia.warehouse.snapshot import listed

if TYPE_CHECKING:
    from setia.warehouse.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Variant:
    """One formula for what goes by the same name."""

    formula: str
    difference: str
    """Why it differs from Setia's, in one sentence."""
    value: Number | None
    unit: Unit
    ours: bool = False


def variants(name: str, facts: Snapshot, scope: Scope) -> list[Variant]:
    """The formulas in circulation for a metric with their figures, Setia's own first; empty where there is one only."""
    made = VARIANTS.get(name)
    return made(facts, scope) if made is not None else []


def _ratio(part: Any, whole: Any) -> float | None:
    return float(part / whole) if whole else None


OURS = N_("This is how Setia counts.")


def _retention(facts: Snapshot, scope: Scope) -> list[Variant]:
    f = RETENTION.ask(facts, scope).figures
    start, end, new, retained = (f[name] or 0 for name in ("start", "end", "new", "retained"))
    return [
        Variant(N_("retained ÷ start"), OURS, f["value"], "share", ours=True),
        Variant(
            N_("(end − new) ÷ start"),
            N_("Customers who had left earlier and came back count as if they had been kept."),
            _ratio(end - new, start), "share",
        ),
        Variant(
            N_("end ÷ start"),
            N_("New customers are in the end too: it measures growth and passes 100% in a shop that wins many."),
            _ratio(end, start), "share",
        ),
        Variant(
            N_("(end − new) ÷ new"),
            N_("It divides by the new customers: a shop that stops winning any looks better."),
            _ratio(end - new, new), "share",
        ),
        Variant(
            N_("end ÷ start − 1"),
            N_("A rate of growth: it says nothing about who stayed."),
            _ratio(end - start, start), "share",
        ),
        Variant(
            N_("retained ÷ end"),
            N_("The share of today's customers who were there before: it falls when many new ones come."),
            _ratio(retained, end), "share",
        ),
    ]  # fmt: skip


def _churn(facts: Snapshot, scope: Scope) -> list[Variant]:
    f = RETENTION.ask(facts, scope).figures
    start, end, lost = (f[name] or 0 for name in ("start", "end", "lost"))
    return [
        Variant(N_("lost ÷ start"), OURS, f["churn"], "share", ours=True),
        Variant(
            N_("lost ÷ mean of start and end"),
            N_("In a growing shop the divisor grows with the new customers, so that the same loss looks smaller."),
            _ratio(2 * lost, start + end), "share",
        ),
        Variant(
            N_("1 − end ÷ start"),
            N_("New customers hide those who left: in a growing shop it is below nought."),
            _ratio(start - end, start), "share",
        ),
        Variant(
            N_("end ÷ start, printed as churn"),
            N_("It is the growth of the number of customers; it rises when more stay."),
            _ratio(end, start), "share",
        ),
        Variant(
            N_("churn of the window × windows in a year"),
            N_("Nobody can leave twice: over a year it is 1 − (1 − churn)^windows, which never passes 100%."),
            None if f["churn"] is None else f["churn"] * 365 / PERIOD_DAYS, "share",
        ),
    ]  # fmt: skip


def _repeat_purchase(facts: Snapshot, scope: Scope) -> list[Variant]:
    inside = REPEAT_PURCHASE.ask(facts, scope)
    ever = _customers_ever(facts, scope, REPEAT_PURCHASE.window_days)
    quarter = REPEAT_PURCHASE.ask(facts, scope, window_days=90)
    return [
        Variant(N_("two orders or more in the year ÷ one or more in it"), OURS, inside.value, "share", ours=True),
        Variant(
            N_("ever more than one order ÷ one or more in the year"),
            N_("Shopify's returning customer rate: one of the two orders may lie years back, and the past changes later."),
            _ratio(ever["returning"], ever["buyers"]), "share",
        ),
        Variant(
            N_("ever more than one order ÷ all customers ever"),
            N_("It mixes customers of one week with customers of years and rises with the age of the shop."),
            _ratio(ever["repeaters"], ever["customers"]), "share",
        ),
        Variant(
            N_("two orders or more in 90 days ÷ one or more in them"),
            N_("A shorter window leaves less time to come back: windows of different length cannot be compared."),
            quarter.value, "share",
        ),
    ]  # fmt: skip


def _customers_ever(facts: Snapshot, scope: Scope, days: int) -> dict[str, int]:
    import ibis

    orders: Any = customers_orders(facts, scope)
    since = Window.ending(scope.as_of, days).since
    marked = orders.mutate(recent=orders.day >= ibis.literal(since))
    people = marked.group_by("customer_id").aggregate(orders=marked.count(), recent=marked.recent.any())
    (found,) = listed(
        facts,
        people.aggregate(
            customers=people.count(),
            repeaters=people.count(where=people.orders > 1),
            buyers=people.count(where=people.recent),
            returning=people.count(where=people.recent & (people.orders > 1)),
        ),
    )
    return found


def _time_between(facts: Snapshot, scope: Scope) -> list[Variant]:
    f = time_between_purchases(facts, scope).figures
    rates = _mean_of_rates(facts, scope)
    frequency = FREQUENCY.ask(facts, scope).value
    return [
        Variant(N_("median of the survival curve"), OURS, f["value"], "days", ours=True),
        Variant(
            N_("mean of the completed gaps"),
            N_("Gaps that are still open are left out, and those are the long ones: the mean of all would be longer."),
            f["mean_of_completed"], "days",
        ),
        Variant(
            N_("mean over customers of (last − first order) ÷ (orders − 1)"),
            N_("Whoever bought once is left out, and somebody with two orders weighs as much as one with forty."),
            rates, "days",
        ),
        Variant(
            N_("days of the year ÷ orders per customer"),
            N_("It spreads the orders evenly over the year, also before the first and after the last of them."),
            365 / float(frequency) if frequency else None, "days",
        ),
    ]  # fmt: skip


def _mean_of_rates(facts: Snapshot, scope: Scope) -> float | None:
    orders: Any = customers_orders(facts, scope)
    people = orders.group_by("customer_id").aggregate(
        days=orders.day.nunique(), first=orders.day.min(), last=orders.day.max()
    )
    again = people.filter(people.days > 1)
    spans = again.mutate(span=again.last.delta(again.first, unit="day"))
    counted = spans.group_by("days").aggregate(span=spans.span.sum().cast("int64"), customers=spans.count())
    rows = listed(facts, counted)
    customers = sum(row["customers"] for row in rows)
    return fsum(row["span"] / (row["days"] - 1) for row in rows) / customers if customers else None


def _order_value(facts: Snapshot, scope: Scope) -> list[Variant]:
    f = ORDER_VALUE.ask(facts, scope).figures
    orders = f["orders"]
    return [
        Variant(N_("net sales ÷ orders"), OURS, f["value"], "money", ours=True),
        Variant(
            N_("sales before returns ÷ orders"),
            N_("What came back is still counted as sold."),
            f["gross_per_order"], "money",
        ),
        Variant(
            N_("net sales ÷ customers"),
            N_("This is revenue per customer: it grows with every further order."),
            _per_customer(facts, scope), "money",
        ),
        Variant(
            N_("net sales, returns of the same orders deducted whenever they came back ÷ orders"),
            N_("By the day of the sale: the figure of a past window still changes as goods come back."),
            _by_sale_date(facts, scope, f["gross"] + f["corrected"], orders), "money",
        ),
    ]  # fmt: skip


def _by_sale_date(facts: Snapshot, scope: Scope, sold: Decimal, orders: int) -> Decimal | None:
    spans = Spans([Window.ending(scope.as_of, ORDER_VALUE.window_days)], scope)
    rows: Any = returned_value(facts, scope, spans)
    (found,) = listed(facts, rows.aggregate(returned=rows.returned.sum().fill_null(0)))
    return to_money((sold - found["returned"]) / orders) if orders else None


def _per_customer(facts: Snapshot, scope: Scope) -> Decimal | None:
    """Net sales of the year to named customers, for each of them."""
    rows: Any = sold(facts, scope, Spans([Window.ending(scope.as_of, ORDER_VALUE.window_days)], scope))
    (found,) = listed(facts, rows.aggregate(net=rows.net.sum(where=rows.customer_id.notnull())))
    customers = FREQUENCY.ask(facts, scope).figures["customers"]
    return to_money(found["net"] / customers) if customers and found["net"] is not None else None


FIRST_MONTHS = {
    12: N_("net sales of the first 12 months ÷ customers of the cohort"),
    6: N_("net sales of the first 6 months ÷ customers of the cohort"),
    3: N_("net sales of the first 3 months ÷ customers of the cohort"),
}


def _lifetime_value(facts: Snapshot, scope: Scope) -> list[Variant]:
    f = lifetime_value(facts, scope).figures
    value, bought = ORDER_VALUE.ask(facts, scope).figures, FREQUENCY.ask(facts, scope).figures
    yearly = RETENTION.ask(facts, scope, window_days=365).figures
    kept = yearly if yearly["value"] is not None else RETENTION.ask(facts, scope).figures
    churn = kept["churn_per_year"]
    revenue = Decimal(str(bought["value"])) * value["value"] if bought["value"] and value["value"] is not None else None
    formula = to_money(revenue / Decimal(str(churn))) if revenue is not None and churn else None
    return [
        Variant(FIRST_MONTHS[f["months"] or 12], OURS, f["value"], "money", ours=True),
        Variant(
            N_("the same × margin"),
            N_("What is left after the goods are paid; costs of winning and keeping are not deducted."),
            to_money(f["value"] * scope.margin) if f["value"] is not None else None, "money",
        ),
        Variant(
            N_("net sales of the year ÷ customers who bought in it"),
            N_("Customers of every age in one pot: the figure moves with how many are new."),
            _per_customer(facts, scope), "money",
        ),
        Variant(
            N_("order value × orders a year × (1 ÷ yearly churn)"),
            N_("The textbook formula: it supposes that all customers leave at one steady rate and none is dormant."),
            formula, "money",
        ),
        Variant(
            N_("revenue that the model expects of the next 365 days, per customer"),
            N_("A prediction of what is to come, not a count of what was; it is made by the last refresh."),
            _expected(facts), "money",
        ),
    ]  # fmt: skip


def _expected(facts: Snapshot) -> Decimal | None:
    if not facts.rows("traits"):
        return None
    traits: Any = facts.table("traits")
    (found,) = listed(facts, traits.aggregate(mean=traits.expected_value_365d.mean().cast("float64")))
    return to_money(found["mean"]) if found["mean"] is not None else None


VARIANTS: dict[str, Callable[[Any, Scope], list[Variant]]] = {
    "retention": _retention,
    "churn": _churn,
    "repeat_purchase": _repeat_purchase,
    "time_between_purchases": _time_between,
    "order_value": _order_value,
    "lifetime_value": _lifetime_value,
}
