"""A log of orders or order lines: a customer, a moment and an amount in each row, under whatever names.

Covers UCI Online Retail (`InvoiceNo, StockCode, Description, Quantity, InvoiceDate, UnitPrice, CustomerID, Country`;
documented by its publisher: an invoice number that starts with C is a cancellation) and plain logs such as CDNOW
(customer, date, quantity, dollars). Inferred: an invoice without any positive quantity, or with a negative total,
corrects stock or books and is no purchase; without an order number each row is an order of its own; where amounts are
made of quantity and price, a discount and shipping of the order come on top of them, else they are within.
"""

from __future__ import annotations

from collections.abc import Set
from dataclasses import replace

from setia.kernel.i18n import N_, Sentence
from setia.sources.files.errors import ColumnMissing, ColumnUnreadable, MappingWrong
from setia.sources.files.layout import Expressions, Found, Layout
from setia.sources.files.overrides import Override
from setia.sources.files.roles import amount, email, flag, moment, phone, text, word
from setia.sources.files.table import TextTable
from setia.sources.files.understood import Shop, Understood
from setia.sources.files.values import amount_style, time_style
from setia.sources.files.values.phones import international_sql
from setia.warehouse.duck import literal, quoted

WORDS = {
    "order": "the order's number", "customer": "the customer", "time": "the date of the order",
    "amount": "the amount (or quantity and unit price)",
}  # fmt: skip
NAMES = ("Order log", "Order lines")
_TELEPHONE = r"^(?:\+\d|0[1-9])[\d .()-]{7,}$"
UNNUMBERED = N_("There is no order number, so each row is an order of its own")
_ALWAYS = ("customer", "email", "phone")
CANCELLED = (
    "cancelled", "canceled", "void", "voided", "batal", "dibatalkan", "dibatalkan sistem", "failed", "gagal",
)  # fmt: skip


def sale(has: Set[str]) -> Expressions:
    """The columns of a sale's row, from the roles that a file has."""
    found = {"placed_at": '"time"'}
    keys = [key for key in ("customer", "email", "phone") if key in has]
    found["customer_key"] = f"coalesce({', '.join(keys)})"
    if "order" in has:
        found["number"] = '"order"'
        if "quantity" in has:
            found["is_return"] = "(starts_with(\"order\", 'C') or starts_with(\"order\", 'c')) and quantity < 0"
    if "amount" in has:
        found["amount"] = "amount"
    else:
        # The narrow product is quick and overflows beyond ten digits before the point; the wide one does not.
        narrow = "try((quantity * price)::decimal(18,4))"
        found["amount"] = f"coalesce({narrow}, try_cast(quantity::decimal(38,4) * price as decimal(18,4)))"
    found |= {name: role for name, role in (("unit_price", "price"), ("product_id", "product")) if role in has}
    if "product_name" in has and "product" not in has:
        found["product_id"] = "product_name"
    if "status" in has:
        found["cancelled_at"] = f'case when status in ({", ".join(map(literal, CANCELLED))}) then "time" end'
    if "discount" in has:
        found |= {"order_discount" if "amount" not in has else "line_discount": "abs(discount)"}
    return found


LAYOUT = Layout(
    name=NAMES[0],
    roles={
        "order": text("order_id", "order", "order_number", "order_no", "invoice", "invoice_no", "invoice_number",
                      "invoiceno", "transaction_id", "receipt", "nomor_pesanan", "no_pesanan", "id_pesanan",
                      "nombor_pesanan", "name"),
        "customer": text("customer_id", "customer", "customerid", "customer_no", "cust_id", "client_id", "user_id",
                         "buyer_id", "member_id", "id_pelanggan", "pelanggan", "buyer", "pembeli", "username"),
        "time": moment("placed_at", "order_date", "ordered_at", "invoice_date", "invoicedate", "purchase_date",
                       "created_at", "date", "datetime", "timestamp", "time", "day", "tanggal", "tanggal_pesanan",
                       "tarikh", "tarikh_pesanan", required=True),
        "amount": amount("total", "amount", "spend", "sales", "revenue", "value", "net_sales", "order_total",
                         "total_price", "line_total", "dollars", "subtotal", "jumlah", "total_harga", "nilai", "amaun",
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
    key = quoted(columns.get("customer", ""))
    if "customer" not in columns or not (filled := table.count(key)):
        return found
    made = dict(found)
    addresses = table.count(f"case when contains({key}, '@') then 1 end")
    if "email" not in columns and addresses:
        made["email"] = "case when contains(customer, '@') then lower(customer) end"
    if "phone" not in columns and _share(table, key, _TELEPHONE) >= 0.9 * (filled - addresses) > 0:
        made["phone"] = f"case when not contains(customer, '@') then {international_sql('customer', shop.region)} end"
        made["customer_key"] = made["customer_key"].replace("customer", f"coalesce({made['phone']}, customer)", 1)
    elif _share(table, key, r"^\d+\.0$") == filled:
        made["customer_key"] = made["customer_key"].replace("customer", "regexp_replace(customer, '\\.0$', '')", 1)
    return made


def _share(table: TextTable, column: str, pattern: str) -> int:
    return table.count(f"case when regexp_matches({column}, {literal(pattern)}) then 1 end")


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
    return _by_content(table, found)


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
    apart = table.count(f"case when regexp_matches({column}, '\\d[-/. ]\\w+[-/. ]\\d') then 1 end")
    if not filled or apart < 0.9 * filled:
        return False
    style = time_style(column, table.count, table.count)
    return style is not None and table.count(style.parsed(column)) >= 0.9 * filled


def _holds_addresses(table: TextTable, column: str) -> bool:
    filled = table.count(column)
    return filled > 0 and table.count(f"case when regexp_matches({column}, '^\\S+@\\S+$') then 1 end") >= 0.9 * filled


def _require(table: TextTable, columns: dict[str, str], role: str) -> None:
    """Raises ColumnMissing or ColumnUnreadable, where the date or the amount is not there or does not read."""
    if role == "time":
        if role not in columns:
            raise _missing(table, role)
        text = quoted(columns[role])
        if time_style(text, table.count, table.count) is None:
            raise _unreadable(table, role, columns[role])
        return
    there = [each for each in ("amount", "quantity", "price") if each in columns]
    reads = [each for each in there if amount_style(quoted(columns[each]), table.count, money=each != "quantity")]
    unread = [columns.pop(each) for each in ("amount", "price", "quantity") if each in there and each not in reads]
    if "amount" not in reads and not {"quantity", "price"} <= set(reads):
        raise _unreadable(table, role, unread[0]) if unread else _missing(table, role)


def _missing(table: TextTable, role: str) -> ColumnMissing:
    listed = ", ".join(" ".join(column.split())[:40] for column in table.columns[:30])
    return ColumnMissing(path=table.container.given, role=WORDS[role], key=role, columns=listed)


def _unreadable(table: TextTable, role: str, column: str) -> ColumnUnreadable:
    examples = ", ".join(repr(value[:40]) for value in table.examples(column))
    holds = f"it holds, for example, {examples}" if examples else "it is empty"
    return ColumnUnreadable(path=table.container.given, role=WORDS[role], key=role, column=column, holds=holds)
