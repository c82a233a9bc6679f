"""Logs of orders under whatever names, in whatever dialect, and Setia's own layout."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

from .model import CANCELLED, TEST, UNDELIVERED, ZERO, Order, Place
from .packing import Cell, Table
from .writers import Format, Row, Sold, email_of, phone_of, table

HEADERS = {
    "number": ("order_id", "Order Number", "InvoiceNo", "Nomor Pesanan", "id pesanan"),
    "customer": ("customer_id", "CustomerID", "pelanggan", "Cust ID"),
    "email": ("email", "Customer Email", "Email Pelanggan"),
    "phone": ("phone", "No. HP", "WhatsApp", "No. Telefon"),
    "name": ("customer_name", "Nama Pelanggan", "Buyer Name"),
    "time": ("order_date", "Tanggal", "InvoiceDate", "placed_at", "Tarikh Pesanan", "Created At"),
    "sku": ("sku", "StockCode", "Kode Produk", "product_id"),
    "title": ("product_name", "Description", "Nama Produk"),
    "quantity": ("quantity", "Qty", "Kuantitas", "Kuantiti"),
    "price": ("unit_price", "UnitPrice", "Harga Satuan", "price"),
    "amount": ("amount", "Total", "line_total", "Total Harga", "Nilai"),
    "discount": ("discount", "Diskon", "Potongan"),
    "shipping": ("shipping", "Ongkir", "Shipping Fee"),
    "tax": ("tax", "PPN", "Pajak", "SST"),
    "currency": ("currency", "Mata Uang"),
    "status": ("status", "Status Pesanan"),
    "test": ("is_test", "Uji Coba"),
}
DATES = (
    "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S", "%d/%m/%Y %H:%M:%S", "%d-%m-%Y %H:%M:%S", "%Y/%m/%d %H:%M:%S",
    "%d %b %Y %H:%M:%S", "%d/%m/%Y %I:%M:%S %p", "%B %d, %Y %H:%M:%S", "%d.%m.%Y %H:%M:%S", "offset", "UTC",
)  # fmt: skip


class Dialect:
    """How one log writes times and money."""

    def __init__(self, place: Place, dice: random.Random, *, typed: bool) -> None:
        self.place, self.typed = place, typed
        self.form = dice.choice(DATES)
        mark = {"IDR": ["", "Rp", "Rp ", "IDR "], "MYR": ["", "RM", "RM ", "MYR "]}[place.currency]
        self.mark = dice.choice(mark)
        self.style = dice.choice(["plain", "grouped", "continental"])

    def time(self, moment: dt.datetime) -> Cell:
        here = self.place.local(moment)
        if self.typed:
            return here
        if self.form == "offset":
            return f"{here:%Y-%m-%d %H:%M:%S}{'+07:00' if self.place.currency == 'IDR' else '+0800'}"
        return f"{moment:%Y-%m-%dT%H:%M:%SZ}" if self.form == "UTC" else here.strftime(self.form)

    def money(self, amount: Decimal, *, bare: bool = False) -> Cell:
        if self.typed:
            return amount
        text = f"{amount:.{self.place.decimals}f}" if self.style == "plain" else f"{amount:,.{self.place.decimals}f}"
        if self.style == "continental":
            text = text.translate(str.maketrans(",.", ".,"))
        sign, text = ("-", text[1:]) if text.startswith("-") else ("", text)
        return f"{sign}{'' if bare else self.mark}{text}"


def renamed(columns: Sequence[str], dice: random.Random) -> dict[str, str]:
    return {column: dice.choice(HEADERS[column]) for column in columns}


class PricedLog(Format):
    """Invoices of quantities and prices; what comes back is an invoice with C in front, as UCI Online Retail has it."""

    name = "order log of prices"
    lacks = frozenset({"email", "phone", "rebate", "platform", "tax_added", "undelivered", "unpaid", "money_back"})
    knows = ("name",)
    names_returned_order = False

    def number(self, order: Order) -> str:
        return f"INV{order.n:04d}"

    def returned(self, order: Order, place: Place) -> Fraction:
        return Fraction(sum(((line.price - line.off) * line.back for line in order.lines), ZERO))

    def write(self, orders: Sequence[Order], place: Place, dice: random.Random, *, typed: bool) -> list[Table]:
        dialect = Dialect(place, dice, typed=typed)
        columns = ["number", "customer", "name", "time", "sku", "title", "quantity", "price", "discount", "shipping",
                   "tax", "currency", "status", "test"]  # fmt: skip
        # Where no order needs a column, the file may do without it.
        unused = {
            "discount": all(order.voucher == 0 for order in orders),
            "shipping": all(order.shipping == 0 for order in orders),
            "tax": all(order.tax == 0 for order in orders),
            "currency": all(order.currency == place.currency for order in orders),
            "status": all(order.fate != CANCELLED for order in orders),
            "test": all(order.fate != TEST for order in orders),
        }
        columns = [column for column in columns if not (unused.get(column) and dice.random() < 0.7)]
        if any(order.currency != place.currency for order in orders):
            dialect.mark = ""
        dice.shuffle(columns)
        rows = []
        for order in orders:
            whole: Row = {
                "number": self.number(order),
                "customer": order.person.user if order.person else None,
                "name": order.person.name if order.person else None,
                "time": dialect.time(order.placed_at),
                "discount": dialect.money(order.voucher),
                "shipping": dialect.money(order.shipping),
                "tax": dialect.money(order.tax),
                "currency": order.currency,
                "status": dice.choice(["cancelled", "Batal", "VOID"]) if order.fate == CANCELLED else "Selesai",
                "test": "yes" if order.fate == TEST else "no",
            }
            for line in order.lines:
                item: Row = {
                    "sku": line.product.sku, "title": line.product.name,
                    "quantity": line.quantity, "price": dialect.money(line.price - line.off),
                }  # fmt: skip
                rows.append(whole | item)
            for line in order.lines:
                if line.back:
                    later = order.placed_at + dt.timedelta(days=3)
                    back: Row = {
                        **rows[-1], "number": f"C{self.number(order)}", "time": dialect.time(later),
                        "sku": line.product.sku, "title": line.product.name, "quantity": -line.back,
                        "price": dialect.money(line.price - line.off),
                    }  # fmt: skip
                    back |= dict.fromkeys(["discount", "shipping", "tax"], dialect.money(ZERO))
                    rows.append(back)
        known = [{key: value for key, value in row.items() if key in columns} for row in rows]
        return [table("penjualan", columns, known, renamed(columns, dice))]


class AmountLog(Format):
    """Amounts of lines or whole orders, of people known by address or number."""

    name = "order log of amounts"
    lacks = frozenset({
        "user", "rebate", "platform", "voucher", "tax_added", "undelivered", "unpaid", "money_back", "returns", "test",
        "tax_included", "shipping",
    })  # fmt: skip
    has_lines = False

    def number(self, order: Order) -> str:
        return f"{1000 + order.n}"

    def write(self, orders: Sequence[Order], place: Place, dice: random.Random, *, typed: bool) -> list[Table]:
        dialect = Dialect(place, dice, typed=typed)
        columns = ["number", "email", "phone", "name", "time", "amount", "currency", "status"]
        if any(order.currency != place.currency for order in orders):
            dialect.mark = ""
        elif dice.random() < 0.5:
            columns.remove("currency")
        dice.shuffle(columns)
        rows: list[Row] = []
        for order in orders:
            for line in order.lines:
                row: Row = {
                    "number": self.number(order), "email": email_of(order.person, dice) or None,
                    "phone": phone_of(order.person, dice) or None,
                    "name": order.person.name if order.person else None,
                    "time": dialect.time(order.placed_at), "amount": dialect.money(line.goods),
                    "currency": order.currency, "status": "Dibatalkan" if order.fate == CANCELLED else "paid",
                }  # fmt: skip
                rows.append({key: value for key, value in row.items() if key in columns})
        return [table("orders-export", columns, rows, renamed(columns, dice))]


class BareLog(Format):
    """A customer, a moment and an amount in each row, as CDNOW has it: each row is an order of its own."""

    name = "order log without numbers"
    lacks = AmountLog.lacks - {"user"} | {
        "email", "phone", "lines", "currency", "cancelled", "guest", "line_discount", "returns",
    }  # fmt: skip
    knows = ()
    has_lines = False
    numbered = False

    def write(self, orders: Sequence[Order], place: Place, dice: random.Random, *, typed: bool) -> list[Table]:
        dialect = Dialect(place, dice, typed=typed)
        columns = ["customer", "time", "amount"]
        rows: list[Row] = [
            {
                "customer": order.person.user if order.person else "", "time": dialect.time(order.placed_at),
                "amount": dialect.money(order.total),
            }
            for order in orders
        ]  # fmt: skip
        return [table("log", columns, rows, renamed(columns, dice))]


class Native(Format):
    """Setia's own layout, a file for each fact table."""

    name = "Setia's own layout"
    lacks = frozenset({"unpaid", "platform", "rebate", "phone_key"})
    packings = ("csv", "gzip", "zip", "parquet", "jsonl", "tsv")

    def sold(self, order: Order, place: Place) -> list[Sold]:
        return super().sold(order, place)

    def returned(self, order: Order, place: Place) -> Fraction:
        return Fraction(round(order.returned * 10_000), 10_000)

    def suits(self, order: Order, place: Place) -> Order:
        # Somebody known by a telephone alone needs a key of the shop's own.
        person = order.person and replace(order.person, user=order.person.user or f"K{order.person.phone[-4:]}")
        return replace(order, person=person)

    def write(self, orders: Sequence[Order], place: Place, dice: random.Random, *, typed: bool) -> list[Table]:
        def time(moment: dt.datetime, days: int = 0) -> str:
            return (moment + dt.timedelta(days=days)).isoformat()

        def key(order: Order) -> str:
            return (order.person.email or order.person.user) if order.person else ""

        documents: list[Row] = [
            {
                "order_id": self.number(order), "customer_id": key(order), "placed_at": time(order.placed_at),
                "total": order.total, "currency": order.currency, "is_test": str(order.fate == TEST).lower(),
                "cancelled_at": time(order.placed_at, 1) if order.fate in (CANCELLED, UNDELIVERED) else "",
                "undelivered_at": time(order.placed_at, 1) if order.fate == UNDELIVERED else "",
            }
            for order in orders
        ]  # fmt: skip
        lines: list[Row] = [
            {
                "order_id": self.number(order), "customer_id": key(order), "placed_at": time(order.placed_at),
                "product_id": line.product.sku, "quantity": line.quantity, "amount": line.goods, "line": n,
            }
            for order in orders
            for n, line in enumerate(order.lines, start=1)
        ]  # fmt: skip
        returns: list[Row] = [
            {
                "return_id": f"R{order.n}", "order_id": self.number(order), "customer_id": key(order),
                "amount": f"{round(order.returned * 10_000) / 10_000:.4f}", "currency": order.currency,
                "returned_at": time(order.placed_at, 3),
            }
            for order in orders
            if order.returned
        ]  # fmt: skip
        people = {key(order): order.person for order in orders if order.person}
        customers: list[Row] = [
            {"customer_id": key, "email": person.email, "phone": person.phone, "name": person.name}
            for key, person in people.items()
        ]
        goods = {line.product.sku: line.product.name for order in orders for line in order.lines}
        products: list[Row] = [{"product_id": sku, "name": name} for sku, name in goods.items()]
        tables = {"orders": documents, "order_lines": lines, "returns": returns, "customers": customers,
                  "products": products}  # fmt: skip
        found = [table(name, list(rows[0]), rows) for name, rows in tables.items() if rows]
        dice.shuffle(found)
        return found
