"""Square: the exports of its dashboard: transactions, item details, and the customer directory.

Documented by Square's help pages: what gross sales, discounts, net sales, gift card sales, tax, tips and total
collected are, and that the directory's "Email Subscription Status" (once "Email Unsubscribed": True) reads Subscribed,
Unsubscribed or Unknown. The headers were taken from public samples of 2017 to 2026: transactions with 37, 44 and 55
columns, item details with 24, 33 and 35, the directory with 23.

Money: an order's total is what was collected, less tips (the staff's) and less gift cards sold (a debt until they are
spent; paying with one counts, as its goods do). Fees are Square's and no part of it.

Inferred: a refund's row has negative amounts and, in `Transaction ID`, either its sale's number or one of its own; in
the latter case the sale is the payment in the same file with the same `Payment ID`. A row of item details whose
`Itemization Type` names a gift card sells one.
"""

from __future__ import annotations

from setia.sources.files.formats.square.both import BOTH
from setia.sources.files.formats.square.customers import CUSTOMERS
from setia.sources.files.formats.square.items import ITEMS
from setia.sources.files.formats.square.transactions import TRANSACTIONS

LAYOUTS = (ITEMS, TRANSACTIONS, CUSTOMERS)
SETS = (BOTH,)

__all__ = ["LAYOUTS", "SETS"]
