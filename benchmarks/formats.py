"""How long the import of each file format takes, and how much memory, beside a plain CSV of the same facts.

    python benchmarks/formats.py --lines 1000000 --runs 3 [--only shopee,json] [--work bench-work]

Makes one seeded set of order lines in DuckDB (about three lines an order, 24 months, 3 % of the orders cancelled, the
first line of 5 % sent back, whole rupiah) and writes the same facts as a plain CSV, a row per line; as the exports of
the systems that Setia reads, all their columns there and a third of those that Setia leaves aside filled; and as the
plain table in other containers. Customers, consents, events, costs and subscriptions are files of as many rows.

Every file goes into a fresh shop, its PostgreSQL already running, in a process of its own, right after the plain CSV:
a ratio is that of two runs side by side. What the shop then holds must be what the generator knows, or the script
stops. Times are of the whole process and those it starts. Memory is the highest resident set of the process and, where
there is one, of the process that reads an Excel file for it; not PostgreSQL's. Files are kept in the work folder.
"""

from __future__ import annotations

import argparse
import gzip
import json
import shutil
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import duckdb
from importing import Run, fresh_shop

from setia.app import Shop

Duck = duckdb.DuckDBPyConnection
EXCEL_ROWS = 1_048_575
"""Rows of a sheet, the header aside."""

# A new process begins with the highest resident set of the one that starts it, as `getrusage` sees it; `VmHWM` is its
# own. A child of the import counts where it is higher than those that opened the shop.
CHILD = """
import json, resource, sys
from pathlib import Path
from setia.app import Shop
with Shop.open(sys.argv[1]) as shop:
    others = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    shop.import_files(sys.argv[2:])
own, children = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
status = Path("/proc/self/status")
lines = status.read_text().splitlines() if status.exists() else []
highest = next((int(line.split()[1]) for line in lines if line.startswith("VmHWM")), own.ru_maxrss)
child = children.ru_maxrss if children.ru_maxrss > others else 0
processor = sum(each.ru_utime + each.ru_stime for each in (own, children))
print(json.dumps({"bytes": highest * 1024, "child": child * 1024, "processor": processor}))
"""

# Everything about a line follows from the numbers of its order and itself, through seeded hashes.
LINES = """create table lines as
    with drawn as (
        select o, 1 + hash(o, 1) % 5 as n, hash(o, 2) % 100 < 3 as cancelled,
            not cancelled and hash(o, 3) % 100 < 5 as sent_back,
            ((hash(o, 4) % 1000000 / 1e6) ** 2 * {customers})::bigint as c, (hash(o, 5) % 3 * 9000)::bigint as shipping,
            timestamp '2024-01-01' + to_minutes((o * (730 * 1440.0) / {orders})::bigint) as at
        from range({orders}) orders(o)
    ), lines as (select *, unnest(range(1, n::bigint + 1)) as line from drawn),
    filled as (
        select *, hash(o, line, 6) % 2000 as p, (1 + hash(o, line, 7) % 3)::bigint as units,
            ((10 + hash(p, 8) % 300) * 1000)::bigint as price, units * price as amount
        from lines)
    select * exclude (sent_back), line = 1 as first, sent_back and line = 1 as returned, 100000 + o as number,
        'pembeli' || c as buyer, buyer || '@example.com' as email, '62812' || lpad(c::varchar, 8, '0') as phone,
        ['Siti', 'Budi', 'Zoë', 'André', 'Dewi'][1 + (hash(c, 9) % 5)::bigint] as given, 'Rahma ' || c as family,
        given || ' ' || family as name, ['Bandung', 'Jakarta', 'Medan'][1 + (hash(c, 10) % 3)::bigint] as city,
        'SKU-' || p as sku, 'Kopi ' || md5(p::varchar)[:12] || ' 250 g' as product, 'Kopi ' || p % 9 as category,
        sum(amount) over (partition by o)::bigint as goods, goods + shipping as total, at + interval 14 days as back_at,
        (sum(if(returned, amount, 0)) over (partition by o))::bigint as refund
    from filled order by o, line"""
