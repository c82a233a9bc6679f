"""Shopify's orders export: an order's lines, the order's own cells on its first row only."""

from __future__ import annotations

from setia.kernel.i18n import N_
from setia.sources.files.layout import Layout, Stated, amount, email, moment, phone, text, word

# The export says nowhere whether prices include tax: the total does.
_BEYOND = "(total - subtotal - coalesce(shipping, 0) - coalesce(duties, 0))"
_INCLUDED = f"(taxes <> 0 and abs({_BEYOND}) < abs({_BEYOND} - taxes))"
_TRIAL = "coalesce(contains(payment, 'bogus'), false)"
_COD = "regexp_matches(payment, 'cash on delivery|\\bcod\\b|bayar di tempat|bayaran semasa serahan')"
_STAFF = "regexp_matches(tags, '(^|,)\\s*(staff|employee|staf|karyawan|pegawai|pekerja|kakitangan)\\s*(,|$)')"

ORDERS = Layout(
    name="Shopify: orders",
    roles={
        "number": text("Name", required=True),
        "email": email("Email"),
        "own_phone": phone("Phone"),
        "billing_phone": phone("Billing Phone"),
        "billing_name": text("Billing Name"),
        "shipping_name": text("Shipping Name"),
        "billing_city": text("Billing City"),
        "shipping_city": text("Shipping City"),
        "billing_country": text("Billing Country"),
        "shipping_country": text("Shipping Country"),
        "status": word("Financial Status"),
        "fulfilment": word("Fulfillment Status"),
        "placed_at": moment("Created at"),
        "paid_at": moment("Paid at"),
        "fulfilled_at": moment("Fulfilled at"),
        "called_off_at": moment("Cancelled at", "Canceled at"),
        "currency": text("Currency"),
        "subtotal": amount("Subtotal"),
        "shipping": amount("Shipping"),
        "taxes": amount("Taxes"),
        "total": amount("Total"),
        "duties": amount("Duties"),
        "code": text("Discount Code"),
        "all_discounts": amount("Discount Amount"),
        "refunded": amount("Refunded Amount"),
        "payment": word("Payment Method"),
        "tags": word("Tags"),
        "source": word("Source"),
        "product_name": text("Lineitem name"),
        "sku": text("Lineitem sku"),
        "quantity": amount("Lineitem quantity", money=False),
        "unit_price": amount("Lineitem price"),
        "off_line": amount("Lineitem discount"),
    },
    needs=("number", "placed_at", "status", "product_name", "unit_price"),
    sale={
        # The row with the state of the payment is an order's first; others may repeat the time.
        "placed_at": "case when status is not null then placed_at end",
        "customer_key": "coalesce(email, own_phone, billing_phone)",
        "phone": "coalesce(own_phone, billing_phone)",
        "name": "coalesce(billing_name, shipping_name)",
        "city": "coalesce(billing_city, shipping_city)",
        "country": "coalesce(billing_country, shipping_country)",
        "order_total": "total",
        "order_discount": "all_discounts",
        "tax": f"case when {_INCLUDED} then taxes end",
        "added_tax": f"case when not {_INCLUDED} then taxes end",
        "channel": "case source when '580111' then 'web' else source end",
        "cancelled_at": "coalesce(called_off_at, case when status = 'voided' then placed_at end)",
        "undelivered_at": f"case when {_COD} and fulfilment = 'fulfilled' and paid_at is null then called_off_at end",
        "is_test": _TRIAL,
        "is_staff": _STAFF,
        "refunded_at": "greatest(placed_at, paid_at, fulfilled_at)",
        "product_id": "coalesce(sku, product_name)",
        "amount": "quantity * unit_price - coalesce(off_line, 0)",
    },
    # Shopify's reports leave trial orders out, and take cancelled ones as sold and returned.
    stated=Stated("Total sales before returns", f"case when {_TRIAL} then 0 else total end"),
    spread=True,
    notes=(
        N_("Shopify's orders export names no day of a refund: it is dated to the last day known of its order"),
        N_("Orders of Shopify Payments' own test mode cannot be told from real ones in this export"),
    ),
)
