"""One row per customer: what is known of them on a day, each trait declared once."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import cache, reduce
from typing import TYPE_CHECKING, Any

from setia.conditions.condition import Condition, Words
from setia.customers import health, rfm, stages
from setia.customers.observed.derived import DERIVED
from setia.customers.observed.doings import ANSWERS, CASES, MESSAGES, PAYMENTS, REFERRALS, SEEN, SUBSCRIPTIONS, VISITS
from setia.customers.observed.orders import FAVOURITES, ORDERS, RETURNS
from setia.customers.observed.person import CONSENT, PERSON, REACH
from setia.customers.trait import Family, Trait, kind_in_conditions
from setia.history.people import people_before
from setia.history.running import paid_rows
from setia.history.sales import customers_orders
from setia.history.scope import Scope
from setia.kernel.errors import SetiaError
from setia.kernel.i18n import N_
from setia.settings import StageSettings

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from setia.warehouse.snapshot import Snapshot

FAMILIES: dict[str, tuple[Family, ...]] = {
    N_("Orders"): (ORDERS, *FAVOURITES, RETURNS),
    N_("Person"): (PERSON, CONSENT, REACH),
    N_("Visits"): (VISITS, SEEN, REFERRALS),
    N_("Messages"): (MESSAGES,),
    N_("Voice and service"): (*ANSWERS, CASES),
    N_("Subscriptions"): (SUBSCRIPTIONS, PAYMENTS),
}
PREDICTIONS = (
    Trait("chance_active", "share", N_("Probability of still being a customer")),
    Trait("chance_of_order_30d", "share", N_("Probability of an order in the next 30 days")),
    Trait("chance_of_order_60d", "share", N_("Probability of an order in the next 60 days")),
    Trait("chance_of_order_90d", "share", N_("Probability of an order in the next 90 days")),
    Trait("expected_orders_90d", "number", N_("Expected orders in the next 90 days")),
    Trait("expected_orders_90d_from", "number", N_("Four in five order as often as this in 90 days, or more …")),
    Trait("expected_orders_90d_to", "number", N_("… and as often as this, or less")),
    Trait("expected_orders_365d", "number", N_("Expected orders in the next 365 days")),
    Trait("expected_orders_365d_from", "number", N_("Four in five order as often as this in 365 days, or more …")),
    Trait("expected_orders_365d_to", "number", N_("… and as often as this, or less")),
    Trait("expected_order_value", "money", N_("Expected value of the next orders, each")),
    Trait("expected_value_90d", "money", N_("Expected revenue of the next 90 days")),
    Trait("expected_value_90d_from", "money", N_("Four in five spend this much in 90 days, or more …")),
    Trait("expected_value_90d_to", "money", N_("… and this much, or less")),
    Trait("expected_value_365d", "money", N_("Expected revenue of the next 365 days")),
    Trait("expected_value_365d_from", "money", N_("Four in five spend this much in 365 days, or more …")),
    Trait("expected_value_365d_to", "money", N_("… and this much, or less")),
    Trait("value_if_active_365d", "money", N_("Expected revenue of the next 365 days if they are a customer still")),
    Trait("customer_value_365d", "money", N_("Expected gross margin of the next 365 days, discounted to today")),
    Trait("next_order_day", "day", N_("Day by which the next order has come in one of two cases, if one comes")),
    Trait("next_order_from", "day", N_("Day before which it comes in one of ten cases")),
    Trait("next_order_until", "day", N_("Day after which it comes in one of ten cases")),
    Trait("win_back_day", "day", N_("Day from which the customer is later than nine in ten of their own gaps")),
    Trait("risk_reason", "text", N_("What most lowers the chance of an order, in a word")),
    Trait("risk_reason_2", "text", N_("What lowers it second most")),
    Trait("risk_reason_3", "text", N_("What lowers it third most")),
    Trait("recommended_product", "text", N_("Product to suggest first")),
    Trait("recommended_kind", "text", N_("Why: again, together, viewed or popular")),
    Trait("recommended_because", "text", N_("The product that it goes with")),
    Trait("refill_product", "text", N_("Product that is likeliest to be bought again")),
    Trait("refill_day", "day", N_("Day on which their usual gap for it will have passed")),
    Trait("subscribe_product", "text", N_("Product bought so regularly that they might subscribe to it")),
    Trait("subscribe_weeks", "integer", N_("Weeks between deliveries that would suit")),
    Trait("subscribe_saving", "money", N_("What the subscription would save in a year")),
    Trait("chance_of_ending_30d", "share", N_("Probability to be no subscriber any more in 30 days")),
    Trait("chance_of_ending_90d", "share", N_("Probability to be no subscriber any more in 90 days")),
    Trait("expected_months_365d", "number", N_("Expected months as a subscriber in the next 365 days")),
    Trait("subscriber_value_365d", "money", N_("Expected payments of the next 365 days, discounted to today")),
)
KEY = Trait("customer_id", "text", N_("The customer's key"))
GROUPS: dict[str, tuple[Trait, ...]] = {
    N_("Key"): (KEY,),
    **{title: tuple(trait for family in families for trait in family.traits) for title, families in FAMILIES.items()},
    N_("Derived"): DERIVED,
    N_("Judged"): (*rfm.SCORES, rfm.GROUP, *health.HEALTH, stages.STAGE),
    N_("Predicted"): PREDICTIONS,
}
TRAITS: dict[str, Trait] = {trait.name: trait for group in GROUPS.values() for trait in group}
PREDICTED = frozenset(trait.name for trait in PREDICTIONS)
"""Traits that a refresh adds to what the facts alone say."""
OBSERVED = tuple(name for name in TRAITS if name not in PREDICTED)
WORDS = Words({name: kind_in_conditions(trait.kind) for name, trait in TRAITS.items()})
"""What conditions may read."""
_BEFORE_STAGES = Words({name: WORDS.traits[name] for name in OBSERVED if name != stages.STAGE.name})


class TraitsOutdated(SetiaError):
    """The table of traits does not have {names} yet. Run `setia refresh` first."""

    code = "customers.traits_outdated"


def require(names: Collection[str], columns: Collection[str]) -> None:
    """Raises TraitsOutdated where a table of traits with these columns lacks some of the names."""
    if missing := sorted(set(names) - set(columns)):
        raise TraitsOutdated(names=", ".join(missing))


def observed(facts: Snapshot, scope: Scope, shop_gap_days: float, names: Collection[str] = OBSERVED) -> ir.Table:
    """Traits that follow from the facts alone: one row per customer, those without an order included.

    `shop_gap_days` is the shop's usual number of days between purchases, towards which short histories are drawn. With
    `names` the rows have these traits alone, and only what they are made of is looked at. Raises BadStage.
    """
    wanted = with_needs(scope, names)
    # Kept, because both together are a longer query than its compiler takes in reasonable time.
    return judged(facts.kept(happened(facts, scope, wanted)), scope, shop_gap_days, names)


def happened(facts: Snapshot, scope: Scope, wanted: Collection[str]) -> ir.Table:
    """One row per customer with those of the families' traits that are wanted: what follows from their own facts."""
    families = wanted_families(wanted)
    return with_families(everybody(facts, scope), dict.fromkeys(families, facts), scope, wanted)