LOG = """create table log as
    select o, number::varchar as order_number, at as order_date, email as customer_email, name as customer_name, city,
        sku, product as product_name, category, units as quantity, price as unit_price, shipping,
        if(cancelled, 'cancelled', 'completed') as status
    from lines union all
    select o, 'C' || number, back_at, email, name, city, sku, product, category, -units, price, 0, 'completed'
    from lines where returned order by order_date, order_number"""
PLAIN = "from (select * exclude (o) from log)"

KNOWN = """select count(*) filter (first) as orders, count(distinct c) as customers,
    sum(total) filter (first)::hugeint as total, sum(epoch(at - interval 7 hours)) filter (first)::hugeint as placed,
    count(*) as lines, sum(units)::hugeint as units, sum(amount)::hugeint as goods,
    sum(refund) filter (first)::hugeint as returned
    from lines where not cancelled"""
HELD = """with counting as (select * from orders where cancelled_at is null),
    l as (select * from order_lines semi join counting using (order_id))
    select count(*) as orders, count(distinct customer_id) as customers, sum(total)::hugeint as total,
        sum(epoch(placed_at))::hugeint as placed, (select count(*) from l) as lines,
        (select sum(quantity)::hugeint from l) as units, (select sum(amount)::hugeint from l) as goods,
        (select coalesce(sum(amount), 0)::hugeint from returns) as returned
    from counting"""

Source = str | Callable[[Duck, Path], None]
"""A SELECT, or what writes a file."""


@dataclass(frozen=True)
class Format:
    """The files of one format, and what the shop must hold of them."""

    title: str
    files: Mapping[str, Source]
    lacks: tuple[str, ...] = ()
    """Figures that the format cannot tell."""
    known: str = KNOWN
    held: str = HELD
    options: str = ""
    """Of DuckDB's COPY."""


def at(style: str, moment: str = "at") -> str:
    """A moment as a system writes it."""
    return f"strftime({moment}, '{style}')"


ISO, MINUTES = at("%Y-%m-%d %H:%M:%S"), at("%Y-%m-%d %H:%M")
UTC = at("%Y-%m-%d %H:%M:%S", "at - interval 7 hours")
BRAZIL = at("%Y-%m-%d %H:%M:%S", "at - interval 10 hours")


def points(amount: str) -> str:
    """Rupiah with points between the thousands."""
    return f"replace(format('{{:,}}', {amount}), ',', '.')"


def select(columns: Mapping[str, str], aside: str = "", source: str = "lines") -> str:
    """A SELECT under a system's headers; `aside` are those that Setia does not read."""
    rest = {name: "'Jl. Merdeka 17'" if n % 3 == 0 else "null" for n, name in enumerate(aside.split("|")) if name}
    return f"select {', '.join(f'{sql} as "{name}"' for name, sql in {**columns, **rest}.items())} from {source}"


def zeros(*names: str) -> dict[str, str]:
    """Columns that hold nothing but noughts."""
    return dict.fromkeys(names, "0")


# Setia's own layout.

OWN_AT, OWN_LATER = at("%Y-%m-%dT%H:%M:%S+07:00"), at("%Y-%m-%dT%H:%M:%S+07:00", "back_at")
NATIVE = Format("Setia's own layout", {
    "orders.csv": select({"order_id": "number", "customer_id": "email", "placed_at": OWN_AT, "total": "total",
        "shipping": "shipping", "cancelled_at": f"if(cancelled, {OWN_AT}, null)"}, source="lines where first"),
    "order_lines.csv": select({"order_id": "number", "line": "line", "customer_id": "email", "product_id": "sku",
        "quantity": "units", "unit_price": "price", "amount": "amount", "placed_at": OWN_AT}),
    "returns.csv": select({"return_id": "'C' || number", "order_id": "number", "customer_id": "email",
        "product_id": "sku", "quantity": "units", "amount": "amount", "returned_at": OWN_LATER},
        source="lines where returned"),
    "customers.csv": "select distinct email as customer_id, email, name, city from lines",
    "products.csv": "select distinct sku as product_id, product as name, category from lines",
})  # fmt: skip

