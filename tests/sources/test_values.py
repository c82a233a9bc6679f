"""How values are written: each reading against Python's own calendar, Babel's numbers and phonenumbers' plans."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import phonenumbers
import pytest
from babel.dates import format_date
from babel.numbers import format_decimal
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from setia.settings import WarehouseSettings
from setia.sources.files.values import PLAIN, amount_style, flags, marks, phones, time_style
from setia.sources.files.values.times import TimeStyle
from setia.warehouse.duck import connect

Duck = duckdb.DuckDBPyConnection
JAKARTA = ZoneInfo("Asia/Jakarta")
FEW = settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


class Column:
    """Texts in a DuckDB table, as a file's column is."""

    def __init__(self, duck: Duck, texts: Sequence[str | None], sampled: int = 20_000) -> None:
        self._duck, self._sampled = duck, sampled
        duck.execute("create or replace temp table texts as select unnest($1::varchar[]) as x", [list(texts)])

    def sample(self, expression: str) -> int:
        return self._count(expression, f"(from texts limit {self._sampled})")

    def whole(self, expression: str) -> int:
        return self._count(expression, "texts")

    def _count(self, expression: str, source: str) -> int:
        (found,) = self._duck.execute(f"select count({expression}) from {source}").fetchall()
        return int(found[0])

    def read(self, expression: str) -> list[Any]:
        return [row[0] for row in self._duck.execute(f"select {expression} from texts").fetchall()]

    def style(self) -> TimeStyle:
        style = time_style("x", self.sample, self.whole)
        assert style is not None
        return style

    def local(self, zone: ZoneInfo = JAKARTA) -> list[dt.datetime | None]:
        return self.read(self.style().local("x", zone))

    def instants(self, zone: ZoneInfo = JAKARTA) -> list[dt.datetime | None]:
        found = self.read(f"epoch_us({self.style().instant('x', zone)})")
        return [
            None if us is None else dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(microseconds=us)
            for us in found
        ]

    def amounts(self, **more: Any) -> list[Decimal | None]:
        style = amount_style("x", self.sample, **more)
        assert style is not None
        return self.read(style.parsed("x"))


@pytest.fixture(scope="module")
def duck(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Duck]:
    with connect(WarehouseSettings(), tmp_path_factory.mktemp("scratch")) as connection:
        yield connection


NOON, NIGHT = dt.datetime(2025, 3, 3, 10, 15), dt.datetime(2025, 3, 3, 22, 15)  # noqa: DTZ001
DAY = dt.datetime(2025, 3, 3)  # noqa: DTZ001
WRITTEN: dict[str, dt.datetime] = {
    "Senin, 3 Maret 2025": DAY, "Isnin 3 Mac 2025": DAY, "Monday, March 3, 2025": DAY, "3-Mac-25": DAY,
    "3 Mar 2025": DAY, "03Mar2025": DAY, "March 3rd, 2025": DAY, "2025-03-03": DAY, "2025/03/03": DAY,
    "20250303": DAY,
    "3 Maret 2025 pukul 10.15": NOON, "3 Maret 2025 10.15 WIB": NOON, "3 Mac 2025 10:15 PG": NOON,
    "3 Mac 2025, 10:15 PTG": NIGHT, "Mar 3, 2025 10:15 pm": NIGHT, "March 3, 2025 at 10:15pm": NIGHT,
    "03 Mar 2025 10:15:00.000": NOON, "2025-03-03T10:15:00+07:00": NOON, "2025-03-03 10:15 +0700": NOON,
    "2025-03-03 03:15:00 UTC": NOON, "2025-03-03 11:15 MYT": NOON, "2025-03-03 11.15 SGT": NOON,
    "2025-03-03T03:15Z": NOON, "2025-03-03 12:15:00 WITA": NOON - dt.timedelta(hours=-1),
    "2025-03-03 12:15 WIT": NOON,
    "2025-03-03 10:15:00 (GMT+7)": NOON, "2025-03-03 22:15 PM": NIGHT, "2025-03-03 10:15 PM": NIGHT,
    "Mon Mar 03 2025 10:15:00 GMT+0700 (Western Indonesia Time)": NOON, "3/3/2025 10.15": NOON,
    "3/3/25 10:15 PM": NIGHT,
    "2025-03-03 - 10:15": NOON, "03.03.2025 10:15:00,000": NOON,
}  # fmt: skip


