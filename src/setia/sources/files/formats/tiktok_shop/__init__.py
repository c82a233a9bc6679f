"""The order export of TikTok Shop, since 2024 in Indonesia that of Tokopedia & TikTok Shop (`OrderSKUList`).

Headers and the row of explanations under them (`Platform unique order ID.` and so on) seen in public samples and
readers of real files from Indonesia, Malaysia, Thailand and the United States. `SKU …` columns belong to the line, the
others to the order and are repeated on each line. By the row of explanations: the line after discounts is the line
before less the platform's and the seller's discount. By TikTok's interface documentation: what the buyer pays is that,
shipping after discounts, taxes and the buyer's fees. Both hold to the last unit in public rows. A CSV ends long numbers
and times with a tab; older files put the currency before each amount. What the platform takes off goes to the seller.

Inferred: that a cancelled line that was sent and never delivered, or whose reason says so (`Pengiriman paket gagal`),
is a parcel given up; that a return, of which the export gives no time, came on the day of delivery. A name with stars
in it is shared by many buyers and therefore nobody's key.
"""

from __future__ import annotations

from setia.sources.files.formats.tiktok_shop.orders import ORDERS

LAYOUTS = (ORDERS,)
