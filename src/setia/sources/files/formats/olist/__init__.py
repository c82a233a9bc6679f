"""Olist: the public data set of 100,000 orders of a Brazilian marketplace, a set of tables.

Documented by its publisher with the data: `customer_id` is new with every order and `customer_unique_id` is the
person; an order has one row per unit in the items, each with its own freight; reviews score from 1 to 5. Times bear no
zone, money is in reais.

Money: what the shop gets for an order is the prices and the freight of its items. Payments may be more (interest on
instalments), and vouchers are a way to pay among others, so the payments are what the bridge starts from and no part
of the total. An order without items, cancelled or unavailable as a rule, keeps what was paid for it.

Inferred: times are those of Sao Paulo; an order that is canceled or unavailable never counted, as the tables do not
say when that happened. Sellers and places are known and not read.
"""

from __future__ import annotations

from setia.kernel.i18n import N_
from setia.sources.files.formats.olist.tables import TABLES
from setia.sources.files.layout import Stated, Together

_SALE = """
    select o.number, o.placed_at, 'olist:' || c.person as customer_key, c.city, 'Brazil' as country,
        'BRL' as currency, o.paid_at,
        case when o.status in ('canceled', 'unavailable') then o.placed_at end as cancelled_at,
        i.line::bigint as line, i.product_id, coalesce(n.in_english, p.category) as category,
        if(i.line is null, null, 1) as quantity, i.price as unit_price, i.price as amount,
        sum(i.freight) over (partition by o.number) as shipping,
        if(i.line is null, coalesce(y.paid, 0), null) as order_total,
        coalesce(y.paid, 0) as paid,
        sum(i.price + i.freight) over (partition by o.number) - coalesce(y.paid, 0) as beyond_paid,
        coalesce(i.fingerprint_of_row, o.fingerprint_of_row) as fingerprint_of_row
    from {orders} o
    left join {items} i using (number)
    left join {customers} c using (customer)
    left join {products} p using (product_id)
    left join {categories} n using (category)
    left join (select number, sum(paid) as paid from {payments} group by number) y using (number)
"""
# A review may be of several orders, and an order may have several.
_ANSWERS = """
    select r.review || ':' || r.number as answer_id, 'olist:' || c.person as customer_id, 'csat' as survey,
        r.score::bigint as score, 5 as scale, nullif(concat_ws(': ', r.title, r.message), '') as comment,
        r.answered_at, shop_day(r.answered_at) as day
    from {reviews} r left join {orders} o using (number) left join {customers} c using (customer)
"""

OLIST = Together(
    name="Olist: orders",
    layouts=TABLES,
    needs=("orders", "items"),
    sale_from=_SALE,
    sale_columns=(
        "number", "placed_at", "customer_key", "city", "country", "currency", "paid_at", "cancelled_at", "line",
        "product_id", "category", "quantity", "unit_price", "amount", "shipping", "order_total",
    ),
    facts={"answers": _ANSWERS},
    stated=Stated("Payments", "paid", adds={"fees": "beyond_paid"}),
    notes=(N_("Orders that were canceled or unavailable count nowhere, from their beginning"),),
)  # fmt: skip

SETS = (OLIST,)
LAYOUTS = ()

__all__ = ["LAYOUTS", "SETS"]
