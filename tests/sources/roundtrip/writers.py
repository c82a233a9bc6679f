"""What an export is to these tests: how it writes a shop, and what of the shop it can carry."""

from __future__ import annotations

import csv
import datetime as dt
import random
from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction

from .model import Order, Person, Place
from .packing import EVERY, Table

csv.field_size_limit(100_000_000)
"""A spoilt file may have a very long field; it is read back all the same."""
Row = dict[str, object]
Sold = tuple[str, Decimal, Decimal]
"""Product, units, amount."""


def names(line: str, mark: str = ",") -> list[str]:
    return next(csv.reader([line], delimiter=mark))


class Format:
    """One export. What stands here is what most of them do."""

    name = ""
    lacks: frozenset[str] = frozenset()
    """What of the model it has no place for; such shops are not drawn for it."""
    knows: tuple[str, ...] = ("email", "phone", "name")
    """What it says of a person."""
    packings: tuple[str, ...] = EVERY
    numbered = True
    has_lines = True
    names_returned_order = True
    names_products = True

    def suits(self, order: Order, place: Place) -> Order:
        """The order, without a mixture that the export cannot tell."""
        return order

    def number(self, order: Order) -> str:
        return str(order.n)

    def currency(self, order: Order) -> str:
        return order.currency

    def total(self, order: Order) -> Decimal:
        return order.total

    def sold(self, order: Order, place: Place) -> list[Sold]:
        return [(line.product.sku, Decimal(line.quantity), line.goods) for line in order.lines]

    def returned(self, order: Order, place: Place) -> Fraction:
        return order.returned

    def stated(self, order: Order) -> Decimal | None:
        """What the system itself says of the order, within the figure from which the bridge begins."""
        return None

    def write(self, orders: Sequence[Order], place: Place, dice: random.Random, *, typed: bool) -> list[Table]:
        """`typed`: numbers and times may stand as such."""
        raise NotImplementedError


def table(name: str, header: Sequence[str], rows: Sequence[Row], renamed: dict[str, str] | None = None) -> Table:
    """Rows by header as a table; what a row does not name is empty."""
    assert not (unknown := {key for row in rows for key in row} - set(header)), unknown
    cells = [[row.get(column, "") for column in header] for row in rows]
    return Table(name, [(renamed or {}).get(column, column) for column in header], cells)  # type: ignore[arg-type]


def phone_of(person: Person | None, dice: random.Random) -> str:
    """A telephone number in one of the ways in which people write it."""
    if person is None or not person.phone:
        return ""
    plain = person.phone.removeprefix("+")
    own = "0" + plain[2:]
    return dice.choice(
        [person.phone, plain, own, f"{own[:4]}-{own[4:8]}-{own[8:]}", f"+{plain[:2]} {plain[2:5]} {plain[5:]}"]
    )


def email_of(person: Person | None, dice: random.Random) -> str:
    """An address in any case of letters."""
    address = person.email if person else ""
    return dice.choice([address, address.capitalize(), address.upper(), f" {address} "]) if address else ""


def plain(amount: Decimal) -> str:
    """With two decimals, as most systems write money."""
    return f"{amount:.2f}"


def local(place: Place, moment: dt.datetime, form: str, *, days: int = 0) -> str:
    return (place.local(moment) + dt.timedelta(days=days)).strftime(form)


def returned_total(order: Order, place: Place) -> Decimal:
    """What was given back, to the cent."""
    return Decimal(round(order.returned / Fraction(place.cent))) * place.cent


def first_only(rows: list[Row], keep: Sequence[str], kept: dict[str, object] | None = None) -> list[Row]:
    """Rows of which all but the first have their own cells alone."""
    return [rows[0], *({key: value for key, value in row.items() if key in keep} | (kept or {}) for row in rows[1:])]
