"""How long the import of each file format takes, and how much memory, beside a plain CSV of the same facts.

    python benchmarks/formats.py --lines 1000000 --runs 3 [--only shopee,json] [--work bench-work]

Makes one seeded set of order lines (about three an order, 24 months, 3 % of the orders cancelled, the first line of 5 %
sent back, whole rupiah) and writes the same facts as a plain CSV, a row per line; as the exports of the systems that
Setia reads, as wide as they are, a third of the columns that Setia leaves aside filled; and as the plain table in other
containers. Customers, consents, events, costs and subscriptions are files of as many rows as there are lines.

Each goes into a fresh shop, its PostgreSQL already running, in a process of its own; the plain CSV at most a minute
before it, and a ratio is that of the two, by line where a sheet of Excel is too short. What the shop then holds must be
what the generator knows, or the script stops. Times are of the whole process and those it starts. Memory is the highest
resident set of the process, and beside it of the one that reads a workbook for it; not PostgreSQL's. Files are kept.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import duckdb
import openpyxl  # type: ignore[import-untyped]

from importing import Run, fresh_shop
from setia.app import Shop
from setia.warehouse.duck import quoted

Duck = duckdb.DuckDBPyConnection
EXCEL_ROWS, FRESH = 1_048_575, 60  # Rows of a sheet; seconds after which the plain CSV is imported anew.
# To `getrusage` a process begins with the highest set of the one that starts it; `VmHWM` is its own.
CHILD = """
import json, resource, sys
from setia.app import Shop
with Shop.open(sys.argv[1]) as shop:
    others = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    shop.import_files(sys.argv[2:])
own, children = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
highest = next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM"))
child = children.ru_maxrss if children.ru_maxrss > others else 0
processor = sum(each.ru_utime + each.ru_stime for each in (own, children))
print(json.dumps({"bytes": highest * 1024, "child": child * 1024, "processor": processor}))
"""
# Everything about a line follows from the numbers of its order and itself, through seeded hashes.
LINES = """create macro points(x) as replace(format('{{:,}}', x), ',', '.');
    create table lines as with drawn as (
        select o, 1 + hash(o, 1) % 5 as n, hash(o, 2) % 100 < 3 as cancelled, hash(o, 3) % 100 < 5 as sent_back,
            ((hash(o, 4) % 1000000 / 1e6) ** 2 * {customers})::bigint as c, (hash(o, 5) % 3 * 9000)::bigint as shipping,
            timestamp '2024-01-01' + to_minutes((o * (730 * 1440.0) / {orders})::bigint) as placed
        from range({orders}) orders(o)
    ), each as (select *, unnest(range(1, n::bigint + 1)) as line from drawn), filled as (
        select *, hash(o, line, 6) % 2000 as p, (1 + hash(o, line, 7) % 3)::bigint as units,
            ((10 + hash(p, 8) % 300) * 1000)::bigint as price, units * price as amount from each)
    select *, line = 1 as first, 100000 + o as number, sent_back and first and not cancelled as returned,
        'pembeli' || c as buyer, buyer || '@example.com' as email, '62812' || lpad(c::varchar, 8, '0') as phone,
        ['Siti', 'Budi', 'Zoë', 'André', 'Dewi'][1 + (hash(c, 9) % 5)::bigint] as given, 'Rahma ' || c as family,
        given || ' ' || family as name, ['Bandung', 'Jakarta', 'Medan'][1 + (hash(c, 10) % 3)::bigint] as city,
        'SKU-' || p as sku, 'Kopi ' || md5(p::varchar)[:12] || ' 250 g' as product, 'Kopi ' || p % 9 as category,
        number || '-' || line as id, sum(amount) over (partition by o)::bigint as goods, goods + shipping as total,
        (sum(if(returned, amount, 0)) over (partition by o))::bigint as refund, placed + interval 14 days as back_at,
        strftime(placed, '%Y-%m-%d %H:%M:%S') as iso, iso[:16] as minute, replace(iso, ' ', 'T') || '+07:00' as own,
        strftime(placed, '%d/%m/%Y %H:%M:%S') || chr(9) as tabbed, strftime(placed, '%d %b %Y %H:%M') as named
    from filled order by o, line"""
LOG = """create table log as
    select o, number::varchar as order_number, placed as order_date, email as customer_email, name as customer_name,
        city, sku, product as product_name, category, units as quantity, price as unit_price, shipping,
        if(cancelled, 'cancelled', 'completed') as status
    from lines union all
    select o, 'C' || number, back_at, email, name, city, sku, product, category, -units, price, 0, 'completed'
    from lines where returned order by order_date, order_number"""
PLAIN = "select * exclude (o) from log"
EXPLAINED = "select 'Platform unique order ID.' as \"Order ID\" union all by name "
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
        (select coalesce(sum(amount), 0) from returns) as returned from counting"""


