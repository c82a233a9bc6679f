"""How long the import of each file format takes, and how much memory, beside a plain CSV of the same facts.

    python benchmarks/formats.py --lines 1000000 --runs 3 [--only shopee,json] [--work bench-work]

Makes one seeded set of order lines (about three an order, 24 months, 3 % of the orders cancelled, the first line of 5 %
sent back, whole rupiah) and writes the same facts as a plain CSV, a row per line; as the exports of the systems that
Setia reads, as wide as they are, a third of the columns that Setia leaves aside filled; and as the plain table in other
containers. Customers, consents, events, costs and subscriptions are files of as many rows as there are lines.

Each goes into a fresh shop, its PostgreSQL already running, in a process of its own, right after the plain CSV: a ratio
is that of two runs side by side, by line where a sheet of Excel is too short. What the shop then holds must be what the
generator knows, or the script stops. Times are of the whole process and those it starts. Memory is the highest resident
set of the process, and beside it of the one that reads a workbook for it; not PostgreSQL's. Made files are kept.
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
from setia.warehouse.duck import quoted

Duck = duckdb.DuckDBPyConnection
EXCEL_ROWS = 1_048_575

# To `getrusage` a new process begins with the highest resident set of the one that starts it; `VmHWM` is its own. A
# child of the import counts where it is higher than those that opened the shop.
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
            timestamp '2024-01-01' + to_minutes((o * (730 * 1440.0) / {orders})::bigint) as placed
        from range({orders}) orders(o)
    ), each as (select *, unnest(range(1, n::bigint + 1)) as line from drawn),
    filled as (
        select *, hash(o, line, 6) % 2000 as p, (1 + hash(o, line, 7) % 3)::bigint as units,
            ((10 + hash(p, 8) % 300) * 1000)::bigint as price, units * price as amount
        from each)
    select * exclude (sent_back), line = 1 as first, sent_back and first as returned, 100000 + o as number,
        'pembeli' || c as buyer, buyer || '@example.com' as email, '62812' || lpad(c::varchar, 8, '0') as phone,
        ['Siti', 'Budi', 'Zoë', 'André', 'Dewi'][1 + (hash(c, 9) % 5)::bigint] as given, 'Rahma ' || c as family,
        given || ' ' || family as name, ['Bandung', 'Jakarta', 'Medan'][1 + (hash(c, 10) % 3)::bigint] as city,
        'SKU-' || p as sku, 'Kopi ' || md5(p::varchar)[:12] || ' 250 g' as product, 'Kopi ' || p % 9 as category,
        sum(amount) over (partition by o)::bigint as goods, goods + shipping as total, placed + interval 14 days as back_at,
        (sum(if(returned, amount, 0)) over (partition by o))::bigint as refund, number || '-' || line as id
    from filled order by o, line"""
LOG = """create table log as
    select o, number::varchar as order_number, placed as order_date, email as customer_email, name as customer_name, city,
        sku, product as product_name, category, units as quantity, price as unit_price, shipping,
        if(cancelled, 'cancelled', 'completed') as status
    from lines union all
    select o, 'C' || number, back_at, email, name, city, sku, product, category, -units, price, 0, 'completed'
    from lines where returned order by order_date, order_number"""
# The first order that does not fit on a sheet.
CUT = f"""set variable cut = (select coalesce(min(o), 1::bigint << 60)
    from (select o, row_number() over (order by o) as n from log) where n > {EXCEL_ROWS})"""

KNOWN = """select count(*) filter (first) as orders, count(distinct c) as customers,
    sum(total) filter (first) as total, sum(epoch(placed - interval 7 hours)::bigint) filter (first) as moments,
    count(*) as lines, sum(units) as units, sum(amount) as goods, sum(refund) filter (first) as returned
    from lines where not cancelled"""
HELD = """with counting as (select * from orders where cancelled_at is null),
    l as (select * from order_lines semi join counting using (order_id))
    select count(*) as orders, count(distinct customer_id) as customers, sum(total) as total,
        sum(epoch(placed_at)::bigint) as moments, (select count(*) from l) as lines,
        (select sum(quantity) from l) as units, (select sum(amount) from l) as goods,
        (select coalesce(sum(amount), 0) from returns) as returned
    from counting"""


