"""How values are written in each language."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from setia.kernel.errors import SetiaError
from setia.kernel.i18n import LANGUAGES, Speaker, UnknownLanguage

EN, ID, MS = (Speaker.of(language, "IDR") for language in LANGUAGES)


@pytest.mark.parametrize(
    ("speaker", "currency", "amount", "expected"),
    [
        (ID, "IDR", 150_000, "Rp150.000"),
        (ID, "IDR", Decimal("1234567.89"), "Rp1.234.568"),
        (ID, "IDR", -150_000, "-Rp150.000"),
        (ID, "IDR", 0, "Rp0"),
        (ID, "MYR", Decimal("1234.5"), "RM1.234,50"),
        (MS, "MYR", Decimal("1234.5"), "RM1,234.50"),
        (MS, "MYR", Decimal("-0.5"), "-RM0.50"),
        (MS, "IDR", 150_000, "Rp150,000"),
        (EN, "IDR", 150_000, "Rp150,000"),
        (EN, "GBP", Decimal("9.99"), "£9.99"),
        (EN, "JPY", 1200, "JP¥1,200"),
        (EN, "GBP", 1e-9, "£0.00"),
        (EN, "GBP", None, "–"),
    ],
)
def test_money(speaker, currency, amount, expected):
    assert speaker.money(amount, currency) == expected


def test_money_is_in_the_shops_currency_unless_said():
    assert Speaker.of("ms", "MYR").money(5) == "RM5.00"


@pytest.mark.parametrize(("speaker", "expected"), [(EN, "43.3%"), (ID, "43,3%"), (MS, "43.3%")])
def test_percent(speaker, expected):
    assert speaker.percent(0.4333) == expected


def test_figures():
    assert (EN.count(1234567), ID.count(1234567), MS.count(1234567)) == ("1,234,567", "1.234.567", "1,234,567")
    assert (EN.number(1234.56), ID.number(1234.56), ID.number(-0.5, 2)) == ("1,234.6", "1.234,6", "-0,50")
    assert (EN.percent(0), EN.percent(1), EN.percent(0.005, 0)) == ("0.0%", "100.0%", "0%")
    assert (EN.points(0.0123), EN.points(-0.0123), EN.points(0.0)) == (
        "+1.2 percentage points", "−1.2 percentage points", "0.0 percentage points",
    )  # fmt: skip
    assert ID.points(0.0123) == "+1,2 poin persen"
    assert MS.points(0.0123) == "+1.2 mata peratusan"
    assert EN.days(12) == "12 days"
    assert (ID.days(12), MS.days(12)) == ("12 hari", "12 hari")


ID_MONTHS = [
    "Januari",
    "Februari",
    "Maret",
    "April",
    "Mei",
    "Juni",
    "Juli",
    "Agustus",
    "September",
    "Oktober",
    "November",
    "Desember",
]
MS_MONTHS = [
    "Januari",
    "Februari",
    "Mac",
    "April",
    "Mei",
    "Jun",
    "Julai",
    "Ogos",
    "September",
    "Oktober",
    "November",
    "Disember",
]


@pytest.mark.parametrize("month", range(1, 13))
def test_dates(month):
    day = dt.date(2026, month, 9)
    assert ID.date(day) == f"9 {ID_MONTHS[month - 1]} 2026"
    assert MS.date(day) == f"9 {MS_MONTHS[month - 1]} 2026"


def test_dates_as_the_glossary_has_them():
    day = dt.date(2026, 8, 31)
    assert [speaker.date(day) for speaker in (EN, ID, MS)] == ["31 August 2026", "31 Agustus 2026", "31 Ogos 2026"]
    assert [speaker.month(day) for speaker in (EN, ID, MS)] == ["Aug 2026", "Agu 2026", "Ogo 2026"]


@pytest.mark.parametrize("speaker", [EN, ID, MS])
def test_what_is_missing_is_a_dash(speaker):
    asked = (speaker.count, speaker.number, speaker.percent, speaker.points, speaker.money, speaker.days,
             speaker.date, speaker.month)  # fmt: skip
    assert {ask(None) for ask in asked} == {"–"}


def test_lists():
    assert [speaker.listing(["a", "b", "c"]) for speaker in (EN, ID, MS)] == ["a, b and c", "a, b, dan c", "a, b dan c"]
    assert EN.listing([]) == ""


def test_sentences():
    assert EN("{n} customers", n=3) == "3 customers"
    assert EN("A brace { stays without facts") == "A brace { stays without facts"


def test_errors_speak_every_language():
    with pytest.raises(UnknownLanguage) as refused:
        Speaker.of("fr")
    assert str(refused.value).startswith("Setia does not speak fr. Choose en")
    assert refused.value.code == "i18n.unknown_language"
    assert all("fr" in speaker.error(refused.value) for speaker in (EN, ID, MS))


def test_an_errors_facts_are_data():
    """Braces in a fact are shown as they are; line ends in the docstring are not."""

    class Spilt(SetiaError):
        """The {thing} fell
        over. Mop up."""

        code = "test.spilt"

    assert str(Spilt(thing="{milk} %s")) == "The {milk} %s fell over. Mop up."
    assert Spilt(thing="milk").facts == {"thing": "milk"}
    assert str(Spilt(thing="m\x1b[31mi\x00lk\nand sugar")) == "The m?[31mi?lk\nand sugar fell over. Mop up."
