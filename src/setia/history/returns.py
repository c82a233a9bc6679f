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


def returns_before(facts: Snapshot, scope: Scope) -> ir.Table:
    """Returns before `as_of` with their `amount` in the shop's currency, and the `order_document` they belong to.

    What came back of an order that does not count, a trial or one cancelled by then, counts as little as that. Returns
    that name no order, or one that nobody knows, stay, without a document. One without a currency has its order's.
    """
    rows: Any = facts.table("returns")
    rows = rows.filter(rows.day < scope.as_of).mutate(source=source_of(rows.document_id))
    whose = _owners(facts, scope, rows)
    linked = rows.left_join(whose, [rows.order_id == whose.named, rows.source == whose.by])
    linked = linked.filter(linked.stands.fill_null(True))
    own = linked.select(
        *(linked[name] for name in COLUMNS if name != "currency"),
        linked.order_document,
        currency=linked.currency.fill_null(linked.order_currency),
    )
    return in_own_currency(facts, scope, own, "amount")


def source_of(document_id: Any) -> Any:
    """Which source a document came from: what stands before the colon of its id; empty for the shop's own."""
    return document_id.contains(":").ifelse(document_id.split(":")[0], "")


def _owners(facts: Snapshot, scope: Scope, returns: Any) -> Any:
    """One row per order number that returns of a source name (`named`, `by`): its order's document, whether it counts.

    Numbers are a source's own: where several sources have an order of this number, it is the one of the same source.
    """
    orders: Any = facts.table("orders")
    orders = orders.filter(orders.day < scope.as_of).mutate(
        of=source_of(orders.document_id), stands=stands(orders, scope)
    )
    known = orders.group_by("order_id", "of").aggregate(
        order_document=orders.document_id.max(), order_currency=orders.currency.max(), stands=orders.stands.any()
    )
    named = returns.filter(returns.order_id.notnull()).select(named="order_id", by="source").distinct()
    pairs = named.join(known, named.named == known.order_id)
    alike = pairs.group_by("named", "by").mutate(choices=pairs.count())
    own = alike.filter((alike.choices == 1) | (alike.by == alike.of))
    return own.select("named", "by", "order_document", "order_currency", "stands")
