"""MBG/NBD against published parameters of the CDNOW customers and its formulas as printed."""

from __future__ import annotations

import duckdb
import numpy as np
import pytest
from scipy.special import hyp2f1

from setia.predictions.models.bg_nbd import BGNBD
from setia.predictions.models.mbg_nbd import MBGNBD

MODEL = MBGNBD.from_params(0.525, 6.183, 0.891, 1.614)


def histories(file, end):
    """Frequency, recency and T in days up to and including `end`; orders of one day count once."""
    query = f"""
        with days as (select distinct customer_id, date as day from '{file}' where date <= date '{end}')
        select count(*) - 1 as x, max(day) - min(day) as t_x, date '{end}' - min(day) as age, customer_id
        from days group by customer_id order by customer_id
    """
    columns = duckdb.sql(query).fetchnumpy()
    return columns["x"], columns["t_x"].astype(float), columns["age"].astype(float)


@pytest.mark.data
def test_cdnow_sample(data_set):
    x, t_x, T = histories(data_set("cdnow_sample.parquet"), "1997-09-30")
    model = MBGNBD().fit(x, np.round(t_x / 7, 2), np.round(T / 7, 2))
    assert list(model.get_params().values()) == pytest.approx([0.525, 6.183, 0.891, 1.614], abs=5e-4)
    measured = {"r": 0.524838, "alpha": 6.182993, "a": 0.891356, "b": 1.613999}
    assert model.get_params() == pytest.approx(measured, abs=2e-6)
    assert model.log_likelihood_ == pytest.approx(-9582.1327, abs=1e-4)
    assert model.dropout_identified_ is True


@pytest.mark.data
def test_all_cdnow_customers_fit_better_than_with_bg_nbd(data_set):
    columns = histories(data_set("cdnow_master.parquet"), "1997-09-30")
    model = MBGNBD().fit(*columns)
    assert list(model.get_params().values()) == pytest.approx([0.63714, 51.1720, 0.80747, 1.22839], rel=2e-5)
    assert model.log_likelihood_ == pytest.approx(-142694.574, abs=1e-3)
    assert model.log_likelihood_ - BGNBD().fit(*columns).log_likelihood_ == pytest.approx(31.485, abs=2e-3)


def test_who_bought_once_may_have_left():
    r, alpha, a, b = MODEL.get_params().values()
    T = np.array([0.0, 4.0, 39.0])
    np.testing.assert_allclose(MODEL.probability_alive(0, 0, T), 1 / (1 + a / b * ((alpha + T) / alpha) ** r))
    assert MODEL.probability_alive(0, 0, 0) == pytest.approx(b / (a + b))


@pytest.mark.parametrize("t", [1.0, 12.0, 78.0])
def test_formulas_as_printed(t):
    r, alpha, a, b = MODEL.get_params().values()
    new = b / (a - 1) * (1 - (alpha / (alpha + t)) ** r * hyp2f1(r, b + 1, a + b, t / (alpha + t)))
    assert MODEL.expected_purchases_new(t) == pytest.approx(new, rel=1e-10)
    x, t_x, T = 2, 30.43, 38.86
    scale = (alpha + T) / (alpha + T + t)
    active = (a + b + x) / (a - 1) * (1 - scale ** (r + x) * hyp2f1(r + x, b + x + 1, a + b + x, t / (alpha + T + t)))
    known = active / (1 + a / (b + x) * ((alpha + T) / (alpha + t_x)) ** (r + x))
    assert MODEL.expected_purchases(t, x, t_x, T) == pytest.approx(known, rel=1e-10)


def test_new_customers_are_customers_at_their_first_purchase():
    assert MODEL.expected_purchases_new(39) == pytest.approx(MODEL.expected_purchases(39, 0, 0, 0), rel=1e-12)
