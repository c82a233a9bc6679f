from __future__ import annotations

import datetime as dt

import pyarrow as pa

from setia.history.scope import Scope
from setia.metrics.answer import Answer

SCOPE = Scope(dt.date(2026, 9, 1), "IDR", "Asia/Jakarta")


def test_figures_and_the_first_rows_are_shown():
    table = pa.table({"orders": list(range(1, 31)), "customers": [10] * 30})
    shown = Answer("repeat_purchase", SCOPE, {"rate": 0.39617, "customers": 300}, table)._repr_html_()
    assert "<dt>rate</dt><dd>0.396</dd>" in shown
    assert shown.count("<tr>") == 21
    assert "20 of 30 rows" in shown
    assert "<svg" not in shown


def test_a_survival_curve_is_drawn_from_day_zero():
    table = pa.table({"days": [10, 20], "at_risk": [4, 2], "survival": [0.5, 0.25]})
    shown = Answer("time_between_purchases", SCOPE, {"median_days": 10}, table)._repr_html_()
    assert 'd="M0 0H500V110H1000V165"' in shown


def test_cohorts_are_drawn_as_the_pooled_share_of_mature_cells():
    cells = [(0, 10, 10, True), (1, 10, 4, True), (1, 30, 6, True), (2, 10, 1, True), (2, 30, 1, False)]
    table = pa.table(
        {
            "age": [c[0] for c in cells],
            "size": [c[1] for c in cells],
            "customers": [c[2] for c in cells],
            "mature": [c[3] for c in cells],
        }
    )
    shown = Answer("cohorts", SCOPE, {}, table)._repr_html_()
    assert "<title>1: 25.0%</title>" in shown  # (4 + 6) ÷ (10 + 30)
    assert "<title>2: 10.0%</title>" in shown
    assert "<title>0: " not in shown


def test_an_empty_answer_says_why():
    table = pa.table({"days": pa.array([], pa.int64()), "survival": pa.array([], pa.float64())})
    shown = Answer("time_between_purchases", SCOPE, {"median_days": None}, table, "no_customers")._repr_html_()
    assert "<dt>reason</dt><dd>no_customers</dd>" in shown
    assert "<dd>–</dd>" in shown
    assert "<svg" not in shown


def test_hostile_values_stay_words():
    table = pa.table({"<b>name": ["<script>alert(1)</script>"]})
    shown = Answer("<img>", SCOPE, {"<i>": '"<u>'}, table)._repr_html_()
    assert not any(tag in shown for tag in ("<script", "<b>", "<img", "<i>", "<u>"))
