"""Square's exports of sales, apart and together, and Stripe's payments."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

from .model import TEST, UNPAID, ZERO, Order, Place, split
from .packing import Table
from .writers import Format, Row, Sold, email_of, names, plain, returned_total, table

ZONES = {"Perth": "Australia/Perth", "Tokyo": "Asia/Tokyo", "Darwin": "Australia/Darwin"}


class Square(Format):
    """Transactions and item details of the same sales. Tax is added; a refund is a row of its own."""

    name = "Square, both exports"
    lacks = frozenset({
        "email", "phone", "rebate", "platform", "shipping", "tax_included", "cancelled", "undelivered", "test",
        "currency",
    })  # fmt: skip
    knows = ("name",)
    packings = ("csv", "zip", "gzip", "xlsx")
    takes, details = True, True
    transactions = names(
        "Date,Time,Time Zone,Gross Sales,Discounts,Service Charges,Net Sales,Gift Card Sales,Tax,Tip,Partial Refunds,"
        "Total Collected,Source,Card,Cash,Fees,Net Total,Transaction ID,Payment ID,Card Brand,PAN Suffix,Device Name,"
        "Staff Name,Details,Description,Event Type,Location,Customer ID,Customer Name,Customer Reference ID,"
        "Discount Name,Transaction Status,Channel"
    )
    items = names(
        "Date,Time,Time Zone,Category,Item,Qty,Price Point Name,SKU,Modifiers Applied,Gross Sales,Discounts,Net Sales,"
        "Tax,Transaction ID,Payment ID,Device Name,Notes,Details,Event Type,Location,Dining Option,Customer ID,"
        "Customer Name,Customer Reference ID,Unit,Count,Itemization Type,Channel,Token"
    )

    def number(self, order: Order) -> str:
        return f"T{order.n:04d}"

    def amounts(self, order: Order, place: Place) -> list[Decimal]:
        goods = [line.goods for line in order.lines]
        return [paid - off for paid, off in zip(goods, split(order.voucher, goods, place.cent), strict=True)]

    def sold(self, order: Order, place: Place) -> list[Sold]:
        amounts = zip(order.lines, self.amounts(order, place), strict=True)
        return [(line.product.sku, Decimal(line.quantity), amount) for line, amount in amounts]

    def back(self, order: Order, place: Place) -> list[Decimal]:
        return [
            (amount * line.back / line.quantity).quantize(place.cent)
            for line, amount in zip(order.lines, self.amounts(order, place), strict=True)
        ]

    def returned(self, order: Order, place: Place) -> Fraction:
        money = order.money_back if self.takes else ZERO
        return Fraction(sum(self.back(order, place), money))

    def tip(self, order: Order) -> Decimal:
        return Decimal(order.n % 2 * 5)

    def stated(self, order: Order) -> Decimal:
        return order.total + self.tip(order) if self.takes else order.goods - order.voucher

    def write(self, orders: Sequence[Order], place: Place, dice: random.Random, *, typed: bool) -> list[Table]:
        zone = dice.choice(list(ZONES))
        mark = dice.choice([{"IDR": "Rp", "MYR": "RM"}[place.currency], ""])

        def money(amount: Decimal) -> str:
            return f"{'-' if amount < 0 else ''}{mark}{abs(amount):,.2f}"

        taken: list[Row] = []
        sold: list[Row] = []
        for order in orders:

            def head(moment: dt.datetime, event: str, order: Order = order) -> Row:
                here = place.local(moment, ZONES[zone])
                person = order.person
                return {
                    "Date": here.strftime("%Y-%m-%d"), "Time": here.strftime("%H:%M:%S"), "Time Zone": zone,
                    "Event Type": event, "Transaction ID": self.number(order), "Payment ID": f"P{order.n}",
                    "Customer ID": person.user if person else "", "Customer Name": person.name if person else "",
                    "Channel": "Toko",
                }  # fmt: skip

            paid = head(order.placed_at, "Payment")
            later = head(order.placed_at + dt.timedelta(days=3), "Refund") | {"Payment ID": f"P{order.n}-R"}
            goods = sum((line.price * line.quantity for line in order.lines), ZERO)
            net = order.goods - order.voucher
            status = dice.choice(["Failed", "Voided"]) if order.fate == UNPAID else "Complete"
            taken.append(paid | {
                "Gross Sales": money(goods), "Discounts": money(net - goods), "Net Sales": money(net),
                "Gift Card Sales": money(ZERO), "Tax": money(order.tax), "Tip": money(self.tip(order)),
                "Partial Refunds": money(ZERO), "Total Collected": money(order.total + self.tip(order)),
                "Transaction Status": status, "Source": "Point of Sale",
            })  # fmt: skip
            back = self.back(order, place)
            all_back = sum(back, ZERO)
            if all_back + order.money_back:
                taken.append(later | {
                    "Gross Sales": money(-all_back), "Discounts": money(ZERO), "Net Sales": money(-all_back),
                    "Gift Card Sales": money(ZERO), "Tax": money(ZERO), "Tip": money(ZERO),
                    "Partial Refunds": money(-order.money_back), "Transaction Status": "Complete",
                    "Total Collected": money(-all_back - order.money_back), "Source": "Point of Sale",
                })  # fmt: skip
            if order.fate == UNPAID:
                continue
            for n, (line, amount) in enumerate(zip(order.lines, self.amounts(order, place), strict=True)):
                gross = line.price * line.quantity
                item: Row = {
                    "Item": line.product.name, "SKU": line.product.sku, "Category": "None",
                    "Price Point Name": "Regular", "Itemization Type": "Physical Good",
                }  # fmt: skip
                sold.append(paid | item | {
                    "Qty": f"{line.quantity}.0", "Gross Sales": money(gross), "Discounts": money(amount - gross),
                    "Net Sales": money(amount), "Tax": money(order.tax if n == 0 else ZERO),
                })  # fmt: skip
                if back[n]:
                    sold.append(later | item | {
                        "Qty": f"-{line.back}.0", "Gross Sales": money(-back[n]), "Discounts": money(ZERO),
                        "Net Sales": money(-back[n]), "Tax": money(ZERO),
                    })  # fmt: skip
        found = [table("transactions-2024", self.transactions, taken)] if self.takes else []
        return [*found, *([table("items-2024", self.items, sold)] if self.details else [])]


class SquareTransactions(Square):
    name = "Square, transactions"
    details = False
    has_lines = False


class SquareItems(Square):
    name = "Square, item details"
    lacks = Square.lacks | {"money_back", "unpaid"}
    takes = False


class Stripe(Format):
    """Payments: a total, and what of it went back. Times are UTC."""

    name = "Stripe"
    lacks = frozenset({
        "phone", "lines", "rebate", "platform", "tax_added", "tax_included", "cancelled", "undelivered", "free",
    })  # fmt: skip
    knows = ("email",)
    packings = ("csv", "gzip", "zip", "semicolon", "xlsx")
    has_lines = False
    header = names(
        "id,Created date (UTC),Amount,Amount Refunded,Currency,Captured,Converted Amount,Converted Amount Refunded,"
        "Converted Currency,Decline Reason,Description,Fee,Mode,Refunded date (UTC),Statement Descriptor,Status,"
        "Seller Message,Taxes On Fee,Card ID,Customer ID,Customer Description,Customer Email,Invoice ID,Transfer"
    )

    def number(self, order: Order) -> str:
        return f"ch_{order.n}"

    def suits(self, order: Order, place: Place) -> Order:
        return replace(order, fate="done") if order.fate == TEST and order.returned else order

    def returned(self, order: Order, place: Place) -> Fraction:
        return Fraction(returned_total(order, place))

    def stated(self, order: Order) -> Decimal:
        return order.total if order.fate != UNPAID else ZERO

    def write(self, orders: Sequence[Order], place: Place, dice: random.Random, *, typed: bool) -> list[Table]:
        comma = dice.random() < 0.3

        def money(amount: Decimal) -> str:
            return plain(amount).replace(".", ",") if comma else plain(amount)

        rows: list[Row] = []
        form = dice.choice(["%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%SZ"])
        for order in orders:
            back = returned_total(order, place)
            unpaid = order.fate == UNPAID
            state = "Failed" if unpaid else "Refunded" if back == order.total else dice.choice(["Paid", "succeeded"])
            rows.append({
                "id": self.number(order), "Created date (UTC)": order.placed_at.strftime(form),
                "Amount": money(order.total), "Amount Refunded": money(back), "Currency": order.currency.lower(),
                "Captured": str(not unpaid).lower(), "Converted Amount": "" if unpaid else money(order.total),
                "Converted Amount Refunded": money(back), "Converted Currency": order.currency.lower(),
                "Mode": "Test" if order.fate == TEST else "Live", "Status": state,
                "Refunded date (UTC)": (order.placed_at + dt.timedelta(days=2)).strftime(form) if back else "",
                "Customer ID": f"cus_{order.person.user}" if order.person and order.person.user else "",
                "Customer Email": email_of(order.person, dice), "Fee": money(Decimal(1)),
            })  # fmt: skip
        return [table("unified_payments", self.header, rows)]
