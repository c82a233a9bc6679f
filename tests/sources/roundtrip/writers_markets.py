"""Marketplaces: Shopee, TikTok Shop, Lazada, Olist."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import ClassVar

from .model import CANCELLED, UNDELIVERED, UNPAID, ZERO, Order, Place, split
from .packing import Table
from .writers import Format, Row, Sold, email_of, local, names, phone_of, plain, table


def _masked(order: Order) -> str:
    return f"r***{order.n}"


class Shopee(Format):
    """A row per product, prices of one unit after both discounts, vouchers of the order on each row."""

    name = "Shopee"
    lacks = frozenset({"email", "currency", "test", "seconds", "tax_added", "tax_included", "money_back"})
    knows = ("phone", "name", "city")
    packings = ("xlsx", "csv", "zip")
    indonesian = names(
        "No. Pesanan|Status Pesanan|Alasan Pembatalan|Status Pembatalan/ Pengembalian|No. Resi|Opsi Pengiriman|"
        "Waktu Pengiriman Diatur|Waktu Pesanan Dibuat|Waktu Pembayaran Dilakukan|Metode Pembayaran|SKU Induk|"
        "Nama Produk|Nomor Referensi SKU|Nama Variasi|Harga Awal|Harga Setelah Diskon|Jumlah|Returned quantity|"
        "Total Harga Produk|Total Diskon|Diskon Dari Penjual|Diskon Dari Shopee|Berat Produk|Jumlah Produk di Pesan|"
        "Voucher Ditanggung Penjual|Cashback Koin|Voucher Ditanggung Shopee|Paket Diskon|"
        "Paket Diskon (Diskon dari Shopee)|Paket Diskon (Diskon dari Penjual)|Potongan Koin Shopee|"
        "Diskon Kartu Kredit|Ongkos Kirim Dibayar oleh Pembeli|Total Pembayaran|Perkiraan Ongkos Kirim|"
        "Username (Pembeli)|Nama Penerima|No. Telepon|Kota/Kabupaten|Provinsi|Waktu Pesanan Selesai",
        "|",
    )
    english: ClassVar[dict[str, str]] = {
        "No. Pesanan": "Order ID", "Status Pesanan": "Order Status", "Alasan Pembatalan": "Cancel reason",
        "No. Resi": "Tracking Number*", "Waktu Pengiriman Diatur": "Ship Time",
        "Waktu Pesanan Dibuat": "Order Creation Date", "Waktu Pembayaran Dilakukan": "Order Paid Time",
        "SKU Induk": "Parent SKU Reference No.", "Nama Produk": "Product Name",
        "Nomor Referensi SKU": "SKU Reference No.", "Harga Awal": "Original Price",
        "Harga Setelah Diskon": "Deal Price", "Jumlah": "Quantity", "Total Harga Produk": "Product Subtotal",
        "Diskon Dari Penjual": "Seller Discount", "Diskon Dari Shopee": "Shopee Rebate",
        "Voucher Ditanggung Penjual": "Seller Voucher", "Voucher Ditanggung Shopee": "Shopee Voucher",
        "Paket Diskon (Diskon dari Shopee)": "Shopee Bundle Discount",
        "Paket Diskon (Diskon dari Penjual)": "Seller Bundle Discount", "Potongan Koin Shopee": "Shopee Coins Offset",
        "Diskon Kartu Kredit": "Credit Card Discount Total",
        "Ongkos Kirim Dibayar oleh Pembeli": "Buyer Paid Shipping Fee", "Total Pembayaran": "Grand Total",
        "Username (Pembeli)": "Username (Buyer)", "Nama Penerima": "Receiver Name", "No. Telepon": "Phone Number",
        "Kota/Kabupaten": "City", "Waktu Pesanan Selesai": "Order Complete Time",
    }  # fmt: skip
    malay: ClassVar[dict[str, str]] = {
        **english, "No. Pesanan": "ID Pesanan", "Status Pesanan": "Status Pesanan",
        "Alasan Pembatalan": "Sebab Pembatalan", "Waktu Pengiriman Diatur": "Masa Penghantaran",
        "Waktu Pesanan Dibuat": "Tarikh Pesanan Dibuat", "Waktu Pembayaran Dilakukan": "Masa Pembayaran Pesanan",
        "Harga Setelah Diskon": "Harga Tawaran", "Jumlah": "Kuantiti", "Returned quantity": "Kuantiti Dikembalikan",
        "Diskon Dari Shopee": "Rebat Shopee", "Voucher Ditanggung Penjual": "Baucar Penjual",
        "Voucher Ditanggung Shopee": "Baucar Shopee", "Username (Pembeli)": "Nama Pengguna (Pembeli)",
        "No. Telepon": "No. Telefon", "Kota/Kabupaten": "Bandar", "Waktu Pesanan Selesai": "Masa Pesanan Selesai",
    }  # fmt: skip
    states: ClassVar[dict[str, dict[str, str]]] = {
        "id": {CANCELLED: "Batal", UNDELIVERED: "Batal", UNPAID: "Belum Bayar"},
        "en": {CANCELLED: "Cancelled", UNDELIVERED: "Cancelled", UNPAID: "Unpaid"},
        "ms": {CANCELLED: "Dibatalkan", UNDELIVERED: "Dibatalkan", UNPAID: "Belum Bayar"},
    }
    reasons: ClassVar[dict[str, dict[str, str]]] = {
        "id": {CANCELLED: "Dibatalkan oleh Pembeli. Alasan: Berubah pikiran", UNDELIVERED: "Pengiriman gagal"},
        "en": {CANCELLED: "Cancelled by buyer: change of mind", UNDELIVERED: "Failed delivery: Delivery failed"},
        "ms": {CANCELLED: "Dibatalkan oleh pembeli", UNDELIVERED: "Penghantaran gagal"},
    }

    def number(self, order: Order) -> str:
        return f"24010{order.n}AAAA{order.n:04d}"

    def stated(self, order: Order) -> Decimal:
        return order.buyer_pays

    def write(self, orders: Sequence[Order], place: Place, dice: random.Random, *, typed: bool) -> list[Table]:
        tongue = "id" if place.currency == "IDR" else dice.choice(["en", "ms"])

        def money(amount: Decimal) -> str:
            return plain(amount) if place.decimals else f"{int(amount):,}".replace(",", ".")

        rows: list[Row] = []
        for order in orders:
            person = order.person
            form = "%Y-%m-%d %H:%M"
            parts = split(order.platform, [order.platform] * 4, place.cent)
            dice.shuffle(parts)
            by_shop = split(order.voucher, [order.voucher] * 2, place.cent)
            ready = "Completed" if tongue == "en" else "Selesai"
            whole: Row = {
                "No. Pesanan": self.number(order), "Status Pesanan": self.states[tongue].get(order.fate, ready),
                "Alasan Pembatalan": self.reasons[tongue].get(order.fate, ""),
                "Waktu Pesanan Dibuat": local(place, order.placed_at, form),
                "Waktu Pembayaran Dilakukan": local(place, order.placed_at, form) if order.counts else "-",
                "Waktu Pengiriman Diatur": local(place, order.placed_at, form, days=1) if order.counts else "-",
                "Waktu Pesanan Selesai": local(place, order.placed_at, form, days=5) if order.counts else "-",
                "Voucher Ditanggung Penjual": money(by_shop[0]),
                "Paket Diskon (Diskon dari Penjual)": money(by_shop[1]),
                "Voucher Ditanggung Shopee": money(parts[0]), "Paket Diskon (Diskon dari Shopee)": money(parts[1]),
                "Potongan Koin Shopee": money(parts[2]), "Diskon Kartu Kredit": money(parts[3]),
                "Ongkos Kirim Dibayar oleh Pembeli": money(order.shipping),
                "Total Pembayaran": money(order.buyer_pays),
                "Username (Pembeli)": dice.choice([person.user, person.user.upper()])
                if person and person.user else _masked(order),
                "Nama Penerima": person.name if person else "B***i",
                "No. Telepon": (person.phone.removeprefix("+") if dice.random() < 0.5 else phone_of(person, dice))
                if person and person.phone else "******77",
                "Kota/Kabupaten": person.city if person else "",
            }  # fmt: skip
            rows += [
                whole | {
                    "Nama Produk": line.product.name, "Nomor Referensi SKU": line.product.sku, "SKU Induk": "X",
                    "Harga Awal": money(line.price), "Harga Setelah Diskon": money(line.price - line.off - line.rebate),
                    "Jumlah": str(line.quantity), "Returned quantity": str(line.back),
                    "Diskon Dari Penjual": money(line.off * line.quantity),
                    "Diskon Dari Shopee": money(line.rebate * line.quantity), "Total Harga Produk": money(line.asked),
                }
                for line in order.lines
            ]  # fmt: skip
        spelt = {"id": {}, "en": self.english, "ms": self.malay}[tongue]
        return [table("Order.all.20240101_20251231", self.indonesian, rows, spelt)]


class TikTokShop(Format):
    """A row per product with its own money; what the order as a whole has is on each row."""

    name = "TikTok Shop"
    lacks = frozenset({"email", "currency", "test", "tax_included"})
    knows = ("phone", "name", "city")
    packings = ("xlsx", "csv", "zip")
    header = names(
        "Order ID|Order Status|Order Substatus|Cancelation/Return Type|Normal or Pre-order|SKU ID|Seller SKU|"
        "Product Name|Variation|Quantity|Sku Quantity of return|SKU Unit Original Price|SKU Subtotal Before Discount|"
        "SKU Platform Discount|SKU Seller Discount|SKU Subtotal After Discount|Shipping Fee After Discount|"
        "Original Shipping Fee|Order Refund Amount|Payment platform discount|Buyer Service Fee|Taxes|Order Amount|"
        "Created Time|Paid Time|RTS Time|Shipped Time|Delivered Time|Cancelled Time|Cancel By|Cancel Reason|"
        "Buyer Username|Recipient|Phone #|Country|Province|Regency and City|Payment Method|Product Category|"
        "Purchase Channel",
        "|",
    )

    def number(self, order: Order) -> str:
        return f"58387090000000{order.n:04d}"

    def suits(self, order: Order, place: Place) -> Order:
        # A refund of an order of many payers is not told apart by payer.
        if order.money_back or any(line.back for line in order.lines):
            return replace(order, platform=ZERO, voucher=ZERO)
        return order

    def shares(self, order: Order, place: Place) -> list[Decimal]:
        return split(order.voucher, [line.asked for line in order.lines], place.cent)

    def sold(self, order: Order, place: Place) -> list[Sold]:
        lines = zip(order.lines, self.shares(order, place), strict=True)
        return [(line.product.sku, Decimal(line.quantity), line.goods - share) for line, share in lines]

    def stated(self, order: Order) -> Decimal:
        return order.buyer_pays

    def write(self, orders: Sequence[Order], place: Place, dice: random.Random, *, typed: bool) -> list[Table]:
        rows: list[Row] = []
        english, older = dice.random() < 0.5, place.decimals == 0 and dice.random() < 0.3
        states = {CANCELLED: ("Canceled", "Dibatalkan"), UNDELIVERED: ("Canceled", "Dibatalkan"),
                  UNPAID: ("Unpaid", "Belum dibayar")}  # fmt: skip

        def money(amount: Decimal) -> str:
            return f"IDR {int(amount):,}".replace(",", ".") if older else f"{amount:.{place.decimals}f}"

        for order in orders:
            person, form = order.person, "%d/%m/%Y %H:%M:%S"
            gone, sent = order.fate in (CANCELLED, UNDELIVERED), order.fate not in (CANCELLED, UNPAID)
            state = states.get(order.fate, ("Completed", "Selesai"))[0 if english else 1]
            to_buyer = sum(((x.price - x.off - x.rebate) * x.back for x in order.lines), order.money_back)
            whole: Row = {
                "Order ID": self.number(order), "Order Status": state, "Order Substatus": state,
                "Cancelation/Return Type": "Cancel" if gone else "Return/Refund" if to_buyer else "",
                "Normal or Pre-order": "Normal", "Shipping Fee After Discount": money(order.shipping),
                "Original Shipping Fee": money(order.shipping), "Order Refund Amount": money(to_buyer),
                "Payment platform discount": money(order.platform), "Taxes": money(order.added_tax),
                "Order Amount": money(order.buyer_pays), "Created Time": local(place, order.placed_at, form),
                "Paid Time": local(place, order.placed_at, form) if order.counts else "",
                "Shipped Time": local(place, order.placed_at, form, days=1) if sent else "",
                "Delivered Time": local(place, order.placed_at, form, days=3) if order.counts else "",
                "Cancelled Time": local(place, order.placed_at, form, days=4) if gone else "",
                "Cancel Reason": "Pengiriman paket gagal" if order.fate == UNDELIVERED else "Berubah" if gone else "",
                "Buyer Username": person.user if person and person.user else _masked(order),
                "Recipient": person.name if person else "B***i",
                "Phone #": f"({person.phone[:3]}){person.phone[3:]}" if person and person.phone else "(+62)812****54",
                "Country": "Indonesia", "Regency and City": person.city if person else "",
                "Purchase Channel": "TikTok",
            }  # fmt: skip
            for line, share in zip(order.lines, self.shares(order, place), strict=True):
                rebate = line.rebate * line.quantity
                rows.append(whole | {
                    "SKU ID": f"173547441594890{order.n}", "Seller SKU": line.product.sku,
                    "Product Name": line.product.name, "Quantity": str(line.quantity),
                    "Sku Quantity of return": str(line.back), "SKU Unit Original Price": money(line.price),
                    "SKU Subtotal Before Discount": money(line.price * line.quantity),
                    "SKU Platform Discount": money(rebate),
                    "SKU Seller Discount": money(line.off * line.quantity + share),
                    "SKU Subtotal After Discount": money(line.asked - share),
                })  # fmt: skip
        if dice.random() < 0.5:
            explained = {name: f"{name} explained, in words." for name in self.header}
            rows.insert(0, {**explained, "Order ID": "Platform unique order ID."})
        if dice.random() < 0.5:
            tabbed = ("Order ID", "SKU ID", "Created Time", "Paid Time", "Shipped Time", "Delivered Time",
                      "Cancelled Time")  # fmt: skip
            rows = [{k: f"{v}\t" if k in tabbed and v else v for k, v in row.items()} for row in rows]
        return [table("OrderSKUList", self.header, rows)]


class Lazada(Format):
    """A row per unit; the buyer is known by address or telephone number only."""

    name = "Lazada"
    lacks = frozenset({"user", "currency", "test", "seconds", "tax_added", "tax_included"})
    knows = ("email", "phone", "name", "city")
    packings = ("semicolon", "xlsx", "zip")
    header = names(
        "orderItemId|orderType|Guarantee|deliveryType|lazadaId|sellerSku|lazadaSku|wareHouse|createTime|updateTime|"
        "rtsSla|ttsSla|orderNumber|invoiceRequired|invoiceNumber|deliveredDate|customerName|customerEmail|"
        "shippingName|shippingAddress|shippingPhone|shippingCity|shippingCountry|billingName|billingPhone|payMethod|"
        "paidPrice|unitPrice|sellerDiscountTotal|shippingFee|walletCredit|itemName|variation|status|"
        "buyerFailedDeliveryReturnInitiator|buyerFailedDeliveryReason|bundleDiscount|refundAmount|sellerNote",
        "|",
    )

    def number(self, order: Order) -> str:
        return f"40000000{order.n:04d}"

    def units(self, order: Order, place: Place) -> list[tuple[int, Decimal, Decimal, bool]]:
        """Of each unit: its line, what the shop gets, what the buyer pays, whether it came back."""
        flat = [(n, unit < line.back) for n, line in enumerate(order.lines) for unit in range(line.quantity)]
        asked = [order.lines[n].price - order.lines[n].off - order.lines[n].rebate for n, _ in flat]
        shop = split(order.voucher, asked, place.cent)
        left = [price - off for price, off in zip(asked, shop, strict=True)]
        market = split(order.platform, left, place.cent)
        return [(n, left[i] + order.lines[n].rebate, left[i] - market[i], back) for i, (n, back) in enumerate(flat)]

    def sold(self, order: Order, place: Place) -> list[Sold]:
        return [(order.lines[n].product.sku, Decimal(1), gets) for n, gets, _, _ in self.units(order, place)]

    def money_for_kept(self, order: Order, place: Place) -> tuple[int, Decimal]:
        """Money is given back on a unit that the buyer keeps; on none, nothing."""
        for i, (_, gets, _, back) in enumerate(self.units(order, place)):
            if not back and gets and order.money_back:
                return i, min(gets, order.money_back)
        return -1, ZERO

    def returned(self, order: Order, place: Place) -> Fraction:
        units = sum((gets for _, gets, _, back in self.units(order, place) if back), ZERO)
        return Fraction(units + self.money_for_kept(order, place)[1])

    def stated(self, order: Order) -> Decimal:
        return order.buyer_pays - order.shipping

    def write(self, orders: Sequence[Order], place: Place, dice: random.Random, *, typed: bool) -> list[Table]:
        rows: list[Row] = []
        form = dice.choice(["%d %b %Y %H:%M", "%Y-%m-%d %H:%M"])
        words = {CANCELLED: ["canceled"], UNPAID: ["unpaid"],
                 UNDELIVERED: ["Package Returned", "failed", "Lost by 3PL", "shipped_back_success"]}  # fmt: skip
        for order in orders:
            person = order.person
            units = self.units(order, place)
            shipping = split(order.shipping, [order.shipping] * len(units), place.cent)
            kept, money_back = self.money_for_kept(order, place)
            state = dice.choice(words.get(order.fate, ["delivered", "confirmed"]))
            for i, (n, gets, pays, back) in enumerate(units):
                line = order.lines[n]
                rows.append({
                    "orderItemId": f"{self.number(order)}{i:02d}", "orderNumber": self.number(order),
                    "sellerSku": line.product.sku, "itemName": line.product.name,
                    "createTime": local(place, order.placed_at, form),
                    "updateTime": local(place, order.placed_at, form, days=2),
                    "deliveredDate": local(place, order.placed_at, form, days=1) if order.counts else "",
                    "customerName": person.name if person else "B***i",
                    "customerEmail": email_of(person, dice) or dice.choice(["", "b***@e***.com"]),
                    "shippingPhone": phone_of(person, dice) or "60********21",
                    "shippingCity": person.city if person else "", "shippingCountry": "Malaysia",
                    "paidPrice": plain(pays), "unitPrice": plain(line.price),
                    "sellerDiscountTotal": plain(gets - line.price), "shippingFee": plain(shipping[i]),
                    "walletCredit": "0.00", "bundleDiscount": "0.00", "status": "returned" if back else state,
                    "refundAmount": plain(money_back) if i == kept else "", "payMethod": "COD",
                })  # fmt: skip
        return [table("lazada-orders", self.header, rows)]


class Olist(Format):
    """The set of tables of a Brazilian marketplace: a row per unit, freight by unit, payments of several kinds."""

    name = "Olist: orders"
    lacks = frozenset({
        "email", "phone", "guest", "voucher", "platform", "rebate", "tax_added", "tax_included", "currency", "test",
        "undelivered", "unpaid", "returns", "money_back",
    })  # fmt: skip
    knows = ("city",)
    packings = ("csv", "zip", "parquet", "gzip")
    names_products = False

    def number(self, order: Order) -> str:
        return f"o{order.n:031x}"

    def currency(self, order: Order) -> str:
        return "BRL"

    def interest(self, order: Order) -> Decimal:
        """Instalments cost the buyer more than the shop gets."""
        return Decimal(order.n % 3)

    def stated(self, order: Order) -> Decimal:
        return order.total + self.interest(order)

    def write(self, orders: Sequence[Order], place: Place, dice: random.Random, *, typed: bool) -> list[Table]:
        form = "%Y-%m-%d %H:%M:%S"

        def time(order: Order) -> str:
            return place.local(order.placed_at, "America/Sao_Paulo").strftime(form)

        heads: list[Row] = [
            {
                "order_id": self.number(order), "customer_id": f"c{order.n}",
                "order_status": dice.choice(["canceled", "unavailable"]) if order.fate == CANCELLED else "delivered",
                "order_purchase_timestamp": time(order), "order_approved_at": time(order),
                "order_delivered_carrier_date": "", "order_delivered_customer_date": "",
                "order_estimated_delivery_date": "2026-02-01 00:00:00",
            }
            for order in orders
        ]  # fmt: skip
        people: list[Row] = [
            {
                "customer_id": f"c{order.n}", "customer_unique_id": order.person.user if order.person else "",
                "customer_zip_code_prefix": "01409", "customer_state": "SP",
                "customer_city": order.person.city if order.person else "",
            }
            for order in orders
        ]  # fmt: skip
        items: list[Row] = []
        paid: list[Row] = []
        for order in orders:
            units = [line for line in order.lines for _ in range(line.quantity)]
            freight = split(order.shipping, [order.shipping] * len(units), place.cent)
            items += [
                {
                    "order_id": self.number(order), "order_item_id": str(n), "product_id": line.product.sku,
                    "seller_id": "s1", "shipping_limit_date": "2026-02-01 00:00:00",
                    "price": plain(line.price - line.off), "freight_value": plain(freight[n - 1]),
                }
                for n, line in enumerate(units, start=1)
            ]  # fmt: skip
            voucher = (order.total / 3).quantize(place.cent)
            for n, (kind, amount) in enumerate(
                {"voucher": voucher, "credit_card": self.stated(order) - voucher}.items(), start=1
            ):
                paid.append({
                    "order_id": self.number(order), "payment_sequential": str(n), "payment_type": kind,
                    "payment_installments": "3", "payment_value": plain(amount),
                })  # fmt: skip
        tables = {"orders": heads, "customers": people, "order_items": items, "order_payments": paid}
        found = [table(f"olist_{name}_dataset", list(rows[0]), rows) for name, rows in tables.items()]
        dice.shuffle(found)
        return found
