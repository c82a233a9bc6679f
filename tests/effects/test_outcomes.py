"""From facts to counts, on examples small enough to count by hand."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from setia.app import Shop
from setia.effects.outcomes import Outcomes, outcomes
from setia.facts import FACTS
from setia.kernel.statistics import Proportion

DAY = dt.timedelta(days=1)
START = dt.datetime(2026, 1, 1, 12, tzinfo=dt.UTC)
WINDOW = 30
END = START + WINDOW * DAY


def at(moment: dt.datetime | None) -> str:
    return "null" if moment is None else f"timestamptz '{moment.isoformat()}'"


def day(moment: dt.datetime) -> str:
    return f"date '{moment.date().isoformat()}'"


def text(value: str | None) -> str:
    return "null" if value is None else f"'{value}'"


def exposure(number: int, customer: str | None, arm: str, when: dt.datetime = START, **more: Any) -> str:
    outcome = more.get("outcome")
    return (
        f"select 'x{number}' as exposure_id, 'p' as programme, {text(more.get('measurement', 'm'))} as measurement, "
        f"1 as version, {text(customer)} as customer_id, {text(arm)} as arm, {number} as bucket, "
        f"{at(when)} as exposed_at, {day(when)} as day, {'null' if outcome is None else outcome} as outcome"
    )


def order(number: int, customer: str | None, when: dt.datetime, **more: Any) -> str:
    said = {name: more.get(name, "null") for name in ("discount", "is_test", "is_staff", "is_adjustment")}
    given = {
        **said,
        "order_id": f"'o{number}'",
        "document_id": f"'o{number}'",
        "customer_id": text(customer),
        "placed_at": at(when),
        "day": day(when),
        "total": "100",
        "code": text(more.get("code")),
        "cancelled_at": at(more.get("cancelled_at")),
    }
    return "select " + ", ".join(f"{given.get(name, 'null')} as {name}" for name in FACTS["orders"].names())


def message(number: int, customer: str, when: dt.datetime, state: str = "accepted", programme: str = "p") -> str:
    given = {
        "message_id": text(f"m{number}"),
        "customer_id": text(customer),
        "programme": text(programme),
        "step": "1",
        "channel": "'email'",
        "state": text(state),
        "sent_at": at(when),
        "day": "date '2026-01-01'",
    }
    return "select " + ", ".join(f"{given.get(name, 'null')} as {name}" for name in FACTS["messages"].names())


def counted(shop: Shop, now: dt.datetime = END, **rows: list[str]) -> Outcomes:
    with shop.writing() as writer:
        for name, found in rows.items():
            writer.replace(name, " union all ".join(found))
        writer.commit(now, "test", {})
    with shop.reading() as reader:
        return outcomes(reader, "m", WINDOW, now)


def test_everybody_counts_in_the_arm_they_were_assigned_to(shop: Shop) -> None:
    found = counted(
        shop,
        exposures=[
            *(exposure(n, f"t{n}", "treated") for n in range(6)),
            *(exposure(10 + n, f"h{n}", "held_out") for n in range(4)),
            exposure(20, "t0", "treated", measurement="another"),
            exposure(21, "late", "treated", START + DAY),
            exposure(22, "later", "held_out", START + 2 * DAY),
            exposure(23, "latest", "held_out", START + 3 * DAY),
        ],
        orders=[
            order(1, "t0", START),  # at the very moment
            order(2, "t0", START + DAY),  # twice is once
            order(3, "t1", END - DAY),  # the last day of the window, whatever the hour
            order(4, "t2", END),  # just outside
            order(5, "t3", START - DAY),  # the day before
            order(6, "h0", START + 9 * DAY),
            order(7, "t4", START + DAY, cancelled_at=START + 2 * DAY),
            order(8, "t4", START + DAY, is_test="true"),
            order(9, "t4", START + DAY, is_adjustment="true"),
            order(10, None, START + DAY),
            order(11, "late", START + 2 * DAY),
            order(12, "stranger", START + 2 * DAY),
        ],
    )
    assert found == Outcomes(Proportion(2, 6), Proportion(1, 4), open_treated=1, open_held_out=2, crossed_over=0)


@pytest.mark.parametrize(("before_the_end", "mature"), [(dt.timedelta(0), 1), (dt.timedelta(seconds=1), 0)])
def test_a_window_counts_once_it_is_over(shop: Shop, before_the_end: dt.timedelta, mature: int) -> None:
    found = counted(
        shop, END - before_the_end, exposures=[exposure(1, "t", "treated")], orders=[order(1, "t", START + DAY)]
    )
    assert found.treated == Proportion(mature, mature)
    assert found.open_treated == 1 - mature


def test_an_erased_person_counts_with_what_was_kept_of_them(shop: Shop) -> None:
    found = counted(
        shop,
        exposures=[
            exposure(1, None, "treated", outcome="true"),
            exposure(2, None, "treated", outcome="false"),
            exposure(3, None, "held_out", outcome="true"),
        ],
        orders=[order(1, None, START + DAY)],
    )
    assert (found.treated, found.held_out) == (Proportion(1, 2), Proportion(1, 1))


def test_who_was_reached_all_the_same(shop: Shop) -> None:
    found = counted(
        shop,
        exposures=[
            *(exposure(n, f"h{n}", "held_out", START + n * DAY) for n in range(5)),
            exposure(9, "t", "treated"),
        ],
        orders=[order(1, "h0", START + DAY)],
        messages=[
            message(1, "h0", START + DAY),
            message(2, "h0", START + 2 * DAY),  # twice is once
            message(3, "h1", START),  # before this one was held out: of an earlier measurement
            message(4, "h2", START + 3 * DAY, state="rejected"),
            message(5, "h3", START + 9 * DAY, programme="another"),
            message(6, "t", START + DAY),
        ],
    )
    assert found.crossed_over == 1


def test_a_shop_without_facts(shop: Shop) -> None:
    with shop.reading() as reader:
        assert outcomes(reader, "m", WINDOW, END) == Outcomes(Proportion(0, 0), Proportion(0, 0), 0, 0, 0)
