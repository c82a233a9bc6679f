"""Both exports of the same sales: the transactions tell what was paid, the item details what for."""

from __future__ import annotations

from setia.kernel.i18n import N_
from setia.sources.files.formats.square.items import ITEMS
from setia.sources.files.formats.square.sales import SALE
from setia.sources.files.formats.square.transactions import TRANSACTIONS
from setia.sources.files.layout import Layout, Stated, Together

_PAID = ("customer_key", "placed_at", "paid_at", "return_of")
_OF_PAYMENTS = ("total_collected", "tip", "gift_cards", "name", "channel", "code")


def _rows(layout: Layout, table: str, *others: str) -> str:
    """A table's rows as its own layout takes them, beside some of its roles."""
    assert isinstance(layout.sale, dict)
    columns = {**layout.sale, **{role: role for role in others}}
    named = ", ".join(f"{sql} as {name}" for name, sql in columns.items())
    return f"select {named}, fingerprint_of_row from {{{table}}}"


_FROM = f"""
    with taken as ({_rows(TRANSACTIONS, "transactions", *_OF_PAYMENTS)}),
    items as ({_rows(ITEMS, "items", "name")}),
    paid as (
        select number, is_return, {", ".join(f"max({name}) as {name}" for name in (*_PAID, "name", "channel", "code"))},
            sum(amount) as sold, max(tax) as tax, sum(line_discount) as line_discount, max(quantity) as quantity,
            sum(total_collected) as collected, sum(tip) as tips, sum(gift_cards) as gift_cards,
            min(fingerprint_of_row) as fingerprint_of_row
        from taken group by number, is_return
    ),
    given_back as (select number, sum(amount) as amount from items where is_return group by number)
    select number, coalesce(p.is_return, i.is_return) as is_return,
        {", ".join(f"coalesce(p.{name}, i.{name}) as {name}" for name in (*_PAID, "name"))},
        p.channel, p.code, if(p.is_return, null, p.sold) as order_total, coalesce(p.tax, i.added_tax) as added_tax,
        coalesce(i.quantity, p.quantity) as quantity, if(p.is_return, coalesce(i.amount, p.sold), i.amount) as amount,
        coalesce(i.line_discount, p.line_discount) as line_discount, i.product_id, i.product_name, i.category,
        i.unit_price, p.collected, p.tips, p.gift_cards,
        coalesce(i.fingerprint_of_row, p.fingerprint_of_row) as fingerprint_of_row
    from paid p full join items i using (number)
    union all by name
    -- What was given back beyond the items.
    select number, true as is_return, {", ".join(f"p.{name}" for name in (*_PAID, "name"))},
        p.sold - b.amount as amount, p.fingerprint_of_row
    from paid p join given_back b using (number) where p.is_return and p.sold <> b.amount
"""

BOTH = Together(
    name="Square: transactions and item details",
    layouts={"transactions": TRANSACTIONS, "items": ITEMS},
    needs=("transactions", "items"),
    sale_from=_FROM,
    sale_columns=(
        *SALE, "name", "channel", "code", "order_total", "added_tax", "quantity", "amount", "line_discount",
        "product_id", "product_name", "category", "unit_price",
    ),
    stated=Stated("Total collected", "collected", adds={"tips": "-tips", "gift_cards": "-gift_cards"}),
    notes=(N_("Tips and gift cards sold are no part of an order's total; what was paid with a gift card is"),),
)  # fmt: skip
