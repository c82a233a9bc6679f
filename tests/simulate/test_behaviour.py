from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from setia.simulate.behaviour import Activity, Process, chance_of_order, chance_with_mails, pull
from setia.simulate.draws import Draws

SHARE = st.floats(0, 1)


def test_repeat_buyers_follow_the_closed_form_of_mbg_nbd() -> None:
    """Batislam, Denizel and Filiztekin (2007): P(X(t) = 0) = a/(a+b) + b/(a+b) * (alpha/(alpha+t))^r."""
    r, alpha, a, b, days, n = 3.0, 105.0, 0.8, 2.6, 90.0, 60_000
    process = Process(Draws(5))
    process.join(np.zeros(n), (r, r / alpha), (a, b), (2.0, 2.0), 1.0)
    bought = process.run(days)
    none = np.mean(np.bincount(bought.who, minlength=n) == 1)
    expected = a / (a + b) + b / (a + b) * (alpha / (alpha + days)) ** r
    assert abs(none - expected) < 3.29 * np.sqrt(expected * (1 - expected) / n)


def test_the_future_of_the_active_is_memoryless() -> None:
    """Orders in the 20 days after day 70, given the state then, are as frequent as P0 says."""
    n = 40_000
    process = Process(Draws(6))
    process.join(np.zeros(n), (3.0, 1 / 35), (0.8, 2.6), (2.0, 2.0), 0.9)
    process.run(70.0)
    chance = chance_of_order(process.rate, np.isfinite(process.next_at), np.full(n, 20.0))
    bought = np.zeros(n)
    bought[process.run(90.0).who] = 1
    bound = 3.29 * np.sqrt(np.sum(chance * (1 - chance)))
    assert 0.05 < chance.mean() < 0.5
    assert abs(bought.sum() - chance.sum()) < bound
    quick = process.rate > np.median(process.rate)
    assert abs(bought[quick].sum() - chance[quick].sum()) < bound


def test_cutting_time_changes_nothing() -> None:
    runs = []
    for cuts in ([100.0], [3.0, 40.5, 41.0, 100.0]):
        process = Process(Draws(8))
        process.join(np.zeros(500), (3.0, 1 / 20), (0.8, 2.6), (2.0, 2.0), 0.5)
        orders = [
            order for cut in cuts for order in zip(*(col.tolist() for col in _columns(process, cut)), strict=True)
        ]
        runs.append(sorted(orders))
    assert runs[0] == runs[1]


def _columns(process: Process, until: float) -> tuple[np.ndarray, ...]:
    bought = process.run(until)
    return bought.who, bought.at, bought.number, bought.last


@given(SHARE, st.lists(SHARE, max_size=5))
def test_mails_never_lower_the_chance(untreated: float, pulls: list[float]) -> None:
    column = np.array(pulls).reshape(len(pulls), 1)
    treated = chance_with_mails(np.array([untreated]), column)[0]
    assert untreated - 1e-12 <= treated <= 1
    assert chance_with_mails(np.array([untreated]), column[::-1])[0] == pytest.approx(treated)


@given(
    st.integers(1, 9),
    st.sampled_from(["none", "percent", "free_shipping", "gift", "amount"]),
    st.floats(0, 100),
    st.floats(0, 50),
)
def test_pull_is_a_chance_that_fades_with_the_steps(step: int, kind: str, value: float, effect: float) -> None:
    chance = pull(step, kind, value, 100.0, effect)
    assert 0 <= pull(step + 1, kind, value, 100.0, effect) <= chance <= 1
    assert pull(step, kind, value, 100.0, 0.0) == 0
    assert pull(step, "amount", value, 100.0, effect) == pytest.approx(pull(step, "percent", value, 100.0, effect))


def test_activity_tells_the_past() -> None:
    activity = Activity()
    activity.note(np.array([0, 1]), np.array([10, 20]), active=True)
    activity.note(np.array([0]), np.array([30]), active=False)
    activity.note(np.array([0]), np.array([50]), active=True)
    times = np.array([9, 10, 29, 30, 49, 50, 99])
    assert activity.at(np.zeros(7, np.int64), times).tolist() == [False, True, True, False, False, True, True]
    assert activity.at(np.ones(2, np.int64), np.array([19, 20])).tolist() == [False, True]
    assert not activity.at(np.array([2]), np.array([99])).any()