def wanted_families(wanted: Collection[str]) -> list[Family]:
    """The families that have a trait that is wanted."""
    return [each for known in FAMILIES.values() for each in known if any(t.name in wanted for t in each.traits)]


def with_families(found: Any, families: Mapping[Family, Snapshot], scope: Scope, wanted: Collection[str]) -> Any:
    """The rows of customers with what families tell of them, each from the facts given for it; with what holds where a
    family knows nothing."""
    for family, facts in families.items():
        found = found.left_join(family.table(facts, scope, wanted), "customer_id").drop("customer_id_right")
    defaults = {
        trait.name: found[trait.name].fill_null(trait.otherwise)
        for family in families
        for trait in family.traits
        if trait.name in wanted and trait.otherwise is not None
    }
    return found.mutate(**defaults)


def judged(happenings: Any, scope: Scope, shop_gap_days: float, names: Collection[str] = OBSERVED) -> ir.Table:
    """The rows of `happened` with what is derived from them, and how each customer compares with the others.

    Raises BadStage.
    """
    import ibis

    wanted = with_needs(scope, names)
    found = happenings.mutate(shop_gap_days=ibis.literal(shop_gap_days))
    for trait in DERIVED:
        if trait.name in wanted:
            found = found.mutate(**{trait.name: trait.expression(found, scope)})
    if any(trait.name in wanted for trait in (*rfm.SCORES, rfm.GROUP)):
        found = rfm.with_rfm(found, scope)
    if any(trait.name in wanted for trait in health.HEALTH):
        found = health.with_health(found, scope)
    if stages.STAGE.name in wanted:
        found = found.mutate(stage=stages.stage(found, _stage_rules(scope.rules.stages), scope))
    return found.select(*[name for name in OBSERVED if name in {KEY.name, *names}])


@cache
def _stage_rules(own: StageSettings) -> dict[str, Condition]:
    return stages.rules(own, _BEFORE_STAGES)


def with_needs(scope: Scope, names: Collection[str]) -> set[str]:
    """The traits and everything that they are made of. Raises BadStage."""
    wanted = set(names)
    if stages.STAGE.name in wanted:
        wanted |= stages.needs(_stage_rules(scope.rules.stages).values())
    for trait in (*health.HEALTH, rfm.GROUP, *rfm.SCORES, *reversed(DERIVED)):
        if trait.name in wanted:
            wanted.update(trait.needs)
    return wanted


def everybody(facts: Snapshot, scope: Scope) -> Any:
    """One row per customer on record before `as_of`: on the contact list, with an order, an event or a subscription."""
    events: Any = facts.table("events")
    named = events.filter(events.day < scope.as_of, events.customer_id.notnull())
    sources = (people_before(facts, scope), customers_orders(facts, scope), named, paid_rows(facts, scope))
    return reduce(lambda one, other: one.union(other), (each.select("customer_id") for each in sources)).distinct()