def test_each_writing_on_its_own_and_all_in_one_column(duck: Duck) -> None:
    for text, moment in WRITTEN.items():
        assert (text, Column(duck, [text]).local()) == (text, [moment])
    together = Column(duck, list(WRITTEN))
    assert dict(zip(WRITTEN, together.local(), strict=True)) == WRITTEN
    assert together.instants() == [moment.replace(tzinfo=JAKARTA) for moment in WRITTEN.values()]


MONTHS = [
    "Januari Februari Maret April Mei Juni Juli Agustus September Oktober November Desember",
    "Jan Feb Mar Apr Mei Jun Jul Agu Sep Okt Nov Des", "Jan Peb Mar Apr Mei Jun Jul Agt Sept Okt Nop Des",
    "Januari Februari Mac April Mei Jun Julai Ogos September Oktober November Disember",
    "Jan Feb Mac Apr Mei Jun Jul Ogo Sep Okt Nov Dis",
    "January February March April May June July August September October November December",
]  # fmt: skip


@pytest.mark.parametrize("names", MONTHS)
def test_the_names_of_months(duck: Duck, names: str) -> None:
    column = Column(duck, [f"17 {name} 2025" for name in names.split()])
    assert column.local() == [dt.datetime(2025, month, 17) for month in range(1, 13)]  # noqa: DTZ001


@FEW
@given(
    days=st.lists(st.dates(dt.date(1990, 1, 1), dt.date(2060, 12, 31)), min_size=1, max_size=20),
    locale=st.sampled_from(["en", "en_GB", "id", "ms"]),
    width=st.sampled_from(["full", "long", "medium"]),
)
def test_dates_as_cldr_writes_them(duck: Duck, days: list[dt.date], locale: str, width: str) -> None:
    column = Column(duck, [format_date(day, width, locale) for day in days])  # type: ignore[arg-type]
    assert [moment and moment.date() for moment in column.local()] == days


FORMATS = ["%d/%m/%Y %H:%M:%S", "%d-%m-%Y %H.%M.%S", "%Y/%m/%d %H:%M:%S", "%Y-%m-%d %I:%M:%S %p", "%d %b %Y %H:%M:%S",
           "%d/%m/%y %I:%M:%S %p", "%Y%m%d%H%M%S", "%b %d, %Y %I:%M:%S %p", "%Y-%m-%dT%H:%M:%S.%f"]  # fmt: skip
MOMENTS = st.datetimes(dt.datetime(1990, 1, 1), dt.datetime(2060, 1, 1)).map(lambda t: t.replace(microsecond=0))  # noqa: DTZ001


@FEW
@given(moments=st.lists(MOMENTS, min_size=1, max_size=20), form=st.sampled_from(FORMATS))
def test_what_python_writes_is_read(duck: Duck, moments: list[dt.datetime], form: str) -> None:
    proof = dt.datetime(2025, 1, 31, 12)  # noqa: DTZ001
    moments = [*moments, proof] * 2
    assert Column(duck, [moment.strftime(form) for moment in moments]).local() == moments


@FEW
@given(
    moments=st.lists(st.datetimes(dt.datetime(2000, 1, 1), dt.datetime(2030, 1, 1)), min_size=1, max_size=20),  # noqa: DTZ001
    minutes=st.sampled_from([0, 60, -300, 330, 420, 480, 540, -210]),
    key=st.sampled_from(["Asia/Jakarta", "America/New_York", "Europe/London"]),
)
def test_moments_that_name_their_zone(duck: Duck, moments: list[dt.datetime], minutes: int, key: str) -> None:
    zone, there = ZoneInfo(key), dt.timezone(dt.timedelta(minutes=minutes))
    aware = [moment.replace(tzinfo=there) for moment in moments]
    column = Column(duck, [moment.isoformat() for moment in aware])
    assert column.instants(zone) == aware
    assert column.local(zone) == [moment.astimezone(zone).replace(tzinfo=None) for moment in aware]
    slow = Column(duck, [moment.strftime("%d %b %Y %H:%M:%S.%f GMT%z") for moment in aware])
    assert slow.instants(zone) == aware


