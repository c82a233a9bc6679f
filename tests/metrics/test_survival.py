"""The survival curve: the drug trial everybody knows, an independent library, and censoring."""

from __future__ import annotations

import datetime as dt
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.duration.survfunc import SurvfuncRight

from setia.history.scope import Scope
from setia.metrics.survival import SurvivalCurve
from setia.metrics.timing import time_between_purchases


def test_the_leukaemia_trial():
    """Remission under 6-mercaptopurine (Freireich et al. 1963), the worked example of most textbooks."""
    ended = [6, 6, 6, 7, 10, 13, 16, 22, 23]
    open_ = [6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35]
    curve = SurvivalCurve.from_counts([(day, 1, 0) for day in ended] + [(day, 0, 1) for day in open_])
    survival = dict(zip(curve.days, curve.survival, strict=True))
    printed = {6: 0.8571, 7: 0.8067, 10: 0.7529, 13: 0.6902, 16: 0.6275, 22: 0.5378, 23: 0.4482}
    assert {day: round(survival[day], 4) for day in printed} == printed
    assert curve.quantile(0.5) == 23
    assert curve.quantile(0.6) is None, "the curve ends above 40 %"
    assert curve.reached(5) == 0
    assert curve.reached(8) == pytest.approx(1 - 0.8067, abs=5e-5)
    assert curve.reached(36) is None, "nobody was watched for so long"
    assert (curve.at_risk[0], sum(curve.ended), sum(curve.open)) == (21, 9, 12)


@given(st.lists(st.tuples(st.integers(0, 40), st.booleans()), min_size=1, max_size=60))
def test_agrees_with_statsmodels(lengths):
    curve = SurvivalCurve.from_counts([(day, int(ended), int(not ended)) for day, ended in lengths])
    if not any(ended for _, ended in lengths):
        assert set(curve.survival) == {1.0}
        return
    days, ends = (np.array(column) for column in zip(*lengths, strict=True))
    with np.errstate(divide="ignore", invalid="ignore"):  # of the oracle's standard errors, which are not used
        oracle = SurvfuncRight(days.astype(float), ends.astype(float))
    survival = dict(zip(curve.days, curve.survival, strict=True))
    assert [survival[int(day)] for day in oracle.surv_times] == pytest.approx(list(oracle.surv_prob), abs=1e-12)
    at_risk = dict(zip(curve.days, curve.at_risk, strict=True))
    assert [at_risk[int(day)] for day in oracle.surv_times] == list(oracle.n_risk)
    falling = (1.0, *curve.survival)
    assert all(before >= after >= 0 for before, after in pairwise(falling))


def test_nothing_to_see():
    curve = SurvivalCurve.from_counts([])
    assert (curve.rows(), curve.quantile(0.5), curve.reached(0)) == ([], None, None)


def test_open_gaps_are_not_ignored(reader_of):
    """First gaps of mean 60 days seen for up to 180: the completed ones are a third too short, the curve is right.

    The true median is 60 ln 2 = 41.6 days; the mean of completed gaps comes out near 36.4.
    """
    reader = reader_of(
        orders="""
        with people as (
            select i, date '2024-01-01' + (start * 180)::int as first_day, ceil(-60 * ln(gap))::int as gap from (
                select i, (hash(i) / 18446744073709551616.0)::double as start,
                    (1 - hash(-1 - i) / 18446744073709551616.0)::double as gap
                from range(20000) t(i)
            )
        )
        select i::varchar as customer_id, i || '-1' as order_id, first_day as day, 10 as total from people
        union all
        select i::varchar, i || '-2', first_day + gap, 10 from people where gap > 0
        """
    )
    scope = Scope(dt.date(2024, 6, 29), "USD", "UTC")
    answer = time_between_purchases(reader, scope, gap="first")
    assert answer.figures["mean_of_completed"] == pytest.approx(36.4, abs=1.5)
    assert answer.figures["value"] == pytest.approx(41.6, abs=1.5)
    assert answer.figures["within_30"] == pytest.approx(1 - np.exp(-0.5), abs=0.015)
    assert answer.figures["completed"] < answer.figures["watched"] <= 20_000
