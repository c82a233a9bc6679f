"""A log of orders or order lines: a customer, a moment and an amount in each row, under whatever names.

Covers UCI Online Retail (`InvoiceNo, StockCode, Description, Quantity, InvoiceDate, UnitPrice, CustomerID, Country`;
documented by its publisher: an invoice number that starts with C is a cancellation) and plain logs such as CDNOW
(customer, date, quantity, dollars). Inferred: an invoice without any positive quantity, or with a negative total,
corrects stock or books and is no purchase; without an order number each row is an order of its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from zoneinfo import ZoneInfo

from setia.facts import FactTable
from setia.facts.customers import CUSTOMERS
from setia.facts.products import PRODUCTS
from setia.sources.files.errors import ColumnMissing, ColumnUnreadable, MappingWrong
from setia.sources.files.formats.understood import Shop, Understood
from setia.sources.files.table import TextTable, Typed
from setia.sources.files.values import PLAIN, AmountStyle, TimeStyle, amount_style, time_style
from setia.warehouse.duck import literal, quoted

ROLES: dict[str, tuple[str, ...]] = {
    "order": ("order_id", "order", "order_number", "order_no", "invoice", "invoice_no", "invoice_number", "invoiceno",
              "transaction_id", "receipt", "nomor_pesanan", "no_pesanan", "id_pesanan", "nombor_pesanan", "name"),
    "customer": ("customer_id", "customer", "customerid", "customer_no", "cust_id", "client_id", "user_id", "buyer_id",
                 "member_id", "id_pelanggan", "pelanggan", "buyer", "pembeli", "username"),
    "time": ("placed_at", "order_date", "ordered_at", "invoice_date", "invoicedate", "purchase_date", "created_at",
             "date", "datetime", "timestamp", "time", "day", "tanggal", "tanggal_pesanan", "tarikh", "tarikh_pesanan"),
    "amount": ("total", "amount", "spend", "sales", "revenue", "value", "net_sales", "order_total", "total_price",
               "line_total", "dollars", "subtotal", "jumlah", "total_harga", "nilai", "amaun"),
    "quantity": ("quantity", "qty", "units", "kuantitas", "kuantiti", "jumlah_barang"),
    "price": ("unit_price", "unitprice", "price", "item_price", "harga", "harga_satuan", "harga_seunit"),
    "product": ("product_id", "sku", "stock_code", "stockcode", "item_id", "product_code", "kode_produk", "kod_produk"),
    "product_name": ("product_name", "description", "item", "item_name", "product", "nama_produk", "produk"),
    "email": ("email", "customer_email", "buyer_email", "e_mail", "email_pelanggan"),
    "name": ("customer_name", "buyer_name", "nama_pelanggan", "nama_pembeli"),
    "country": ("country", "customer_country", "negara"),
    "currency": ("currency", "currency_code", "mata_uang", "mata_wang"),
    "code": ("discount_code", "voucher_code", "coupon_code", "code", "kode_voucher", "kod_baucar"),
    "channel": ("channel", "sales_channel", "source_name", "saluran"),
}  # fmt: skip
WORDS = {
    "order": "the order's number", "customer": "the customer", "time": "the date of the order",
    "amount": "the amount (or quantity and unit price)",
}  # fmt: skip
TEXT_ROLES = ("product", "product_name", "name", "country", "currency", "code", "channel")


def recognise(table: TextTable, mapping: Mapping[str, str], shop: Shop) -> Understood | None:
    """Any file with a date and an amount, and a customer if there is one. Raises ColumnMissing."""
    columns = _columns(table, mapping)
    time = _time(table, columns)
    amounts = _amounts(table, columns)
    if "customer" not in columns and "email" not in columns:
        raise _missing(table, "customer")
    order = columns.get("order")
    zone = ZoneInfo(shop.zone)
    typed = tuple(_typed(columns, time, amounts, zone, shop, table))
    notes = [f"Dates are read as {time.described()}"]
    if time.ambiguous:
        notes.append("Day and month could be the other way round in every date: the day was taken to come first")
    notes += [f"{columns[role]!r} is read as {style.name}" for role, style in amounts.items() if style is not PLAIN]
    if order is None:
        notes.append("There is no order number, so each row is an order of its own")
    return Understood(
        format="Order lines" if "product" in columns else "Order log",
        columns=columns,
        typed=typed,
        facts=_facts({item.name for item in typed}, literal(shop.currency)),
        persons=tuple(item.name for item in typed if item.name in ("customer_id", "email")),
        notes=tuple(notes),
    )


def _plain(name: str) -> str:
    return "".join(c if c.isalnum() else "_" for c in name.strip().lower()).strip("_")


def _by_name(table: TextTable) -> dict[str, str]:
    """Role to column, by name; a role takes the first of its names that the file has."""
    plain: dict[str, str] = {}
    for column in table.columns:
        plain.setdefault(_plain(column), column)
    found: dict[str, str] = {}
    for role, names in ROLES.items():
        free = [plain[n] for n in names if n in plain and plain[n] not in found.values()]
        if free:
            found[role] = free[0]
    return found


def _columns(table: TextTable, mapping: Mapping[str, str]) -> dict[str, str]:
    for role, column in mapping.items():
        if role not in ROLES:
            raise MappingWrong(path=table.container.given, problem=f"{role!r} is none of {', '.join(ROLES)}")
        if column not in table.columns:
            raise MappingWrong(path=table.container.given, problem=f"there is no column {column!r} in this file")
    # A column that the mapping gives a role has no other role by its name.
    named = {role: column for role, column in _by_name(table).items() if column not in mapping.values()}
    return {**named, **mapping}


def _missing(table: TextTable, role: str) -> ColumnMissing:
    listed = ", ".join(" ".join(column.split())[:40] for column in table.columns[:30])
    return ColumnMissing(path=table.container.given, role=WORDS[role], key=role, columns=listed)


def _unreadable(table: TextTable, role: str, column: str) -> ColumnUnreadable:
    examples = ", ".join(repr(value[:40]) for value in table.examples(column))
    holds = f"it holds, for example, {examples}" if examples else "it is empty"
    return ColumnUnreadable(path=table.container.given, role=WORDS[role], key=role, column=column, holds=holds)


def _time(table: TextTable, columns: Mapping[str, str]) -> TimeStyle:
    if "time" not in columns:
        raise _missing(table, "time")
    style = time_style(quoted(columns["time"]), table.count, lambda e: table.count(e, whole=True))
    if style is None:
        raise _unreadable(table, "time", columns["time"])
    return style


def _amounts(table: TextTable, columns: Mapping[str, str]) -> dict[str, AmountStyle]:
    found = {}
    for role in ("amount", "quantity", "price"):
        if role not in columns:
            continue
        style = amount_style(quoted(columns[role]), table.count, money=role != "quantity")
        if style is not None:
            found[role] = style
    if "amount" not in found and not {"quantity", "price"} <= found.keys():
        given = [columns[role] for role in ("amount", "price", "quantity") if role in columns and role not in found]
        raise _unreadable(table, "amount", given[0]) if given else _missing(table, "amount")
    return found


def _typed(
    columns: Mapping[str, str],
    time: TimeStyle,
    amounts: Mapping[str, AmountStyle],
    zone: ZoneInfo,
    shop: Shop,
    table: TextTable,
) -> list[Typed]:
    when = quoted(columns["time"])
    typed = [
        Typed("placed_at", time.instant(when, zone), True, columns["time"], filled=when),
        Typed("day", f"({time.local(when, zone)})::date"),
        Typed("customer_id", shop.identity.customer_id_sql(_customer(columns, table))),
    ]
    if "email" in columns:
        typed.append(Typed("email", f"lower({quoted(columns['email'])})"))
    elif table.count(f"case when contains({quoted(columns['customer'])}, '@') then 1 end"):
        key = quoted(columns["customer"])
        typed.append(Typed("email", f"case when contains({key}, '@') then lower({key}) end"))
    if "order" in columns:
        typed.append(Typed("number", quoted(columns["order"]), True, columns["order"]))
    for role in ("quantity", "price", "amount"):
        if role in amounts:
            text = quoted(columns[role])
            typed.append(Typed(role, amounts[role].parsed(text), True, columns[role], filled=text))
    if "amount" not in amounts:
        quantity, price = (amounts[r].parsed(quoted(columns[r])) for r in ("quantity", "price"))
        # The narrow product is quick and overflows beyond ten digits before the point; the wide one does not.
        narrow = f"try(({quantity} * {price})::decimal(18,4))"
        product = f"coalesce({narrow}, try_cast({quantity}::decimal(38,4) * {price} as decimal(18,4)))"
        typed.append(Typed("amount", product, True, columns["price"], filled=quoted(columns["price"])))
    typed += [Typed(role, quoted(columns[role])) for role in TEXT_ROLES if role in columns]
    return typed


def _customer(columns: Mapping[str, str], table: TextTable) -> str:
    """The customer's key; the `.0` that spreadsheets add to whole numbers goes."""
    if "customer" not in columns:
        return quoted(columns["email"])
    key = quoted(columns["customer"])
    filled = table.count(key)
    if filled and table.count(f"case when regexp_matches({key}, '^\\d+\\.0$') then 1 end") == filled:
        key = f"regexp_replace({key}, '\\.0$', '')"
    # A guest is known by the address.
    return f"coalesce({key}, {quoted(columns['email'])})" if "email" in columns else key