def test_times_that_the_clocks_skip_or_repeat(duck: Duck) -> None:
    """New York, 2025: 02:30 of 9 March never was, and is 03:30; 01:30 of 2 November was twice, and is the second."""
    new_york = ZoneInfo("America/New_York")
    for style in ("2025-03-09 02:30:00", "9 March 2025 2:30 am"):
        assert Column(duck, [style]).instants(new_york) == [dt.datetime(2025, 3, 9, 7, 30, tzinfo=dt.UTC)]
    for style in ("2025-11-02 01:30:00", "2 Nov 2025 01.30"):
        assert Column(duck, [style]).instants(new_york) == [dt.datetime(2025, 11, 2, 6, 30, tzinfo=dt.UTC)]


@FEW
@given(moments=st.lists(st.datetimes(dt.datetime(2020, 1, 1), dt.datetime(2030, 1, 1)), min_size=1, max_size=50))  # noqa: DTZ001
def test_a_zone_with_summer_time(duck: Duck, moments: list[dt.datetime]) -> None:
    """One rule: of two moments the second; of none, what the clock would have shown."""
    zone = ZoneInfo("Europe/London")

    def expected(moment: dt.datetime) -> dt.datetime:
        early, late = (moment.replace(tzinfo=zone, fold=fold).astimezone(dt.UTC) for fold in (0, 1))
        return max(early, late)

    assert Column(duck, [str(moment) for moment in moments]).instants(zone) == list(map(expected, moments))


def test_numbers_that_stand_for_moments(duck: Duck) -> None:
    """45231.5 is what Excel shows as 1 November 2023, 12:00; 1735689600 is the first second of 2025 in UTC."""
    cases = {"45231.5": dt.datetime(2023, 11, 1, 12), "1735689600": dt.datetime(2025, 1, 1, 7),  # noqa: DTZ001
             "1735689600250": dt.datetime(2025, 1, 1, 7, 0, 0, 250_000)}  # fmt: skip # noqa: DTZ001
    for text, moment in cases.items():
        column = Column(duck, [text])
        assert (column.local(), "since" in column.style().described()) == ([moment], True)
    # One such number among dates could be anything.
    assert Column(duck, ["2025-01-01", "2025-01-02", "45231"]).local()[2] is None


SAID = {
    ("03/01/2026", "22/01/2026"): "day/month/year", ("01/22/2026",): "month/day/year",
    ("2025-01-02",): "year-month-day",
    ("22-01-2026 10.15",): "day-month-year", ("3 Maret 2025",): "dates with the month's name",
    ("22/01/2026", "23/01/2026", "01/24/2026"): "day/month/year (month/day where a date can only be that)",
    ("2025-01-02",) * 9 + ("22/01/2026",): "year-month-day or day/month/year",
}  # fmt: skip


def test_the_style_in_words(duck: Duck) -> None:
    for texts, words in SAID.items():
        assert Column(duck, texts).style().described() == words


def test_day_and_month_are_told_apart_by_the_whole_column(duck: Duck) -> None:
    doubtful = Column(duck, ["03/01/2026", "04/01/2026"]).style()
    assert (doubtful.ambiguous, doubtful.order, doubtful.mixed) == (True, "day", False)
    decided = Column(duck, ["03/01/2026", "04/01/2026", "01/22/2026"], sampled=2).style()
    assert (decided.ambiguous, decided.order, decided.mixed) == (False, "month", False)
    mixed = Column(duck, ["03/01/2026", "22/01/2026", "23/01/2026", "01/24/2026"])
    assert (mixed.style().mixed, [moment and (moment.day, moment.month) for moment in mixed.local()]) == (
        True, [(3, 1), (22, 1), (23, 1), (24, 1)],
    )  # fmt: skip
    # What the sample never showed is read where it can only mean one day.
    late = Column(duck, ["2025-01-02", "03/01/2026", "5/5/2026", "22/01/2026"], sampled=1)
    loose = replace(late.style(), loose=True)
    assert [moment and moment.date() for moment in late.read(loose.local("x", JAKARTA))] == [
        dt.date(2025, 1, 2), None, dt.date(2026, 5, 5), dt.date(2026, 1, 22),
    ]  # fmt: skip


