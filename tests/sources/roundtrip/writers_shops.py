"""Shopify's export of orders and WooCommerce's, by two plug-ins."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import ClassVar
from zoneinfo import ZoneInfo

from .model import CANCELLED, DONE, TEST, UNDELIVERED, UNPAID, ZERO, Line, Order, Place, split
from .packing import Table
from .writers import Format, Row, Sold, email_of, first_only, local, names, phone_of, plain, returned_total, table


class Shopify(Format):
    """The cells of an order on the first of its rows only; a refund is an amount of the order."""

    name = "Shopify"
    lacks = frozenset({"user", "rebate", "platform", "unpaid"})
    knows = ("email", "phone", "name", "city")
    packings = ("csv", "gzip", "zip", "xlsx")
    header = names(
        "Name,Email,Financial Status,Paid at,Fulfillment Status,Fulfilled at,Accepts Marketing,Currency,Subtotal,"
        "Shipping,Taxes,Total,Discount Code,Discount Amount,Shipping Method,Created at,Lineitem quantity,Lineitem name,"
        "Lineitem price,Lineitem compare at price,Lineitem sku,Lineitem requires shipping,Lineitem taxable,"
        "Lineitem fulfillment status,Billing Name,Billing Street,Billing City,Billing Zip,Billing Country,"
        "Billing Phone,Shipping Name,Shipping City,Shipping Country,Shipping Phone,Notes,Cancelled at,Payment Method,"
        "Payment Reference,Refunded Amount,Vendor,Outstanding Balance,Employee,Location,Id,Tags,Risk Level,Source,"
        "Lineitem discount,Tax 1 Name,Tax 1 Value,Phone,Receipt Number,Duties,Payment ID"
    )
    newer: ClassVar[dict[str, str]] = {"Cancelled at": "Canceled at", "Lineitem sku": "Lineitem SKU"}

    def number(self, order: Order) -> str:
        return f"#{1000 + order.n}"

    def suits(self, order: Order, place: Place) -> Order:
        # Tax within a total equal to what is beyond the goods cannot be told from tax beside it.
        return replace(order, tax=ZERO) if not order.tax_added and order.total == 0 else order

    def returned(self, order: Order, place: Place) -> Fraction:
        return Fraction(returned_total(order, place))

    def stated(self, order: Order) -> Decimal:
        return ZERO if order.fate == TEST else order.total

    def write(self, orders: Sequence[Order], place: Place, dice: random.Random, *, typed: bool) -> list[Table]:
        rows: list[Row] = []
        repeats = dice.random() < 0.5
        zone = ZoneInfo(dice.choice([place.zone, "UTC", "America/New_York"]))
        for order in orders:
            person, back = order.person, returned_total(order, place)

            def time(days: int, order: Order = order) -> str:
                return f"{(order.placed_at + dt.timedelta(days=days)).astimezone(zone):%Y-%m-%d %H:%M:%S %z}"

            off = sum((line.off * line.quantity for line in order.lines), order.voucher)
            gone = order.fate in (CANCELLED, UNDELIVERED)
            whole: Row = {
                "Name": self.number(order), "Email": email_of(person, dice), "Phone": "",
                "Financial Status": "voided" if gone else "partially_refunded" if back else "paid",
                "Paid at": "" if gone else time(0), "Created at": time(0),
                "Fulfillment Status": "fulfilled" if order.fate in (DONE, UNDELIVERED) else "unfulfilled",
                "Fulfilled at": time(1) if order.fate == DONE else "", "Accepts Marketing": "no",
                "Currency": order.currency, "Subtotal": plain(order.goods - order.voucher),
                "Shipping": plain(order.shipping), "Taxes": plain(order.tax), "Total": plain(order.total),
                "Discount Amount": plain(off), "Billing Name": person.name if person else "",
                "Billing City": person.city if person else "", "Billing Country": "ID",
                "Billing Phone": (dice.choice(["'", ""]) + phone_of(person, dice)) if person and person.phone else "",
                "Cancelled at": time(2) if gone else "", "Refunded Amount": plain(back),
                "Payment Method": {UNDELIVERED: "Cash on Delivery (COD)", TEST: "bogus"}.get(order.fate, "Xendit"),
                "Outstanding Balance": "0.00", "Id": f"'{6_005_500_000 + order.n}", "Source": "web",
            }  # fmt: skip
            each: list[Row] = [
                whole | {
                    "Lineitem quantity": str(line.quantity), "Lineitem name": line.product.name,
                    "Lineitem price": plain(line.price), "Lineitem sku": line.product.sku,
                    "Lineitem discount": plain(line.off * line.quantity), "Vendor": "Kebun",
                }
                for line in order.lines
            ]  # fmt: skip
            own = ["Name", "Lineitem quantity", "Lineitem name", "Lineitem price", "Lineitem sku", "Lineitem discount"]
            rows += first_only(each, [*own, "Vendor", *(["Email", "Created at"] if repeats else [])])
        return [table("orders_export_1", self.header, rows, dice.choice([self.newer, {}]))]


class WooCommerce(Format):
    """A coupon is spread over the lines; tax stands beside the prices."""

    lacks = frozenset({"user", "rebate", "platform", "tax_included", "undelivered", "test"})
    knows = ("email", "phone", "name", "city")
    packings = ("csv", "zip", "xlsx", "semicolon")

    def amounts(self, order: Order, place: Place) -> list[Decimal]:
        """What is paid for each line."""
        goods = [line.goods for line in order.lines]
        return [paid - off for paid, off in zip(goods, split(order.voucher, goods, place.cent), strict=True)]

    def sold(self, order: Order, place: Place) -> list[Sold]:
        amounts = zip(order.lines, self.amounts(order, place), strict=True)
        return [(line.product.sku, Decimal(line.quantity), amount) for line, amount in amounts]

    def back(self, order: Order, place: Place) -> list[Decimal]:
        """What is given back for each line."""
        return [
            (amount * line.back / line.quantity).quantize(place.cent)
            for line, amount in zip(order.lines, self.amounts(order, place), strict=True)
        ]

    def all_back(self, order: Order, place: Place) -> Decimal:
        return sum(self.back(order, place), order.money_back)

    def returned(self, order: Order, place: Place) -> Fraction:
        return Fraction(self.all_back(order, place))

    def stated(self, order: Order) -> Decimal:
        return order.goods - order.voucher if order.counts else ZERO

    def state(self, order: Order, dice: random.Random) -> str:
        words = {CANCELLED: ["Cancelled", "Dibatalkan", "wc-cancelled"], UNPAID: ["Pending payment", "wc-pending"]}
        return dice.choice(words.get(order.fate, ["Completed", "wc-completed", "Processing", "Selesai"]))

    def suits(self, order: Order, place: Place) -> Order:
        # What was never paid is cancelled to WooCommerce.
        return replace(order, fate=CANCELLED) if order.fate == UNPAID else order


class AdvancedExport(WooCommerce):
    """Advanced Order Export For WooCommerce: a row per item."""

    name = "WooCommerce by Advanced Order Export"
    lacks = WooCommerce.lacks | {"currency"}
    header = names(
        "Order Number,Order Status,Order Date,Customer Note,First Name (Billing),Last Name (Billing),"
        "Company (Billing),Address 1&2 (Billing),City (Billing),State Code (Billing),Postcode (Billing),"
        "Country Code (Billing),Email (Billing),Phone (Billing),Payment Method Title,Cart Discount Amount,"
        "Order Subtotal Amount,Shipping Method Title,Order Shipping Amount,Order Refund Amount,Order Total Amount,"
        "Order Total Tax Amount,SKU,Item #,Item Name,Quantity,Item Cost,Coupon Code,Discount Amount,"
        "Discount Amount Tax,Order Line Total,Quantity (- Refund),Order Line Total Refunded,Date of first refund,"
        "Paid Date"
    )

    def write(self, orders: Sequence[Order], place: Place, dice: random.Random, *, typed: bool) -> list[Table]:
        rows: list[Row] = []
        form = "%Y-%m-%d %H:%M:%S"
        on_first = dice.random() < 0.5
        for order in orders:
            person, back = order.person, self.back(order, place)
            whole: Row = {
                "Order Number": self.number(order), "Order Status": self.state(order, dice),
                "Order Date": local(place, order.placed_at, form), "Email (Billing)": email_of(person, dice),
                "First Name (Billing)": person.name if person else "", "City (Billing)": person.city if person else "",
                "Phone (Billing)": phone_of(person, dice), "Country Code (Billing)": "ID",
                "Cart Discount Amount": str(order.voucher), "Order Subtotal Amount": str(order.goods),
                "Order Shipping Amount": str(order.shipping), "Order Total Amount": str(order.total),
                "Order Refund Amount": str(self.all_back(order, place)), "Order Total Tax Amount": str(order.tax),
                "Date of first refund": local(place, order.placed_at, form, days=3) if order.returned else "",
                "Paid Date": local(place, order.placed_at, form) if order.counts else "",
            }  # fmt: skip
            each: list[Row] = []
            for n, (line, amount) in enumerate(zip(order.lines, self.amounts(order, place), strict=True)):
                each.append(whole | {
                    "SKU": line.product.sku, "Item #": str(n + 1), "Item Name": line.product.name,
                    "Quantity": str(line.quantity), "Item Cost": f"{amount / line.quantity:.4f}",
                    "Order Line Total": str(amount), "Quantity (- Refund)": str(line.quantity - line.back),
                    "Order Line Total Refunded": str(back[n]),
                })  # fmt: skip
            own = ["Order Number", "SKU", "Item #", "Item Name", "Quantity", "Item Cost", "Order Line Total",
                   "Quantity (- Refund)", "Order Line Total Refunded"]  # fmt: skip
            rows += first_only(each, own) if on_first else each
        return [table("orders-2025-12-31", self.header, rows)]


class WebToffee(WooCommerce):
    """Order Export & Order Import by WebToffee: keys as headers, a row per item."""

    name = "WooCommerce by WebToffee, a row per item"
    order_keys = names(
        "order_id,order_number,order_date,paid_date,status,shipping_total,shipping_tax_total,fee_total,fee_tax_total,"
        "tax_total,cart_discount,order_discount,discount_total,order_total,order_subtotal,order_key,order_currency,"
        "payment_method,customer_id,customer_email,billing_first_name,billing_last_name,billing_email,billing_phone,"
        "billing_city,billing_country,customer_note,coupon_items,refund_items"
    )
    item_keys = names(
        "item_product_id,item_name,item_sku,item_quantity,item_subtotal,item_total,item_total_tax,item_refunded,"
        "item_refunded_qty,item_meta"
    )
    form = "%Y-%m-%d %H:%M:%S"

    def whole(self, order: Order, place: Place, dice: random.Random) -> Row:
        person, back = order.person, self.all_back(order, place)
        refund = f"amount:{back:.2f}|reason:|date:{local(place, order.placed_at, self.form, days=3)}"
        return {
            "order_id": self.number(order), "order_number": self.number(order),
            "order_date": local(place, order.placed_at, self.form),
            "paid_date": local(place, order.placed_at, self.form) if order.counts else "",
            "status": self.state(order, dice).lower(), "shipping_total": str(order.shipping),
            "tax_total": str(order.tax), "cart_discount": str(order.voucher), "discount_total": str(order.voucher),
            "order_total": str(order.total), "order_subtotal": str(order.goods), "order_currency": order.currency,
            "customer_id": "0", "customer_email": email_of(person, dice), "billing_email": email_of(person, dice),
            "billing_first_name": person.name if person else "", "billing_phone": phone_of(person, dice),
            "billing_city": person.city if person else "", "billing_country": "ID",
            "refund_items": refund if back else "",
        }  # fmt: skip

    def items(self, order: Order, place: Place) -> list[Row]:
        back = self.back(order, place)
        return [
            {
                "item_product_id": "0", "item_name": line.product.name, "item_sku": line.product.sku,
                "item_quantity": str(line.quantity), "item_subtotal": str(line.goods), "item_total": str(amount),
                "item_refunded": str(-back[n]), "item_refunded_qty": str(-line.back),
            }
            for n, (line, amount) in enumerate(zip(order.lines, self.amounts(order, place), strict=True))
        ]  # fmt: skip

    def write(self, orders: Sequence[Order], place: Place, dice: random.Random, *, typed: bool) -> list[Table]:
        rows: list[Row] = []
        for order in orders:
            whole = self.whole(order, place, dice)
            rows += [whole | item for item in self.items(order, place)]
        return [table("order_export_2025", [*self.order_keys, *self.item_keys], rows)]


class WebToffeeCells(WebToffee):
    """The same plug-in with the items in cells, as many as the largest order has. A name cannot hold a bar."""

    name = "WooCommerce by WebToffee, a row per order"

    def suits(self, order: Order, place: Place) -> Order:
        def barred(line: Line) -> Line:
            product = line.product
            return replace(line, product=replace(product, name=product.name.replace("|", "/")))

        return replace(super().suits(order, place), lines=tuple(map(barred, order.lines)))

    def write(self, orders: Sequence[Order], place: Place, dice: random.Random, *, typed: bool) -> list[Table]:
        rows: list[Row] = []
        most = max(len(order.lines) for order in orders)
        for order in orders:
            row = self.whole(order, place, dice)
            for n, item in enumerate(self.items(order, place), start=1):
                keys = ("name", "product_id", "sku", "quantity", "total", "sub_total", "refunded", "refunded_qty")
                values = {**item, "item_sub_total": item["item_subtotal"]}
                row[f"line_item_{n}"] = "|".join(f"{key}:{values[f'item_{key}']}" for key in keys)
            rows.append(row)
        cells = [f"line_item_{n}" for n in range(1, most + 1)]
        return [table("order_export_2025", [*self.order_keys, *cells], rows)]


class SkyVerge(WebToffee):
    """Customer / Order / Coupon Export by SkyVerge: a cell with all items, its marks behind backslashes."""

    name = "WooCommerce by SkyVerge, a row per order"

    def suits(self, order: Order, place: Place) -> Order:
        # A backslash of the name's own cannot be told from the one before a mark.
        def straight(line: Line) -> Line:
            product = line.product
            return replace(line, product=replace(product, name=product.name.replace("\\", "/")))

        return replace(super().suits(order, place), lines=tuple(map(straight, order.lines)))

    def write(self, orders: Sequence[Order], place: Place, dice: random.Random, *, typed: bool) -> list[Table]:
        def escaped(value: object) -> str:
            return str(value).replace(":", "\\:").replace(";", "\\;").replace("|", "\\|")

        rows: list[Row] = []
        for order in orders:
            row = self.whole(order, place, dice)
            keys = ("name", "product_id", "sku", "quantity", "total", "refunded", "refunded_qty")
            items = self.items(order, place)
            row["line_items"] = ";".join(
                "|".join(f"{key}:{escaped(item[f'item_{key}'])}" for key in keys) for item in items
            )
            row["refunds"] = str(row.pop("refund_items"))
            row["refunded_total"] = str(self.all_back(order, place))
            row["date"] = row.pop("order_date")
            rows.append({key: value for key, value in row.items() if key not in ("paid_date", "customer_email")})
        left = ("paid_date", "customer_email", "order_date", "refund_items")
        header = [
            *(key for key in self.order_keys if key not in left),
            "date",
            "refunds",
            "refunded_total",
            "line_items",
        ]
        return [table("orders-export", header, rows)]
