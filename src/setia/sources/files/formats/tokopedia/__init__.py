"""Tokopedia's own sales report, as it was until its sellers moved to the common seller centre with TikTok Shop.

Headers seen in public readers of real files: the Indonesian report (title lines above the header, `Nomor Invoice` …
`Total Penjualan (IDR)`; a shop's coupon is called `Kupon` or, earlier, `Voucher`) and the still older one with English
headers (`Invoice`, `Payment Date`, `Total Amount (Rp.)`), which leaves the invoice's own cells empty on its further
lines. The price stands per unit, the product's discount taken off;
the share of it that Tokopedia bears (`Jumlah Subsidi Tokopedia`) is a total of the line and goes to the shop; shipping,
insurance and the total belong to the invoice. `Non Tunai` in place of an amount means that nothing was paid in money.
The time of a cancellation stands in two columns.

Inferred: that all times are Western Indonesian; that a coupon or offer that differs between the lines of an invoice is
shared among them and one that is the same on all is of the invoice; that pieces which could not be supplied (`Jumlah
Produk Yang Dikurangkan`) were never sold, at the amount the report takes off; that the report's total is what the buyer
pays for the goods and shipping. The report has no account of the buyer: a buyer is known by the telephone number, and
is nobody where that is masked.
"""

from __future__ import annotations

from setia.sources.files.formats.tokopedia.orders import ORDERS

LAYOUTS = (ORDERS,)