@dataclass(frozen=True)
class Format:
    """The files of one format, and what the shop must hold of them."""

    title: str
    files: Mapping[str, str | Callable[[Duck, Path], None]]
    """Name to a SELECT, or to what writes the file."""
    lacks: tuple[str, ...] = ()
    """Figures that the format cannot tell."""
    known: str = KNOWN
    held: str = HELD
    options: str = "format csv, header"
    """Of DuckDB's COPY."""


def at(style: str, moment: str = "placed") -> str:
    """A moment as a system writes it."""
    return f"strftime({moment}, '{style}')"


ISO, MINUTES, TAB_BEHIND = at("%Y-%m-%d %H:%M:%S"), at("%Y-%m-%d %H:%M"), at("%d/%m/%Y %H:%M:%S") + " || chr(9)"
OWN, JAKARTA = at("%Y-%m-%dT%H:%M:%S+07:00"), at("%Y-%m-%d %H:%M:%S +0700")
UTC, BRAZIL = (at("%Y-%m-%d %H:%M:%S", f"placed - interval {hours} hours") for hours in (7, 10))


def points(amount: str) -> str:
    """Rupiah with points between the thousands."""
    return f"replace(format('{{:,}}', {amount}), ',', '.')"


def only(when: str, columns: Mapping[str, str]) -> dict[str, str]:
    """Columns that are empty elsewhere."""
    return {name: f"if({when}, {sql}, null)" for name, sql in columns.items()}


def zeros(*names: str) -> dict[str, str]:
    """Columns that hold nothing but noughts."""
    return dict.fromkeys(names, "0")


def select(columns: Mapping[str, str], width: int = 0, source: str = "lines") -> str:
    """A SELECT under a system's headers, as wide as its file is with the columns that Setia does not read."""
    rest = {f"Aside {n}": "null" if n % 3 else "'Jl. Merdeka 17'" for n in range(len(columns), width)}
    named = ", ".join(f"{sql} as {quoted(name)}" for name, sql in {**columns, **rest}.items())
    return f"select {named} from {source}"


# Setia's own layout, and shops.

NATIVE = Format("Setia's own layout", {
    "orders.csv": select({"order_id": "number", "customer_id": "email", "placed_at": OWN, "total": "total",
        "shipping": "shipping", **only("cancelled", {"cancelled_at": OWN})}, source="lines where first"),
    "order_lines.csv": select({"order_id": "number", "line": "line", "customer_id": "email", "product_id": "sku",
        "quantity": "units", "unit_price": "price", "amount": "amount", "placed_at": OWN}),
    "returns.csv": select({"return_id": "'C' || number", "order_id": "number", "customer_id": "email",
        "product_id": "sku", "quantity": "units", "amount": "amount",
        "returned_at": at("%Y-%m-%dT%H:%M:%S+07:00", "back_at")}, source="lines where returned"),
    "customers.csv": "select distinct email as customer_id, email, name, city from lines",
    "products.csv": "select distinct sku as product_id, product as name, category from lines",
})  # fmt: skip

SHOPIFY = Format("Shopify, spread over rows", {"orders_export.csv": select({
    "Name": "'#' || number", **only("first", {
        "Email": "email", "Financial Status": "if(refund > 0, 'partially_refunded', 'paid')", "Paid at": JAKARTA,
        "Fulfillment Status": "'fulfilled'", "Currency": "'IDR'", "Subtotal": "goods || '.00'",
        "Shipping": "shipping || '.00'", "Taxes": "'0.00'", "Total": "total || '.00'", "Discount Amount": "'0.00'",
        "Created at": JAKARTA, "Billing Name": "name", "Billing City": "city", "Billing Country": "'ID'",
        "Billing Phone": "phone", "Shipping Name": "name", "Shipping City": "city", "Shipping Country": "'ID'",
        "Payment Method": "'Bank Deposit'", "Refunded Amount": "refund || '.00'", "Source": "'web'"}),
    **only("first and cancelled", {"Cancelled at": JAKARTA}), "Lineitem quantity": "units", "Lineitem name": "product",
    "Lineitem price": "price || '.00'", "Lineitem sku": "sku", "Lineitem discount": "'0.00'"}, width=79)})  # fmt: skip

