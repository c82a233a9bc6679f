"""Orders with a row each and their items in cells: WebToffee's `line_item_1 …`, SkyVerge's `line_items`."""

from __future__ import annotations

from setia.sources.files.formats.woocommerce.per_item import ORDER, ROLES, STATED
from setia.sources.files.layout import Layout, Together, text

MOST_ITEMS = 100
"""Columns of items that are looked for; WebToffee writes as many as its largest order has items."""
_CELLS = tuple(f"item_{n}" for n in range(1, MOST_ITEMS + 1))
_ESCAPED = "replace(replace(replace(line_items, '\\;', chr(1)), '\\|', chr(2)), '\\:', ':')"


def _of_item(key: str) -> str:
    """A value of an item written as `name:Formal shoe|sku:A12|quantity:1`."""
    return f"nullif(replace(replace(regexp_extract(item, '(?:^|\\|){key}:([^|]*)', 1), chr(1), ';'), chr(2), '|'), '')"


_ITEM = {
    "product_name": _of_item("name"),
    "product_id": f"coalesce(nullif({_of_item('sku')}, 'unknown_product'), nullif({_of_item('product_id')}, '0'), "
    f"{_of_item('name')})",
    "quantity": f"try_cast({_of_item('quantity')} as decimal(18,4))",
    "amount": f"try_cast({_of_item('total')} as decimal(18,4))",
    "returned_amount": f"abs(try_cast({_of_item('refunded')} as decimal(18,4)))",
    "returned_quantity": f"abs(try_cast({_of_item('refunded_qty')} as decimal(18,4)))",
}

ORDERS = Together(
    name="WooCommerce: order export, a row per order",
    layouts={
        "orders": Layout(
            name="orders",
            roles={
                **ROLES,
                "line_items": text("line_items"),
                **{cell: text(f"line_{cell}") for cell in _CELLS},
            },
            needs=("order_id", "status", "placed_at", "order_total"),
            marks=("line_items", "line_item_1"),
        )
    },
    needs=("orders",),
    sale_from=f"""
        select {", ".join(f"{sql} as {name}" for name, sql in ORDER.items())},
            {", ".join(f"{sql} as {name}" for name, sql in _ITEM.items())},
            (amount / nullif(quantity, 0))::decimal(18,4) as unit_price, refunded_at as returned_at,
            status, billing_email, account_email, fingerprint_of_row
        from (select *, unnest(if(len(items) = 0, [null], items)) as item from (
            select *, list_filter([{", ".join(_CELLS)}] || coalesce(string_split({_ESCAPED}, ';'), []),
                lambda cell: cell <> '') as items
            from {{orders}}))""",
    sale_columns=(*ORDER, *_ITEM, "unit_price", "returned_at"),
    stated=STATED,
)
