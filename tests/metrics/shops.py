"""Random small shops: everything that counts, and everything that must not."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

ZONE = "Asia/Jakarta"
FIRST = dt.date(2024, 1, 1)
DAYS = 420
PEOPLE = ("ani", "budi", "citra", "dewi", "eka")
PERSON = st.sampled_from([*PEOPLE, None])
RARE = st.sampled_from([None, False, False, False, True])
CURRENCY = st.sampled_from([None, "IDR", "IDR", "USD", "SGD"])
Rows = list[dict[str, Any]]


def moment(day: dt.date, minute: int = 300) -> dt.datetime:
    """So many minutes after midnight UTC; day and moment agree in Jakarta up to 16:59."""
    return dt.datetime.combine(day, dt.time(), dt.UTC) + dt.timedelta(minutes=minute)


class Facts(dict[str, Rows]):
    """All fact tables; shown by their sizes alone, since the whole is longer than anybody reads."""

    def __repr__(self) -> str:
        return f"Facts({', '.join(f'{name}: {len(rows)}' for name, rows in self.items())})"


@st.composite
def facts(draw: Any, most_orders: int = 40) -> Facts:
    """All fact tables of a few people over 14 months."""

    def day() -> dt.date:
        return FIRST + dt.timedelta(days=draw(st.integers(0, DAYS)))

    def amount(low: int, high: int) -> Decimal:
        """Some cents, or as much as a rupiah shop turns over."""
        return Decimal(draw(st.integers(low, high))) / 100 * draw(st.sampled_from([1, 1, 1, 10**6, 10**10]))

    def later(start: dt.datetime, most: int = 90) -> dt.datetime | None:
        days = draw(st.sampled_from([None, None, 0, 1, 5, 40, most]))
        return None if days is None else start + dt.timedelta(days=days, minutes=draw(st.integers(0, 600)))

    def order(number: int) -> dict[str, Any]:
        on = day()
        noon = moment(on, draw(st.sampled_from([300, 300, 301, 330, 400])))
        return {
            "order_id": f"o{number}",
            "document_id": f"o{number}",
            "customer_id": draw(PERSON),
            "placed_at": noon,
            "day": on,
            "total": amount(-500, 5000),
            "discount": draw(st.sampled_from([None, Decimal(0), Decimal("1.5")])),
            "platform_discount": draw(st.sampled_from([None, Decimal("0.5")])),
            "code": draw(st.sampled_from([None, None, "K1", "K2"])),
            "channel": draw(st.sampled_from([None, "web", "app"])),
            "country": draw(st.sampled_from([None, "ID", "MY"])),
            "cancelled_at": draw(st.sampled_from([None, None, None, noon, noon + dt.timedelta(days=40)])),
            "currency": draw(CURRENCY),
            "is_test": draw(RARE),
            "is_staff": draw(RARE),
            "is_adjustment": draw(RARE),
        }

    orders = [order(n) for n in range(draw(st.integers(0, most_orders)))]
    ids = [each["order_id"] for each in orders] or ["o0"]
    some_order = st.sampled_from([*ids, None])

    def several(make: Any, most: int) -> Rows:
        return [make(n) for n in range(draw(st.integers(0, most)))]

    def line(number: int) -> dict[str, Any]:
        on = draw(st.sampled_from(ids))
        return {
            "order_id": on,
            "document_id": on,
            "line": number,
            "product_id": draw(st.sampled_from(["p1", "p2"])),
            "quantity": Decimal(draw(st.integers(1, 4))),
            "amount": amount(0, 3000),
            "day": FIRST,
            "placed_at": moment(FIRST),
        }

    def back(number: int) -> dict[str, Any]:
        on = day()
        return {
            "return_id": f"r{number}",
            "document_id": f"r{number}",
            "order_id": draw(some_order),
            "customer_id": draw(PERSON),
            "day": on,
            "returned_at": moment(on),
            "quantity": draw(st.sampled_from([None, Decimal(1), Decimal(2)])),
            "amount": amount(1, 3000),
            "currency": draw(CURRENCY),
        }

    def event(number: int) -> dict[str, Any]:
        on = day()
        return {
            "event_id": f"e{number}",
            "customer_id": draw(PERSON),
            "visitor": draw(st.sampled_from(["v1", "v2", None])),
            "name": draw(st.sampled_from(["Product Viewed", "Product Added", "Signed In"])),
            "day": on,
            "occurred_at": moment(on, draw(st.integers(270, 430))),
            "device": draw(st.sampled_from([None, "mobile", "desktop"])),
            "platform": draw(st.sampled_from([None, "web", "app"])),
        }

    def subscription(number: int) -> dict[str, Any]:
        begun = moment(day(), draw(st.sampled_from([300, 1020])))  # 1020: midnight in Jakarta
        weeks = draw(st.sampled_from([None, None, None, 1, 4]))
        return {
            "subscription_id": f"s{number % 6}",
            "customer_id": draw(st.sampled_from(PEOPLE)),
            "plan": "box",
            "amount": amount(1, 9999),
            "currency": draw(CURRENCY),
            "period_weeks": weeks,
            "period_months": None if weeks else draw(st.sampled_from([None, 1, 3, 12])),
            "started_at": begun,
            "trial_ends_at": draw(st.sampled_from([None, None, begun + dt.timedelta(days=14)])),
            "ended_at": later(begun, 200),
            "reason": draw(st.sampled_from([None, "price", "moved"])),
        }

    def answer(number: int) -> dict[str, Any]:
        on = day()
        return {
            "answer_id": f"a{number}",
            "customer_id": draw(PERSON),
            "day": on,
            "answered_at": moment(on, draw(st.integers(1, 900))),
            "survey": draw(st.sampled_from(["nps", "nps", "csat", "ces", "leaving"])),
            "score": draw(st.sampled_from([None, *range(1, 11)])),
            "scale": draw(st.sampled_from([None, 5, 7, 10])),
            "choice": draw(st.sampled_from([None, "price", "taste"])),
        }

    def message(number: int) -> dict[str, Any]:
        on = day()
        sent = moment(on)
        times = ("delivered_at", "opened_at", "clicked_at", "unsubscribed_at", "complained_at")
        return {
            "message_id": f"m{number}",
            "customer_id": draw(PERSON),
            "programme": draw(st.sampled_from([None, "win-back"])),
            "channel": "email",
            "state": draw(st.sampled_from(["accepted", "accepted", "unknown", "rejected"])),
            "survey": draw(st.sampled_from([None, None, "nps", "csat"])),
            "code": draw(st.sampled_from([None, "K1", "K2"])),
            "cost": draw(st.sampled_from([None, Decimal(0), Decimal("0.05")])),
            "offer_cost": draw(st.sampled_from([None, Decimal(3)])),
            "day": on,
            "sent_at": sent,
            **{name: later(sent) for name in times},
        }

    def cost(number: int) -> dict[str, Any]:
        on = day()
        return {
            "cost_id": f"c{number}",
            "category": draw(st.sampled_from(["advertising", "loyalty", "rent"])),
            "programme": draw(st.sampled_from([None, None, "win-back"])),
            "channel": draw(st.sampled_from([None, "Meta", "tiktok"])),
            "customer_id": draw(PERSON),
            "amount": amount(1, 9000),
            "currency": draw(CURRENCY),
            "day": on,
            "spent_at": moment(on),
        }

    def case(number: int) -> dict[str, Any]:
        on = day()
        opened = moment(on, draw(st.integers(1, 900)))
        answered = later(opened, 3)
        return {
            "case_id": f"q{number}",
            "customer_id": draw(PERSON),
            "channel": draw(st.sampled_from(["whatsapp", "email"])),
            "reason": draw(st.sampled_from([None, "delivery"])),
            "opened_at": opened,
            "day": on,
            "first_response_at": answered,
            "resolved_at": later(answered, 10) if answered else None,
        }

    def person(name: str) -> dict[str, Any]:
        consent = draw(st.sampled_from([None, moment(FIRST), moment(FIRST + dt.timedelta(days=200))]))
        return {
            "customer_id": name,
            "email": draw(st.sampled_from([None, f"{name}@example.com"])),
            "phone": draw(st.sampled_from([None, f"+62{len(name)}"])),
            "source": draw(st.sampled_from([None, "meta", "TikTok", "friend"])),
            "city": draw(st.sampled_from([None, "Bandung"])),
            "language": draw(st.sampled_from([None, "id", "ms"])),
            "gender": draw(st.sampled_from([None, "f", "m"])),
            "birth_date": draw(st.sampled_from([None, dt.date(1990, 5, 5), dt.date(2004, 2, 29)])),
            "email_consent_at": consent,
            "email_optout_at": draw(st.sampled_from([None, None, moment(FIRST + dt.timedelta(days=100))])),
        }

    def consent(number: int) -> dict[str, Any]:
        return {
            "consent_id": f"d{number}",
            "customer_id": draw(st.sampled_from(PEOPLE)),
            "channel": draw(st.sampled_from(["whatsapp", "sms", "whatsapp"])),
            "purpose": draw(st.sampled_from([None, "marketing", "service"])),
            "state": draw(st.sampled_from(["given", "given", "withdrawn"])),
            "decided_at": moment(day(), draw(st.integers(1, 900))),
        }

    def rate(number: int) -> dict[str, Any]:
        value = Decimal(draw(st.integers(1, 2_000_000))) / 100
        return {
            "day": FIRST + dt.timedelta(days=60 * number),
            "from_currency": "USD",
            "to_currency": "IDR",
            "rate": value,
        }

    subscriptions = {(s["subscription_id"], s["started_at"]): s for s in several(subscription, 10)}
    return Facts(
        {
            "customers": [person(name) for name in PEOPLE if draw(st.booleans())],
            "orders": orders,
            "order_lines": several(line, 30) if orders else [],
            "returns": several(back, 6),
            "products": [{"product_id": "p1", "name": "Kopi", "category": "drinks"}],
            "events": several(event, 30),
            "subscriptions": list(subscriptions.values()),
            "answers": several(answer, 15),
            "messages": several(message, 12),
            "costs": several(cost, 8),
            "cases": several(case, 8),
            "consents": several(consent, 6),
            "rates": several(rate, 2),
        }
    )
