"""WebToffee's and SkyVerge's exports, whose keys are alike: orders with a row per item, or without items; customers."""

from __future__ import annotations

from setia.kernel.i18n import N_
from setia.sources.files.formats.woocommerce.states import CALLED_OFF, GIVEN_BACK
from setia.sources.files.layout import Layout, Stated, amount, email, moment, phone, text, word

ROLES = {
    "order_id": text("order_id", required=True),
    "order_number": text("order_number_formatted", "order_number"),
    "status": word("status"),
    "placed_at": moment("order_date", "date", required=True),
    "paid_at": moment("paid_date"),
    "billing_email": email("billing_email"),
    "account_email": email("customer_email"),
    "phone": phone("billing_phone"),
    "first_name": text("billing_first_name"),
    "last_name": text("billing_last_name"),
    "city": text("billing_city"),
    "country": text("billing_country"),
    "account": text("customer_id", "customer_user"),
    "currency": text("order_currency"),
    "coupons": text("coupon_items"),
    "order_discount": amount("discount_total", "cart_discount"),
    "shipping": amount("shipping_total"),
    "added_tax": amount("tax_total"),
    "order_total": amount("order_total", required=True),
    "refunds_total": amount("refunded_total"),
    "refunds": text("refund_items", "refunds"),
    "channel": text("meta:_wc_order_attribution_utm_source"),
}
"""Those of the order."""

# `amount:46.00|reason:…|date:2019-06-19 12:13:48`, one after the other; SkyVerge puts a backslash before marks.
_REFUNDS = "replace(refunds, '\\', '')"
_PAID_BACK = f"list_sum(try_cast(regexp_extract_all({_REFUNDS}, 'amount:([0-9.]+)', 1) as decimal(18,4)[]))"
_LAST = f"list_max(regexp_extract_all({_REFUNDS}, 'date:([0-9-]{{10}} [0-9:]{{8}})', 1))"

ORDER = {
    "number": "coalesce(nullif(order_number, '0'), order_id)",
    "customer_key": "coalesce(billing_email, account_email, phone, 'woocommerce:' || nullif(account, '0'))",
    "email": "coalesce(billing_email, account_email)",
    "phone": "phone",
    "name": "nullif(concat_ws(' ', first_name, last_name), '')",
    "city": "city",
    "country": "country",
    "currency": "currency",
    "placed_at": "placed_at",
    "paid_at": "paid_at",
    "cancelled_at": f"case when {CALLED_OFF} then placed_at end",
    "order_total": "order_total",
    "order_discount": "order_discount",
    "shipping": "shipping",
    "added_tax": "added_tax",
    "code": "nullif(regexp_extract(coupons, 'code:([^|;]+)', 1), '')",
    "channel": "channel",
    "refunded": (
        f"coalesce(nullif(refunds_total, 0), nullif({_PAID_BACK}, 0), case when {GIVEN_BACK} then order_total end)"
    ),
    "refunded_at": f"coalesce(timezone({{zone}}, try_cast({_LAST} as timestamp)), paid_at)",
}
"""What the roles say of the order."""

STATED = Stated(
    "Net sales before returns",
    f"case when not {CALLED_OFF} then order_total - coalesce(added_tax, 0) - coalesce(shipping, 0) end",
    adds={"shipping": "shipping", "tax": "added_tax"},
)

ORDERS = Layout(
    name="WooCommerce: order export, a row per item",
    roles={
        **ROLES,
        "item_product": text("item_product_id"),
        "product_name": text("item_name"),
        "sku": text("item_sku"),
        "quantity": amount("item_quantity", money=False),
        "item_total": amount("item_total"),
        "item_refunded": amount("item_refunded"),
        "item_refunded_quantity": amount("item_refunded_qty", money=False),
    },
    needs=("order_id", "status", "placed_at", "order_total", "product_name", "quantity", "item_total"),
    sale={
        **ORDER,
        "product_id": "coalesce(nullif(sku, 'unknown_product'), nullif(item_product, '0'), product_name)",
        "amount": "item_total",
        "unit_price": "(item_total / nullif(quantity, 0))::decimal(18,4)",
        "returned_quantity": "abs(item_refunded_quantity)",
        "returned_amount": "abs(item_refunded)",
        "returned_at": ORDER["refunded_at"],
    },
    stated=STATED,
)

WITHOUT_ITEMS = Layout(
    name="WooCommerce: order export without items",
    roles=ROLES,
    needs=("order_id", "status", "placed_at", "order_total", "billing_email", "shipping", "added_tax"),
    sale=ORDER,
    stated=STATED,
    notes=(N_("This export has no items: what was bought is not known"),),
)

CUSTOMERS = Layout(
    name="WooCommerce: customer export",
    roles={
        "login": text("user_login"),
        "account_email": email("email"),
        "billing_email": email("billing_email"),
        "phone": phone("billing_phone"),
        "first_name": text("first_name"),
        "last_name": text("last_name"),
        "city": text("billing_city"),
        "country": text("billing_country"),
        "created_at": moment("date_registered"),
    },
    needs=("login", "account_email", "billing_email", "created_at"),
    facts={
        "customers": {
            "customer_id": "coalesce(billing_email, account_email, phone)",
            "email": "coalesce(billing_email, account_email)",
            "phone": "phone",
            "name": "nullif(concat_ws(' ', first_name, last_name), '')",
            "city": "city",
            "country": "country",
            "created_at": "created_at",
        },
    },
)
