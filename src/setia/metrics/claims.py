"""What the articles claim, and what this shop shows.

Sentences about customer retention travel from page to page without a source that could be checked. Beside each stands
the shop's own figure for the same question, computed from its facts, or why there is none.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from setia.history.sales import first_days, priced_orders
from setia.history.scope import Scope
from setia.kernel.i18n import N_
from setia.metrics.answer import Number
from setia.metrics.buying import CONCENTRATION
from setia.metrics.metric import Unit
from setia.metrics.spending import ACQUISITION_COST, RETENTION_COST
from setia.metrics.timing import next_order
from setia.metrics.visiting import CONVERSION
from setia.metrics.what_if import economics
from setia.warehouse.snapshot import listed

if TYPE_CHECKING:
    from setia.warehouse.snapshot import Snapshot

LOYAL_FROM = 4
"""Purchase days that make a customer loyal here."""


@dataclass(frozen=True, slots=True)
class Claim:
    """One sentence of the articles, with the shop's own figure beside it."""

    name: str
    said: str
    """What they say."""
    claimed: str
    """Their figure."""
    measured: str
    """What the shop's figure is."""
    value: Number | None
    unit: Unit
    reason: str | None = None
    """Why there is none, as a word of `metrics.reasons`."""


def claims(facts: Snapshot, scope: Scope) -> list[Claim]:
    """Every claim with the shop's figure."""
    return [make(facts, scope) for make in _ALL]


def _seven_times(facts: Snapshot, scope: Scope) -> Claim:
    winning = ACQUISITION_COST.ask(facts, scope)
    keeping = RETENTION_COST.ask(facts, scope)
    ratio = float(winning.value) / float(keeping.value) if winning.value and keeping.value else None
    return Claim(
        "seven_times",
        N_("Winning a new customer costs 5 to 7 times more than keeping one."),
        N_("5 to 7 times"),
        N_("Cost of winning one customer ÷ cost of keeping one, over the last 90 days"),
        ratio,
        "ratio",
        None if ratio is not None else winning.reason or keeping.reason,
    )


def _after_third(facts: Snapshot, scope: Scope) -> Claim:
    answer = next_order(facts, scope)
    ratio = answer.figures["third_to_first"]
    value = ratio - 1 if ratio is not None else None
    return Claim(
        "after_third",
        N_("After the third order a customer is 27% more likely to buy again than after the first."),
        N_("27% more likely"),
        N_("Chance of another order within 90 days after the third purchase, against after the first"),
        value,
        "share",
        None if value is not None else answer.reason or "history_too_short",
    )


def _worth_ten(facts: Snapshot, scope: Scope) -> Claim:
    first, loyal = _first_and_loyal(facts, scope)
    ratio = float(loyal / first) if first and loyal is not None else None
    return Claim(
        "worth_ten",
        N_("Loyal customers are worth up to 10 times their first purchase."),
        N_("up to 10 times"),
        N_("Revenue so far of customers with four purchases or more ÷ that of their first purchase day"),
        ratio,
        "ratio",
        None if ratio is not None else "no_customers",
    )


def _first_and_loyal(facts: Snapshot, scope: Scope) -> tuple[Decimal | None, Decimal | None]:
    """What loyal customers paid on their first day and in all."""
    orders: Any = priced_orders(facts, scope)
    orders = orders.filter(orders.customer_id.notnull())
    daily = orders.group_by("customer_id", "day").aggregate(paid=orders.total.sum().fill_null(0))
    firsts = daily.group_by(first_id=daily.customer_id).aggregate(first=daily.day.min(), days=daily.count())
    loyal = daily.join(firsts.filter(firsts.days >= LOYAL_FROM), daily.customer_id == firsts.first_id)
    (found,) = listed(
        facts, loyal.aggregate(all=loyal.paid.sum(), first=loyal.paid.sum(where=loyal.day == loyal.first))
    )
    return found["first"], found["all"]


def _five_points(facts: Snapshot, scope: Scope) -> Claim:
    own = economics(facts, scope)
    value = own.changed(retention_points=5).total / own.total - 1 if own is not None and own.total else None
    return Claim(
        "five_points",
        N_("Keeping 5% more customers raises profit by 25% to 95%."),
        N_("25% to 95%"),
        N_("Lifetime margin of today's customers if 5 percentage points more were kept every 90 days"),
        value,
        "share",
        None if value is not None else "history_too_short",
    )


def _eighty_twenty(facts: Snapshot, scope: Scope) -> Claim:
    answer = CONCENTRATION.ask(facts, scope)
    return Claim(
        "eighty_twenty",
        N_("A fifth of the customers brings four fifths of the revenue."),
        N_("80%"),
        N_("Share of the best fifth of customers in the revenue of the last year"),
        answer.figures["top_20_share"],
        "share",
        answer.reason,
    )


def _spend_more(facts: Snapshot, scope: Scope) -> Claim:
    orders: Any = priced_orders(facts, scope)
    orders = orders.filter(orders.customer_id.notnull())
    firsts: Any = first_days(facts, scope).rename(first_id="customer_id", first="first_day")
    known = orders.join(firsts, orders.customer_id == firsts.first_id)
    is_first = known.day == known.first
    (found,) = listed(
        facts,
        known.aggregate(
            first=known.total.sum(where=is_first),
            firsts=known.total.count(where=is_first),
            later=known.total.sum(where=~is_first),
            laters=known.total.count(where=~is_first),
        ),
    )
    value = None
    if found["firsts"] and found["laters"] and found["first"]:
        value = float(found["later"] / found["laters"] / (found["first"] / found["firsts"])) - 1
    return Claim(
        "spend_more",
        N_("Returning customers spend 67% more than new ones."),
        N_("67% more"),
        N_("Mean value of later orders against that of first orders"),
        value,
        "share",
        None if value is not None else "no_orders",
    )


def _easier_sold(facts: Snapshot, scope: Scope) -> Claim:
    rows = CONVERSION.ask(facts, scope, by="kind", window_days=90)
    shares = {row["group"]: row["value"] for row in rows.rows()}
    ratio = shares["returning"] / shares["new"] if shares.get("returning") and shares.get("new") else None
    return Claim(
        "easier_sold",
        N_("Selling to a known customer succeeds in 60% to 70% of cases, to a new one in 5% to 20%."),
        N_("3 to 14 times"),
        N_("Conversion of visits by customers who had bought before ÷ that of all others, over 90 days"),
        ratio,
        "ratio",
        None if ratio is not None else rows.reason or "no_visits",
    )


_ALL: tuple[Callable[[Any, Scope], Claim], ...] = (
    _seven_times, _after_third, _worth_ten, _five_points, _eighty_twenty, _spend_more, _easier_sold,
)  # fmt: skip
