"""The true effect against brute force: the same audience in many futures, through the shop itself."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from setia.simulate import ArrivedMail, Enrolment, PlannedMail, ShopSettings, SimulatedShop

MAILS = (
    PlannedMail(0, 1, "none", 0),
    PlannedMail(7, 2, "percent", 15),
    PlannedMail(14, 3, "free_shipping", 0),
)


def buyers(
    shop: SimulatedShop, ids: Sequence[str], treated: set[str], window_days: float, mails: Sequence[PlannedMail]
) -> set[str]:
    """Run the programme as a shop would: each mail at its tick, to the treated with no order known since entry."""
    entered = shop.now
    end = entered + timedelta(days=window_days)
    known: set[str] = set()
    inside: set[str] = set()
    for week in range(-(-int(window_days) // 7)):
        due = [mail for mail in mails if mail.after_days == 7 * week]
        sent = [
            ArrivedMail(one, mail.step, shop.now, mail.offer_kind, mail.offer_value, None, None)
            for mail in due
            for one in ids
            if one in treated and one not in known and shop.reachable(one)
        ]
        orders = shop._advance(sent, 7)["orders"]
        known.update(orders["customer_id"])
        placed = zip(orders["customer_id"], orders["placed_at"], strict=True)
        inside.update(who for who, at in placed if datetime.fromisoformat(at) < end)
    return inside & set(ids)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> SimulatedShop:
    made = SimulatedShop(
        ShopSettings(
            seed=21, customers=600, weeks_of_history=42, effect=3.0, weekly_new_customers=0, events_per_order=0
        )
    )
    made.history(tmp_path_factory.mktemp("shop"))
    return made


@pytest.mark.parametrize("window_days", [14.0, 17.0])
def test_rates_agree_with_many_futures(shop: SimulatedShop, window_days: float) -> None:
    """17 days: the third mail, at day 14, has three of its five days inside the window."""
    futures = 40
    ids = [f"C{number:06d}" for number in range(1, 601)]
    enrolments = [Enrolment(one, shop.now, MAILS) for one in ids]
    treated, held_out = shop.true_rates(enrolments, window_days)
    assert treated - held_out > 0.05

    for arm, expected in ((set(ids), treated), (set[str](), held_out)):
        seeds = range(1000, 1000 + futures)
        counts = [len(buyers(shop._another_future(seed), ids, arm, window_days, MAILS)) for seed in seeds]
        found = np.mean(counts) / len(ids)
        bound = 3.29 * np.sqrt(expected * (1 - expected) / (futures * len(ids)))
        assert abs(found - expected) < bound


def test_one_shop_with_a_held_out_half_recovers_its_own_truth(tmp_path: Path) -> None:
    """The whole loop once, after other mails had reactivated some: the state at entry is asked for afterwards."""
    shop = SimulatedShop(ShopSettings(seed=4, customers=12_000, weeks_of_history=30, effect=2.0, events_per_order=0))
    shop.history(tmp_path)
    ids = [f"C{number:06d}" for number in range(1, 12_001)]
    buyers(shop, ids, set(ids[::3]), 14, MAILS[:2])
    shop._advance((), 7)

    entered = shop.now
    treated, held_out = set(ids[::2]), set(ids[1::2])
    found = buyers(shop, ids, treated, 21, MAILS)
    rates = shop.true_rates([Enrolment(one, entered, MAILS) for one in ids], 21)
    for arm, expected in zip((treated, held_out), rates, strict=True):
        share = len(found & arm) / len(arm)
        assert abs(share - expected) < 3.29 * np.sqrt(expected * (1 - expected) / len(arm))


def test_only_the_held_out_rate_counts_for_those_no_mail_can_reach(shop: SimulatedShop) -> None:
    ids = [f"C{number:06d}" for number in range(1, 601)]
    deaf = [Enrolment(one, shop.now, MAILS) for one in ids if not shop.reachable(one)]
    assert 0.03 < len(deaf) / len(ids) < 0.3
    assert shop.true_difference(deaf, 21) == 0.0
    assert shop.true_rates(deaf, 21)[1] > 0


def test_a_shop_without_effect_has_no_true_difference(tmp_path: Path) -> None:
    shop = SimulatedShop(ShopSettings(seed=21, customers=200, weeks_of_history=20, effect=0.0))
    shop.history(tmp_path)
    enrolments = [Enrolment(f"C{number:06d}", shop.now, MAILS) for number in range(1, 201)]
    assert shop.true_difference(enrolments, 28) == 0.0
    assert shop.true_rates(enrolments, 28)[0] > 0
    assert shop.true_rates([], 28) == (0.0, 0.0)


def test_a_longer_window_holds_more(shop: SimulatedShop) -> None:
    enrolments = [Enrolment(f"C{number:06d}", shop.now, MAILS) for number in range(1, 601)]
    rates = [shop.true_rates(enrolments, days) for days in (0, 3, 7, 19, 30, 90)]
    assert rates[0] == (0.0, 0.0)
    assert rates == sorted(rates)
