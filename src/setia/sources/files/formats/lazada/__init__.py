"""Lazada's order export: one row is one unit of one product.

Headers seen in public readers of real files from Indonesia, Malaysia and Thailand, as CSV with semicolons or as a
workbook: `orderItemId` … `sellerNote`, later with `platformDiscountTotal`; discounts are negative; times are written
`04 Oct 2026 06:56`. States seen: pending, unpaid, ready_to_ship, shipped, delivered, confirmed, canceled, failed,
returned, Package Returned, In Transit: Returning to seller, Lost by 3PL, Damaged by 3PL, Package scrapped; an initiator
that begins with `only_refund` means money back without a return. By Lazada's interface documentation, the price paid is
the item's price less vouchers; shipping is apart. The voucher that the seller does not bear, Lazada does.

Inferred: that a unit on its way back or back which was never delivered is a parcel given up, and one that was delivered
a return; that the last change of a row is when it was called off or given back. The export has no account of the buyer:
a buyer is known by e-mail address, else by telephone number, and is nobody where both are masked.
"""

from __future__ import annotations

from setia.sources.files.formats.lazada.orders import ORDERS

LAYOUTS = (ORDERS,)
