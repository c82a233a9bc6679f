"""WooCommerce's own product export."""

from __future__ import annotations

from setia.sources.files.layout import Layout, amount, text, word

# A variation names its parent by its SKU or as `id:12`; categories stand on the parent alone.
_FAMILY = "coalesce(parent, sku, 'id:' || product_number)"

PRODUCTS = Layout(
    name="WooCommerce: products",
    roles={
        "product_number": text("ID", required=True),
        "kind": word("Type"),
        "sku": text("SKU"),
        "name": text("Name"),
        "categories": text("Categories"),
        "sale_price": amount("Sale price"),
        "regular_price": amount("Regular price"),
        "cost": amount("Cost of goods"),
        "parent": text("Parent"),
    },
    needs=("product_number", "kind", "sku", "name", "regular_price", "categories"),
    facts={
        "products": {
            "product_id": "coalesce(sku, product_number)",
            "name": "name",
            "category": f"coalesce(categories, max(categories) over (partition by {_FAMILY}))",
            "price": "coalesce(sale_price, regular_price)",
            "cost": "cost",
        },
    },
)
