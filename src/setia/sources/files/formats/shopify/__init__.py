"""Shopify's own exports: orders, customers, products.

Documented by Shopify's help pages (Exporting orders; Exporting, importing and viewing customer CSV files; Using CSV
files to import and export products) and alike in public samples: the headers in their older and newer spellings, one
row per line with the order's own cells on its first row only (some exports repeat address and time), times with their
offset, an apostrophe before long numbers, variants named `Title - Option / Option`. From Shopify's description of its
sales reports: net sales are gross sales less discounts and returns; total sales are net sales, shipping and taxes.

Inferred: whether prices include tax, from the order's total; that a voided payment is an order that was called off;
that cash on delivery which was sent, never paid and called off came back undelivered; that a tag such as `staff` or
`karyawan` marks the shop's own people; that a refund came on the last day known of its order. The export has no
customer number: a customer is the address, else the telephone number, else nobody. Left aside: who accepted marketing
at a checkout, since who said no later stands in the customers export alone; exchanges and gift cards as such.
"""

from __future__ import annotations

from setia.sources.files.formats.shopify.customers import CUSTOMERS
from setia.sources.files.formats.shopify.orders import ORDERS
from setia.sources.files.formats.shopify.products import PRODUCTS

LAYOUTS = (ORDERS, CUSTOMERS, PRODUCTS)
