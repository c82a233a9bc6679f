"""WooCommerce's own reports, as its Analytics pages download them: orders and customers."""

from __future__ import annotations

from setia.kernel.i18n import N_
from setia.sources.files.formats.woocommerce.states import CALLED_OFF
from setia.sources.files.layout import Layout, Stated, amount, email, moment, phone, text, word

ORDERS = Layout(
    name="WooCommerce: orders report",
    roles={
        "order_number": text("Order #", required=True),
        "placed_at": moment("Date", required=True),
        "status": word("Status"),
        "kind": word("Customer type"),
        "products": text("Product(s)"),
        "items": amount("Items sold", money=False),
        "code": text("Coupon(s)"),
        "net": amount("Net Sales", "N. Revenue", required=True),
        "channel": text("Attribution"),
    },
    needs=("order_number", "placed_at", "status", "products", "items", "net"),
    sale={
        "number": "case when net < 0 then order_number || '-' || epoch(placed_at)::bigint else order_number end",
        # Nobody is known by a name alone.
        "customer_key": "null::varchar",
        "amount": "net",
        "cancelled_at": f"case when {CALLED_OFF} then placed_at end",
        "is_return": "net < 0",
        "return_of": "case when net < 0 then order_number end",
    },
    stated=Stated("Net sales before returns", f"case when not {CALLED_OFF} then net end"),
    notes=(
        N_(
            "This report names no address, so that its orders count as those of unknown guests. To know customers, "
            "export the orders with an export plug-in"
        ),
        N_("This report knows no shipping and no tax: the totals are without them"),
    ),
)

CUSTOMERS = Layout(
    name="WooCommerce: customers report",
    roles={
        "name": text("Name"),
        "username": text("Username"),
        "created_at": moment("Sign Up"),
        "email": email("Email"),
        "orders": amount("Orders", money=False),
        "spent": amount("Total Spend"),
        "country": text("Country / Region", "Country"),
        "city": text("City"),
        "phone": phone("Billing Phone"),
    },
    needs=("name", "username", "created_at", "email", "orders", "spent"),
    facts={
        "customers": {
            "customer_id": "coalesce(email, phone)",
            "email": "email",
            "phone": "phone",
            "name": "name",
            "city": "city",
            "country": "country",
            "created_at": "created_at",
        },
    },
)
