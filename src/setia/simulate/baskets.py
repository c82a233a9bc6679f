"""What stands in the orders: lines, prices, discounts, and what follows: returns, answers, visits.

Money is in whole minor units of the shop's currency: total = sum of line amounts - discount + shipping, exactly.
Nothing written here looks ahead: a visit precedes its order within the same hour and the same tick, and visits
without an order come from active customers independently of their next order, so that choosing an audience by
its events leaves the chances of `behaviour` exact.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from setia.simulate.calendar import Calendar
from setia.simulate.draws import Draws
from setia.simulate.files import Columns
from setia.simulate.goods import CHANNELS, COMMENTS, CURRENCIES, PRODUCTS, SHIPPING
from setia.simulate.models import ShopSettings
from setia.simulate.people import People, customer_id

Ints = NDArray[np.int64]
Texts = NDArray[np.object_]

_LINES = (0.48, 0.3, 0.15, 0.07)
_CATEGORIES = sorted({category for _, category, _ in PRODUCTS})
_PRODUCT_IDS = [f"P{number + 1:03d}" for number in range(len(PRODUCTS))]


@dataclass(frozen=True, slots=True)
class Orders:
    """The orders of one tick, in order of time. `mark` is the seed of everything in the order."""

    order_id: Texts
    who: Ints
    second: Ints
    mark: NDArray[np.uint64]
    last: NDArray[np.bool_]
    """Whether the customer dropped out after it."""
    code: Texts
    """Voucher code used; empty for none."""
    kind: Texts
    """Kind of the offer redeemed; `none` without a code."""
    value: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Lines:
    """Order lines, one after the other; `order` is the position in Orders, `line` counts from 1."""

    order: Ints
    line: Ints
    product: Ints
    quantity: Ints
    price: Ints

    @property
    def amount(self) -> Ints:
        """Quantity times price."""
        return self.quantity * self.price


@dataclass(frozen=True, slots=True)
class Sums:
    """Money of each order."""

    goods: Ints
    discount: Ints
    shipping: Ints


class Baskets:
    """Fills orders."""

    def __init__(self, settings: ShopSettings, draws: Draws, calendar: Calendar, people: People) -> None:
        self._settings = settings
        self._draws = draws
        self._calendar = calendar
        self._people = people
        self._money = CURRENCIES[settings.currency]
        self._prices = np.array([self._money.price(thousands) for _, _, thousands in PRODUCTS])

    @property
    def usual_order(self) -> float:
        """Goods in a usual order, in the shop's currency."""
        lines = sum((number + 1) * share for number, share in enumerate(_LINES))
        return float(self._prices.mean()) * lines * 1.3 / float(10**self._money.decimals)

    def products(self) -> Columns:
        """Rows of `products`."""
        return {
            "product_id": _PRODUCT_IDS,
            "name": [name for name, _, _ in PRODUCTS],
            "category": [category for _, category, _ in PRODUCTS],
            "price": [self._money.text(price) for price in self._prices.tolist()],
            "cost": [self._money.text(price * 55 // 100) for price in self._prices.tolist()],
            "currency": [self._settings.currency] * len(PRODUCTS),
        }

    def lines(self, orders: Orders) -> Lines:
        """What was bought: one to four different products, often of the customer's favourite category."""
        draws = self._draws
        number = draws.pick("lines", _LINES, orders.mark) + 1
        chosen = np.stack([self._product(orders, place) for place in range(4)], axis=1)
        for place in range(1, 4):
            for _ in range(place):
                same = (chosen[:, :place] == chosen[:, place : place + 1]).any(axis=1)
                chosen[same, place] = (chosen[same, place] + 1) % len(PRODUCTS)
        bought = np.arange(4) < number[:, None]
        order, column = np.nonzero(bought)
        appetite = 0.7 * draws.uniform("appetite", orders.who[order])
        luck = draws.uniform("quantity", orders.mark[order], column)
        quantity = 1 + (luck < appetite).astype(np.int64) + (luck < appetite / 4).astype(np.int64)
        product = chosen[bought]
        return Lines(order, column + 1, product, quantity, self._prices[product])

    def _product(self, orders: Orders, place: int) -> Ints:
        weights = np.linspace(2.0, 0.5, len(PRODUCTS))[np.argsort(np.argsort(-self._prices % 7, kind="stable"))]
        by_category = []
        for category in _CATEGORIES:
            liked = np.array([2.5 if category == own else 1.0 for _, own, _ in PRODUCTS])
            by_category.append(np.cumsum(weights * liked) / np.sum(weights * liked))
        favourite = self._draws.pick("favourite", (5, 5, 3, 1, 2)[: len(_CATEGORIES)], orders.who)
        luck = self._draws.uniform("product", orders.mark, place)
        return np.asarray((luck[:, None] > np.array(by_category)[favourite][:, :-1]).sum(axis=1))

    def sums(self, orders: Orders, lines: Lines) -> Sums:
        """Goods, discount and shipping of each order."""
        goods = np.bincount(lines.order, lines.amount, minlength=len(orders.who)).astype(np.int64)
        fee = self._draws.pick("shipping", [weight for _, weight in SHIPPING], orders.mark)
        fees = np.array([self._money.price(thousands) if thousands else 0 for thousands, _ in SHIPPING])
        percent = np.floor(goods * np.minimum(orders.value, 100) / 100 + 1e-9).astype(np.int64)
        amount = np.minimum(np.round(orders.value * 10**self._money.decimals).astype(np.int64), goods)
        discount = np.where(orders.kind == "percent", percent, np.where(orders.kind == "amount", amount, 0))
        return Sums(goods, discount, np.where(orders.kind == "free_shipping", 0, fees[fee]))

    def orders(self, orders: Orders, sums: Sums) -> Columns:
        """Rows of `orders`."""
        money = self._money.text
        habit = self._draws.pick("channel", [weight for _, weight in CHANNELS], orders.who)
        other = self._draws.pick("other channel", [weight for _, weight in CHANNELS], orders.mark)
        channel = np.where(self._draws.uniform("strays", orders.mark) < 0.2, other, habit)
        channel = np.where((orders.code != "") & (channel == 2), 0, channel)
        return {
            "order_id": orders.order_id.tolist(),
            "customer_id": [customer_id(who) for who in orders.who.tolist()],
            "placed_at": self._calendar.text(orders.second),
            "currency": [self._settings.currency] * len(orders.who),
            "total": [money(total) for total in (sums.goods - sums.discount + sums.shipping).tolist()],
            "discount": [money(discount) for discount in sums.discount.tolist()],
            "shipping": [money(shipping) for shipping in sums.shipping.tolist()],
            "code": orders.code.tolist(),
            "channel": [CHANNELS[number][0] for number in channel.tolist()],
            "country": ["MY" if there else "ID" for there in self._people.malaysian(orders.who).tolist()],
        }

    def order_lines(self, orders: Orders, lines: Lines) -> Columns:
        """Rows of `order_lines`."""
        money = {price: self._money.text(price) for price in np.unique([lines.price, lines.amount]).tolist()}
        customers = np.array([customer_id(who) for who in orders.who.tolist()], dtype=object)
        placed = np.array(self._calendar.text(orders.second), dtype=object)
        return {
            "order_id": orders.order_id[lines.order].tolist(),
            "line": [str(line) for line in lines.line.tolist()],
            "customer_id": customers[lines.order].tolist(),
            "product_id": [_PRODUCT_IDS[product] for product in lines.product.tolist()],
            "quantity": [str(quantity) for quantity in lines.quantity.tolist()],
            "unit_price": [money[price] for price in lines.price.tolist()],
            "amount": [money[amount] for amount in lines.amount.tolist()],
            "placed_at": placed[lines.order].tolist(),
        }

    def returns(self, orders: Orders, lines: Lines, sums: Sums) -> tuple[list[int], Columns]:
        """Rows of `returns` and when they happen: some lines come back whole, less their share of the discount."""
        luck = self._draws.uniform("returned", orders.mark[lines.order], lines.line)
        some = np.flatnonzero(luck < self._settings.return_share)
        order = lines.order[some]
        wait = 3 + 11 * self._draws.uniform("return time", orders.mark[order], lines.line[some])
        second = self._calendar.later(orders.second[order], wait)
        amount = lines.amount[some]
        back = amount - -(-amount * sums.discount[order] // np.maximum(sums.goods[order], 1))
        ids = orders.order_id[order].tolist()
        return second.tolist(), {
            "return_id": [f"R{key[1:]}-{line}" for key, line in zip(ids, lines.line[some].tolist(), strict=True)],
            "order_id": ids,
            "customer_id": [customer_id(who) for who in orders.who[order].tolist()],
            "product_id": [_PRODUCT_IDS[product] for product in lines.product[some].tolist()],
            "quantity": [str(quantity) for quantity in lines.quantity[some].tolist()],
            "amount": [self._money.text(value) for value in back.tolist()],
            "currency": [self._settings.currency] * len(some),
            "returned_at": self._calendar.text(second),
        }

    def answers(self, orders: Orders) -> tuple[list[int], Columns]:
        """Rows of `answers` and when they come: those who dropped out with the order score lower."""
        draws = self._draws
        some = np.flatnonzero(draws.uniform("answers", orders.mark) < self._settings.answer_share)
        mark = orders.mark[some]
        second = self._calendar.later(orders.second[some], 1 + 2 * draws.uniform("answer time", mark))
        noise = sum(draws.uniform("score", mark, part) for part in range(3)) - 1.5
        score = np.clip(np.round(np.where(orders.last[some], 6.0, 8.6) + 3.5 * noise), 0, 10).astype(np.int64)
        mood = np.where(score <= 6, 0, np.where(score <= 8, 1, 2)).tolist()
        talks = (draws.uniform("comments", mark) < 0.35).tolist()
        words = zip(self._people.languages(orders.who[some]), mood, talks, strict=True)
        return second.tolist(), {
            "answer_id": [f"A{key[1:]}" for key in orders.order_id[some].tolist()],
            "customer_id": [customer_id(who) for who in orders.who[some].tolist()],
            "survey": ["nps"] * len(some),
            "score": [str(value) for value in score.tolist()],
            "scale": ["10"] * len(some),
            "comment": [COMMENTS.get(language, COMMENTS["en"])[m] if talk else "" for language, m, talk in words],
            "answered_at": self._calendar.text(second),
        }
