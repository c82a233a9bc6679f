from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from setia.kernel.figure import Column
from setia.kernel.i18n import Speaker
from setia.report.cells import celled, formatted, headed, short
from setia.report.labels import labels

EN = Speaker.of("en", "GBP")


@pytest.mark.parametrize(
    ("kind", "value", "shown"),
    [
        ("text", "Ayu", "Ayu"),
        ("count", 1234, "1,234"),
        ("number", 1.25, "1.2"),
        ("percent", 0.433, "43.3%"),
        ("points", -0.021, "−2.1 percentage points"),
        ("money", Decimal("1234.5"), "£1,234.50"),
        ("days", 28.0, "28 days"),
        ("date", dt.date(2026, 8, 31), "31 August 2026"),
        ("month", dt.date(2026, 8, 1), "Aug 2026"),
        ("text", None, "–"),
        ("count", None, "–"),
        ("percent", float("nan"), "–"),
        ("money", Decimal("NaN"), "–"),
        ("number", float("inf"), "–"),
    ],
)
def test_a_cell(kind, value, shown):
    assert formatted(kind, value, EN) == shown


@pytest.mark.parametrize(
    ("kind", "value", "shown"),
    [
        ("money", Decimal("2500000"), "£2.5M"),
        ("money", -1500, "-£1.5K"),
        ("money", 50, "£50"),
        ("percent", 0.5, "50%"),
        ("percent", 0.125, "12.5%"),
        ("points", 0.03, "+3"),
        ("points", 0, "0"),
        ("count", 2000, "2,000"),
        ("count", 2_000_000, "2M"),
        ("days", 30, "30"),
        ("number", None, "–"),
    ],
)
def test_on_an_axis(kind, value, shown):
    assert short(kind, value, EN) == shown


def test_percentage_points_have_their_unit_in_the_head():
    column = Column("lift", "Difference", "points")
    assert headed(column, EN) == "Difference (percentage points)"
    assert celled(column, 0.031, EN) == "+3.1"
    assert celled(column, None, EN) == "–"


def test_rupiah_in_indonesian_and_ringgit_in_malay():
    assert short("money", 2_500_000, Speaker.of("id", "IDR")) == "Rp2,5\xa0jt"
    assert formatted("money", Decimal("1234.5"), Speaker.of("ms", "MYR")) == "RM1,234.50"


def test_every_word_of_the_frame_is_said(any_speaker):
    said = labels(any_speaker)
    assert {"contents", "skip", "table", "how", "open", "theme", "caution", "no_rows"} <= said.keys()
    assert all(said.values()) and "{n}" in said["more_rows"]
