"""A small shop as plain values, with its own arithmetic: nothing here knows how Setia reads a file."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence, Set
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

D = Decimal
ZERO = Decimal(0)


@dataclass(frozen=True)
class Place:
    """Where a shop is: its clock, its money, a telephone number of it."""

    zone: str
    currency: str
    decimals: int
    first_number: int
    """A mobile telephone, in international form."""

    @property
    def cent(self) -> Decimal:
        return D(1).scaleb(-self.decimals)

    def local(self, moment: dt.datetime, zone: str | None = None) -> dt.datetime:
        """The wall clock, without a zone."""
        return moment.astimezone(ZoneInfo(zone or self.zone)).replace(tzinfo=None)


JAKARTA = Place("Asia/Jakarta", "IDR", 0, 6281234567890)
KUALA_LUMPUR = Place("Asia/Kuala_Lumpur", "MYR", 2, 60123456789)


@dataclass(frozen=True)
class Person:
    """Somebody who buys; nobody shares an address, a number or a name of a marketplace with another."""

    email: str
    phone: str
    user: str
    name: str
    city: str


@dataclass(frozen=True)
class Product:
    sku: str
    name: str


@dataclass(frozen=True)
class Line:
    """Money is of one unit."""

    product: Product
    quantity: int
    price: Decimal
    off: Decimal
    """What the shop takes off."""
    rebate: Decimal
    """What the marketplace takes off beside that, and pays."""
    back: int
    """Units given back."""

    @property
    def goods(self) -> Decimal:
        return (self.price - self.off) * self.quantity

    @property
    def asked(self) -> Decimal:
        """What the buyer is asked for it."""
        return (self.price - self.off - self.rebate) * self.quantity


DONE, CANCELLED, UNDELIVERED, TEST, UNPAID = "done", "cancelled", "undelivered", "test", "unpaid"


@dataclass(frozen=True)
class Order:
    n: int
    person: Person | None
    placed_at: dt.datetime
    currency: str
    lines: tuple[Line, ...]
    voucher: Decimal
    """What the shop takes off the whole order."""
    platform: Decimal
    """What the marketplace takes off the whole order, and pays."""
    shipping: Decimal
    tax: Decimal
    tax_added: bool
    fate: str
    money_back: Decimal
    """Money given back without any goods."""

    @property
    def goods(self) -> Decimal:
        return sum((line.goods for line in self.lines), ZERO)

    @property
    def rebates(self) -> Decimal:
        return sum((line.rebate * line.quantity for line in self.lines), ZERO)

    @property
    def added_tax(self) -> Decimal:
        return self.tax if self.tax_added else ZERO

    @property
    def total(self) -> Decimal:
        """What the shop gets."""
        return self.goods - self.voucher + self.shipping + self.added_tax

    @property
    def buyer_pays(self) -> Decimal:
        return self.total - self.rebates - self.platform

    @property
    def exists(self) -> bool:
        return self.fate != UNPAID

    @property
    def counts(self) -> bool:
        return self.fate == DONE

    def share(self, line: Line) -> Fraction:
        """The line's part of the shop's voucher, by what the buyer is asked for it."""
        whole = sum((each.asked for each in self.lines), ZERO)
        return Fraction(self.voucher) * Fraction(line.asked) / Fraction(whole) if whole else Fraction(0)

    def given_back(self, line: Line) -> Fraction:
        """Money for the units of a line that came back."""
        return (Fraction(line.goods) - self.share(line)) * line.back / line.quantity

    @property
    def returned(self) -> Fraction:
        return sum((self.given_back(line) for line in self.lines), Fraction(0)) + Fraction(self.money_back)


def split(amount: Decimal, weights: Sequence[Decimal], cent: Decimal) -> list[Decimal]:
    """An amount over several parts, to the last cent, none more than its weight."""
    whole = sum(weights, ZERO)
    if not whole:
        return [ZERO for _ in weights]
    parts = [(amount * weight / whole // cent) * cent for weight in weights]
    left = amount - sum(parts, ZERO)
    for n, weight in enumerate(weights):
        more = min(left, weight - parts[n])
        parts[n] += more
        left -= more
    assert left == 0
    return parts


# Drawing a shop.

ODD_NAMES = (
    "Siti Aminah", "Budi, S.E.", 'Tan "Wei" Ling', "=1+1", "=cmd|' /C calc'!A0", "+62", "-5", "@SUM(A1)", "a;b|c",
    "two\nlines", "陈伟玲", "Ku😀pi", "null", "N/A", "O'Brien", "0012", "1e5", "TRUE", "tab\tin", "a, b; c", '"', '""',
    "x\"\n\"y", "é̂", "\u202eabc", "%s {}", "'quoted'", "back\\slash", "#", "-", "2024-01-05",
)  # fmt: skip
NAMES = st.one_of(
    st.sampled_from(ODD_NAMES[:3]),
    st.sampled_from(ODD_NAMES),
    st.text(st.sampled_from("ab 1,;|\t\n\"'=+-@\\/:#é陈😀%{}"), min_size=1, max_size=10).map(
        lambda text: text.strip(" \t\n")
    ),
).filter(lambda name: name != "")
EDGES = tuple(dt.time.fromisoformat(t) for t in ("00:00:00", "23:59:59", "00:00:01", "06:59:59", "07:00:00", "08:00"))
CLOCKS = st.one_of(st.sampled_from(EDGES), st.times().map(lambda t: t.replace(microsecond=0, fold=0)))
DAYS = st.one_of(
    st.sampled_from([dt.date(2024, 2, 29), dt.date(2024, 1, 31), dt.date(2024, 12, 31), dt.date(2025, 1, 1)]),
    st.dates(dt.date(2024, 1, 1), dt.date(2025, 12, 31)),
)
COMMON, SOMETIMES = (False, True), (False, False, False, True)
FATES = {"cancelled": CANCELLED, "undelivered": UNDELIVERED, "test": TEST, "unpaid": UNPAID}
SKUS = ("KG-{}", "00{}", "{}E5", "TEH/{}", "KOPI {}", "SKU,{}", "=A{}", "kopi-{}", "{}")


@st.composite
def shops(draw: st.DrawFn, place: Place, lacks: Set[str], foreign: str = "USD") -> list[Order]:
    """Orders of a shop whose system knows all but what it `lacks`."""
    kinds = [kind for kind in ("email", "phone", "user") if kind not in lacks]
    count = draw(st.integers(1, 4))
    names = draw(st.lists(NAMES, min_size=count, max_size=count))
    people = []
    for n, name in enumerate(names):
        has = draw(st.sampled_from([kinds, *([kind] for kind in kinds)])) if len(kinds) > 1 else kinds
        people.append(
            Person(
                email=f"{draw(st.sampled_from(['siti', 'budi.s', 'aminah+toko', 'wei_ling']))}{n}@example.com"
                if "email" in has
                else "",
                phone=f"{place.first_number + 1_234 * n:+d}" if "phone" in has else "",
                user=f"{draw(st.sampled_from(['siti_h', 'budi.s', 'toko88']))}{n}" if "user" in has else "",
                name=name,
                city=draw(st.sampled_from(["Bandung", "Shah Alam", "Kota Kinabalu"])),
            )
        )
    titles = draw(st.lists(NAMES, min_size=3, max_size=3, unique_by=str.lower))
    products = [Product(draw(st.sampled_from(SKUS)).format(n + 1), title) for n, title in enumerate(titles)]
    orders = [_order(draw, n, place, lacks, people, products, foreign) for n in range(1, draw(st.integers(1, 6)) + 1)]
    # A file in which nothing is an order is another test's.
    if not any(order.counts for order in orders):
        orders[0] = replace(orders[0], fate=DONE)
    return orders


def _order(
    draw: st.DrawFn,
    n: int,
    place: Place,
    lacks: Set[str],
    people: list[Person],
    products: list[Product],
    foreign: str,
) -> Order:
    def has(feature: str, often: Any = SOMETIMES) -> bool:
        return feature not in lacks and draw(st.sampled_from(often))

    def money(most: Decimal) -> Decimal:
        """None, all, or anything between."""
        units = int(most / place.cent)
        return D(draw(st.one_of(st.just(units), st.integers(0, units)))) * place.cent

    rich = st.sampled_from([0, 1, 999, 1000, 1500, 33_333, 85_000, 99_999, 1_234_567, 12_345_678])
    low = 0 if "free" not in lacks else 1
    prices = st.one_of(rich, st.integers(1, 2_000_000)).map(lambda units: D(max(units, low)) * place.cent)
    lines = []
    for _ in range(draw(st.integers(1, 1 if "lines" in lacks else 4))):
        price = draw(prices)
        off = money(price) if has("line_discount") else ZERO
        rebate = money(price - off) if has("rebate") else ZERO
        lines.append(Line(draw(st.sampled_from(products)), draw(st.integers(1, 3)), price, off, rebate, 0))
    fates = [fate for feature, fate in FATES.items() if feature not in lacks]
    fate = draw(st.sampled_from([DONE, DONE, DONE, *fates]))
    day = dt.datetime.combine(draw(DAYS), draw(CLOCKS), ZoneInfo(place.zone))
    if "seconds" in lacks:
        day = day.replace(second=0)
    order = Order(
        n=n,
        person=None if has("guest") or not people else draw(st.sampled_from(people)),
        placed_at=day.astimezone(dt.UTC),
        currency=foreign if has("currency") else place.currency,
        lines=tuple(lines),
        voucher=ZERO,
        platform=ZERO,
        shipping=D(draw(st.sampled_from([900, 15_000, 12_345]))) * place.cent if has("shipping", COMMON) else ZERO,
        tax=ZERO,
        tax_added=False,
        fate=fate,
        money_back=ZERO,
    )
    asked = order.buyer_pays - order.shipping
    if has("voucher"):
        order = replace(order, voucher=money(asked))
        asked -= order.voucher
    if has("platform"):
        order = replace(order, platform=money(asked))
    if "free" in lacks and order.buyer_pays == 0:
        order = replace(
            order, voucher=ZERO, platform=ZERO, lines=tuple(replace(x, off=ZERO, rebate=ZERO) for x in lines)
        )
    if has("tax_added"):
        order = replace(order, tax=money(order.goods - order.voucher), tax_added=True)
    elif has("tax_included"):
        order = replace(order, tax=money((order.goods - order.voucher) / 10 // place.cent * place.cent))
    if order.fate != DONE or order.buyer_pays <= 0:
        return order
    if has("returns"):
        order = replace(
            order, lines=tuple(replace(line, back=draw(st.integers(0, line.quantity))) for line in order.lines)
        )
    # Never more than was paid.
    rest = Fraction(order.buyer_pays) - order.returned
    if has("money_back") and rest > 0:
        order = replace(order, money_back=money(D(int(rest / Fraction(place.cent))) * place.cent))
    return order
