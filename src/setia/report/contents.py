"""What a report says, before any words: gathered from one snapshot."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from setia.metrics import buying, keeping, weeks
from setia.metrics.answer import Answer, Scope
from setia.programmes.journeys.placebo import Placebo
from setia.programmes.journeys.planning import Plan
from setia.programmes.journeys.results import Result

if TYPE_CHECKING:
    from setia.warehouse.reader import Reader

MOST_PEOPLE = 12


@dataclass(frozen=True, slots=True)
class Contents:
    """Everything the pages draw from."""

    shop: str
    scope: Scope
    weeks: Answer
    retention: Answer
    repeat_purchase: Answer
    order_value: Answer
    cohorts: Answer
    first_gap: Answer
    later_gaps: Answer
    customers: int
    people: list[dict[str, Any]]
    """Whom to act on this week: `name`, `customer_id`, `usual_gap_days`, `days_since_last_order`, `orders`, `worth`."""
    stages: list[dict[str, Any]]
    """Per stage: `stage`, `customers`, `net_revenue`, `expected_value_365d`."""
    chances: list[dict[str, Any]]
    """Per tenth of the chance of an order in 90 days: `chance`, `customers`, `expected_value_365d`."""
    at_risk: dict[str, Any]
    """`customers` and `value`: overdue, and what they would spend in a year if they came back."""
    card: dict[str, Any]
    """The prediction's card, as the refresh kept it."""
    results: list[Result]
    plan: Plan | None
    placebo: Placebo | None


def gather(
    reader: Reader,
    scope: Scope,
    shop: str,
    card: dict[str, Any],
    results: list[Result],
    plan: Plan | None,
    placebo: Placebo | None,
) -> Contents:
    """Ask everything once. Raises NotRefreshed where there are no traits yet."""
    return Contents(
        shop=shop,
        scope=scope,
        weeks=weeks.weeks(reader, scope),
        retention=keeping.retention(reader, scope),
        repeat_purchase=buying.repeat_purchase(reader, scope),
        order_value=buying.order_value(reader, scope),
        cohorts=keeping.cohorts(reader, scope, most_cohorts=18),
        first_gap=buying.time_between_purchases(reader, scope, gap="first"),
        later_gaps=buying.time_between_purchases(reader, scope, gap="later"),
        customers=reader.rows("traits"),
        people=_people(reader),
        stages=_stages(reader),
        chances=_chances(reader),
        at_risk=_at_risk(reader),
        card=card,
        results=results,
        plan=plan,
        placebo=placebo,
    )


def _rows(reader: Reader, expression: Any) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = reader.arrow(expression).to_pylist()
    return rows


def _if_back(traits: Any) -> Any:
    """Expected revenue of a year, given that the customer is still one."""
    return traits.expected_value_365d / traits.chance_active.nullif(0)


def _people(reader: Reader) -> list[dict[str, Any]]:
    """The overdue who are worth most, newly overdue before long gone: value times the chance to reach them in time."""
    import ibis

    traits: Any = reader.table("traits")
    known: Any = reader.table("customers")
    overdue = traits.filter(traits.stage == "dormant")
    named = overdue.left_join(known.select("customer_id", "name"), "customer_id")
    named = named.mutate(worth=_if_back(named), risk=named.expected_value_365d)
    top = named.order_by(ibis.desc(named.risk), named.customer_id).limit(MOST_PEOPLE)
    columns = ("customer_id", "name", "orders", "usual_gap_days", "days_since_last_order", "chance_active", "worth")
    return _rows(reader, top.select(*columns))


def _stages(reader: Reader) -> list[dict[str, Any]]:
    traits: Any = reader.table("traits")
    counted = traits.group_by("stage").aggregate(
        customers=traits.count(),
        net_revenue=traits.net_revenue.sum(),
        expected_value_365d=traits.expected_value_365d.sum(),
    )
    return _rows(reader, counted)


def _chances(reader: Reader) -> list[dict[str, Any]]:
    import ibis

    traits: Any = reader.table("traits")
    rows = traits.filter(traits.chance_of_order_90d.notnull())
    tenth = ibis.least((rows.chance_of_order_90d * 10).floor().cast("int64"), 9)
    counted = rows.group_by(tenth=tenth).aggregate(
        customers=rows.count(), expected_value_365d=rows.expected_value_365d.sum()
    )
    return sorted(_rows(reader, counted), key=lambda row: row["tenth"])


def _at_risk(reader: Reader) -> dict[str, Any]:
    traits: Any = reader.table("traits")
    overdue = traits.filter(traits.stage == "dormant")
    found = overdue.aggregate(customers=overdue.count(), value=_if_back(overdue).sum())
    return _rows(reader, found)[0]
