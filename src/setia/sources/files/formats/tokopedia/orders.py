"""Tokopedia's own sales report: a row per product of an invoice."""

from __future__ import annotations

from setia.kernel.i18n import N_
from setia.sources.files.layout import Layout, Stated, amount, day, moment, once, phone, text, word

_ORDER = "over (partition by number)"


def _shared(role: str) -> str:
    """An amount that is the invoice's where all its lines have the same, and else shared among them."""
    value = f"coalesce({role}, 0)"
    return (
        f"(case when min({value}) {_ORDER} = max({value}) {_ORDER} then max({value}) {_ORDER} "
        f"else sum({value}) {_ORDER} end)"
    )


def _rupiah(role: str) -> str:
    """An amount in whole rupiah where the report may have the words `Non Tunai` instead; null there."""
    whole = f"regexp_replace({role}, '[.,]\\d{{1,2}}$', '')"
    return f"try_cast(nullif(regexp_replace({whole}, '\\D', '', 'g'), '') as decimal(18,4))"


_CANCELLED = "(regexp_matches(status, 'batal|ditolak|cancel') or off_day is not null)"
_UNDELIVERED = "regexp_matches(status, 'gagal|tidak terkirim|tidak dapat dikirim|dikembalikan ke (penjual|pengirim)')"
_OFF = f"""case when {_CANCELLED} or {_UNDELIVERED} then coalesce(
    timezone('Asia/Jakarta', off_day + coalesce(try_cast(off_time as time), time '00:00:00')), placed_at) end"""

_PIECES = "(quantity - coalesce(missing, 0))"
_GOODS = "(price * quantity - coalesce(missing_amount, price * coalesce(missing, 0)))"
_BY_SHOP = f"({_shared('coupon')} + {_shared('offer')})"
_SUBSIDY = f"coalesce(sum(subsidy) {_ORDER}, 0)"
_CASH_AND_INSURANCE = f"{once(_rupiah('cash_shipping'))} + {once(_rupiah('insurance'))}"
_SHIPPING = f"coalesce(max({_rupiah('all_shipping')}) {_ORDER}, {_CASH_AND_INSURANCE})"

ORDERS = Layout(
    name="Tokopedia: sales report",
    roles={
        "number": text("Nomor Invoice", "Invoice", required=True, carried=True),
        "status": word("Status Terakhir", "Order Status"),
        "placed_at": moment("Tanggal Pembayaran", "Payment Date"),
        "off_day": day("Tanggal Pesanan Dibatalkan"),
        "off_time": text("Waktu Pesanan Dibatalkan"),
        "sku": text("Nomor SKU", "Stock Keeping Unit (SKU)"),
        "product_name": text("Nama Produk", "Product Name"),
        "quantity": amount("Jumlah Produk Dibeli", "Quantity", required=True, money=False),
        "missing": amount("Jumlah Produk Yang Dikurangkan", money=False),
        "missing_amount": amount("Total Pengurangan (IDR)"),
        "price": amount("Harga Jual (IDR)", "Harga Jual (Rp.)", "Price (Rp.)", required=True),
        "discount_per_piece": amount("Diskon Produk (IDR)", "Discount Amount (Rp.)"),
        "subsidy": amount("Jumlah Subsidi Tokopedia (IDR)", "Subsidi Amount (Rp.)", "Subsidy Amount (Rp.)"),
        "coupon": amount("Nilai Kupon Toko Terpakai (IDR)", "Nilai Voucher Toko Terpakai (IDR)"),
        "code": text("Kode Kupon Toko Yang Digunakan", "Kode Voucher Toko Yang Digunakan"),
        "offer": amount("Diskon Penawaran Terpakai (IDR)"),
        "cash_shipping": text("Biaya Pengiriman Tunai (IDR)", "Shipping Price + fee (Rp.)"),
        "insurance": text("Biaya Asuransi Pengiriman (IDR)", "Insurance (Rp.)"),
        "all_shipping": text("Total Biaya Pengiriman (IDR)", "Total Shipping Fee (Rp.)"),
        "report_total": amount("Total Penjualan (IDR)", "Total Amount (Rp.)"),
        "buyer_name": text("Nama Pembeli", "Customer Name"),
        "phone": phone("No Telp Pembeli", "Customer Phone"),
        "town": text("Kota"),
    },
    needs=("number", "placed_at", "status", "price", "quantity"),
    marks=("Jumlah Subsidi Tokopedia (IDR)", "Total Penjualan (IDR)", "Subsidi Amount (Rp.)", "Total Amount (Rp.)"),
    only="not regexp_matches(coalesce(status, ''), 'menunggu pembayaran|belum (di)?bayar')",
    others=N_("orders not yet paid"),
    zone="Asia/Jakarta",
    sale={
        "placed_at": f"coalesce(placed_at, min(placed_at) {_ORDER})",
        "customer_key": f"max(phone) {_ORDER}",
        "name": "case when not contains(buyer_name, '*') then buyer_name end",
        "city": "case when not contains(town, '*') then town end",
        "country": "'ID'",
        "currency": "'IDR'",
        "channel": "'Tokopedia'",
        "order_total": f"sum({_GOODS}) {_ORDER} - {_BY_SHOP} + {_SHIPPING}",
        "order_discount": _BY_SHOP,
        "platform_discount": _SUBSIDY,
        "shipping": _SHIPPING,
        "paid_at": "placed_at",
        "cancelled_at": _OFF,
        "undelivered_at": f"case when {_UNDELIVERED} then {_OFF} end",
        "product_id": "coalesce(sku, product_name)",
        "quantity": _PIECES,
        "unit_price": "price",
        "amount": f"({_GOODS} + coalesce(subsidy, 0))",
        "line_discount": "discount_per_piece * quantity - coalesce(subsidy, 0)",
    },
    stated=Stated(
        "Total Penjualan (IDR)",
        "report_total",
        adds={"platform_voucher": _SUBSIDY, "seller_voucher": f"-{_BY_SHOP}"},
    ),
    notes=(
        N_("What Tokopedia takes off the price counts as sales: Tokopedia pays it to the shop"),
        N_("Tokopedia's report names the day of payment alone: orders are dated to it"),
        N_("Buyers whose telephone numbers are hidden cannot be told apart: their orders stay without a customer"),
    ),
)