@dataclass(frozen=True)
class Format:
    """The files of one format, and what the shop must hold of them."""

    title: str
    files: Mapping[str, str]  # Name to a SELECT; without one, the plain table in another container.
    lacks: tuple[str, ...] = ()  # Figures that the format cannot tell.
    options: str = "format csv, header"  # Of DuckDB's COPY.
    known: str = KNOWN
    held: str = HELD


def select(columns: str, source: str = "lines", width: int = 0) -> str:
    """A SELECT of `Header | Header = expression ? condition; …`, filled to `width` with what Setia does not read."""
    named: dict[str, str] = {}
    for column in " ".join(columns.split()).split("; "):
        headers, _, value = column.partition(" = ")
        sql, _, condition = value.partition(" ? ")
        named |= dict.fromkeys(headers.split(" | "), f"if({condition or 'true'}, {sql}, null)")
    named |= {f"Aside {n}": "null" if n % 3 else "'Jl. Merdeka 17'" for n in range(len(named), width)}
    return f"select {', '.join(f'{sql} as {quoted(name)}' for name, sql in named.items())} from {source}"


ORDERS, UNITS = "lines where first", "(select *, unnest(range(units)) as unit from lines)"
_ITEM = """'name:' || product || '|product_id:' || p || '|sku:' || sku || '|quantity:' || units || '|total:' || amount
    || '|sub_total:' || amount || if(returned, '|refunded:' || amount || '|refunded_qty:' || units, '')"""
_ITEMS = ", ".join(f"max({_ITEM}) filter (line = {n}) as item_{n}" for n in range(1, 6))
_TAKEN = """(select *, false as back, total as taken, amount as net from lines where not cancelled {}
    union all select * replace (back_at as placed), true, -amount, -amount from lines where returned)"""
_SQUARE = """Date = strftime(placed, '%Y-%m-%d'); Time = strftime(placed, '%H:%M:%S'); Time Zone = 'Jakarta';
    Transaction ID = 'T' || number; Payment ID = if(back, 'R', 'P') || number; Customer ID = buyer;
    Event Type = if(back, 'Refund', 'Payment'); Customer Name = name; Discounts | Tax = 0; """
COMMAS = """select * exclude (o) replace (strftime(order_date, '%d %B %Y %H:%M') as order_date,
    replace(unit_price || '.00', '.', ',') as unit_price, shipping || ',00' as shipping) from log"""


def export(title: str, columns: str, width: int, source: str = "lines", lacks: str = "", before: str = "") -> Format:
    """An export that is one file."""
    return Format(title, {"orders.csv": before + select(columns, source, width)}, tuple(lacks.split()))


def table(title: str, moment: str, columns: str, width: int = 0, options: str = Format.options) -> Format:
    """A file of one fact table, a row for each order line; `moment` is the table's name and that of its time."""
    name, _, when = moment.partition(".")
    amount = "sum(amount)" if "amount = " in columns else "0"
    figures = f"select count(*) as rows, sum(epoch({{}})::bigint) as moments, {amount} as amount from {{}}"
    known = figures.format("placed - interval 7 hours", "lines")
    return Format(title, {f"{name}.csv": select(columns, width=width)}, (), options, known, figures.format(when, name))


