"""A log of orders or order lines: a customer, a moment and an amount in each row, under whatever names.

Covers UCI Online Retail (`InvoiceNo, StockCode, Description, Quantity, InvoiceDate, UnitPrice, CustomerID, Country`;
documented by its publisher: an invoice number that starts with C is a cancellation) and plain logs such as CDNOW
(customer, date, quantity, dollars). Inferred: an invoice without any positive quantity, or with a negative total,
corrects stock or books and is no purchase; without an order number each row is an order of its own; where amounts are
made of quantity and price, a discount and shipping of the order come on top of them, else they are within; an amount
that is the same on all lines of an order is the order's.
"""

from __future__ import annotations

from collections.abc import Set
from dataclasses import replace

from setia.kernel.i18n import N_, Sentence
from setia.sources.files.errors import ColumnMissing, ColumnUnreadable, MappingWrong
from setia.sources.files.header import plain
from setia.sources.files.layout import Expressions, Found, Layout
from setia.sources.files.overrides import Override
from setia.sources.files.roles import amount, email, flag, moment, phone, text, word
from setia.sources.files.table import TextTable
from setia.sources.files.understood import Shop, Understood
from setia.sources.files.values import amount_style, time_style
from setia.sources.files.values.marks import currency_sql
from setia.sources.files.values.phones import international_sql
from setia.sources.files.values.sql import matches, where
from setia.warehouse.duck import quoted

WORDS = {
    "order": "the order's number", "customer": "the customer", "time": "the date of the order",
    "amount": "the amount (or quantity and unit price)",
}  # fmt: skip
NAMES = ("Order log", "Order lines")
_TELEPHONE = r"^(?:\+\d|0[1-9])[\d .()-]{7,}$"
UNNUMBERED = N_("There is no order number, so each row is an order of its own")
_ALWAYS = ("customer", "email", "phone")
CANCELLED = (
    r"^(?:cancel|void|refunded|unpaid|pending pay|awaiting pay|expired|rejected|declined|failed|batal|dibatal|"
    r"gagal|belum (?:di)?bayar|menunggu (?:pem)?bayar|kedaluwarsa|kadaluarsa|tamat tempoh|ditolak)"
)
"""How the statuses of orders begin that were never paid, or given back whole."""


def sale(has: Set[str]) -> Expressions:
    """The columns of a sale's row, from the roles that a file has."""
    keys = [key for key in ("customer", "email", "phone") if key in has]
    found = {"placed_at": '"time"', "customer_key": f"coalesce({', '.join(keys)})"}
    if "order" in has:
        found["number"] = '"order"'
        if "quantity" in has:
            found["is_return"] = "(starts_with(\"order\", 'C') or starts_with(\"order\", 'c')) and quantity < 0"
    else:
        document = f"coalesce({found['customer_key']}, 'anonymous') || '@' || strftime(\"time\", '%Y-%m-%dT%H:%M:%S')"
        found["document"] = document
        nth = f"row_number() over (partition by {document} order by {_made(has)}, fingerprint_of_row)"
        found["number"] = f"{document} || '#' || {nth}"
    found |= _amounts(has)
    found |= {name: role for name, role in (("unit_price", "price"), ("product_id", "product")) if role in has}
    if "product_name" in has and "product" not in has:
        found["product_id"] = "product_name"
    if "status" in has:
        found["cancelled_at"] = f'case when {matches("status", CANCELLED)} then "time" end'
    return found


def _made(has: Set[str]) -> str:
    """What a row adds to its order."""
    if "amount" in has:
        return "amount"
    # The narrow product is quick and overflows beyond ten digits before the point; the wide one does not.
    narrow = "try((quantity * price)::decimal(18,4))"
    return f"coalesce({narrow}, try_cast(quantity::decimal(38,4) * price as decimal(18,4)))"


def _amounts(has: Set[str]) -> dict[str, str]:
    """Amounts, discounts and shipping. What an amount is of contains them; quantity times price does not."""
    if "total" in has:
        return {"order_total": "total", "amount": _made(has)}
    if "amount" in has:
        return {"amount": "amount", **({"line_discount": "abs(discount)"} if "discount" in has else {}),
                "shipping": "null::decimal(18,4)", "tax": "null::decimal(18,4)"}  # fmt: skip
    made = {"amount": _made(has)}
    if "discount" in has and "order" in has:
        # Where it is the same on all lines it is the order's, else each line's own.
        same = 'min(abs(discount)) over (partition by "order") = max(abs(discount)) over (partition by "order")'
        made["order_discount"] = f'if({same}, abs(discount), sum(abs(discount)) over (partition by "order"))'
    elif "discount" in has:
        made["order_discount"] = "abs(discount)"
    return made


