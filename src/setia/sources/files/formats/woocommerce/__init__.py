"""WooCommerce: its own Analytics reports and product export, and the usual order-export plug-ins.

Headers read in the published sources: WooCommerce (orders and customers report, the server's and the browser's file;
product CSV exporter), Advanced Order Export For WooCommerce by AlgolPlus (its default labels), Order Export & Order
Import by WebToffee and Customer / Order / Coupon Export by SkyVerge (their column keys). All of them write times in the
site's zone, an item's total after discounts and without tax, shipping without tax, and the order's total with both;
net sales are by WooCommerce's definition the total less tax and shipping.

Inferred: the Indonesian and Malay words for the states of an order; that an order waiting for its payment is no sale
yet, as WooCommerce's reports leave it out by default; that an administrator's orders are the shop's own. A customer is
the billing address, else the telephone number, else the user's number. Not read: SkyVerge's JSON cells.
"""

from __future__ import annotations

from setia.sources.files.formats.woocommerce import advanced, analytics, per_item, per_order, products

LAYOUTS = (
    advanced.ORDERS,
    per_item.ORDERS,
    per_item.WITHOUT_ITEMS,
    per_item.CUSTOMERS,
    analytics.ORDERS,
    analytics.CUSTOMERS,
    products.PRODUCTS,
)
SETS = (per_order.ORDERS,)