def test_what_is_no_moment(duck: Duck) -> None:
    bad = ["2026-02-30", "31/04/2026", "2026-01-01 25:00", "2026-01-01 10:61", "soon", "2025-01-02 10:11:12 CST",
           "infinity",
           "0001-01-01", "3 Foo 2025", "12", "2025-01-02 13:00 am", None, "epoch"]  # fmt: skip
    good = ["2026-01-01 10:00"] * 20
    assert Column(duck, [*good, *bad]).local()[20:] == [None] * len(bad)
    for texts in (["soon", "later"], [None], ["12", "13"]):
        column = Column(duck, texts)
        assert time_style("x", column.sample, column.whole) is None


AMOUNTS: list[tuple[list[str], list[str]]] = [
    (["Rp1.234.567,00", "Rp 0", "-", "gratis"], ["1234567", "0", "0", "0"]),
    (["Rp 1.234.567", "Rp -", "Percuma"], ["1234567", "0", "0"]),
    (["RM1,234.50", "-RM5", "RM (5.00)", "Free"], ["1234.50", "-5", "-5", "0"]),
    (["IDR 10,000", "500"], ["10000", "500"]),
    (["1 234,50", "1\u00a0234,50", "1\u202f234\u202f567,00"], ["1234.50", "1234.50", "1234567"]),
    (["1'234.50", "1’234’567.00"], ["1234.50", "1234567"]),
    (["(1,234.50)", "5-", "−5"], ["-1234.50", "-5", "-5"]),
    (["1.5E+06", "12"], ["1500000", "12"]),
    (["1,5E+06", "12,50"], ["1500000", "12.50"]),
    (["12,34,567.00", "1,00,000"], ["1234567", "100000"]),
    (["10%", "12,5 %"], ["10", "12.5"]),
    (["0.125", "1.250"], ["0.125", "1.25"]),
    (["12", "7", "5.50", "13", "RM 1,234.50"], ["12", "7", "5.50", "13", "1234.50"]),
]  # fmt: skip


@pytest.mark.parametrize(("texts", "amounts"), AMOUNTS)
def test_amounts(duck: Duck, texts: list[str], amounts: list[str]) -> None:
    assert Column(duck, texts).amounts() == [Decimal(value) for value in amounts]


def test_what_is_no_amount(duck: Duck) -> None:
    for texts in (["free"], ["-"], ["soon", "5"][:1], [None]):
        assert amount_style("x", Column(duck, texts).sample) is None
    bad = ["12 or 13", "2026-01-02", "=9+9", "1,234 567", "abc"]
    assert Column(duck, ["1,234.50"] * 9 + bad).amounts()[9:] == [None] * len(bad)
    assert Column(duck, ["12.50"] * 9 + [*bad, "1.234,50"]).amounts()[9:] == [None] * (len(bad) + 1)


def test_the_whole_column_decides_between_thousands_and_decimals(duck: Duck) -> None:
    def decided(texts: list[str], **more: Any) -> tuple[str, bool, bool]:
        column = Column(duck, texts, sampled=2)
        style = amount_style("x", column.sample, whole=column.whole, **more)
        assert style is not None
        return style.name, style.ambiguous, style.percent

    assert decided(["1.234", "2.500"]) == ("1.234,56", True, False)
    assert decided(["1.234", "2.500", "1.234.567"]) == ("1.234,56", False, False)
    assert decided(["1.234", "2.500", "0.125", "2.5"]) == ("1,234.56", False, False)
    assert decided(["1,234", "2,500", "7,5"]) == ("1.234,56", False, False)
    assert decided(["1,234", "2,500", "7.50"]) == ("1,234.56", False, False)
    assert decided(["1.234", "2.500"], money=False) == (PLAIN.name, False, False)
    assert decided(["10%", "5.5%"]) == ("1,234.56", False, True)


@FEW
@given(
    values=st.lists(st.decimals("-9999999", "9999999", places=2), min_size=1, max_size=20),
    locale=st.sampled_from(["en", "id", "ms", "de", "fr", "de_CH", "pt_BR", "en_IN", "sv", "it"]),
    mark=st.sampled_from(["{}", "Rp {}", "{} EUR", "RM{}"]),
)
def test_amounts_as_cldr_writes_them(duck: Duck, values: list[Decimal], locale: str, mark: str) -> None:
    pattern = "#,##,##0.00" if locale == "en_IN" else "#,##0.00"
    column = Column(duck, [mark.format(format_decimal(value, pattern, locale)) for value in values])
    assert column.amounts() == values