ADVANCED = Format("WooCommerce, Advanced Order Export", {"orders.csv": select({
    "Order Number": "number", "Order Status": "if(cancelled, 'Cancelled', 'Completed')", "Order Date": MINUTES,
    "Paid Date": MINUTES, "First Name (Billing)": "given", "Last Name (Billing)": "family", "City (Billing)": "city",
    "Country Code (Billing)": "'ID'", "Email (Billing)": "email", "Phone (Billing)": "phone",
    **zeros("Cart Discount Amount", "Order Total Tax Amount"), "Order Shipping Amount": "shipping",
    "Order Refund Amount": "refund", "Order Total Amount": "total", "SKU": "sku", "Item Name": "product",
    "Quantity": "units", "Item Cost": "price", "Order Line Total": "amount",
    "Quantity (- Refund)": "if(returned, 0, units)", "Order Line Total Refunded": "if(returned, amount, 0)",
    **only("refund > 0", {"Date of first refund": at("%Y-%m-%d %H:%M", "back_at")})}, width=42)})  # fmt: skip

_ITEM = ("'name:' || product || '|product_id:' || p || '|sku:' || sku || '|quantity:' || units || '|total:' || amount "
         "|| '|sub_total:' || amount || if(returned, '|refunded:' || amount || '|refunded_qty:' || units, '')"
)  # fmt: skip
_REFUND = "'amount:' || refund || '|reason:|date:' || strftime(back_at, '%Y-%m-%d %H:%M:%S')"
_ITEMS = ", ".join(f"max({_ITEM}) filter (line = {n}) as item_{n}" for n in range(1, 6))
WEBTOFFEE = Format("WooCommerce, WebToffee, a row per order", {"order_export.csv": select({
    "order_id": "number", "order_number": "number", "order_date": ISO, "paid_date": ISO,
    "status": "if(cancelled, 'cancelled', 'completed')", "shipping_total": "shipping",
    **zeros("tax_total", "cart_discount", "discount_total"), "order_total": "total", "order_currency": "'IDR'",
    "customer_id": "c", "customer_email": "email", "billing_first_name": "given", "billing_last_name": "family",
    "billing_email": "email", "billing_phone": "phone", "billing_city": "city", "billing_country": "'ID'",
    **only("refund > 0", {"refund_items": _REFUND}), **{f"line_item_{n}": f"item_{n}" for n in range(1, 6)}}, 61,
    f"(select * from lines where first) join (select o, {_ITEMS} from lines group by o) using (o) order by o",
)})  # fmt: skip

# Marketplaces.

SHOPEE = Format("Shopee", {"Order.all.csv": select({
    "No. Pesanan": "'24' || number", "Status Pesanan": "if(cancelled, 'Batal', 'Selesai')",
    **only("cancelled", {"Alasan Pembatalan": "'Dibatalkan oleh pembeli'"}), "Waktu Pesanan Dibuat": MINUTES,
    "Waktu Pembayaran Dilakukan": MINUTES, "Waktu Pengiriman Diatur": MINUTES, "SKU Induk": "sku",
    "Nama Produk": "product", "Nomor Referensi SKU": "sku", "Harga Setelah Diskon": points("price"),
    "Jumlah": "units", "Returned quantity": "if(returned, units, 0)",
    **zeros("Diskon Dari Penjual", "Diskon Dari Shopee", "Voucher Ditanggung Penjual", "Voucher Ditanggung Shopee",
        "Paket Diskon (Diskon dari Shopee)", "Paket Diskon (Diskon dari Penjual)", "Potongan Koin Shopee",
        "Diskon Kartu Kredit"),
    "Ongkos Kirim Dibayar oleh Pembeli": points("shipping"), "Total Pembayaran": points("total"),
    "Username (Pembeli)": "buyer", "Nama Penerima": "name", "No. Telepon": "phone", "Kota/Kabupaten": "city",
    **only("not cancelled", {"Waktu Pesanan Selesai": at("%Y-%m-%d %H:%M", "back_at")})}, width=49)})  # fmt: skip

