"""What a report says, before any words: gathered from one snapshot."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from setia.customers.flow import Flow, RfmMap, rfm_map, stage_flow
from setia.customers.health import PARTS
from setia.history.lines import product_names
from setia.history.scope import Scope
from setia.kernel.progress import Progress
from setia.metrics import timing, weeks
from setia.metrics.answer import Answer
from setia.metrics.benchmarks import Benchmark
from setia.metrics.catalogue import METRICS
from setia.metrics.claims import Claim, claims
from setia.metrics.variants import VARIANTS, Variant, variants
from setia.metrics.watch import Target, Watched, targets, watch
from setia.metrics.what_if import Economics, economics
from setia.predictions.reasons import COLUMNS
from setia.programmes.journeys.placebo import Placebo
from setia.programmes.journeys.planning import Plan
from setia.programmes.journeys.results import Result
from setia.report import why
from setia.report.foresight import Foresight, Kept, look_ahead
from setia.warehouse.snapshot import listed

if TYPE_CHECKING:
    from setia.warehouse.reader import Reader

MOST_PEOPLE = 12
Options = dict[str, Any]

MORE: dict[str, tuple[str, Options]] = {
    "periods": ("retention", {"last": 8}),
    "retention_by": ("retention", {"by": "source"}),
    "cohorts_shown": ("cohorts", {"most_cohorts": 18}),
    "cohorts_after": ("cohorts", {"kind": "on_or_after", "most_cohorts": 18}),
    "cohorts_brackets": ("cohorts", {"kind": "bracket", "most_cohorts": 18}),
    "revenue_months": ("returning_revenue", {"every": "month"}),
    "value_months": ("order_value", {"every": "month"}),
    "activation_months": ("activation", {"every": "month"}),
    "cac_channels": ("acquisition_cost", {"by": "channel"}),
    "payback_channels": ("payback", {"by_channel": True}),
    "conversion_kind": ("conversion", {"by": "kind", "window_days": 90}),
    "conversion_months": ("conversion", {"every": "month"}),
    "abandonment_device": ("cart_abandonment", {"by": "device", "window_days": 90}),
    "back_platform": ("return_visits", {"by": "platform", "window_days": 90}),
    "value_by": ("lifetime_value", {"by": "source"}),
    "mrr_months": ("mrr", {"every": "month"}),
    "nps_months": ("nps", {"every": "month"}),
    "response_reason": ("first_response", {"by": "reason"}),
}
"""Answers beyond each metric's own: by name, the metric and its options."""


@dataclass(frozen=True, slots=True)
class Contents:
    """Everything the pages draw from."""

    shop: str
    scope: Scope
    weeks: Answer
    answers: Mapping[str, Answer]
    """Every metric by its name with its own defaults, and those of `MORE` by theirs."""
    first_gap: Answer
    later_gaps: Answer
    benchmarks: list[tuple[Benchmark, Answer]]
    """Ranges from the field with the shop's figure on the same terms."""
    watched: list[Watched]
    targets: list[Target]
    claims: list[Claim]
    variants: dict[str, list[Variant]]
    economics: Economics | None
    has: frozenset[str]
    """The fact tables that hold anything."""
    customers: int
    people: list[dict[str, Any]]
    """Whom to act on this week: `name`, `customer_id`, `orders`, `chance_active`, `worth`, `next_order_day`, `product` to
    suggest, and what the reasons for their risk are made of."""
    stages: list[dict[str, Any]]
    """Per stage: `stage`, `customers`, `net_revenue`, `expected_value_365d`."""
    flow: Flow
    rfm: RfmMap
    health: list[dict[str, Any]]
    """Per tenth of the health of subscriptions: `health` (its beginning), `subscribers`, how many of them for each reason."""
    segments: list[dict[str, Any]]
    """As `shop.segments.sizes()` has them."""
    chances: list[dict[str, Any]]
    """Per tenth of the chance of an order in 90 days: `chance`, `customers`, `expected_value_365d`."""
    at_risk: dict[str, Any]
    """`customers` and `value`: overdue, and what they would spend in a year if they came back."""
    foresight: Foresight
    products: dict[str | None, str]
    """Names of the products that the pages on predictions speak of, by their keys."""
    results: list[Result]
    plan: Plan | None
    placebo: Placebo | None


@dataclass(frozen=True, slots=True)
class Programmes:
    """What the programmes have to say."""

    results: list[Result]
    plan: Plan | None
    placebo: Placebo | None


