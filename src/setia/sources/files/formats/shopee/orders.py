"""Shopee's order export: a row per product of an order."""

from __future__ import annotations

from setia.kernel.i18n import N_
from setia.sources.files.layout import Layout, Stated, amount, moment, once, phone, text, word

_ORDER = "over (partition by number)"


def _each(*headers: str) -> tuple[str, ...]:
    """Headers bare, and with the currency that some countries put behind them."""
    return tuple(f"{header}{mark}" for header in headers for mark in ("", "(RM)", "(PHP)", "(SGD)"))


_GONE = "(status in ('batal', 'dibatalkan', 'cancelled', 'canceled') or failed_state is not null)"
_GIVEN_UP = "gagal (di)?(kirim|hantar)|(irim|hantar)an gagal|delivery failed|failed (to )?deliver|hilang|lost"
_UNDELIVERED = f"(failed_state is not null or regexp_matches(reason, '{_GIVEN_UP}'))"
_UNPAID = "('belum bayar', 'menunggu pembayaran', 'unpaid')"

# What the buyer is asked for the goods, and what is taken off the whole order by the shop and by Shopee.
_GOODS = f"sum(price * quantity) {_ORDER}"
_BY_SHOP = once("shop_voucher", "shop_bundle")
_BY_SHOPEE = once("shopee_voucher", "shopee_bundle", "coins", "card")
_REBATES = f"coalesce(sum(shopee_rebate) {_ORDER}, 0)"
_LINE = "(price * quantity + coalesce(shopee_rebate, 0))"
# A line given back takes its share of the shop's vouchers with it.
_SHARE = f"(price * quantity * ({_BY_SHOP}) / nullif({_GOODS}, 0))"

ORDERS = Layout(
    name="Shopee: orders",
    roles={
        "number": text("No. Pesanan", "Order ID", "ID Pesanan", required=True),
        "status": word("Status Pesanan", "Order Status"),
        "reason": word("Alasan Pembatalan", "Cancel reason", "Sebab Pembatalan"),
        "failed_state": word("Status pengiriman gagal", "Failed Delivery Status", "Status Penghantaran Gagal"),
        "placed_at": moment(
            "Waktu Pesanan Dibuat", "Order Creation Date", "Tarikh Pesanan Dibuat", "Masa Pesanan Dibuat", required=True
        ),
        "paid_at": moment("Waktu Pembayaran Dilakukan", "Order Paid Time", "Masa Pembayaran Pesanan"),
        "sent_at": moment("Waktu Pengiriman Diatur", "Ship Time", "Masa Penghantaran"),
        "completed_at": moment("Waktu Pesanan Selesai", "Order Complete Time", "Masa Pesanan Selesai"),
        "parent_sku": text("SKU Induk", "Parent SKU Reference No.", "No. Rujukan SKU Induk"),
        "sku": text("Nomor Referensi SKU", "SKU Reference No.", "No. Rujukan SKU"),
        "product_name": text("Nama Produk", "Product Name", "Product Information"),
        "price": amount("Harga Setelah Diskon", "Deal Price", "Harga Tawaran", required=True),
        "quantity": amount("Jumlah", "Quantity", "Kuantiti", required=True, money=False),
        "returned": amount("Returned quantity", "Jumlah Dikembalikan", "Kuantiti Dikembalikan", money=False),
        "shop_discount": amount("Diskon Dari Penjual", *_each("Price Discount(from Seller)", "Seller Discount")),
        "shopee_rebate": amount("Diskon Dari Shopee", *_each("Shopee Rebate"), "Rebat Shopee"),
        "code": text("Kode Voucher", "Voucher Code", "Voucher Code From Seller", "Kod Baucar"),
        "shop_voucher": amount(
            "Voucher Ditanggung Penjual",
            *_each("Seller Voucher", "Discount Voucher Amount Sponsored by Seller"),
            "Baucar Penjual",
        ),
        "shopee_voucher": amount(
            "Voucher Ditanggung Shopee",
            *_each("Shopee Voucher", "Discount Voucher Amount Sponsored by Shopee"),
            "Baucar Shopee",
        ),
        "shop_bundle": amount("Paket Diskon (Diskon dari Penjual)", *_each("Seller Bundle Discount")),
        "shopee_bundle": amount("Paket Diskon (Diskon dari Shopee)", *_each("Shopee Bundle Discount")),
        "coins": amount("Potongan Koin Shopee", *_each("Shopee Coins Offset")),
        "card": amount("Diskon Kartu Kredit", *_each("Credit Card Discount Total")),
        "shipping": amount("Ongkos Kirim Dibayar oleh Pembeli", *_each("Buyer Paid Shipping Fee")),
        "buyer_pays": amount("Total Pembayaran", *_each("Grand Total")),
        "buyer": text("Username (Pembeli)", "Username (Buyer)", "Nama Pengguna (Pembeli)"),
        "recipient": text("Nama Penerima", "Receiver Name"),
        "phone": phone("No. Telepon", "Phone Number", "Nombor Telefon", "No. Telefon"),
        "town": text("Kota/Kabupaten", "City", "Bandar"),
        "country": text("Country", "Negara"),
    },
    needs=("number", "placed_at", "status", "price", "quantity"),
    only=f"coalesce(status, '') not in {_UNPAID}",
    others=N_("orders not yet paid"),
    sale={
        "customer_key": "case when not contains(buyer, '*') then 'shopee:' || lower(buyer) else phone end",
        "name": "case when not contains(recipient, '*') then recipient end",
        "city": "case when not contains(town, '*') then town end",
        "channel": "'Shopee'",
        "order_total": f"{_GOODS} - ({_BY_SHOP}) - ({_BY_SHOPEE}) + {once('shipping')}",
        "order_discount": _BY_SHOP,
        "platform_discount": f"{_REBATES} + {_BY_SHOPEE}",
        "cancelled_at": f"case when {_GONE} and {_UNDELIVERED} then coalesce(sent_at, placed_at) "
        f"when {_GONE} then placed_at end",
        "undelivered_at": f"case when {_GONE} and {_UNDELIVERED} then coalesce(sent_at, placed_at) end",
        "product_id": "coalesce(sku, parent_sku, product_name)",
        "unit_price": "price",
        "amount": _LINE,
        "line_discount": "shop_discount",
        "returned_quantity": "returned",
        "returned_amount": f"(({_LINE} - {_SHARE}) * returned / nullif(quantity, 0))::decimal(18,4)",
        "returned_at": "coalesce(completed_at, sent_at, placed_at)",
    },
    stated=Stated(
        "Total Pembayaran / Grand Total",
        "buyer_pays",
        adds={"platform_voucher": f"{_REBATES} + {_BY_SHOPEE}"},
        at="paid_at",
    ),
    notes=(
        N_("Shopee's vouchers, coins and rebates count as sales: Shopee pays them to the shop"),
        N_("Orders not yet paid are left out until they are"),
        N_("Shopee's export names no day of a cancellation or return: they are dated to the order's last known day"),
        N_("Money refunded without a product coming back stands in Shopee's income report, not in this export"),
    ),
)