MARKS = {
    "Rp1.234": "IDR", "Rp. 5": "IDR", "-RM5": "MYR", "(RM 5.00)": "MYR", "$5": "SGD", "S$5": "SGD",
    "US$ 5": "USD", "5 €": "EUR",
    "£5": "GBP", "฿5": "THB", "₱5": "PHP", "5.000₫": "VND", "¥5": "JPY", "IDR 10,000": "IDR",
    "10,000 IDR": "IDR", "$ 5 USD": "USD",
    "R$ 5": "BRL", "A$5": "AUD", "HK$5": "HKD", "SGD5.00": "SGD", "Rp1.000.000,-": "IDR", "5,00 zł": "PLN",
    "usd 5": "USD",
    "1.5E+06": None, "12.50": None, "gratis": None, "XYZ 5": None, "5 pcs": None, "-": None, "5 kr": None,
}  # fmt: skip


def test_currency_marks(duck: Duck) -> None:
    column = Column(duck, list(MARKS))
    assert dict(zip(MARKS, column.read(marks.currency_sql("x", "SGD")), strict=True)) == MARKS
    meant = {"IDR": ["USD", "JPY", None], "AUD": ["AUD", "JPY", None], "CNY": ["USD", "CNY", None],
             "NOK": ["USD", "JPY", "NOK"]}  # fmt: skip
    for own, codes in meant.items():
        found = Column(duck, ["$5", "¥5", "5 kr"]).read(marks.currency_sql("x", own))
        assert found == codes
    assert marks.seen("x", Column(duck, ["5", "RM 5"]).sample)
    assert not marks.seen("x", Column(duck, ["5", "12.50", "-"]).sample)


PHONES: dict[str, dict[str, str | None]] = {
    "ID": {
        "0812-3456-789": "+628123456789", "62812 3456 7890": "+6281234567890",
        "+62 (0)812-3456-7890": "+6281234567890",
        "006281234567890": "+6281234567890", "8123456789": "+628123456789", "(021) 555 0101": "+62215550101",
        "0812-3456-789 / 0813-1111-222": "+628123456789", "081234567890, 0813": "+6281234567890",
        "0812-3456-789 ext 12": "+628123456789", "6281234567890.0": "+6281234567890",
        "'081234567890": "+6281234567890",
        "WA: 0812 3456 7890": "+6281234567890", "tel:+6281234567890": "+6281234567890",
        "+60 012-345 6789": "+60123456789",
        "+65 9123 4567": "+6591234567", "+44 (0)20 7946 0958": "+442079460958",
        "+39 06 1234567": "+39061234567", "6.28123E+11": None, "*****12": None,
        "6281****7890": None, "0812xxxx789": None, "123": None, "-": None, "Budi": None, "08123456789012345678": None,
    },
    "MY": {"012-345 6789": "+60123456789", "60123456789": "+60123456789", "123456789": "+60123456789",
           "03-1234 5678": "+60312345678"},
    "SG": {"91234567": "+6591234567", "6591234567": "+6591234567"},
    "GB": {"020 7946 0958": "+442079460958", "447400123456": "+447400123456", "+44 (0)20 7946 0958": "+442079460958"},
    "US": {"(212) 555-0123": "+12125550123", "1-212-555-0123": "+12125550123",
    "011 62 812 3456 789": "+628123456789"},
    "BR": {"(11) 91234-5678": "+5511912345678", "0 15 11 91234-5678": "+5511912345678",
    "5511912345678": "+5511912345678"},
    "AR": {"011 15-2345-6789": "+5491123456789", "11 2345 6789": "+541123456789"},
}  # fmt: skip


def test_phone_numbers(duck: Duck) -> None:
    for region, numbers in PHONES.items():
        found = Column(duck, list(numbers)).read(phones.international_sql("x", region))
        assert dict(zip(numbers, found, strict=True)) == numbers
    at_sea = Column(duck, ["+62 812 3456 7890", "0062 812 3456 7890", "081234567890"])
    assert at_sea.read(phones.international_sql("x", None)) == ["+6281234567890", "+6281234567890", None]