FORMATS = {
    "csv": Format("plain CSV", {"log.csv": PLAIN}), "native": Format("Setia's own layout", {
        "orders.csv": select("""order_id = number; customer_id = email; placed_at = own; total = total; shipping =
        shipping; cancelled_at = own ? cancelled""", ORDERS),
        "order_lines.csv": select("""order_id = number; line = line; customer_id = email; product_id = sku; quantity =
        units; unit_price = price; amount = amount; placed_at = own"""),
        "returns.csv": select("""return_id = 'C' || number; order_id = number; customer_id = email; product_id = sku;
        quantity = units; amount = amount; returned_at = back_at || '+07:00'""", "lines where returned"),
        "customers.csv": "select distinct email as customer_id, email, name, city from lines",
        "products.csv": "select distinct sku as product_id, product as name, category from lines",
    }),
    "shopify": export("Shopify, spread over rows", """Name = '#' || number; Email = email ? first; Paid at | Created at
        = iso || ' +0700' ? first; Financial Status = if(refund > 0, 'partially_refunded', 'paid') ? first; Fulfillment
        Status = 'fulfilled' ? first; Currency = 'IDR' ? first; Subtotal = goods || '.00' ? first; Shipping = shipping
        || '.00' ? first; Taxes | Discount Amount = '0.00' ? first; Total = total || '.00' ? first; Refunded Amount =
        refund || '.00' ? first; Billing Name | Shipping Name = name ? first; Billing City | Shipping City = city ?
        first; Source = 'web' ? first; Billing Country | Shipping Country = 'ID' ? first; Billing Phone = phone ? first;
        Payment Method = 'Bank Deposit' ? first; Cancelled at = iso || ' +0700' ? first and cancelled; Lineitem quantity
        = units; Lineitem name = product; Lineitem price = price || '.00'; Lineitem sku = sku; Lineitem discount =
        '0.00'""", 79),
    "woo-advanced": export("WooCommerce, Advanced Order Export", """Order Number = number; Order Status = if(cancelled,
        'Cancelled', 'Completed'); Order Date | Paid Date = minute; First Name (Billing) = given; Last Name (Billing) =
        family; City (Billing) = city; Country Code (Billing) = 'ID'; Email (Billing) = email; Phone (Billing) = phone;
        Order Shipping Amount = shipping; Cart Discount Amount | Order Total Tax Amount = 0; Order Refund Amount =
        refund; Order Total Amount = total; SKU = sku; Item Name = product; Quantity = units; Item Cost = price; Order
        Line Total = amount; Quantity (- Refund) = if(returned, 0, units); Order Line Total Refunded = if(returned,
        amount, 0); Date of first refund = strftime(back_at, '%Y-%m-%d %H:%M') ? refund > 0""", 42),
    "woo-webtoffee": export("WooCommerce, WebToffee, a row per order", """order_id | order_number = number; order_date |
        paid_date = iso; shipping_total = shipping; status = if(cancelled, 'cancelled', 'completed'); tax_total |
        cart_discount | discount_total = 0; order_total = total; order_currency = 'IDR'; customer_id = c; customer_email
        | billing_email = email; billing_first_name = given; billing_last_name = family; billing_phone = phone;
        billing_city = city; billing_country = 'ID'; refund_items = 'amount:' || refund || '|reason:|date:' || back_at ?
        refund > 0; line_item_1 = item_1; line_item_2 = item_2; line_item_3 = item_3; line_item_4 = item_4; line_item_5
        = item_5""", 61,
        f"(select * from {ORDERS}) join (select o, {_ITEMS} from lines group by o) using (o) order by o"),
    "shopee": export("Shopee", """No. Pesanan = '24' || number; Status Pesanan = if(cancelled, 'Batal', 'Selesai');
        Alasan Pembatalan = 'Dibatalkan oleh pembeli' ? cancelled; SKU Induk | Nomor Referensi SKU = sku; Waktu Pesanan
        Dibuat | Waktu Pembayaran Dilakukan | Waktu Pengiriman Diatur = minute; Nama Produk = product; Harga Setelah
        Diskon = points(price); Jumlah = units; Returned quantity = if(returned, units, 0); Diskon Dari Penjual | Diskon
        Dari Shopee | Voucher Ditanggung Penjual | Voucher Ditanggung Shopee | Paket Diskon (Diskon dari Shopee) | Paket
        Diskon (Diskon dari Penjual) | Potongan Koin Shopee | Diskon Kartu Kredit = 0; Ongkos Kirim Dibayar oleh Pembeli
        = points(shipping); Total Pembayaran = points(total); Username (Pembeli) = buyer; Nama Penerima = name; No.
        Telepon = phone; Kota/Kabupaten = city; Waktu Pesanan Selesai = strftime(back_at, '%Y-%m-%d %H:%M') ? not
        cancelled""", 49),
    "tiktok": export("TikTok Shop", """Order ID = (583870900000000000 + number) || chr(9); Quantity = units; Seller SKU
        = sku; Order Status | Order Substatus = if(cancelled, 'Dibatalkan', 'Selesai'); Product Name = product;
        Cancelation/Return Type = if(cancelled, 'Cancel', 'Return/Refund') ? cancelled or refund > 0; SKU ID =
        (1735474415948900000 + p) || chr(9); Sku Quantity of return = if(returned, units, 0); SKU Unit Original Price =
        price; SKU Subtotal Before Discount = amount; Shipping Fee After Discount = shipping; SKU Platform Discount |
        SKU Seller Discount | Distance Shipping Fee | Distance Fee | Payment platform discount | Buyer Service Fee |
        Handling Fee | Shipping Insurance | Item Insurance = 0; Order Refund Amount = refund; Order Amount = total;
        Created Time | Paid Time = tabbed; Shipped Time | Delivered Time = tabbed ? not cancelled; Cancelled Time =
        tabbed ? cancelled; Buyer Username = buyer; Recipient = name; Phone # = phone; Country = 'Indonesia'; Regency
        and City = city; Product Category = category; Purchase Channel = 'TikTok'""", 63, before=EXPLAINED),
    "tokopedia": export("Tokopedia, sales report", """Nomor Invoice = 'INV/' || number; Tanggal Pembayaran =
        strftime(placed, '%d-%m-%Y %H:%M:%S'); Status Terakhir = if(cancelled, 'Dibatalkan oleh pembeli', 'Pesanan
        Selesai'); Nama Produk = product; Tanggal Pesanan Dibatalkan = strftime(placed, '%d-%m-%Y') ? cancelled; Nomor
        SKU = sku; Waktu Pesanan Dibatalkan = iso[12:] ? cancelled; Jumlah Produk Dibeli = units; Harga Jual (IDR) =
        price; Diskon Produk (IDR) | Jumlah Subsidi Tokopedia (IDR) | Nilai Kupon Toko Terpakai (IDR) | Jumlah Produk
        Yang Dikurangkan | Total Pengurangan (IDR) | Diskon Penawaran Terpakai (IDR) = 0; Biaya Pengiriman Tunai (IDR) |
        Total Biaya Pengiriman (IDR) = shipping ? first; Biaya Asuransi Pengiriman (IDR) = 0 ? first; Total Penjualan
        (IDR) = total ? first; Nama Pembeli = name; No Telp Pembeli = phone; Kota = city""", 48, lacks="returned"),
    "lazada": export("Lazada, a row per unit", """orderItemId = number || '90' || line || unit; sellerSku = sku;
        lazadaSku = 'L' || p; createTime = named; orderNumber = number; customerName | shippingName = name; updateTime =
        strftime(if(cancelled, placed, back_at), '%d %b %Y %H:%M'); customerEmail = email; itemName = product;
        deliveredDate = named ? not cancelled; shippingPhone | billingPhone = phone; shippingCity = city;
        shippingCountry = 'Indonesia'; paidPrice | unitPrice = price || '.00'; sellerDiscountTotal = '0.00'; shippingFee
        = if(first and unit = 0, shipping, 0) || '.00'; status = case when cancelled then 'canceled' when returned then
        'returned' else 'delivered' end""",
        76, UNITS, "lines"),
    "olist": Format("Olist's set", {
        "orders.csv": select("""order_id = number; customer_id = 'c' || number; order_status = if(cancelled, 'canceled',
        'delivered'); order_purchase_timestamp | order_approved_at = placed - interval 10 hours""", ORDERS, 8),
        "items.csv": select("""order_id = number; order_item_id = row_number() over (partition by o); product_id = sku;
        price = price || '.00'; freight_value = if(first and unit = 0, shipping, 0) || '.00'""", UNITS, 7),
        "payments.csv": select("order_id = number; payment_sequential = 1; payment_value = total || '.00'", ORDERS, 5),
        "customers.csv": select("customer_id = 'c' || number; customer_unique_id = buyer", ORDERS, 5),
        "products.csv": "select distinct sku as product_id, category as product_category_name from lines",
    }, ("lines", "returned")),
    "square": Format("Square, transactions and items", {
        "transactions.csv": select(_SQUARE + """Total Collected = taken || '.00'; Source = 'Point of Sale'; Gift Card
        Sales | Tip = 0; Transaction Status = 'Complete'""", _TAKEN.format("and first"), 55),
        "items.csv": select(_SQUARE + """Category = category; Item = product; Price Point Name = 'Regular'; SKU = sku;
        Qty = if(back, -units, units); Gross Sales | Net Sales = net || '.00'""", _TAKEN.format(""), 35),
    }),
    "stripe": export("Stripe, payments", """id = 'ch_' || number; Created date (UTC) = placed - interval 7 hours; Amount
        | Converted Amount = total || '.00'; Amount Refunded | Converted Amount Refunded = refund || '.00'; Currency |
        Converted Currency = 'idr'; Captured = 'true'; Status = if(cancelled, 'Failed', 'Paid'); Customer ID = 'cus_' ||
        c; Customer Email = email""", 23, ORDERS, "lines units goods"),
    "gzip": Format("CSV, gzip", {"log.csv.gz": PLAIN}, options="header, compression gzip"),
    "zip": Format("CSV, zip", {"log.zip": ""}), "cp1252": Format("CSV, Windows-1252", {"log.csv": ""}),
    "semicolon": Format("CSV, semicolons, decimal commas, month names", {"log.csv": COMMAS}, (), "header, delim ';'"),
    "xlsx": Format("Excel", {"log.xlsx": ""}, known=f"{KNOWN} and o < getvariable('cut')"),
    "jsonl": Format("JSON Lines", {"log.jsonl": PLAIN}, (), "format json"),
    "json": Format("JSON array", {"log.json": PLAIN}, (), "format json, array true"),
    "parquet": Format("Parquet", {"log.parquet": PLAIN}, (), "format parquet"),
    "customers": table("customers, Setia's own", "customers.created_at", """customer_id = 'K' || id; email = id ||
        email; phone = '+' || phone; name = name; city = city; created_at = own"""),
    "mailchimp": table("consents, Mailchimp", "consents.decided_at", """Email Address = id || email; First Name = given;
        Last Name = family; Phone Number = phone; MEMBER_RATING = 2; LEID | EUID = id; OPTIN_TIME | CONFIRM_TIME |
        LAST_CHANGED = placed - interval 7 hours""", 21),
    "segment": table("events, Segment, JSON Lines", "events.occurred_at", """type = 'track'; messageId = id; userId =
        email; anonymousId = buyer; event = 'Product Viewed'; context = {'ip': '192.0.2.1'}; timestamp = strftime(placed
        - interval 7 hours, '%Y-%m-%dT%H:%M:%S.000Z'); properties = {'product_id': sku, 'price': price}""",
        options="format json"),
    "costs": table("costs, Setia's own", "costs.spent_at", """cost_id = id; category = 'advertising'; channel = 'web';
        customer_id = email; amount = amount; spent_at = own"""),
    "subscriptions": table("subscriptions, Setia's own", "subscriptions.started_at", """subscription_id = id;
        customer_id = 'K' || id; plan = category; amount = amount; period_months = 1; started_at = own"""),
}  # fmt: skip