_STATE = "if(cancelled, 'Dibatalkan', 'Selesai')"
_TIKTOK = select({
    "Order ID": "(583870900000000000 + number) || chr(9)", "Order Status": _STATE, "Order Substatus": _STATE,
    "Cancelation/Return Type": "case when cancelled then 'Cancel' when refund > 0 then 'Return/Refund' end",
    "SKU ID": "(1735474415948900000 + p) || chr(9)", "Seller SKU": "sku", "Product Name": "product",
    "Quantity": "units", "Sku Quantity of return": "if(returned, units, 0)", "SKU Unit Original Price": "price",
    "SKU Subtotal Before Discount": "amount", **zeros("SKU Platform Discount", "SKU Seller Discount"),
    "Shipping Fee After Discount": "shipping", "Order Refund Amount": "refund",
    **zeros("Distance Shipping Fee", "Distance Fee", "Payment platform discount", "Buyer Service Fee", "Handling Fee",
        "Shipping Insurance", "Item Insurance"),
    "Order Amount": "total", "Created Time": TAB_BEHIND, "Paid Time": TAB_BEHIND,
    **only("not cancelled", {"Shipped Time": TAB_BEHIND, "Delivered Time": TAB_BEHIND}),
    **only("cancelled", {"Cancelled Time": TAB_BEHIND}), "Buyer Username": "buyer", "Recipient": "name",
    "Phone #": "phone", "Country": "'Indonesia'", "Regency and City": "city", "Product Category": "category",
    "Purchase Channel": "'TikTok'"}, width=63)  # fmt: skip
_EXPLAINED = "select 'Platform unique order ID.' as \"Order ID\" union all by name"
TIKTOK = Format("TikTok Shop", {"orders.csv": f"{_EXPLAINED} {_TIKTOK}"})

TOKOPEDIA = Format("Tokopedia, sales report", {"report.csv": select({
    "Nomor Invoice": "'INV/' || number", "Tanggal Pembayaran": at("%d-%m-%Y %H:%M:%S"),
    "Status Terakhir": "if(cancelled, 'Dibatalkan oleh pembeli', 'Pesanan Selesai')",
    **only("cancelled", {"Tanggal Pesanan Dibatalkan": at("%d-%m-%Y"), "Waktu Pesanan Dibatalkan": at("%H:%M:%S")}),
    "Nama Produk": "product", "Nomor SKU": "sku", "Jumlah Produk Dibeli": "units", "Harga Jual (IDR)": "price",
    **zeros("Diskon Produk (IDR)", "Jumlah Subsidi Tokopedia (IDR)", "Nilai Kupon Toko Terpakai (IDR)"),
    **only("first", {"Biaya Pengiriman Tunai (IDR)": "shipping", "Biaya Asuransi Pengiriman (IDR)": "0",
        "Total Biaya Pengiriman (IDR)": "shipping", "Total Penjualan (IDR)": "total"}),
    "Nama Pembeli": "name", "No Telp Pembeli": "phone", "Kota": "city",
    **zeros("Jumlah Produk Yang Dikurangkan", "Total Pengurangan (IDR)", "Diskon Penawaran Terpakai (IDR)"),
    }, width=48)}, lacks=("returned",))  # fmt: skip

LAZADA = Format("Lazada, a row per unit", {"orders.csv": select({
    "orderItemId": "number || '90' || line || unit", "sellerSku": "sku", "lazadaSku": "'L' || p",
    "createTime": at("%d %b %Y %H:%M"), "updateTime": at("%d %b %Y %H:%M", "if(cancelled, placed, back_at)"),
    "orderNumber": "number", **only("not cancelled", {"deliveredDate": at("%d %b %Y %H:%M")}),
    "customerName": "name", "customerEmail": "email", "shippingName": "name", "shippingPhone": "phone",
    "billingPhone": "phone", "shippingCity": "city", "shippingCountry": "'Indonesia'", "itemName": "product",
    "paidPrice": "price || '.00'", "unitPrice": "price || '.00'", "sellerDiscountTotal": "'0.00'",
    "shippingFee": "if(first and unit = 0, shipping, 0) || '.00'",
    "status": "case when cancelled then 'canceled' when returned then 'returned' else 'delivered' end",
    }, 76, "(select *, unnest(range(units)) as unit from lines)")}, lacks=("lines",), options="header, delim ';'")  # fmt: skip

