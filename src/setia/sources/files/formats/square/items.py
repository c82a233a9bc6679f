"""Square's item details: one row for each item sold or given back."""

from __future__ import annotations

from setia.kernel.i18n import N_
from setia.sources.files.formats.square.sales import NEEDS, ROLES, SALE, of_the_sale
from setia.sources.files.layout import Layout, Stated, amount, text, word

ITEMS = Layout(
    name="Square: item details",
    roles={
        **ROLES,
        "item": text("Item"),
        "price_point": text("Price Point Name"),
        "section": text("Category"),
        "sku": text("SKU"),
        "token": text("Token"),
        "units": amount("Qty", money=False, required=True),
        "gross": amount("Gross Sales"),
        "discounts": amount("Discounts"),
        "net": amount("Net Sales", required=True),
        "sales_tax": amount("Tax"),
        "channel": text("Channel"),
        "itemisation": word("Itemization Type"),
    },
    needs=(*NEEDS, "item", "units", "net"),
    only="event in ('payment', 'refund') and not contains(coalesce(itemisation, ''), 'gift card')",
    others=N_("gift cards sold, and entries that are neither payment nor refund"),
    sale={
        **SALE,
        "product_id": "coalesce(sku, token, item || coalesce(' · ' || price_point, ''), 'custom')",
        "product_name": "item || if(price_point is null or price_point = 'Regular', '', ' · ' || price_point)",
        "category": "nullif(nullif(section, 'None'), 'Uncategorized')",
        "quantity": f"if({SALE['is_return']}, -abs(units), units)",
        "unit_price": "abs(gross) / nullif(abs(units), 0)",
        # What goes back to a customer has its tax in it; what is sold has it added to the order.
        "amount": f"net + if({SALE['is_return']}, coalesce(sales_tax, 0), 0)",
        "line_discount": "abs(discounts)",
        "added_tax": of_the_sale("sales_tax"),
    },
    stated=Stated("Net sales", of_the_sale("net"), adds={"tax": of_the_sale("sales_tax")}),
)
