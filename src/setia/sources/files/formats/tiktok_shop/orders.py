"""The order export of TikTok Shop: a row per product of an order."""

from __future__ import annotations

from setia.kernel.i18n import N_
from setia.sources.files.layout import Layout, Stated, amount, moment, once, phone, text, word

_ORDER = "over (partition by number)"


_UNPAID = "('unpaid', 'belum dibayar', 'belum bayar')"
_CANCELLED = (
    "(coalesce(status in ('canceled', 'cancelled', 'dibatalkan'), false) "
    "or called_off_at is not null and not coalesce(contains(kind, 'return'), false))"
)
_LIVE = f"filter (where not {_CANCELLED}) {_ORDER}"
_GIVEN_UP = "coalesce(regexp_matches(reason, 'gagal|hilang|failed|lost'), false)"
_UNDELIVERED = f"({_CANCELLED} and (sent_at is not null or {_GIVEN_UP}) and delivered_at is null)"

_BEFORE = "coalesce(before, unit_price * quantity)"
_LINE = f"({_BEFORE} - abs(coalesce(shop_discount, 0)))"
_BUYERS = f"({_LINE} - abs(coalesce(platform_discount_of_line, 0)))"
_BY_PLATFORM = f"coalesce(sum(abs(platform_discount_of_line)) {_LIVE}, sum(abs(platform_discount_of_line)) {_ORDER}, 0)"
_BUYER_PAYS = (
    f"coalesce(sum({_BUYERS}) {_LIVE}, sum({_BUYERS}) {_ORDER}) "
    f"- ({once('payment_discount')}) + {once('shipping', 'taxes', 'distance_shipping_fee', 'distance_fee')}"
)
_PLATFORM_PAYS = f"{_BY_PLATFORM} + {once('payment_discount')}"
_TOTAL = f"({_BUYER_PAYS} + {_PLATFORM_PAYS})"
# What the buyer gets back, and what the platform takes back with it; fees of the buyer are not the shop's to lose.
_GIVEN_BACK = (
    f"(refund * (1 + coalesce(payment_discount, 0) / nullif(order_amount, 0)) "
    f"+ coalesce(sum(abs(platform_discount_of_line) * returned / nullif(quantity, 0)) {_ORDER}, 0))"
)
_OF_ALL = f"coalesce(sum(abs(platform_discount_of_line)) {_ORDER}, 0) + {once('payment_discount')}"
_FEES = once("service_fee", "handling_fee", "shipping_insurance", "item_insurance", "retail_delivery_fee")
_DISTANCE = once("distance_shipping_fee", "distance_fee")

ORDERS = Layout(
    name="TikTok Shop and Tokopedia: orders",
    roles={
        "number": text("Order ID", required=True),
        "status": word("Order Status"),
        "substatus": word("Order Substatus", "Order Sub Status"),
        "kind": word("Cancelation/Return Type", "Cancellation/Return Type"),
        "sku_id": text("SKU ID"),
        "sku": text("Seller SKU"),
        "product_name": text("Product Name"),
        "category": text("Product Category"),
        "quantity": amount("Quantity", required=True, money=False),
        "returned": amount("Sku Quantity of return", money=False),
        "unit_price": amount("SKU Unit Original Price"),
        "before": amount("SKU Subtotal Before Discount"),
        "platform_discount_of_line": amount("SKU Platform Discount"),
        "shop_discount": amount("SKU Seller Discount"),
        "shipping": amount("Shipping Fee After Discount"),
        "distance_shipping_fee": amount("Distance Shipping Fee"),
        "distance_fee": amount("Distance Fee"),
        "payment_discount": amount("Payment platform discount"),
        "service_fee": amount("Buyer Service Fee"),
        "handling_fee": amount("Handling Fee"),
        "shipping_insurance": amount("Shipping Insurance"),
        "item_insurance": amount("Item Insurance"),
        "retail_delivery_fee": amount("Retail Delivery Fee"),
        "taxes": amount("Taxes"),
        "order_amount": amount("Order Amount"),
        "refund": amount("Order Refund Amount"),
        "placed_at": moment("Created Time", required=True),
        "paid_at": moment("Paid Time"),
        "sent_at": moment("Shipped Time"),
        "delivered_at": moment("Delivered Time"),
        "called_off_at": moment("Cancelled Time"),
        "reason": word("Cancel Reason"),
        "buyer": text("Buyer Username", "Buyer Nickname"),
        "recipient": text("Recipient"),
        "phone": phone("Phone #"),
        "country": text("Country"),
        "town": text("Regency and City", "City", "District", "Post Town"),
        "purchase_channel": word("Purchase Channel"),
    },
    needs=("number", "placed_at", "status", "substatus", "quantity"),
    marks=("SKU Subtotal Before Discount", "SKU Unit Original Price", "SKU Subtotal After Discount"),
    only=f"regexp_matches(number, '^[0-9]{{6,}}$') and coalesce(status, '') not in {_UNPAID}",
    others=N_("explanations, and orders not yet paid"),
    sale={
        "customer_key": "case when not contains(buyer, '*') then case when contains(purchase_channel, 'tokopedia') "
        "then 'tokopedia:' else 'tiktok:' end || lower(buyer) else phone end",
        "name": "case when not contains(recipient, '*') then recipient end",
        "city": "case when not contains(town, '*') then town end",
        "channel": "case when contains(purchase_channel, 'tokopedia') then 'Tokopedia' else 'TikTok Shop' end",
        "order_total": _BUYER_PAYS,
        "platform_discount": _PLATFORM_PAYS,
        "shipping": f"{once('shipping')} + {_DISTANCE}",
        "tax": once("taxes"),
        "line_cancelled_at": f"case when {_CANCELLED} then coalesce(called_off_at, sent_at, placed_at) end",
        "undelivered_at": f"case when bool_and({_UNDELIVERED}) {_ORDER} "
        f"then max(coalesce(called_off_at, sent_at, placed_at)) {_ORDER} end",
        "refunded": f"case when not bool_or({_CANCELLED}) {_ORDER} and refund <> 0 "
        f"then least({_GIVEN_BACK}, {_TOTAL})::decimal(18,4) end",
        "refunded_at": "coalesce(delivered_at, sent_at, placed_at)",
        "product_id": "coalesce(sku, sku_id, product_name)",
        "unit_price": f"coalesce(unit_price, {_BEFORE} / nullif(quantity, 0))",
        "amount": _LINE,
        "line_discount": "abs(shop_discount)",
        "returned_quantity": f"case when not {_CANCELLED} then returned end",
        "returned_amount": f"case when not {_CANCELLED} "
        f"then ({_LINE} * returned / nullif(quantity, 0))::decimal(18,4) end",
        "returned_at": "coalesce(delivered_at, sent_at, placed_at)",
    },
    stated=Stated(
        "Order Amount",
        "order_amount",
        adds={"platform_voucher": _OF_ALL, "fees": f"-({_FEES})"},
        at="paid_at",
    ),
    notes=(
        N_("What TikTok Shop and Tokopedia take off the price counts as sales: they pay it to the shop"),
        N_("Orders not yet paid are left out until they are"),
        N_("This export names no day of a return: it is dated to the day of delivery"),
        N_("Buyers whose names are hidden behind stars cannot be told apart: their orders stay without a customer"),
    ),
)