def workbook(duck: Duck, file: Path) -> None:
    """The plain table as an Excel file of typed cells, as far as a sheet reaches."""
    book = openpyxl.Workbook(write_only=True)
    sheet, rows = book.create_sheet("Orders"), duck.execute(f"{PLAIN} where o < getvariable('cut')")
    sheet.append([column[0] for column in rows.description or []])
    for row in iter(rows.fetchone, None):
        sheet.append(row)
    book.save(file)


def make(duck: Duck, name: str, work: Path) -> list[Path]:
    """The files of a format, written where they are not there yet."""
    form, folder, plain = FORMATS[name], work / name, work / "csv" / "log.csv"
    folder.mkdir(parents=True, exist_ok=True)
    for file, source in form.files.items():
        draft = folder / f"draft-{file}"
        if (folder / file).exists():
            continue
        if source:
            duck.execute(f"copy ({source}) to '{draft}' ({form.options})")
        elif name == "xlsx":
            workbook(duck, draft)
        elif name == "zip":
            with zipfile.ZipFile(draft, "w", zipfile.ZIP_DEFLATED) as archive:
                archive.write(plain, plain.name)
        else:
            draft.write_text(plain.read_text("utf-8"), "cp1252")
        draft.rename(folder / file)
    return [folder / file for file in form.files]


