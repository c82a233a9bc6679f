"""What the pages on predictions draw from, gathered from one snapshot and from what the store keeps of models."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from setia.history.scope import Scope
from setia.predictions.backtest import BackTest
from setia.predictions.drift import Drift
from setia.predictions.drivers.drivers import Drivers, TooLittleToCompare, drivers
from setia.predictions.models.purchases import NoConvergence
from setia.warehouse.snapshot import listed

if TYPE_CHECKING:
    from setia.warehouse.reader import Reader

WEEKS_AHEAD = 13


@dataclass(frozen=True, slots=True)
class Kept:
    """What the store keeps of predictions."""

    card: dict[str, Any]
    """The newest refresh's."""
    backtest: BackTest | None
    drifts: list[Drift]


@dataclass(frozen=True, slots=True)
class Foresight:
    """Before any words."""

    kept: Kept
    weeks: list[dict[str, Any]]
    """Per week ahead: `week`, `customers` whose next order is due in it, `orders` expected of them, by their chance."""
    reasons: list[dict[str, Any]]
    """Per weightiest reason: `reason`, `customers`, `value` expected of them in a year."""
    suggested: list[dict[str, Any]]
    """Per product that is recommended first: `product_id`, `customers`."""
    subscriptions: list[dict[str, Any]]
    """Per product and interval: `product_id`, `weeks`, `customers`, `yearly_spend`, `saving`."""
    ending: list[dict[str, Any]]
    """Per tenth of the chance that a subscription ends within 90 days: `tenth`, `subscribers`, `value`."""
    drivers: Drivers | None
    """None where there is too little to compare."""

    @property
    def product_ids(self) -> set[str | None]:
        """The products that it speaks of."""
        first = [row.level for row in self.drivers.rows if row.kind == "first_product"] if self.drivers else []
        return {*first, *(row["product_id"] for row in (*self.suggested, *self.subscriptions))}


def look_ahead(reader: Reader, scope: Scope, kept: Kept) -> Foresight:
    """Ask everything once."""
    try:
        found = drivers(reader, scope)
    except (TooLittleToCompare, NoConvergence):
        found = None
    return Foresight(
        kept,
        _weeks(reader, scope),
        _reasons(reader),
        _suggested(reader),
        _subscriptions(reader),
        _ending(reader),
        found,
    )


def _weeks(reader: Reader, scope: Scope) -> list[dict[str, Any]]:
    import ibis

    traits: Any = reader.table("traits")
    due = traits.filter(traits.next_order_day.notnull(), traits.chance_of_order_90d.notnull())
    week = (due.next_order_day.delta(ibis.literal(scope.as_of), unit="day") / 7).floor().cast("int64")
    rows = due.mutate(week=week).filter(lambda t: t.week < WEEKS_AHEAD)
    counted = rows.group_by("week").aggregate(customers=rows.count(), orders=rows.chance_of_order_90d.sum())
    return sorted(listed(reader, counted), key=lambda row: int(row["week"]))


def _reasons(reader: Reader) -> list[dict[str, Any]]:
    traits: Any = reader.table("traits")
    rows = traits.filter(traits.risk_reason.notnull(), traits.stage == "dormant")
    counted = rows.group_by(reason=rows.risk_reason).aggregate(
        customers=rows.count(), value=rows.value_if_active_365d.sum()
    )
    return sorted(listed(reader, counted), key=lambda row: (-row["customers"], row["reason"]))


def _suggested(reader: Reader) -> list[dict[str, Any]]:
    traits: Any = reader.table("traits")
    rows = traits.filter(traits.recommended_product.notnull())
    counted = rows.group_by(product_id=rows.recommended_product).aggregate(customers=rows.count())
    return sorted(listed(reader, counted), key=lambda row: (-row["customers"], row["product_id"]))[:12]


def _subscriptions(reader: Reader) -> list[dict[str, Any]]:
    traits: Any = reader.table("traits")
    rows = traits.filter(traits.subscribe_product.notnull())
    counted = rows.group_by(product_id=rows.subscribe_product, weeks=rows.subscribe_weeks).aggregate(
        customers=rows.count(), saving=rows.subscribe_saving.sum()
    )
    return sorted(listed(reader, counted), key=lambda row: (-row["customers"], row["product_id"]))[:12]


def _ending(reader: Reader) -> list[dict[str, Any]]:
    import ibis

    traits: Any = reader.table("traits")
    rows = traits.filter(traits.chance_of_ending_90d.notnull())
    tenth = ibis.least((rows.chance_of_ending_90d * 10).floor().cast("int64"), 9)
    counted = rows.group_by(tenth=tenth).aggregate(subscribers=rows.count(), value=rows.subscriber_value_365d.sum())
    return sorted(listed(reader, counted), key=lambda row: int(row["tenth"]))