def _facts(has: set[str], shops_own: str) -> dict[str, str]:
    """The SELECT of each fact table; `shops_own` is the currency of rows that name none."""
    facts = {"orders": _orders(has, shops_own), "customers": _customers(has)}
    if {"number", "quantity"} <= has:
        facts["returns"] = _returns(has, shops_own)
    if "product" in has:
        facts["order_lines"] = _order_lines(has)
        facts["products"] = _products(has, shops_own)
    return facts


def _sale(has: set[str]) -> str:
    return "not (number ilike 'C%' and quantity < 0)" if {"number", "quantity"} <= has else "true"


def _or_null(column: str, has: set[str]) -> str:
    return column if column in has else "null"


def _any(column: str, has: set[str]) -> str:
    return f"max({column})" if column in has else "null"


_UNNUMBERED = """
    select *, coalesce(customer_id, 'anonymous') || '@' || strftime(placed_at, '%Y-%m-%dT%H:%M:%S') as document_id,
        row_number() over (partition by document_id order by amount, fingerprint_of_row) as n
    from {rows}"""


def _currency(column: str, has: set[str], shops_own: str) -> str:
    return f"coalesce({column}, {shops_own})" if "currency" in has else shops_own


def _orders(has: set[str], shops_own: str) -> str:
    if "number" not in has:
        return f"""select document_id || '#' || n as order_id, document_id, customer_id, placed_at, day,
            {_currency("currency", has, shops_own)} as currency, amount as total,
            {_or_null("code", has)} as code, {_or_null("channel", has)} as channel,
            {_or_null("country", has)} as country, null as discount, null as shipping, null as tax,
            null as paid_at, null as cancelled_at, false as is_test, amount < 0 as is_adjustment
            from ({_UNNUMBERED})"""
    positive = "max(quantity) <= 0" if "quantity" in has else "false"
    return f"""select number as order_id, number as document_id, max(customer_id) as customer_id,
        min(placed_at) as placed_at, min(day) as day, sum(amount) as total,
        {_currency("max(currency)", has, shops_own)} as currency,
        {_any("code", has)} as code, {_any("channel", has)} as channel, {_any("country", has)} as country,
        null as discount, null as shipping, null as tax,
        null as paid_at, null as cancelled_at, false as is_test, sum(amount) < 0 or {positive} as is_adjustment
        from {{rows}} where {_sale(has)} group by number"""


