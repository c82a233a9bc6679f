"""The whole loop against a simulator that knows the truth."""

from __future__ import annotations

import itertools
import math
import os
import statistics
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from setia.demo.loop import Loop
from setia.demo.mailbox import Mailbox
from setia.effects.lift import Method, Verdict
from setia.programmes.journeys.results import Result
from setia.settings import ShopSettings
from setia.simulate import ShopSettings as SimulatedSettings
from setia.simulate import SimulatedShop

SHOPS = int(os.environ.get("SETIA_SHOPS", "8"))
"""Twenty take four minutes: `SETIA_SHOPS=20` for a change of what a measurement is."""
EFFECTS = (0.0, 0.3, 0.6, 1.0)
WEEKS_TO_MATURITY = 5


@dataclass(frozen=True)
class Outcome:
    """One shop's estimate beside the truth."""

    effect: float
    result: Result
    truth: float


def short_programme(folder: Path) -> Path:
    """The win-back playbook with a window of four weeks, half held out, and offers that everybody is worth."""
    from importlib import resources

    text = (resources.files("setia.programmes.journeys") / "playbooks" / "win-back.yaml").read_text(encoding="utf-8")
    text = text.replace("window_days: 60", "window_days: 28").replace("held_out: auto ", "held_out: 0.5 ")
    text = text.replace("most_share_of_worth: 0.3", "most_share_of_worth: 1.0")
    assert "window_days: 28" in text
    assert "held_out: 0.5" in text
    path = folder / "win-back.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def run_shop(folder: Path, url: str, mailbox: Mailbox, seed: int, effect: float) -> Outcome:
    """One shop from its history to the end of a programme's measurement: import, refresh, mails, orders, result."""
    folder.mkdir()
    simulated = SimulatedShop(
        SimulatedSettings(seed=seed, customers=400, weeks_of_history=40, effect=effect, events_per_order=0)
    )
    loop = Loop(folder / "shop", simulated, mailbox, ShopSettings(name="Kopi"), store_url=url, seed=seed)
    with loop:
        loop.begin(str(short_programme(folder)))
        loop.shop.programmes.set_state(None, "closed")
        for week in range(WEEKS_TO_MATURITY):
            loop.week(work=week < 2)
        loop.shop.refresh()
        (result,) = loop.shop.programmes.results()
        truth = simulated.true_difference(loop.enrolled(result.measurement), result.window_days)
    return Outcome(effect, result, truth)


@pytest.mark.slow
def test_shops_agree_with_the_counterfactual(tmp_path: Path, new_store: Callable[[], str]) -> None:
    """Estimates are unbiased, intervals hold their promise, and nobody who was held out got a mail."""
    with Mailbox() as mailbox:
        outcomes = [
            run_shop(tmp_path / str(seed), new_store(), mailbox, seed, effect)
            for seed, effect in zip(range(1, SHOPS + 1), itertools.cycle(EFFECTS), strict=False)
        ]
    lifts = [outcome.result.lift for outcome in outcomes]
    assert all(lift.verdict is not Verdict.BROKEN and lift.method is Method.NEWCOMBE for lift in lifts)
    assert all(outcome.result.open_windows == 0 for outcome in outcomes)
    errors, variances, covered = [], [], 0
    for outcome, lift in zip(outcomes, lifts, strict=True):
        assert lift.difference is not None
        assert lift.interval is not None
        assert lift.treated.rate is not None
        assert lift.held_out.rate is not None
        errors.append(lift.difference - outcome.truth)
        variances.append(sum(p.rate * (1 - p.rate) / p.n for p in (lift.treated, lift.held_out) if p.rate is not None))
        covered += lift.interval.low <= outcome.truth <= lift.interval.high
    # 95 % intervals: of 8 shops fewer than 6 would have a probability of 0.6 %, of 20 fewer than 16 one of 0.3 %.
    assert covered >= (16 if SHOPS == 20 else math.floor(0.8 * SHOPS))
    # The mean error stays within its 99 % Monte-Carlo bound.
    assert abs(statistics.mean(errors)) <= 2.576 * math.sqrt(sum(variances)) / SHOPS
    # Without an effect the truth is exactly zero, and with one it grows with the setting.
    truths = {effect: [o.truth for o in outcomes if o.effect == effect] for effect in EFFECTS}
    assert truths[0.0] == [0.0] * len(truths[0.0])
    means = [statistics.mean(truths[effect]) for effect in EFFECTS]
    assert means == sorted(means)
    assert means[-1] > 0.05
    # Where there is nothing, at most what chance allows is claimed (of five shops two claims would be 2 %).
    assert sum(o.result.lift.verdict is not Verdict.NOT_SHOWN for o in outcomes if o.effect == 0.0) <= 1