def gather(
    reader: Reader, scope: Scope, shop: str, kept: Kept, programmes: Programmes,
    segments: list[dict[str, Any]], wanted: Mapping[str, float], ranges: Mapping[str, Benchmark], progress: Progress,
) -> Contents:  # fmt: skip
    """Ask everything once. Raises NotRefreshed where there are no traits yet, UnknownMetric for a target's name."""
    from setia.facts import FACTS

    asks: dict[str, Callable[[], Answer]] = {
        **{name: lambda m=metric: m.ask(reader, scope) for name, metric in METRICS.items()},  # type: ignore[misc]
        **{name: lambda m=m, o=o: METRICS[m].ask(reader, scope, **o) for name, (m, o) in MORE.items()},  # type: ignore[misc]
    }
    answers = {}
    with progress.stage("metrics", len(asks), "metrics") as stage:
        for name, ask in asks.items():
            answers[name] = ask()
            stage.advance(len(answers))
    foresight = look_ahead(reader, scope, kept)
    return Contents(
        shop=shop,
        scope=scope,
        weeks=weeks.weeks(reader, scope),
        answers=answers,
        first_gap=timing.time_between_purchases(reader, scope, gap="first"),
        later_gaps=timing.time_between_purchases(reader, scope, gap="later"),
        benchmarks=[(each, METRICS[name].ask(reader, scope, **each.options)) for name, each in ranges.items()],
        watched=watch(reader, scope),
        targets=targets(reader, scope, wanted),
        claims=claims(reader, scope),
        variants={name: variants(name, reader, scope) for name in VARIANTS},
        economics=economics(reader, scope),
        has=frozenset(name for name in FACTS if reader.rows(name)),
        customers=reader.rows("traits"),
        people=_people(reader),
        stages=_stages(reader),
        flow=stage_flow(reader, scope),
        rfm=rfm_map(reader, scope),
        health=_health(reader),
        segments=segments,
        chances=_chances(reader),
        at_risk=_at_risk(reader),
        foresight=foresight,
        products=product_names(reader, foresight.product_ids),
        results=programmes.results,
        plan=programmes.plan,
        placebo=programmes.placebo,
    )


def _people(reader: Reader) -> list[dict[str, Any]]:
    """The overdue who are worth most, newly overdue before long gone: value times the chance to reach them in time."""
    import ibis

    traits: Any = reader.table("traits")
    known: Any = reader.table("customers")
    overdue = traits.filter(traits.stage == "dormant")
    named = overdue.left_join(known.select("customer_id", "name"), "customer_id")
    named = named.mutate(worth=named.value_if_active_365d, risk=named.expected_value_365d)
    top = named.order_by(ibis.desc(named.risk), named.customer_id).limit(MOST_PEOPLE)
    columns = ("customer_id", "name", "orders", "chance_active", "worth", "next_order_day", "recommended_product")
    found = listed(reader, top.select(*dict.fromkeys((*columns, *COLUMNS, *why.TRAITS))))
    names = product_names(reader, {row["recommended_product"] for row in found})
    return [{**row, "product": names.get(row["recommended_product"])} for row in found]


def _stages(reader: Reader) -> list[dict[str, Any]]:
    traits: Any = reader.table("traits")
    counted = traits.group_by("stage").aggregate(
        customers=traits.count(),
        net_revenue=traits.net_revenue.sum(),
        expected_value_365d=traits.expected_value_365d.sum(),
    )
    return listed(reader, counted)


def _health(reader: Reader) -> list[dict[str, Any]]:
    import ibis

    traits: Any = reader.table("traits")
    rows = traits.filter(traits.health.notnull())
    tenth = ibis.least((rows.health / 10).floor().cast("int64"), 9)
    because = {name: rows.count(where=rows.health_reason == name) for name in PARTS}
    counted = rows.group_by(health=tenth * 10).aggregate(subscribers=rows.count(), **because)
    return sorted(listed(reader, counted), key=lambda row: int(row["health"]))


def _chances(reader: Reader) -> list[dict[str, Any]]:
    import ibis

    traits: Any = reader.table("traits")
    rows = traits.filter(traits.chance_of_order_90d.notnull())
    tenth = ibis.least((rows.chance_of_order_90d * 10).floor().cast("int64"), 9)
    counted = rows.group_by(tenth=tenth).aggregate(
        customers=rows.count(), expected_value_365d=rows.expected_value_365d.sum()
    )
    return sorted(listed(reader, counted), key=lambda row: row["tenth"])


def _at_risk(reader: Reader) -> dict[str, Any]:
    traits: Any = reader.table("traits")
    overdue = traits.filter(traits.stage == "dormant")
    found = overdue.aggregate(customers=overdue.count(), value=overdue.value_if_active_365d.sum())
    return listed(reader, found)[0]
