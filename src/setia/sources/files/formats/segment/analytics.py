"""Google Analytics 4: the rows of its export to BigQuery, as CSV, Parquet or JSON."""

from __future__ import annotations

from setia.kernel.i18n import N_
from setia.sources.files.layout import Layout, moment, text, word

_NAMES = {
    "page_view": "Page Viewed",
    "screen_view": "Screen Viewed",
    "view_item": "Product Viewed",
    "view_item_list": "Product List Viewed",
    "select_item": "Product Clicked",
    "add_to_wishlist": "Product Added to Wishlist",
    "add_to_cart": "Product Added",
    "remove_from_cart": "Product Removed",
    "view_cart": "Cart Viewed",
    "begin_checkout": "Checkout Started",
    "add_payment_info": "Payment Info Entered",
    "purchase": "Order Completed",
    "refund": "Order Refunded",
    "search": "Products Searched",
    "view_search_results": "Products Searched",
    "sign_up": "Signed Up",
    "login": "Signed In",
}
_NAME = "case event_name " + " ".join(f"when '{ga}' then '{segment}'" for ga, segment in _NAMES.items())

GA4 = Layout(
    name="Google Analytics 4: events",
    roles={
        "event_name": text("event_name", required=True),
        "happened_at": moment("event_timestamp", required=True),
        "user_key": text("user_id"),
        "visitor": text("user_pseudo_id"),
        "bundle": text("event_bundle_sequence_id"),
        "batch_page": text("batch_page_id"),
        "batch_order": text("batch_ordering_id"),
        "batch_event": text("batch_event_index"),
        "params": text("event_params"),
        "products": text("items"),
        "device_kind": word("device.category", "device_category"),
        "stream": word("platform"),
    },
    needs=("event_name", "happened_at", "visitor"),
    facts={
        "events": {
            "event_id": "'ga4:' || concat_ws(':', visitor, epoch_us(happened_at), event_name, bundle, batch_page, "
            "batch_order, batch_event)",
            "customer_id": "user_key",
            "name": f"{_NAME} else event_name end",
            "occurred_at": "happened_at",
            "product_id": "case when json_valid(products) then json_extract_string(products, '$[0].item_id') end",
            "visitor": "visitor",
            "device": "case when device_kind in ('desktop', 'mobile', 'tablet') then device_kind end",
            "platform": "case stream when 'web' then 'web' when 'ios' then 'app' when 'android' then 'app' end",
            "properties": "case when json_valid(params) then params end",
        },
    },
    notes=(N_("Only visitors with a user id are linked to customers; of the products of an event the first counts"),),
)