# Shops.

_SHOPIFY_ONCE = {
    "Email": "email", "Financial Status": "if(refund > 0, 'partially_refunded', 'paid')", "Paid at": at("%Y-%m-%d %H:%M:%S +0700"),
    "Fulfillment Status": "'fulfilled'", "Currency": "'IDR'", "Subtotal": "goods || '.00'",
    "Shipping": "shipping || '.00'", "Taxes": "'0.00'", "Total": "total || '.00'", "Discount Amount": "'0.00'",
    "Created at": at("%Y-%m-%d %H:%M:%S +0700"), "Billing Name": "name", "Billing City": "city",
    "Billing Country": "'ID'", "Billing Phone": "phone", "Shipping Name": "name", "Shipping City": "city",
    "Shipping Country": "'ID'", "Cancelled at": f"if(cancelled, {at('%Y-%m-%d %H:%M:%S +0700')}, null)",
    "Payment Method": "'Bank Deposit'", "Refunded Amount": "refund || '.00'", "Source": "'web'", "Tags": "null",
    "Fulfilled at": "null", "Discount Code": "null", "Phone": "null", "Duties": "null",
}  # fmt: skip
SHOPIFY = Format("Shopify, spread over rows", {"orders_export.csv": select({
    "Name": "'#' || number", **{name: f"if(first, {sql}, null)" for name, sql in _SHOPIFY_ONCE.items()},
    "Lineitem quantity": "units", "Lineitem name": "product", "Lineitem price": "price || '.00'", "Lineitem sku": "sku",
    "Lineitem discount": "'0.00'"},
    "Accepts Marketing|Shipping Method|Lineitem compare at price|Lineitem requires shipping|Lineitem taxable|"
    "Lineitem fulfillment status|Billing Street|Billing Address1|Billing Address2|Billing Company|Billing Zip|"
    "Billing Province|Shipping Street|Shipping Address1|Shipping Address2|Shipping Company|Shipping Zip|"
    "Shipping Province|Shipping Phone|Notes|Note Attributes|Payment Reference|Vendor|Outstanding Balance|Employee|"
    "Location|Device ID|Id|Risk Level|Tax 1 Name|Tax 1 Value|Tax 2 Name|Tax 2 Value|Tax 3 Name|Tax 3 Value|Tax 4 Name|"
    "Tax 4 Value|Tax 5 Name|Tax 5 Value|Receipt Number|Billing Province Name|Shipping Province Name|Payment ID|"
    "Payment Terms Name|Next Payment Due At|Payment References")})  # fmt: skip

ADVANCED = Format("WooCommerce, Advanced Order Export", {"orders.csv": select({
    "Order Number": "number", "Order Status": "if(cancelled, 'Cancelled', 'Completed')", "Order Date": MINUTES,
    "Paid Date": MINUTES, "First Name (Billing)": "given", "Last Name (Billing)": "family", "City (Billing)": "city",
    "Country Code (Billing)": "'ID'", "Email (Billing)": "email", "Phone (Billing)": "phone", "Coupon Code": "null",
    **zeros("Cart Discount Amount", "Order Total Tax Amount"), "Order Shipping Amount": "shipping",
    "Order Refund Amount": "refund", "Order Total Amount": "total", "SKU": "sku", "Item Name": "product",
    "Category": "category", "Quantity": "units", "Item Cost": "price", "Order Line Total": "amount",
    "Quantity (- Refund)": "if(returned, 0, units)", "Order Line Total Refunded": "if(returned, amount, 0)",
    "Date of first refund": f"if(refund > 0, {at('%Y-%m-%d %H:%M', 'back_at')}, null)"},
    "Customer Note|Company (Billing)|Address 1&2 (Billing)|State Code (Billing)|Postcode (Billing)|"
    "First Name (Shipping)|Last Name (Shipping)|Address 1&2 (Shipping)|City (Shipping)|State Code (Shipping)|"
    "Postcode (Shipping)|Country Code (Shipping)|Payment Method Title|Order Subtotal Amount|Shipping Method Title|"
    "Item #|Discount Amount|Discount Amount Tax")})  # fmt: skip