OLIST = Format("Olist's set", {
    "olist_orders_dataset.csv": select({"order_id": "number", "customer_id": "'c' || number",
        "order_status": "if(cancelled, 'canceled', 'delivered')", "order_purchase_timestamp": BRAZIL,
        "order_approved_at": BRAZIL}, 8, "lines where first"),
    "olist_order_items_dataset.csv": select({"order_id": "number", "order_item_id": "row_number() over (partition by o)",
        "product_id": "sku", "price": "price || '.00'",
        "freight_value": "if(first and unit = 0, shipping, 0) || '.00'"}, 7,
        "(select *, unnest(range(units)) as unit from lines)"),
    "olist_order_payments_dataset.csv": select({"order_id": "number", "payment_sequential": "1",
        "payment_value": "total || '.00'"}, 5, "lines where first"),
    "olist_customers_dataset.csv": select({"customer_id": "'c' || number", "customer_unique_id": "buyer",
        "customer_city": "city"}, 5, "lines where first"),
    "olist_products_dataset.csv": select({"product_id": "sku", "product_category_name": "category"}, 9,
        "(select distinct sku, category from lines)"),
    }, lacks=("lines", "returned"))  # fmt: skip

# Payments.

_SQUARE = {"Date": at("%Y-%m-%d"), "Time": at("%H:%M:%S"), "Time Zone": "'Jakarta'", "Transaction ID": "'T' || number",
    "Payment ID": "if(back, 'R', 'P') || number", "Event Type": "if(back, 'Refund', 'Payment')",
    "Customer ID": "buyer", "Customer Name": "name"}  # fmt: skip
_PAID = """(select *, false as back, total as taken, amount as net from lines where not cancelled {first}
    union all select * replace (back_at as placed), true, -amount, -amount from lines where returned)"""
SQUARE = Format("Square, transactions and items", {
    "transactions.csv": select({**_SQUARE, "Total Collected": "taken || '.00'", "Source": "'Point of Sale'",
        **zeros("Discounts", "Gift Card Sales", "Tax", "Tip"), "Transaction Status": "'Complete'"}, 55,
        _PAID.format(first="and first")),
    "items.csv": select({**_SQUARE, "Category": "category", "Item": "product", "Price Point Name": "'Regular'",
        "SKU": "sku", "Qty": "if(back, -units, units)", "Gross Sales": "net || '.00'", "Net Sales": "net || '.00'",
        **zeros("Discounts", "Tax"), "Itemization Type": "'Physical Good'"}, 35, _PAID.format(first="")),
    })  # fmt: skip
STRIPE = Format("Stripe, payments", {"payments.csv": select({
    "id": "'ch_' || number", "Created date (UTC)": UTC, "Amount": "total || '.00'", "Amount Refunded": "refund || '.00'",
    "Currency": "'idr'", "Captured": "'true'", "Converted Amount": "total || '.00'",
    "Converted Amount Refunded": "refund || '.00'", "Converted Currency": "'idr'",
    "Status": "if(cancelled, 'Failed', 'Paid')", "Customer ID": "'cus_' || c", "Customer Email": "email"}, 23,
    "lines where first")}, lacks=("lines", "units", "goods"))  # fmt: skip

# The plain table in other containers, and other tables.


def gzipped(_: Duck, file: Path) -> None:
    """The plain CSV, packed."""
    with (file.parents[1] / "csv/log.csv").open("rb") as plain, gzip.open(file, "wb") as packed:
        shutil.copyfileobj(plain, packed)


