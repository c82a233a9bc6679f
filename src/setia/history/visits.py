"""Visits: the events of one visitor without a long pause between them, and the orders placed in them."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from setia.history.sales import customers_orders, priced_orders
from setia.history.scope import Scope

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from setia.warehouse.snapshot import Snapshot

INTO_CART = ("Product Added",)
"""Events that put something into a cart, in the words of the Segment specification."""


def visits(facts: Snapshot, scope: Scope) -> ir.Table:
    """One row per visit before `as_of`, as `sessions` has them, with `kind`: `returning` where the customer had ordered
    before it began, else `new`.
    """
    found: Any = sessions(facts, scope)
    orders: Any = customers_orders(facts, scope)
    first = orders.group_by(first_id=orders.customer_id).aggregate(first_at=orders.placed_at.min())
    known = found.left_join(first, found.customer_id == first.first_id)
    bought = (known.first_at < known.started_at).fill_null(False)
    return known.select(*found.columns, kind=bought.ifelse("returning", "new"))


def sessions(facts: Snapshot, scope: Scope, since: dt.date | None = None) -> ir.Table:
    """One row per visit before `as_of`: `visitor`, `customer_id` (null where nobody is known), `started_at`, `day` (of
    its first event), `device` and `platform`, `with_cart`, `with_order`, `revenue` (decimal, in the shop's currency),
    `unpriced` (orders without a rate). With `since`, of what happened from that day on alone.

    A visit ends after as many minutes without an event as the shop has set. A device on which one customer alone has
    signed in by `as_of` is theirs throughout, so that signing in splits no visit. An order belongs to the visit in
    which its customer placed it; one placed without a visit belongs to none.
    """
    steps: Any = _steps(facts, scope)
    steps = _numbered(scope, steps if since is None else steps.filter(steps.day >= since))
    found = steps.group_by("who", "number").aggregate(
        customer_id=steps.customer_id.max(),
        started_at=steps.at.min(),
        day=steps.day.min(),
        device=steps.device.min(),
        platform=steps.platform.min(),
        is_visit=(~steps.is_order).any(),
        with_cart=steps.into_cart.any(),
        with_order=steps.is_order.any(),
        revenue=steps.total.sum().fill_null(0).cast("decimal(38, 4)"),
        unpriced=steps.count(where=steps.is_order & steps.total.isnull()),
    )
    return found.filter(found.is_visit).drop("number", "is_visit").rename(visitor="who")


def _steps(facts: Snapshot, scope: Scope) -> Any:
    """Events and orders in one table: what each visitor did, when."""
    import ibis

    events = seen_events(facts, scope)
    done = events.select(
        "customer_id",
        "who",
        at=events.occurred_at,
        day="day",
        device="device",
        platform="platform",
        is_order=False,
        into_cart=events.name.isin(INTO_CART),
        total=ibis.null("decimal(18, 4)"),
    )
    orders: Any = priced_orders(facts, scope)
    orders = orders.filter(orders.customer_id.notnull())
    bought = orders.select(
        "customer_id",
        who=ibis.literal("customer:") + orders.customer_id,
        at="placed_at",
        day="day",
        device=ibis.null("string"),
        platform=ibis.null("string"),
        is_order=True,
        into_cart=False,
        total="total",
    )
    return done.union(bought)


def seen_events(facts: Snapshot, scope: Scope) -> Any:
    """Events before `as_of` whose visitor or customer is known, with `who`: the customer of the event or of the device,
    else the device. `customer_id` is theirs where there is one."""
    import ibis

    events: Any = facts.table("events")
    events = events.filter(events.day < scope.as_of)
    signed = events.filter(events.visitor.notnull(), events.customer_id.notnull())
    devices = signed.group_by("visitor").aggregate(owner=signed.customer_id.max(), least=signed.customer_id.min())
    owned = devices.filter(devices.owner == devices.least).select("owner", device_id="visitor")
    rows = events.left_join(owned, events.visitor == owned.device_id)
    rows = rows.mutate(customer_id=rows.customer_id.fill_null(rows.owner)).drop("owner", "device_id")
    customer, device = ibis.literal("customer:") + rows.customer_id, ibis.literal("device:") + rows.visitor
    rows = rows.mutate(who=customer.fill_null(device))
    return rows.filter(rows.who.notnull())


def _numbered(scope: Scope, steps: Any) -> Any:
    """The steps with the `number` of their visitor's visit."""
    import ibis

    pause = scope.choices.visit_ends_after_minutes * 60
    own = ibis.window(group_by="who", order_by="at")
    waited = steps.at.epoch_seconds() - steps.at.lag().over(own).epoch_seconds()
    begun = steps.mutate(begins=(waited > pause).fill_null(True).ifelse(1, 0))
    sofar = ibis.cumulative_window(group_by="who", order_by=["at", ibis.desc("begins")])
    return begun.mutate(number=begun.begins.sum().over(sofar))