_ITEM = ("'name:' || product || '|product_id:' || p || '|sku:' || sku || '|quantity:' || units || '|total:' || amount "
         "|| '|sub_total:' || amount || if(returned, '|refunded:' || amount || '|refunded_qty:' || units, '')")  # fmt: skip
_REFUND = "'amount:' || refund || '|reason:|date:' || strftime(back_at, '%Y-%m-%d %H:%M:%S')"
WEBTOFFEE = Format("WooCommerce, WebToffee, a row per order", {"order_export.csv": select({
    "order_id": "number", "order_number": "number", "order_date": ISO, "paid_date": ISO,
    "status": "if(cancelled, 'cancelled', 'completed')", "shipping_total": "shipping",
    **zeros("tax_total", "cart_discount", "discount_total"), "order_total": "total", "order_currency": "'IDR'",
    "customer_id": "c", "customer_user": "c", "customer_email": "email", "billing_first_name": "given",
    "billing_last_name": "family", "billing_email": "email", "billing_phone": "phone", "billing_city": "city",
    "billing_country": "'ID'", "coupon_items": "null", "refund_items": f"if(refund > 0, {_REFUND}, null)",
    **{f"line_item_{n}": f"item_{n}" for n in range(1, 6)}},
    "shipping_tax_total|fee_total|fee_tax_total|order_discount|order_subtotal|order_key|payment_method|"
    "payment_method_title|transaction_id|customer_ip_address|customer_user_agent|shipping_method|billing_company|"
    "billing_address_1|billing_address_2|billing_postcode|billing_state|shipping_first_name|shipping_last_name|"
    "shipping_company|shipping_phone|shipping_address_1|shipping_address_2|shipping_postcode|shipping_city|"
    "shipping_state|shipping_country|customer_note|wt_import_key|shipping_items|fee_items|tax_items|order_notes|"
    "download_permissions",
    "(select * from lines where first) join (select o, "
    + ", ".join(f"max({_ITEM}) filter (line = {n}) as item_{n}" for n in range(1, 6))
    + " from lines group by o) using (o) order by o")})  # fmt: skip

# Marketplaces.

SHOPEE = Format("Shopee", {"Order.all.csv": select({
    "No. Pesanan": "'24' || number", "Status Pesanan": "if(cancelled, 'Batal', 'Selesai')",
    "Alasan Pembatalan": "if(cancelled, 'Dibatalkan oleh pembeli', null)",
    "Waktu Pesanan Dibuat": MINUTES, "Waktu Pembayaran Dilakukan": MINUTES, "Waktu Pengiriman Diatur": MINUTES,
    "SKU Induk": "sku", "Nama Produk": "product", "Nomor Referensi SKU": "sku", "Harga Setelah Diskon": points("price"),
    "Jumlah": "units", "Returned quantity": "if(returned, units, 0)", "Kode Voucher": "null",
    **zeros("Diskon Dari Penjual", "Diskon Dari Shopee", "Voucher Ditanggung Penjual", "Voucher Ditanggung Shopee",
        "Paket Diskon (Diskon dari Shopee)", "Paket Diskon (Diskon dari Penjual)", "Potongan Koin Shopee",
        "Diskon Kartu Kredit"),
    "Ongkos Kirim Dibayar oleh Pembeli": points("shipping"), "Total Pembayaran": points("total"),
    "Username (Pembeli)": "buyer", "Nama Penerima": "name", "No. Telepon": "phone", "Kota/Kabupaten": "city",
    "Waktu Pesanan Selesai": f"if(cancelled, null, {at('%Y-%m-%d %H:%M', 'back_at')})"},
    "Status Pembatalan/ Pengembalian|No. Resi|Opsi Pengiriman|Antar ke counter/ pick-up|Metode Pembayaran|"
    "Pesanan Harus Dikirimkan Sebelum (Menghindari keterlambatan)|Nama Variasi|Harga Awal|Total Harga Produk|"
    "Total Diskon|Berat Produk|Jumlah Produk di Pesan|Total Berat|Cashback Koin|Paket Diskon|"
    "Estimasi Potongan Biaya Pengiriman|Ongkos Kirim Pengembalian Barang|Perkiraan Ongkos Kirim|Catatan dari Pembeli|"
    "Catatan|Alamat Pengiriman|Provinsi")})  # fmt: skip