LAYOUT = Layout(
    name=NAMES[0],
    roles={
        "order": text("order_id", "order", "order_number", "order_no", "invoice", "invoice_no", "invoice_number",
                      "invoiceno", "transaction_id", "receipt", "nomor_pesanan", "no_pesanan", "id_pesanan",
                      "nombor_pesanan"),
        "customer": text("customer_id", "customer", "customerid", "customer_no", "cust_id", "client_id", "user_id",
                         "buyer_id", "member_id", "id_pelanggan", "pelanggan", "buyer", "pembeli", "username"),
        "time": moment("placed_at", "order_date", "ordered_at", "invoice_date", "invoicedate", "purchase_date",
                       "created_at", "date", "datetime", "timestamp", "time", "day", "tanggal", "tanggal_pesanan",
                       "tarikh", "tarikh_pesanan", required=True),
        "total": amount("order_total", "grand_total", "total_pesanan", "jumlah_pesanan", required=True),
        "amount": amount("total", "amount", "spend", "sales", "revenue", "value", "net_sales", "total_price",
                         "line_total", "dollars", "subtotal", "jumlah", "total_harga", "nilai", "amaun",
                         required=True),
        "quantity": amount("quantity", "qty", "units", "kuantitas", "kuantiti", "jumlah_barang", money=False),
        "price": amount("unit_price", "unitprice", "price", "item_price", "harga", "harga_satuan", "harga_seunit"),
        "product": text("product_id", "sku", "stock_code", "stockcode", "item_id", "product_code", "kode_produk",
                        "kod_produk"),
        "product_name": text("product_name", "description", "item", "item_name", "product", "nama_produk", "produk"),
        "category": text("category", "product_category", "kategori"),
        "email": email("email", "customer_email", "buyer_email", "e_mail", "email_pelanggan"),
        "phone": phone("phone", "phone_number", "customer_phone", "whatsapp", "no_hp", "nomor_telepon", "no_telepon",
                       "telepon", "nombor_telefon", "no_telefon", "telefon"),
        "name": text("customer_name", "buyer_name", "nama_pelanggan", "nama_pembeli"),
        "city": text("city", "customer_city", "kota", "bandar"),
        "country": text("country", "customer_country", "negara"),
        "currency": text("currency", "currency_code", "mata_uang", "mata_wang"),
        "code": text("discount_code", "voucher_code", "coupon_code", "code", "kode_voucher", "kod_baucar"),
        "channel": text("channel", "sales_channel", "source_name", "saluran"),
        "status": word("status", "order_status", "status_pesanan"),
        "discount": amount("discount", "discount_amount", "diskon", "diskaun", "potongan"),
        "shipping": amount("shipping", "shipping_fee", "shipping_cost", "ongkir", "ongkos_kirim", "kos_penghantaran"),
        "tax": amount("tax", "taxes", "vat", "ppn", "pajak", "sst", "cukai"),
        "is_test": flag("is_test", "test", "uji_coba"),
    },
    needs=("time",),
    sale=sale,
)  # fmt: skip


def understand(table: TextTable, override: Override, shop: Shop) -> Understood:
    """Any file with a date and an amount, and a customer if there is one.

    Raises ColumnMissing, ColumnUnreadable, MappingWrong.
    """
    columns, notes = _columns(table, override)
    for role in ("time", "amount"):
        _require(table, columns, role)
    if not {"customer", "email", "phone"} & columns.keys():
        raise _missing(table, "customer")
    layout = replace(
        LAYOUT,
        name=NAMES["product" in columns],
        roles={role: known for role, known in LAYOUT.roles.items() if role in columns or role in _ALWAYS},
        notes=(*notes, *([] if "order" in columns else [UNNUMBERED])),
        sale=lambda has: _as_written(table, columns, shop, sale(has)),
    )
    return layout.understood([Found(table, columns, override)], shop)


def _as_written(table: TextTable, columns: dict[str, str], shop: Shop, found: Expressions) -> Expressions:
    """With what only the values of the customer's column tell: addresses, telephones, the `.0` of spreadsheets."""
    made = dict(found)
    if "currency" in columns:
        made["currency"] = f"coalesce({currency_sql('currency', shop.currency)}, upper(currency))"
    key = quoted(columns.get("customer", ""))
    if "customer" not in columns or not (filled := table.count(key)):
        return made
    addresses = table.count(f"case when contains({key}, '@') then 1 end")
    if "email" not in columns and addresses:
        made["email"] = "case when contains(customer, '@') then lower(customer) end"
    if "phone" not in columns and _matching(table, key, _TELEPHONE) >= 0.9 * (filled - addresses) > 0:
        made["phone"] = f"case when not contains(customer, '@') then {international_sql('customer', shop.region)} end"
        made["customer_key"] = made["customer_key"].replace("customer", f"coalesce({made['phone']}, customer)", 1)
    elif _matching(table, key, r"^\d+\.0$") == filled:
        made["customer_key"] = made["customer_key"].replace("customer", "regexp_replace(customer, '\\.0$', '')", 1)
    return made


def _matching(table: TextTable, column: str, pattern: str) -> int:
    return table.count(where(matches(column, pattern)))


