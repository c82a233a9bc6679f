"""What customers bought: the lines of their valid orders, with what is known of the products."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from setia.history.exchange import in_own_currency
from setia.history.sales import written_orders
from setia.history.scope import Scope
from setia.warehouse.snapshot import listed

if TYPE_CHECKING:
    from setia.warehouse.snapshot import Snapshot


def bought_lines(facts: Snapshot, scope: Scope) -> Any:
    """One row per line of a known customer's valid order before `as_of`: `document_id`, `customer_id`, `day`,
    `product_id`, `category`, `quantity`, `amount` (in the shop's currency)."""
    orders: Any = written_orders(facts, scope)
    lines: Any = facts.table("order_lines")
    products: Any = facts.table("products")
    whose = orders.filter(orders.customer_id.notnull()).select("document_id", "customer_id", "currency", "day")
    bought = lines.select("document_id", "product_id", "quantity", "amount").join(whose, "document_id")
    about = products.select(known_id="product_id", category="category")
    found = bought.left_join(about, bought.product_id == about.known_id).drop("known_id")
    return in_own_currency(facts, scope, found, "amount")


def product_names(facts: Snapshot, keys: Collection[str | None]) -> dict[str | None, str]:
    """The names of products by their keys; the key itself where a product has no name."""
    products: Any = facts.table("products")
    known = products.filter(products.product_id.isin([key for key in keys if key]))
    named = listed(facts, known.group_by("product_id").aggregate(name=known["name"].max()))
    return {key: key for key in keys if key} | {row["product_id"]: row["name"] or row["product_id"] for row in named}