def by_the_library(text: str, region: str) -> str | None:
    """The number with its country, where its length is that of a whole number."""
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None
    if phonenumbers.is_possible_number_with_reason(number) != phonenumbers.ValidationResult.IS_POSSIBLE:
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


@cache
def examples(region: str) -> list[str]:
    kinds = (phonenumbers.PhoneNumberType.MOBILE, phonenumbers.PhoneNumberType.FIXED_LINE)
    known = [phonenumbers.example_number_for_type(region, kind) for kind in kinds]
    forms = (phonenumbers.PhoneNumberFormat.E164, phonenumbers.PhoneNumberFormat.NATIONAL,
             phonenumbers.PhoneNumberFormat.INTERNATIONAL)  # fmt: skip
    return [phonenumbers.format_number(number, form) for number in known if number for form in forms]


@pytest.mark.parametrize(
    "region", ["ID", "MY", "SG", "GB", "US", "BR", "TH", "PH", "VN", "AU", "IN", "IT", "AR", "MX", "DE"]
)
def test_example_numbers_of_the_plans(duck: Duck, region: str) -> None:
    texts = [text for country in ("ID", "MY", "SG", "GB", "US", "BR", "JP") for text in examples(country)]
    texts = [text for text in texts if text.startswith("+")] + examples(region)
    found = Column(duck, texts).read(phones.international_sql("x", region))
    assert dict(zip(texts, found, strict=True)) == {text: by_the_library(text, region) for text in texts}


@FEW
@given(
    # Two zeros lead abroad here, whatever the country dials.
    numbers=st.lists(
        st.tuples(
            st.sampled_from(["", "", "0", "code", "+code", "+code0"]),
            st.from_regex(r"[1-9][0-9]{1,4}[ -]?[0-9]{2,4}[ -]?[0-9]{1,5}", fullmatch=True),
        ),
        min_size=20,
        max_size=60,
    ),
    region=st.sampled_from(["ID", "MY", "GB", "BR", "TH", "PH", "AU"]),
)  # fmt: skip
def test_any_digits_are_read_as_the_library_reads_them(duck: Duck, numbers: list[tuple[str, str]], region: str) -> None:
    code = str(phonenumbers.country_code_for_region(region))
    # Behind the country's code the library takes Brazil's prefix of collect calls off together with a 0 after it.
    known = [(lead, digits) for lead, digits in numbers if not (region == "BR" and digits.startswith("90"))]
    texts = [lead.replace("code", code) + digits for lead, digits in known]
    found = Column(duck, texts).read(phones.international_sql("x", region))
    assert dict(zip(texts, found, strict=True)) == {text: by_the_library(text, region) for text in texts}


def test_the_region_of_a_currency() -> None:
    regions = {"IDR": "ID", "MYR": "MY", "SGD": "SG", "BRL": "BR", "GBP": "GB", "USD": "US", "EUR": None, "XAU": None}
    assert {currency: phones.region_of(currency) for currency in regions} == regions


def test_flags(duck: Duck) -> None:
    column = Column(duck, ["Ya", "YES", "true", "1", "Benar", "y", "no", "tidak", "0", "false", "COD", "", None])
    assert column.read(flags.flag_sql("x")) == [True] * 6 + [False] * 5 + [None] * 2
    assert column.read(flags.flag_sql("x", ("COD",)))[10] is True


def test_a_hostile_column_name(duck: Duck) -> None:
    for name, text, moment in (('"it\'s {rows} ""x"" {0}"', "3 Maret 2025 10.15", NOON), ('"{0} a"', "45719", DAY)):
        duck.execute(f"create or replace temp table odd as select '{text}' as {name}")

        def counted(expression: str) -> int:
            return len(duck.execute(f"select 1 from odd where ({expression}) is not null").fetchall())

        style = time_style(name, counted, counted)
        assert style is not None
        others = f"{phones.international_sql(name, 'ID')}, {marks.currency_sql(name, 'IDR')}, {flags.flag_sql(name)}"
        found = duck.execute(f"select {style.local(name, JAKARTA)}, {others} from odd").fetchall()
        assert found == [(moment, None, None, False)]