def zipped(_: Duck, file: Path) -> None:
    """The plain CSV in a zip file."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(file.parents[1] / "csv/log.csv", "log.csv")


def in_cp1252(_: Duck, file: Path) -> None:
    """The plain CSV in the letters of Western Windows."""
    plain = (file.parents[1] / "csv/log.csv").open(encoding="utf-8", newline="")
    with plain, file.open("w", encoding="cp1252", newline="") as other:
        shutil.copyfileobj(plain, other)


def workbook(duck: Duck, file: Path) -> None:
    """The plain table as an Excel file with typed cells, as far as a sheet reaches."""
    import openpyxl

    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("Orders")
    rows = duck.execute(f"{PLAIN} where o < getvariable('cut')")
    sheet.append([column[0] for column in rows.description or []])
    while batch := rows.fetchmany(10_000):
        for row in batch:
            sheet.append(row)
    book.save(file)


def table(title: str, name: str, moment: str, file: str, columns: Mapping[str, str], **more: Any) -> Format:
    """A file of one fact table, a row for each order line."""
    amount = "sum(amount)" if name in ("costs", "subscriptions") else "0"
    figures = f"select count(*) as rows, sum(epoch({{}})::bigint) as moments, {amount} as amount from"
    known, held = figures.format("placed - interval 7 hours") + " lines", figures.format(moment) + f" {name}"
    return Format(title, {file: select(columns, more.pop("width", 0))}, known=known, held=held, **more)


PLAIN = "select * exclude (o) from log"
_COMMAS = """select * exclude (o) replace (strftime(order_date, '%d %B %Y %H:%M') as order_date,
    replace(unit_price || '.00', '.', ',') as unit_price, shipping || ',00' as shipping) from log"""
_PERSON = {"customer_id": "'K' || id"}
FORMATS = {
    "csv": Format("plain CSV", {"log.csv": PLAIN}), "native": NATIVE, "shopify": SHOPIFY, "woo-advanced": ADVANCED,
    "woo-webtoffee": WEBTOFFEE, "shopee": SHOPEE, "tiktok": TIKTOK, "tokopedia": TOKOPEDIA, "lazada": LAZADA,
    "olist": OLIST, "square": SQUARE, "stripe": STRIPE,
    "gzip": Format("CSV, gzip", {"log.csv.gz": gzipped}), "zip": Format("CSV, zip", {"log.zip": zipped}),
    "cp1252": Format("CSV, Windows-1252", {"log.csv": in_cp1252}),
    "semicolon": Format("semicolons, decimal commas, month names", {"log.csv": _COMMAS}, options="header, delim ';'"),
    "xlsx": Format("Excel", {"log.xlsx": workbook}, known=f"{KNOWN} and o < getvariable('cut')"),
    "jsonl": Format("JSON Lines", {"log.jsonl": PLAIN}, options="format json"),
    "json": Format("JSON array", {"log.json": PLAIN}, options="format json, array true"),
    "parquet": Format("Parquet", {"log.parquet": PLAIN}, options="format parquet"),
    "customers": table("customers, Setia's own", "customers", "created_at", "customers.csv", {**_PERSON,
        "email": "id || email", "phone": "'+' || phone", "name": "name", "city": "city", "created_at": OWN}),
    "mailchimp": table("consents, Mailchimp", "consents", "decided_at", "subscribed_email_audience_export.csv", {
        "Email Address": "id || email", "First Name": "given", "Last Name": "family", "Phone Number": "phone",
        "MEMBER_RATING": "2", "OPTIN_TIME": UTC, "CONFIRM_TIME": UTC, "LAST_CHANGED": UTC, "LEID": "id", "EUID": "id"},
        width=21),
    "segment": table("events, Segment, JSON Lines", "events", "occurred_at", "events.jsonl", {"type": "'track'",
        "messageId": "id", "userId": "email", "anonymousId": "buyer", "event": "'Product Viewed'",
        "timestamp": at("%Y-%m-%dT%H:%M:%S.000Z", "placed - interval 7 hours"), "context": "{'ip': '192.0.2.1'}",
        "properties": "{'product_id': sku, 'price': price}"}, options="format json"),
    "costs": table("costs, Setia's own", "costs", "spent_at", "costs.csv", {"cost_id": "id", "category": "'advertising'",
        "channel": "'web'", "customer_id": "email", "amount": "amount", "spent_at": OWN}),
    "subscriptions": table("subscriptions, Setia's own", "subscriptions", "started_at", "subscriptions.csv", {
        "subscription_id": "id", **_PERSON, "plan": "category", "amount": "amount", "period_months": "1",
        "started_at": OWN}),
}  # fmt: skip


def make(duck: Duck, form: Format, folder: Path) -> list[Path]:
    """The files of a format, written where they are not there yet."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, source in form.files.items():
        draft = folder / f"draft-{name}"
        if (folder / name).exists():
            continue
        if isinstance(source, str):
            duck.execute(f"copy ({source}) to '{draft}' ({form.options})")
        else:
            source(duck, draft)
        draft.rename(folder / name)
    return [folder / name for name in form.files]


