"""Advanced Order Export For WooCommerce (AlgolPlus): a row per item, and rows of their own for further coupons."""

from __future__ import annotations

from setia.kernel.i18n import N_
from setia.sources.files.formats.woocommerce.states import CALLED_OFF, GIVEN_BACK
from setia.sources.files.layout import Layout, Stated, amount, email, moment, phone, text, word

ORDERS = Layout(
    name="WooCommerce: Advanced Order Export",
    roles={
        "number": text("Order Number", "Order ID", required=True),
        "status": word("Order Status"),
        "placed_at": moment("Order Date"),
        "paid_at": moment("Paid Date"),
        "changed_at": moment("Modification Date"),
        "first_refund_at": moment("Date of first refund"),
        "first_name": text("First Name (Billing)"),
        "last_name": text("Last Name (Billing)"),
        "full_name": text("Full Name (Billing)"),
        "email": email("Email (Billing)"),
        "phone": phone("Phone (Billing)"),
        "city": text("City (Billing)"),
        "country": text("Country Code (Billing)", "Country Name (Billing)"),
        "account": text("Customer User ID"),
        "user_role": word("Customer Role"),
        "currency": text("Currency"),
        "code": text("Coupon Code"),
        "order_discount": amount("Cart Discount Amount"),
        "shipping": amount("Order Shipping Amount"),
        "added_tax": amount("Order Total Tax Amount"),
        "order_total": amount("Order Total Amount"),
        "refunds": amount("Order Refund Amount"),
        "sku": text("SKU"),
        "item_product": text("Product Id"),
        "product_name": text("Item Name", "Name", "Product Name"),
        "category": text("Category"),
        "quantity": amount("Quantity", money=False),
        "kept_quantity": amount("Quantity (- Refund)", money=False),
        "unit_price": amount("Item Cost"),
        "line_total": amount("Order Line Total", "Order Line (w/o tax)"),
        "returned_amount": amount("Order Line Total Refunded"),
    },
    needs=("number", "status", "placed_at", "order_total"),
    # A refund that stands as an order of its own is told by the order as well.
    only="coalesce(quantity, 0) >= 0 and coalesce(order_total, 0) >= 0",
    others=N_("refunds that stand as orders of their own; their orders tell of them too"),
    sale={
        "customer_key": "coalesce(email, phone, 'woocommerce:' || nullif(account, '0'))",
        "name": "coalesce(full_name, nullif(concat_ws(' ', first_name, last_name), ''))",
        "cancelled_at": f"case when {CALLED_OFF} then coalesce(changed_at, placed_at) end",
        "is_staff": "user_role in ('administrator', 'shop manager', 'shop_manager')",
        "refunded": f"coalesce(nullif(refunds, 0), case when {GIVEN_BACK} then order_total end)",
        "refunded_at": "coalesce(first_refund_at, changed_at, paid_at)",
        "product_id": "coalesce(sku, nullif(item_product, '0'), product_name)",
        "amount": "coalesce(line_total, unit_price * quantity)",
        "returned_quantity": "quantity - kept_quantity",
        "returned_at": "coalesce(first_refund_at, changed_at, paid_at)",
    },
    spread=True,
    stated=Stated(
        "Net sales before returns",
        f"case when not {CALLED_OFF} then order_total - coalesce(added_tax, 0) - coalesce(shipping, 0) end",
        adds={"shipping": "shipping", "tax": "added_tax"},
    ),
)
