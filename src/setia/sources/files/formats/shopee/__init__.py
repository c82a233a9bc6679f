"""Shopee's order export of Indonesia and Malaysia: all orders, completed, cancelled and failed deliveries.

Headers seen in public readers of real files: the Indonesian ones of all three kinds (the cancelled file has `Dibayar
Pembeli` where the others have `Total Harga Produk` or, later, `Subtotal Pesanan`; the failed one adds `Status
pengiriman gagal`), the English ones of Malaysia and Singapore in their older (`Seller Voucher`) and newer spelling
(`Discount Voucher Amount Sponsored by Seller`), and those that carry a currency (`Shopee Rebate(PHP)`). Prices stand
per unit; the discounts of a product are totals of its line; vouchers, coins, card discount, shipping and what the buyer
pays belong to the order and are repeated on each line. From Shopee's interface documentation: the buyer pays the
original price less the seller's and Shopee's discounts and vouchers, coins and the promotion of the payment, plus
shipping and the buyer's fee; what Shopee gives off the price goes back to the seller.

Inferred: the Malay headers (none were found in public); that a cancellation, of which the export gives no time, counts
from the order itself, and a failed delivery and a return from the last time known of it; that a row with a failed
delivery's state is a parcel given up. Coins that the seller gives back to the buyer are a cost, not within the total.
"""

from __future__ import annotations

from setia.sources.files.formats.shopee.orders import ORDERS

LAYOUTS = (ORDERS,)
