from __future__ import annotations

import dataclasses
import datetime as dt
import shutil
from decimal import Decimal
from pathlib import Path

import pytest

import setia
from setia.kernel.figure import Column, Figure, Headline, Page, Section
from setia.kernel.i18n import LANGUAGES, Speaker
from setia.metrics.what_if import Economics
from setia.report import what_if

CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
COMPILED = Path(setia.__file__).parent / "locale"


def speaks(language: str) -> bool:
    return language == "en" or (COMPILED / language / "LC_MESSAGES" / "setia.mo").exists()


@pytest.fixture(params=LANGUAGES)
def any_speaker(request) -> Speaker:
    if not speaks(request.param):
        pytest.skip(f"the catalogue of {request.param} is not compiled")
    return Speaker.of(request.param, "IDR")


@pytest.fixture(scope="module")
def browser():
    sync_api = pytest.importorskip("playwright.sync_api")
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("no chromium on the path")
    with sync_api.sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_FLAGS)
        yield running
        running.close()


@pytest.fixture(scope="session")
def speaker() -> Speaker:
    return Speaker.of("en", "IDR")


def month(n: int) -> dt.date:
    return dt.date(2025 + (7 + n) // 12, (7 + n) % 12 + 1, 1)


MONTHS = [month(n) for n in range(13)]
RETAINED = [0.392, 0.401, 0.388, 0.397, 0.411, 0.372, 0.405, 0.418, 0.409, 0.421, 0.426, 0.419, 0.433]
OCCASIONS = {MONTHS[3]: "11.11", MONTHS[7]: "Idulfitri"}
RETURNS = (0.312, 0.241, 0.214, 0.196, 0.183, 0.171, 0.166, 0.158, 0.151, 0.149, 0.143, 0.139)
SIZES = (412, 388, 431, 467, 529, 351, 402, 438, 455, 471, 498, 512)


def retention() -> Figure:
    rows = [
        {"month": m, "start": 1180 + 31 * n, "retained": round((1180 + 31 * n) * r), "retention": r}
        for n, (m, r) in enumerate(zip(MONTHS, RETAINED, strict=True))
    ]
    return Figure(
        "retention",
        "Customer retention rate",
        "Of every 100 customers who bought in the 90 days before, 43 bought again: four more than a year ago.",
        (
            Column("month", "90 days until", "month"),
            Column("start", "Bought in the period before", "count"),
            Column("retained", "Bought again", "count"),
            Column("retention", "Retention rate", "percent"),
        ),
        rows,
        mark="line",
        x="month",
        series=("retention",),
        how="Customers who bought in the 90 days before and again in these 90 days ÷ those who bought in the 90 days "
        "before. Guests, trial orders and cancelled orders are left out.",
    )


def survival() -> Figure:
    rows = [
        {"days": d, "first": 0.66 ** (d / 45) * 0.7 + 0.3, "later": 0.5 ** (d / 24) * 0.9 + 0.1} for d in range(181)
    ]
    return Figure(
        "gaps",
        "Time between purchases",
        "Half of the second purchases come within 72 days, half of the later ones within 28.",
        (
            Column("days", "Days since the purchase", "days"),
            Column("first", "After the first purchase", "percent"),
            Column("later", "After later purchases", "percent"),
        ),
        rows,
        mark="line",
        x="days",
        series=("first", "later"),
        stepped=True,
        how="Survival curve (Kaplan and Meier): gaps that are still open count as not yet ended.",
        note="The mean of completed gaps, 31 days, would make customers look faster than they are.",
    )


def sales() -> Figure:
    rows = [
        {"month": m, "net": Decimal(118_500_000 + 3_700_000 * n + (n % 3) * 5_250_000), "orders": 780 + 24 * n,
         "calendar": OCCASIONS.get(m, "")}
        for n, m in enumerate(MONTHS)
    ]  # fmt: skip
    return Figure(
        "sales",
        "Net sales by month",
        "Net sales were Rp163 million in August, 8% above August last year.",
        (
            Column("month", "Month", "month"),
            Column("orders", "Orders", "count"),
            Column("net", "Net sales", "money"),
            Column("calendar", "Calendar", "text"),
        ),
        rows,
        mark="bars",
        x="month",
        series=("net",),
        marks="calendar",
    )


def second_purchase() -> Figure:
    names = (
        ("Kopi Susu Gula Aren 1 L", 0.381, 904),
        ("Gayo Natural 250 g", 0.352, 611),
        ("Toraja Sapan Washed, whole bean 500 g, harvest of June", 0.334, 287),
        ("Drip bag Flores Bajawa (10)", 0.262, 733),
        ("Gift box Lebaran", 0.094, 412),
    )
    return Figure(
        "products",
        "Second purchase by first product",
        "Customers who start with Kopi Susu Gula Aren come back four times as often as those who start with a gift.",
        (
            Column("product", "First product", "text"),
            Column("customers", "Customers", "count"),
            Column("share", "Bought again within 90 days", "percent"),
        ),
        [{"product": p, "share": s, "customers": n} for p, s, n in names],
        mark="bars",
        x="product",
        series=("share",),
    )


def orders() -> Figure:
    rows = [{"orders": n, "customers": c} for n, c in ((1, 2210), (2, 731), (3, 388), (4, 190), (5, 141))]
    return Figure(
        "orders",
        "Customers by number of orders",
        "40% of the year's customers ordered more than once.",
        (Column("orders", "Orders in 365 days", "count"), Column("customers", "Customers", "count")),
        rows,
        mark="bars",
        x="orders",
        series=("customers",),
    )


def cohorts() -> Figure:
    rows = []
    for c in range(12):
        for age in range(12 - c + 1):
            drift = 1 + 0.02 * c + 0.05 * ((c * 7 + age * 3) % 5 - 2) / 2
            share = 1.0 if age == 0 else RETURNS[age - 1] * drift
            rows.append({"cohort": MONTHS[c], "age": age, "size": SIZES[c], "share": None if c + age == 12 else share})
    return Figure(
        "cohorts",
        "Cohort table",
        "Newer cohorts keep a little more: 23% of May's customers bought again after two months, 21% of last May's.",
        (
            Column("cohort", "First purchase", "month"),
            Column("size", "Customers", "count"),
            Column("age", "Months since the first purchase", "count"),
            Column("share", "Bought in that month", "percent"),
        ),
        rows,
        mark="grid",
        x="age",
        y="cohort",
        series=("share",),
        how="Customers of a cohort who bought in a month ÷ all customers who first bought in the cohort's month.",
    )


def lift() -> Figure:
    rows = [
        {"programme": "Win-back after 60 days", "lift": 0.031, "low": 0.008, "high": 0.054, "n": 1804},
        {"programme": "Welcome journey", "lift": 0.019, "low": -0.006, "high": 0.044, "n": 2331},
        {"programme": "Birthday voucher", "lift": -0.004, "low": -0.027, "high": 0.019, "n": 960},
    ]
    return Figure(
        "lift",
        "What the programmes caused",
        "The win-back programme brought 31 customers more per thousand; for the other two nothing was shown.",
        (
            Column("programme", "Programme", "text"),
            Column("n", "Customers", "count"),
            Column("lift", "Difference in customers who bought", "points"),
            Column("low", "Likely from", "points"),
            Column("high", "to", "points"),
        ),
        rows,
        mark="intervals",
        x="programme",
        series=("lift", "low", "high"),
        note="A difference whose range includes zero has not been shown.",
    )


def last_orders() -> Figure:
    rows = [
        {"stage": "Loyal", "customers": 418, "share": 0.114, "value": Decimal("812500"), "day": dt.date(2026, 8, 30)},
        {"stage": "Active", "customers": 1306, "share": 0.357, "value": Decimal("264000"), "day": dt.date(2026, 8, 31)},
        {"stage": "At risk", "customers": 642, "share": 0.175, "value": Decimal("231750"), "day": dt.date(2026, 6, 12)},
        {"stage": "Dormant", "customers": 1294, "share": None, "value": None, "day": None},
    ]
    return Figure(
        "stages",
        "Customers by stage",
        "642 customers are at risk: they have waited half as long again as they usually do.",
        (
            Column("stage", "Stage", "text"),
            Column("customers", "Customers", "count"),
            Column("share", "Share", "percent"),
            Column("value", "Net sales per customer", "money"),
            Column("day", "Last order", "date"),
        ),
        rows,
    )


def nothing() -> Figure:
    return Figure("surveys", "Survey answers", "No survey has run yet.", (Column("a", "Answer", "text"),), [], "bars")


def by_formula() -> Figure:
    rows = [
        {"formula": "Those who came back ÷ those at the start", "value": 0.433},
        {"formula": "Customers at the end ÷ those at the start", "value": 1.267},
    ]
    return Figure(
        "formulas",
        "Retention rate by formula",
        "One of the two can pass 100%.",
        (Column("formula", "Formula", "text"), Column("value", "Value", "percent")),
        rows,
    )


MONDAY = (
    Headline(
        "retention",
        "Customers who came back",
        "43.3%",
        "of 1,552 who bought in the 90 days before; 4.1 points more than a year ago",
        how="Customers who bought in the period before and again in this one ÷ those who bought in the period before.",
    ),
    Headline("at_risk", "At risk this week", "642", "customers who wait longer than they usually do"),
    Headline("sales", "Net sales in August", "Rp163.4m", "1,068 orders, Rp153,000 each"),
)
BUYING = (
    Headline("repeat", "Repeat purchase rate", "39.6%", "of 3,660 customers within 365 days"),
    Headline("gap", "Usual time to the second purchase", "72 days", "median, open gaps counted as open"),
    Headline("clv", "Lifetime value", "–", "needs 12 months of history; there are 9"),
)


@pytest.fixture(scope="session")
def economics() -> Economics:
    return Economics(customers=1552, order_value=153_000, orders_per_month=0.62, months_kept=5.22, margin=0.35)


@pytest.fixture(scope="session")
def page(economics: Economics, speaker: Speaker) -> Page:
    return Page(
        "en",
        "Kopi Pagi: how well we keep our customers",
        "Everything that happened until 31 August 2026, Asia/Jakarta, in rupiah",
        (
            Section(
                "monday",
                "Monday page",
                "More customers come back than a year ago. The win-back programme earns its keep; 642 customers are "
                "worth a message this week.",
                MONDAY,
                (last_orders(),),
            ),
            Section("keeping", "Keeping", "Who comes back, and how soon.", (), (retention(), cohorts())),
            Section("buying", "Buying", "", BUYING, (survival(), sales(), second_purchase(), orders())),
            Section("proof", "Proof", "Measured against a held-out group.", (), (lift(), nothing())),
            what_if.section(economics, speaker),
            Section("variants", "Other formulas", "", (), (by_formula(),), analyst=True),
        ),
        "Made with Setia 0.1 from 14,208 orders. Amounts in rupiah.",
    )


HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>&\x1b[31m"


@pytest.fixture(scope="session")
def hostile_page(page: Page) -> Page:
    """Every text is an attack."""

    def attacked(figure: Figure) -> Figure:
        columns = tuple(dataclasses.replace(c, title=c.title + HOSTILE) for c in figure.columns)
        texts = {c.key for c in figure.columns if c.kind == "text"}
        rows = [{k: v + HOSTILE if k in texts and v else v for k, v in row.items()} for row in figure.rows]
        words = dict.fromkeys(("name", "title", "finding", "how", "note"), HOSTILE)
        return dataclasses.replace(figure, columns=columns, rows=rows, **{**words, "name": figure.name + HOSTILE})

    def attacked_section(section: Section) -> Section:
        headlines = tuple(Headline(HOSTILE, HOSTILE, HOSTILE, HOSTILE, HOSTILE) for _ in section.headlines)
        figures = tuple(map(attacked, section.figures))
        calculator = section.calculator
        if calculator:
            knobs = tuple(dataclasses.replace(knob, title=HOSTILE, unit=HOSTILE) for knob in calculator.knobs)
            calculator = dataclasses.replace(calculator, knobs=knobs, currency=HOSTILE)
        return Section(section.name + HOSTILE, HOSTILE, HOSTILE, headlines, figures, calculator, section.analyst)

    sections = tuple(map(attacked_section, page.sections))
    labels = dict.fromkeys(("contents", "skip", "table", "how", "open", "theme", "caution", "no_rows"), HOSTILE)
    return Page("en", HOSTILE, HOSTILE, sections, HOSTILE, labels)
