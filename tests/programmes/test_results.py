"""What a journey caused, against figures counted by hand, and the placebo on a shop where nothing was done."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml
from scipy.stats import binom
from sqlalchemy import select, text

from setia.app import Shop
from setia.effects.lift import Verdict
from setia.messaging.tables import sends
from setia.programmes.journeys.placebo import DIVISIONS
from setia.programmes.journeys.tables import enrolments
from setia.simulate import ShopSettings, SimulatedShop

DAY = dt.timedelta(days=1)


class Clock:
    """A clock that is set."""

    def __init__(self, now: dt.datetime) -> None:
        self.now = now

    def __call__(self) -> dt.datetime:
        return self.now


@pytest.mark.slow
def test_results_by_hand(silent_shop: Any, mail_server: Any, mailing: Any) -> None:
    refused = ["c009"]
    server = mail_server(
        lambda verb, argument, talk: "550 5.7.1 no" if verb == "RCPT" and talk.to.split("@")[0] in refused else None
    )
    clock = Clock(mailing.NOW)
    shop = silent_shop(extra=mailing.smtp(server.port), clock=clock)
    file = shop.folder / "programmes" / "come-back.yaml"
    document = yaml.safe_load(file.read_text())
    document["cost_per_message"] = 25
    file.write_text(yaml.safe_dump(document))
    shop.programmes.apply("come-back")
    with shop.store.begin() as tx:
        tx.execute(text("update contacts set expected_order_value = 100000, worth = 1000000"))
    shop.programmes.work(send=False)
    with shop.store.begin() as tx:  # the draw itself is tested elsewhere; here everybody below C020 is held out
        tx.execute(
            text("update enrolments set arm = case when customer_id < 'C020' then 'held_out' else 'treated' end")
        )
        tx.execute(text("delete from codes"))
        tx.execute(text("delete from sends"))
        tx.execute(text("update enrolments set step = 0, due_at = entered_at"))
    refused[:] = ["c021", "c022"]
    shop.programmes.work()
    with shop.store.begin() as tx:
        code = {row.customer_id: row.code for row in tx.execute(select(sends))}
    assert len(code) == 50

    # Four treated return within the window: two with their codes, one of them with a discount on the bill; two later.
    # Of the held out one returns, and one only after the window.
    orders: list[tuple[Any, ...]] = [
        ("R1", "C030", 3, code["C030"], 7_000, ""),
        ("R2", "C031", 59, code["C031"], "", ""),
        ("R3", "C032", 10, "", "", ""),
        ("R4", "C033", 10, "SOMEBODY-ELSES", 5_000, ""),
        ("R5", "C034", 60, code["C034"], 9_000, ""),  # a code redeemed late costs all the same
        ("R6", "C035", 10, code["C035"], 9_000, "cancelled"),
        ("R7", "C001", 12, "", "", ""),
        ("R8", "C002", 61, "", "", ""),
        ("R9", "fresh", 61, "", "", ""),
    ]
    rows = [
        (name, who, (mailing.NOW + days * DAY).isoformat(), 90_000, used, discount,
         (mailing.NOW + 20 * DAY).isoformat() if state else "")
        for name, who, days, used, discount, state in orders
    ]  # fmt: skip
    header = ("order_id", "customer_id", "placed_at", "total", "code", "discount", "cancelled_at")
    shop.import_files([mailing.write_csv(shop.folder / "orders.csv", header, rows)])
    # The document's window is edited afterwards; the measurement keeps the one it began with.
    document["measure"]["window_days"] = 7
    file.write_text(yaml.safe_dump(document))
    clock.now += 59 * DAY
    shop.refresh()
    shop.programmes.apply("come-back")
    (early,) = shop.programmes.results()
    assert early.open_windows == 70
    assert (early.lift.treated.n, early.lift.held_out.n) == (0, 0)
    clock.now += DAY

    (found,) = shop.programmes.results()
    assert (found.lift.treated.successes, found.lift.treated.n) == (4, 50)
    assert (found.lift.held_out.successes, found.lift.held_out.n) == (1, 20)
    assert found.lift.difference == pytest.approx(4 / 50 - 1 / 20)
    assert found.lift.verdict is Verdict.NOT_SHOWN
    assert found.window_days == 60
    assert found.open_windows == 0
    assert (found.sent, found.unknown, found.refused) == (48, 0, {})
    assert found.message_cost == Decimal(25 * 48)
    assert found.redeemed == 3
    assert found.offer_cost == 7_000 + Decimal("10000.00") + 9_000
    assert found.lift.cost == found.message_cost + found.offer_cost
    with shop.store.begin() as tx:
        assert {row.told for row in tx.execute(select(enrolments))} == {True}
    # What the shop's costs say of the programme is what its result says, once the last redeemed code is in.
    spent = shop.metrics.ask("costs", as_of=mailing.NOW.date() + 62 * DAY, window_days=90)
    assert spent.value == found.lift.cost


@pytest.mark.slow
def test_a_placebo_shows_nothing(make_shop: Any, tmp_path: Path) -> None:
    simulated = SimulatedShop(ShopSettings(seed=4, customers=700, weeks_of_history=50, events_per_order=0))
    files = simulated.history(tmp_path / "files")
    shop: Shop = make_shop(clock=lambda: simulated.now)
    shop.import_files(files)
    found = shop.programmes.placebo("win-back")
    assert found is not None
    assert found.lift.verdict is Verdict.NOT_SHOWN
    assert found.divisions == DIVISIONS
    assert found.lift.treated.n + found.lift.held_out.n > 100
    # One division in twenty at most may claim an effect; so many of two hundred in all but one case in 10,000.
    assert found.false_claims <= binom.ppf(0.9999, DIVISIONS, 0.05)
    assert shop.programmes.placebo("win-back") == found
