"""Lazada's order export: a row per unit."""

from __future__ import annotations

from setia.kernel.i18n import N_
from setia.sources.files.layout import Layout, Stated, amount, email, moment, phone, text, word

_ORDER = "over (partition by number)"
_GIVEN_UP = (
    "(status in ('failed', 'failed delivery', 'delivery failed', 'failed_delivery', 'package returned', "
    "'in transit: returning to seller', 'package scrapped', 'lost by 3pl', 'damaged by 3pl', 'lost_by_3pl', "
    "'damaged_by_3pl', 'shipped_back', 'shipped_back_success', 'shipped_back_failed'))"
)
_UNDELIVERED = f"({_GIVEN_UP} and delivered_at is null)"
_CANCELLED = f"(coalesce(status in ('canceled', 'cancelled'), false) or coalesce({_UNDELIVERED}, false))"
_LIVE = f"filter (where not {_CANCELLED}) {_ORDER}"
_RETURNED = f"coalesce(status = 'returned' or {_GIVEN_UP} and delivered_at is not null, false)"

# No unit is sold for less than what the buyer paid for it.
_UNIT = "greatest(unit_price - abs(coalesce(shop_discount, 0)), paid_price)"
_PAID = f"coalesce(paid_price, {_UNIT})"


def _sum(sql: str) -> str:
    """Over the units of an order that were not cancelled; over all where every one was."""
    return f"coalesce(sum({sql}) {_LIVE}, sum({sql}) {_ORDER}, 0)"


ORDERS = Layout(
    name="Lazada: orders",
    roles={
        "item": text("orderItemId"),
        "number": text("orderNumber", required=True),
        "placed_at": moment("createTime", required=True),
        "changed_at": moment("updateTime"),
        "delivered_at": moment("deliveredDate"),
        "status": word("status"),
        "initiator": word("buyerFailedDeliveryReturnInitiator"),
        "sku": text("sellerSku"),
        "lazada_sku": text("lazadaSku"),
        "product_name": text("itemName"),
        "unit_price": amount("unitPrice", required=True),
        "paid_price": amount("paidPrice"),
        "shop_discount": amount("sellerDiscountTotal"),
        "shipping_of_unit": amount("shippingFee"),
        "refund": amount("refundAmount"),
        "buyer_name": text("customerName"),
        "recipient": text("shippingName"),
        "email": email("customerEmail"),
        "shipping_phone": phone("shippingPhone"),
        "billing_phone": phone("billingPhone"),
        "town": text("shippingCity"),
        "country": text("shippingCountry"),
    },
    needs=("item", "number", "placed_at", "status", "unit_price"),
    only="coalesce(status, '') <> 'unpaid'",
    others=N_("orders not yet paid"),
    sale={
        "customer_key": "coalesce(email, shipping_phone, billing_phone)",
        "phone": "coalesce(shipping_phone, billing_phone)",
        "name": "coalesce(case when not contains(buyer_name, '*') then buyer_name end, "
        "case when not contains(recipient, '*') then recipient end)",
        "city": "case when not contains(town, '*') then town end",
        "channel": "'Lazada'",
        "order_total": f"{_sum(_PAID)} + {_sum('shipping_of_unit')}",
        "platform_discount": _sum(f"{_UNIT} - {_PAID}"),
        "shipping": _sum("shipping_of_unit"),
        "line_cancelled_at": f"case when {_CANCELLED} then coalesce(changed_at, placed_at) end",
        "undelivered_at": f"case when bool_and({_CANCELLED}) {_ORDER} and {_UNDELIVERED} "
        "then coalesce(changed_at, placed_at) end",
        "product_id": "coalesce(sku, lazada_sku, product_name)",
        "quantity": "1",
        "amount": _UNIT,
        "line_discount": f"unit_price - {_UNIT}",
        "returned_quantity": f"case when {_RETURNED} then 1 else 0 end",
        "returned_amount": f"case when {_RETURNED} then {_UNIT} "
        f"when not {_CANCELLED} and refund <> 0 then least(abs(refund), {_UNIT}) end",
        "returned_at": "coalesce(changed_at, delivered_at, placed_at)",
    },
    stated=Stated(
        "paidPrice",
        f"sum({_PAID}) {_ORDER}",
        adds={
            "platform_voucher": f"sum({_UNIT} - {_PAID}) {_ORDER}",
            "shipping": _sum("shipping_of_unit"),
        },
    ),
    notes=(
        N_("What Lazada takes off the price counts as sales: Lazada pays it to the shop"),
        N_("Orders not yet paid are left out until they are"),
        N_("Buyers whose addresses and numbers are hidden cannot be told apart: their orders stay without a customer"),
    ),
)
