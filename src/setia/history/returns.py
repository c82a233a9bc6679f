"""What came back, and of which order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from setia.history.exchange import in_own_currency
from setia.history.sales import stands
from setia.history.scope import Scope

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from setia.warehouse.snapshot import Snapshot

COLUMNS = ("return_id", "order_id", "customer_id", "product_id", "quantity", "amount", "currency", "day")
SOURCE = "^([a-z0-9_-]+):"
"""A source's name before a document's own; a time of day in it is none."""


def returns_before(facts: Snapshot, scope: Scope) -> ir.Table:
    """Returns before `as_of` with their `amount` in the shop's currency, and the `order_document` they belong to.

    What came back of an order that does not count, a trial or one cancelled by then, counts as little as that. Returns
    that name no order, or one that nobody knows, stay, without a document. Currency and customer are the order's where
    the return does not tell them.
    """
    rows: Any = facts.table("returns")
    rows = rows.filter(rows.day < scope.as_of).mutate(source=source_of(rows.document_id))
    whose = _owners(facts, scope, rows)
    linked = rows.left_join(whose, [rows.order_id == whose.named, rows.source == whose.by])
    order = linked.order
    linked = linked.filter(order["stands"].fill_null(True))
    own = linked.select(
        *(linked[name] for name in COLUMNS if name not in ("currency", "customer_id")),
        order_document=order["document"],
        customer_id=linked.customer_id.fill_null(order["customer"].nullif("")),
        currency=linked.currency.fill_null(order["currency"].nullif("")),
    )
    return in_own_currency(facts, scope, own, "amount")


def source_of(document_id: Any) -> Any:
    """Which source a document came from: what stands before the colon of its id; empty for the shop's own."""
    return document_id.fill_null("").re_extract(SOURCE, 1)


def _owners(facts: Snapshot, scope: Scope, returns: Any) -> Any:
    """One row per order number that returns of a source name (`named`, `by`), and its `order`.

    Numbers are a source's own. A file of the shop's own may speak of any source's orders, and the other way round, as
    long as one order alone has the number. Of several of one source, one that counts is meant.
    """
    import ibis

    orders: Any = facts.table("orders")
    orders = orders.filter(orders.day < scope.as_of)
    orders = orders.mutate(of=source_of(orders.document_id))
    told = ibis.struct({
        "stands": stands(orders, scope), "document": orders.document_id.fill_null(""),
        "customer": orders.customer_id.fill_null(""), "currency": orders.currency.fill_null(""),
    })  # fmt: skip
    known = orders.group_by("order_id", "of").aggregate(order=told.max())
    named = returns.filter(returns.order_id.notnull()).select(named="order_id", by="source").distinct()
    pairs = named.join(known, named.named == known.order_id)
    alike = pairs.group_by("named", "by").mutate(choices=pairs.count())
    alone = (alike.choices == 1) & ((alike.by == "") | (alike.of == ""))
    return alike.filter(alone | (alike.by == alike.of)).select("named", "by", "order")