def figures(duck: Duck, query: str, lacks: Sequence[str] = ()) -> dict[str, int]:
    """One row of figures by name."""
    found = duck.execute(query)
    names = [column[0] for column in found.description or []]
    return {name: int(value) for name, value in zip(names, found.fetchall()[0], strict=True) if name not in lacks}


def measured(duck: Duck, form: Format, files: Sequence[Path], shop: Path) -> Run:
    """Import files into a fresh shop in a process of its own; stops where the shop holds other figures than known."""
    with fresh_shop(shop):
        command, start = [sys.executable, "-c", CHILD, str(shop), *map(str, files)], time.perf_counter()
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
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
    most, child = max(own.bytes for own, _ in runs), max(own.said["child"] for own, _ in runs)
    size, seconds = sum(file.stat().st_size for file in files), median(own.seconds for own, _ in runs)
    spread = f"{median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"
    memory = f"{most / 2**20:,.0f}" + (f" + {child / 2**20:,.0f}" if child else "")
    return f"| {form.title} | {size / 2**20:,.1f} | {spread} | {processor:.2f} | {seconds:.1f} | {memory} |"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lines", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--only", default=",".join(FORMATS), help="some of " + ", ".join(FORMATS))
    parser.add_argument("--work", type=Path, default=Path("bench-work"))
    given = parser.parse_args()
    if unknown := set(wanted := given.only.split(",")) - FORMATS.keys():
        parser.error(f"--only: {', '.join(sorted(unknown))} is none of {', '.join(FORMATS)}")
    work, duck = given.work.resolve() / f"formats-{given.lines}", duckdb.connect()
    for statement in (LINES.format(orders=given.lines // 3, customers=given.lines // 10), LOG, CUT):
        duck.execute(statement)
    all_rows, fitting = duck.execute("select count(*), count(*) filter (o < getvariable('cut')) from log").fetchall()[0]
    files = {name: make(duck, name, work) for name in dict.fromkeys(["csv", *wanted])}
    done: dict[str, list[tuple[Run, Run]]] = {name: [] for name in wanted}
    since = float("-inf")
    for number in range(given.runs):
        for name in wanted:
            if time.monotonic() - since > FRESH:
                plain, since = measured(duck, FORMATS["csv"], files["csv"], work / "shop"), time.monotonic()
            own = plain if name == "csv" else measured(duck, FORMATS[name], files[name], work / "shop")
            done[name].append((own, plain))
            print(f"{number + 1}: {name} {own.seconds:.2f} s, csv {plain.seconds:.2f} s", file=sys.stderr, flush=True)
    print(f"{all_rows:,} rows; of orders that count:", figures(duck, KNOWN, ("moments",)), "\n")
    print("| format | MiB | time ÷ CSV | processor ÷ CSV | seconds | peak MiB, + child |\n|---|---|---|---|---|---|")
    for name, runs in done.items():
        print(told(FORMATS[name], files[name], runs, fitting / all_rows if name == "xlsx" else 1))


if __name__ == "__main__":
    main()
