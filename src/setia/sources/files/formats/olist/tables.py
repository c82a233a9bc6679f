"""The tables of Olist's data set, each by the columns that only it has."""

from __future__ import annotations

from setia.sources.files.layout import Layout, amount, moment, text, word

ZONE = "America/Sao_Paulo"

ORDERS = Layout(
    name="Olist: orders",
    roles={
        "number": text("order_id", required=True),
        "customer": text("customer_id"),
        "status": word("order_status", required=True),
        "placed_at": moment("order_purchase_timestamp", required=True),
        "paid_at": moment("order_approved_at"),
    },
    needs=("number", "customer", "status", "placed_at"),
    zone=ZONE,
)
ITEMS = Layout(
    name="Olist: items",
    roles={
        "number": text("order_id", required=True),
        "line": amount("order_item_id", money=False, required=True),
        "product_id": text("product_id", required=True),
        "price": amount("price", required=True),
        "freight": amount("freight_value", required=True),
    },
    needs=("number", "line", "product_id", "price", "freight"),
)
CUSTOMERS = Layout(
    name="Olist: customers",
    roles={
        "customer": text("customer_id", required=True),
        "person": text("customer_unique_id", required=True),
        "city": text("customer_city"),
    },
    needs=("customer", "person"),
)
PAYMENTS = Layout(
    name="Olist: payments",
    roles={
        "number": text("order_id", required=True),
        "sequential": text("payment_sequential"),
        "paid": amount("payment_value", required=True),
    },
    needs=("number", "sequential", "paid"),
)
PRODUCTS = Layout(
    name="Olist: products",
    roles={
        "product_id": text("product_id", required=True),
        "category": text("product_category_name"),
    },
    needs=("product_id", "category"),
)
CATEGORIES = Layout(
    name="Olist: names of categories",
    roles={
        "category": text("product_category_name", required=True),
        "in_english": text("product_category_name_english", required=True),
    },
    needs=("category", "in_english"),
)
REVIEWS = Layout(
    name="Olist: reviews",
    roles={
        "review": text("review_id", required=True),
        "number": text("order_id", required=True),
        "score": amount("review_score", money=False, required=True),
        "title": text("review_comment_title"),
        "message": text("review_comment_message"),
        "answered_at": moment("review_answer_timestamp", required=True),
    },
    needs=("review", "number", "score", "answered_at"),
    zone=ZONE,
)
SELLERS = Layout(
    name="Olist: sellers",
    roles={"seller": text("seller_id"), "place": text("seller_zip_code_prefix")},
    needs=("seller", "place"),
)
PLACES = Layout(
    name="Olist: places",
    roles={"place": text("geolocation_zip_code_prefix"), "latitude": text("geolocation_lat")},
    needs=("place", "latitude"),
)
TABLES = {
    "orders": ORDERS,
    "items": ITEMS,
    "customers": CUSTOMERS,
    "payments": PAYMENTS,
    "products": PRODUCTS,
    "categories": CATEGORIES,
    "reviews": REVIEWS,
    "sellers": SELLERS,
    "places": PLACES,
}