def _order_lines(has: set[str]) -> str:
    quantity = "quantity" if "quantity" in has else "1"
    if "number" not in has:
        return f"""select document_id || '#' || n as order_id, document_id, null as line, customer_id,
            coalesce(product, '') as product_id, {quantity} as quantity, {_or_null("price", has)} as unit_price, amount,
            placed_at, day from ({_UNNUMBERED})"""
    # An order takes its earliest time, also where its lines bear several.
    return f"""
        with two_times as (
            select number, min(placed_at) as first_placed_at, min(day) as first_day from {{rows}}
            where {_sale(has)} group by number having min(placed_at) <> max(placed_at)
        )
        select number as order_id, number as document_id, null as line, customer_id,
            coalesce(product, '') as product_id, {quantity} as quantity, {_or_null("price", has)} as unit_price, amount,
            coalesce(first_placed_at, placed_at) as placed_at, coalesce(first_day, day) as day
        from {{rows}} left join two_times using (number) where {_sale(has)}"""


def _returns(has: set[str], shops_own: str) -> str:
    product = _or_null("product", has)
    return f"""select number || '-' || row_number() over (partition by number order by {product}, quantity, amount)
            as return_id, number as document_id, null as order_id, customer_id, {product} as product_id,
            -quantity as quantity, -amount as amount, {_currency("currency", has, shops_own)} as currency,
            placed_at as returned_at, day
        from {{rows}} where not ({_sale(has)})"""


def _latest(key: str, columns: Sequence[str], where: str) -> str:
    """Each column's last known value by key. Its different values are few, so they are found first."""
    kept = ", ".join([key, *columns])
    last = ", ".join([key, *(f"max_by({column}, (placed_at, {column})) as {column}" for column in columns)])
    return (
        f"select {last} from (select {kept}, max(placed_at) as placed_at from {{rows}} where {where} group by {kept}) "
        f"group by {key}"
    )


def _customers(has: set[str]) -> str:
    known = [fact for fact in ("email", "name", "country") if fact in has]
    return _all_columns(CUSTOMERS, _latest("customer_id", known, "customer_id is not null"), ["customer_id", *known])


def _products(has: set[str], shops_own: str) -> str:
    known = [role for role in ("product_name", "currency") if role in has]
    select = _latest("product", known, "product is not null")
    name = _or_null("product_name", has)
    named = f"select product as product_id, {name} as name, {_currency('currency', has, shops_own)} as currency"
    return _all_columns(PRODUCTS, f"{named} from ({select})", ["product_id", "name", "currency"])


def _all_columns(table: FactTable, select: str, has: Sequence[str]) -> str:
    columns = ", ".join(name if name in has else f"null as {name}" for name in table.names())
    return f"select {columns} from ({select})"