_DAY_FIRST = f"{at('%d/%m/%Y %H:%M:%S')} || chr(9)"
TIKTOK = Format("TikTok Shop", {"orders.csv": "select 'Platform unique order ID.' as \"Order ID\" union all by name " + select({
    "Order ID": "(583870900000000000 + number) || chr(9)", "Order Status": "if(cancelled, 'Dibatalkan', 'Selesai')",
    "Order Substatus": "if(cancelled, 'Dibatalkan', 'Selesai')",
    "Cancelation/Return Type": "case when cancelled then 'Cancel' when refund > 0 then 'Return/Refund' end",
    "SKU ID": "(1735474415948900000 + p) || chr(9)", "Seller SKU": "sku", "Product Name": "product",
    "Quantity": "units", "Sku Quantity of return": "if(returned, units, 0)", "SKU Unit Original Price": "price",
    "SKU Subtotal Before Discount": "amount", **zeros("SKU Platform Discount", "SKU Seller Discount"),
    "Shipping Fee After Discount": "shipping", "Order Refund Amount": "refund",
    **zeros("Distance Shipping Fee", "Distance Fee", "Payment platform discount", "Buyer Service Fee", "Handling Fee",
        "Shipping Insurance", "Item Insurance"),
    "Order Amount": "total", "Created Time": _DAY_FIRST, "Paid Time": _DAY_FIRST,
    "Shipped Time": f"if(cancelled, null, {_DAY_FIRST})", "Delivered Time": f"if(cancelled, null, {_DAY_FIRST})",
    "Cancelled Time": f"if(cancelled, {_DAY_FIRST}, null)", "Cancel Reason": "null", "Buyer Username": "buyer",
    "Recipient": "name", "Phone #": "phone", "Country": "'Indonesia'", "Regency and City": "city",
    "Product Category": "category", "Purchase Channel": "'TikTok'"},
    "Normal or Pre-order|Variation|SKU Subtotal After Discount|Original Shipping Fee|Shipping Fee Seller Discount|"
    "Shipping Fee Platform Discount|RTS Time|Cancel By|Fulfillment Type|Warehouse Name|Tracking ID|Delivery Option|"
    "Shipping Provider Name|Buyer Message|Zipcode|Province|Districts|Villages|Detail Address|"
    "Additional address information|Payment Method|Weight(kg)|Package ID|Seller Note|Checked Status|Checked Marked by|"
    "Tokopedia Invoice Number")})  # fmt: skip

