"""The decisions of a journey: how long a silence, how dear an offer."""

from __future__ import annotations

import math
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from setia.programmes.journeys.models import OfferSpec
from setia.programmes.journeys.rules import Worth, affordable_offer, offer_cost, silence_factor

NOTHING = OfferSpec()
SHIPPING = OfferSpec(kind="free_shipping", cost=Decimal(15_000))
FIFTEEN = OfferSpec(kind="percent", value=Decimal(15))
LADDER = (NOTHING, SHIPPING, FIFTEEN)


def test_silence_is_the_quantile_of_exponential_gaps() -> None:
    assert silence_factor(0.8) == pytest.approx(1.6094, abs=1e-4)
    for share in (0.5, 0.8, 0.95):
        assert 1 - math.exp(-silence_factor(share)) == pytest.approx(share)


@pytest.mark.parametrize(
    ("step", "worth", "rung"),
    [
        # 30 % of a 40 % margin of a yearly 300,000 is 36,000; fifteen per cent of an order of 200,000 are 30,000.
        (2, Worth(200_000, 300_000), 2),
        (2, Worth(200_000, 200_000), 1),  # 24,000: shipping at 15,000 it is
        (2, Worth(200_000, 100_000), None),  # 12,000: nothing
        (1, Worth(200_000, 9_000_000), 1),  # not before its step
        (0, Worth(200_000, 9_000_000), None),
        (2, Worth(200_000, 250_000), 2),  # exactly 30,000
        (2, Worth(None, 9_000_000), 1),  # what per cent of an unknown order cost nobody knows
        (2, Worth(200_000, None), None),
        (2, Worth(None, None), None),
    ],
)
def test_an_offer_is_what_the_customer_is_worth(step: int, worth: Worth, rung: int | None) -> None:
    assert affordable_offer(LADDER, step, worth, margin=0.4, most_share=0.3) == rung


def test_what_costs_nothing_needs_no_prediction() -> None:
    free = OfferSpec(kind="free_shipping")
    assert affordable_offer((free,), 0, Worth(None, None), margin=0.4, most_share=0.3) == 0


MONEY = st.floats(0, 1e9)
OFFERS = st.one_of(
    st.just(NOTHING),
    st.builds(OfferSpec, kind=st.just("percent"), value=st.decimals(1, 100, places=2)),
    st.builds(OfferSpec, kind=st.just("amount"), value=st.decimals(1, 1_000_000, places=2)),
    st.builds(OfferSpec, kind=st.just("free_shipping"), cost=st.decimals(0, 1_000_000, places=2)),
)
SHARES = st.floats(0.01, 1)


@given(st.lists(OFFERS, min_size=1, max_size=3), st.none() | MONEY, st.none() | MONEY, SHARES, SHARES)
def test_no_offer_is_dearer_than_the_share_of_the_yearly_margin(
    ladder: list[OfferSpec], order: float | None, yearly: float | None, margin: float, share: float
) -> None:
    worth = Worth(order, yearly)
    rungs = [affordable_offer(ladder, step, worth, margin=margin, most_share=share) for step in range(len(ladder))]
    for step, rung in enumerate(rungs):
        if rung is None:
            continue
        assert rung <= step
        assert ladder[rung].kind != "none"
        assert float(offer_cost(ladder[rung], worth)) <= share * margin * (yearly or 0) * (1 + 1e-9)
        assert order is not None or ladder[rung].kind != "percent"
    # Once something was offered a later step never offers less of the ladder.
    reached = [-1 if rung is None else rung for rung in rungs]
    assert reached == sorted(reached)