def figures(duck: Duck, query: str, lacks: Sequence[str] = ()) -> dict[str, int]:
    """One row of figures by name."""
    found = duck.execute(query)
    names = [column[0] for column in found.description or []]
    return {name: int(value) for name, value in zip(names, found.fetchall()[0], strict=True) if name not in lacks}


def measured(duck: Duck, form: Format, files: Sequence[Path], shop: Path) -> Run:
    """Import files into a fresh shop in a process of its own; stops where the shop holds other figures than known."""
    with fresh_shop(shop):
        start = time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-c", CHILD, str(shop), *map(str, files)], check=True, stdout=subprocess.PIPE, text=True
        )
        seconds, said = time.perf_counter() - start, json.loads(done.stdout.splitlines()[-1])
        with Shop.open(shop) as opened, opened.reading() as reader:
            held = figures(reader.duck, form.held, form.lacks)
    if held != (known := figures(duck, form.known, form.lacks)):
        raise SystemExit(f"{form.title} differs: known {known}, in the shop {held}")
    return Run(seconds, said["processor"], said["bytes"], said)


def told(form: Format, files: Sequence[Path], runs: Sequence[tuple[Run, Run]], share: float) -> str:
    """A row of the table; `share` of the plain table's rows are in the files."""
    ratios = [own.seconds / plain.seconds / share for own, plain in runs]
    processor = median(own.processor / plain.processor / share for own, plain in runs)
    seconds, most = median(own.seconds for own, _ in runs), max(own.bytes for own, _ in runs)
    size, child = sum(file.stat().st_size for file in files), max(own.said["child"] for own, _ in runs)
    range_ = f" ({min(ratios):.2f} to {max(ratios):.2f})" if len(ratios) > 1 else ""
    memory = f"{most / 2**20:,.0f}" + (f" + {child / 2**20:,.0f}" if child else "")
    cells = (f"{size / 2**20:,.1f}", f"{median(ratios):.2f}{range_}", f"{processor:.2f}", f"{seconds:.1f}", memory)
    return f"| {form.title} | {' | '.join(cells)} |"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lines", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--only", default=",".join(FORMATS), help="some of " + ", ".join(FORMATS))
    parser.add_argument("--work", type=Path, default=Path("bench-work"))
    given = parser.parse_args()
    wanted = given.only.split(",")
    if unknown := set(wanted) - FORMATS.keys():
        parser.error(f"--only: {', '.join(sorted(unknown))} is none of {', '.join(FORMATS)}")
    work: Path = given.work.resolve() / f"formats-{given.lines}"
    duck = duckdb.connect()
    for statement in (LINES.format(orders=given.lines // 3, customers=given.lines // 10), LOG, CUT):
        duck.execute(statement)
    all_rows, fitting = duck.execute("select count(*), count(*) filter (o < getvariable('cut')) from log").fetchall()[0]
    files = {name: make(duck, FORMATS[name], work / name) for name in dict.fromkeys(["csv", *wanted])}
    done: dict[str, list[tuple[Run, Run]]] = {name: [] for name in wanted}
    for number in range(given.runs):
        for name in wanted:
            plain = measured(duck, FORMATS["csv"], files["csv"], work / "shop")
            own = plain if name == "csv" else measured(duck, FORMATS[name], files[name], work / "shop")
            done[name].append((own, plain))
            print(f"{number + 1}: {name} {own.seconds:.2f} s, csv {plain.seconds:.2f} s", file=sys.stderr, flush=True)
    known = ", ".join(f"{value:,} {name}" for name, value in figures(duck, KNOWN, ("moments",)).items())
    print(f"{all_rows:,} rows; of orders that count: {known}.\n")
    print("| format | MiB | time ÷ plain CSV | processor ÷ plain CSV | seconds | peak MiB, + child |\n|---|---|---|---|---|---|")
    for name, runs in done.items():
        print(told(FORMATS[name], files[name], runs, fitting / all_rows if name == "xlsx" else 1))


if __name__ == "__main__":
    main()