TOKOPEDIA = Format("Tokopedia, sales report", {"report.csv": select({
    "Nomor Invoice": "'INV/' || number", "Tanggal Pembayaran": at("%d-%m-%Y %H:%M:%S"),
    "Status Terakhir": "if(cancelled, 'Dibatalkan oleh pembeli', 'Pesanan Selesai')",
    "Tanggal Pesanan Dibatalkan": f"if(cancelled, {at('%d-%m-%Y')}, null)",
    "Waktu Pesanan Dibatalkan": f"if(cancelled, {at('%H:%M:%S')}, null)", "Nama Produk": "product", "Nomor SKU": "sku",
    "Jumlah Produk Dibeli": "units", "Harga Jual (IDR)": "price", "Kode Kupon Toko Yang Digunakan": "null",
    **zeros("Diskon Produk (IDR)", "Jumlah Subsidi Tokopedia (IDR)", "Nilai Kupon Toko Terpakai (IDR)"),
    **{name: f"if(first, {sql}, null)" for name, sql in {"Biaya Pengiriman Tunai (IDR)": "shipping",
        "Biaya Asuransi Pengiriman (IDR)": "0", "Total Biaya Pengiriman (IDR)": "shipping",
        "Total Penjualan (IDR)": "total"}.items()},
    "Nama Pembeli": "name", "No Telp Pembeli": "phone", "Kota": "city", "Jumlah Produk Yang Dikurangkan": "0",
    **zeros("Total Pengurangan (IDR)", "Diskon Penawaran Terpakai (IDR)")},
    "Nomor|Tanggal Pesanan Selesai|Waktu Pesanan Selesai|Tipe Produk|Catatan Produk Pembeli|Catatan Produk Penjual|"
    "Harga Awal (IDR)|Harga Satuan Bundling (IDR)|Jenis Kupon Toko Terpakai|Nama Penerima|No Telp Penerima|"
    "Alamat Pengiriman|Provinsi|Nama Kurir|Tipe Pengiriman (regular, same day, etc)|No Resi / Kode Booking|"
    "Tanggal Pengiriman Barang|Waktu Pengiriman Barang|Gudang Pengiriman|Nama Campaign|Nama Bundling|"
    "Tipe Bebas Ongkir (Bebas Ongkir, Bebas Ongkir DT)|COD|Nama Penawaran Terpakai|Tingkatan Promosi Terpakai")},
    lacks=("returned",))  # fmt: skip

LAZADA = Format("Lazada, a row per unit", {"orders.csv": select({
    "orderItemId": "number || '90' || line || unit", "sellerSku": "sku", "lazadaSku": "'L' || p",
    "createTime": at("%d %b %Y %H:%M"), "updateTime": at("%d %b %Y %H:%M", "if(cancelled, at, back_at)"),
    "orderNumber": "number", "deliveredDate": f"if(cancelled, null, {at('%d %b %Y %H:%M')})",
    "customerName": "name", "customerEmail": "email", "shippingName": "name", "shippingPhone": "phone",
    "billingPhone": "phone", "shippingCity": "city", "shippingCountry": "'Indonesia'", "paidPrice": "price || '.00'",
    "unitPrice": "price || '.00'", "sellerDiscountTotal": "'0.00'",
    "shippingFee": "if(first and unit = 0, shipping, 0) || '.00'", "itemName": "product",
    "status": "case when cancelled then 'canceled' when returned then 'returned' else 'delivered' end",
    "buyerFailedDeliveryReturnInitiator": "null", "refundAmount": "null"},
    "orderType|Guarantee|deliveryType|lazadaId|wareHouse|rtsSla|ttsSla|invoiceRequired|invoiceNumber|"
    "nationalRegistrationNumber|shippingAddress|shippingAddress2|shippingAddress3|shippingAddress4|shippingAddress5|"
    "shippingPhone2|shippingPostCode|shippingRegion|billingName|billingAddr|billingAddr2|billingAddr3|billingAddr4|"
    "billingAddr5|billingPhone2|billingCity|billingPostCode|billingCountry|taxCode|branchNumber|taxInvoiceRequested|"
    "payMethod|walletCredit|variation|cdShippingProvider|shippingProvider|shipmentTypeName|shippingProviderType|"
    "cdTrackingCode|trackingCode|trackingUrl|shippingProviderFM|trackingCodeFM|trackingUrlFM|promisedShippingTime|"
    "premium|buyerFailedDeliveryReason|buyerFailedDeliveryDetail|buyerFailedDeliveryUserName|bundleId|semiManaged|"
    "flexibleDeliveryTime|bundleDiscount|sellerNote",
    "(select *, unnest(range(units)) as unit from lines)")}, lacks=("lines",), options=", delim ';'")  # fmt: skip
