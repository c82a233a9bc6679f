"""Shopify's products export: a row per variant, the product's own cells on its first row only."""

from __future__ import annotations

from setia.sources.files.layout import Layout, amount, text

_TITLE = "coalesce(title, max(title) over (partition by handle))"
_OPTIONS = "nullif(nullif(concat_ws(' / ', option_1, option_2, option_3), 'Default Title'), '')"
# The name of a variant, as the orders export writes it.
_NAME = f"concat_ws(' - ', {_TITLE}, {_OPTIONS})"

PRODUCTS = Layout(
    name="Shopify: products",
    roles={
        "handle": text("Handle", "URL handle", required=True),
        "title": text("Title"),
        "kind": text("Type", "Custom Product Type"),
        "standard_kind": text("Product Category", "Standardized Product Type", "Standard Product Type"),
        "option_1": text("Option1 Value"),
        "option_2": text("Option2 Value"),
        "option_3": text("Option3 Value"),
        "sku": text("Variant SKU", "SKU"),
        "price": amount("Variant Price", "Price"),
        "cost": amount("Cost per item"),
    },
    needs=("handle", "title", "option_1", "sku", "price"),
    facts={
        "products": {
            "product_id": f"case when price is not null then coalesce(sku, {_NAME}) end",
            "name": _NAME,
            "category": "coalesce(max(kind) over (partition by handle), max(standard_kind) over (partition by handle))",
            "price": "price",
            "cost": "cost",
        },
    },
)