def _columns(table: TextTable, override: Override) -> tuple[dict[str, str], list[str]]:
    """Role to column: what the person said, then by name, then by what the columns hold."""
    for role, column in override.columns.items():
        if role not in LAYOUT.roles:
            raise MappingWrong(path=table.container.given, problem=f"{role!r} is none of {', '.join(LAYOUT.roles)}")
        if column not in table.columns:
            raise MappingWrong(path=table.container.given, problem=f"there is no column {column!r} in this file")
    found: dict[str, str] = dict(override.columns)
    for role, known in LAYOUT.roles.items():
        free = [name for name in table.columns if name not in found.values()]
        if role not in found and (named := known.column(free)):
            found[role] = named
    _tell_amounts_apart(table, found, override)
    return _by_content(table, found)


def _tell_amounts_apart(table: TextTable, found: dict[str, str], override: Override) -> None:
    """Whether a column that is called a total or `jumlah` counts units, lines or whole orders."""
    lines = {"order", "quantity", "price"} <= found.keys()
    if "total" in found and not lines:
        # A total of the order is the amount of a row where rows are orders.
        total = found.pop("total")
        found.setdefault("amount", total)
    if "amount" not in found or "amount" in override.columns:
        return
    if plain(found["amount"]) == "jumlah" and "price" in found and "quantity" not in found:
        found["quantity"] = found.pop("amount")
    elif lines and "total" not in found and _of_whole_orders(table, found):
        found["total"] = found.pop("amount")


def _of_whole_orders(table: TextTable, found: dict[str, str]) -> bool:
    """Whether the amount is the same on all lines of an order, and not what quantity and price make."""
    styles = {role: amount_style(quoted(found[role]), table.count) for role in ("amount", "quantity", "price")}
    if None in styles.values():
        return False
    amount, units, price = (style.parsed(quoted(found[role])) for role, style in styles.items() if style is not None)
    orders = f"select min({amount}) = max({amount}) as same, bool_or({amount} <> {units} * {price}) as more"
    orders += f" from {table.sample} group by {quoted(found['order'])} having count(*) > 1"
    several, alike = table.ask(f"select count(*), count(*) filter (where same and more) from ({orders})")
    return bool(several) and alike >= 0.9 * several


def _by_content(table: TextTable, found: dict[str, str]) -> tuple[dict[str, str], list[str]]:
    """Where no name tells the date or the customer, the only column that looks like it."""
    notes: list[str] = []
    looks = {"time": _holds_times, "email": _holds_addresses}
    for role, check in looks.items():
        if role in found or (role == "email" and {"customer", "phone"} & found.keys()):
            continue
        free = [name for name in table.columns if name not in found.values()]
        fitting = [name for name in free if check(table, quoted(name))]
        if len(fitting) == 1:
            found[role] = fitting[0]
            notes.append(
                Sentence("{column} is taken for {role} because of what it holds", column=fitting[0], role=role)
            )
    return found, notes


def _holds_times(table: TextTable, column: str) -> bool:
    filled = table.count(column)
    # A bare number could be anything; a date has something between its parts.
    apart = _matching(table, column, r"\d[-/. ]\w+[-/. ]\d")
    if not filled or apart < 0.9 * filled:
        return False
    style = time_style(column, table.count, table.count)
    return style is not None and table.count(style.parsed(column)) >= 0.9 * filled


def _holds_addresses(table: TextTable, column: str) -> bool:
    filled = table.count(column)
    return filled > 0 and _matching(table, column, r"^\S+@\S+$") >= 0.9 * filled


def _require(table: TextTable, columns: dict[str, str], role: str) -> None:
    """Raises ColumnMissing or ColumnUnreadable, where the date or the amount is not there or does not read."""
    if role == "time":
        if role not in columns:
            raise _missing(table, role)
        text = quoted(columns[role])
        if time_style(text, table.count, table.count) is None:
            raise _unreadable(table, role, columns[role])
        return
    there = [each for each in ("total", "amount", "price", "quantity") if each in columns]
    reads = [each for each in there if amount_style(quoted(columns[each]), table.count, money=each != "quantity")]
    unread = [columns.pop(each) for each in there if each not in reads]
    if "amount" not in reads and not {"quantity", "price"} <= set(reads):
        raise _unreadable(table, role, unread[0]) if unread else _missing(table, role)


def _missing(table: TextTable, role: str) -> ColumnMissing:
    listed = ", ".join(" ".join(column.split())[:40] for column in table.columns[:12])
    return ColumnMissing(path=table.container.given, role=WORDS[role], key=role, columns=listed)


def _unreadable(table: TextTable, role: str, column: str) -> ColumnUnreadable:
    examples = ", ".join(repr(value[:40]) for value in table.examples(column))
    holds = f"it holds, for example, {examples}" if examples else "it is empty"
    return ColumnUnreadable(path=table.container.given, role=WORDS[role], key=role, column=column, holds=holds)
