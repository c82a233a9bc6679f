"""The figures explain themselves: other formulas, claims, benchmarks, names and options that do not exist."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from setia.history.scope import NoDay, Scope
from setia.history.windows import TooManyDays
from setia.kernel.i18n import LANGUAGES, Speaker
from setia.metrics.attributes import ATTRIBUTES, UnknownAttribute
from setia.metrics.benchmarks import benchmarks
from setia.metrics.catalogue import FAMILIES, METRICS, UnknownMetric, metric
from setia.metrics.claims import claims
from setia.metrics.options import BadOption, UnknownOption
from setia.metrics.reasons import REASONS
from setia.metrics.service import NobodyBehind, NoSuchGroup, NoSuchPeriod
from setia.metrics.variants import VARIANTS, variants
from setia.metrics.views import VIEWS
from setia.segments.breakdown import Membership

from .building import JULY, ask, at, bought, buyers, day, order


def figures(found):
    return {each.formula: each.value for each in found}


def test_the_formulas_of_retention(reader_of):
    """S = 750, E = 950, N = 625: 43.3 % by formula, 126.7 % as end ÷ start, 52 % as returning ÷ new."""
    parts = [buyers("old", range(2001, 2026), "2023-05-05"), buyers("first", range(0, 1), "2023-01-01")]
    parts += [buyers("b", range(1, 751), "2024-02-02"), buyers("n", range(451, 751), "2024-05-05")]
    parts += [buyers("r", range(2001, 2026), "2024-05-05"), buyers("w", range(3001, 3626), "2024-05-05")]
    reader = reader_of(orders=" union all ".join(parts))
    found = figures(variants("retention", reader, JULY))
    assert found["retained ÷ start"] == pytest.approx(0.40)
    assert found["(end − new) ÷ start"] == pytest.approx(0.4333, abs=5e-5)
    assert found["end ÷ start"] == pytest.approx(1.2667, abs=5e-5)
    assert found["(end − new) ÷ new"] == pytest.approx(0.52)
    churn = figures(variants("churn", reader, JULY))
    assert churn["end ÷ start, printed as churn"] == pytest.approx(1.2667, abs=5e-5)
    assert churn["1 − end ÷ start"] == pytest.approx(-0.2667, abs=5e-5)


def test_the_formulas_of_repeat_purchase(reader_of):
    """Shopify's rate counts whoever ever ordered twice, however long ago the first order was."""
    orders = [*bought("a", "05-05"), order("old", "a", "05-05") | {"day": dt.date(2022, 1, 1), "placed_at": None}]
    orders += (
        bought("b", "05-05", "05-06") + bought("c", "05-07") + [order("z", "z", "05-05") | {"day": dt.date(2022, 1, 1)}]
    )
    found = list(figures(variants("repeat_purchase", reader_of(orders=orders), JULY)).values())
    assert found[:3] == pytest.approx([1 / 3, 2 / 3, 2 / 4])


def test_the_formulas_of_time_between_purchases(reader_of):
    """Gaps of 10 and 20 days and three that are open: the mean of the completed is 15, the median is not reached."""
    found = figures(
        variants(
            "time_between_purchases",
            reader_of(orders=bought("a", "01-01", "01-11", "01-31") + bought("b", "01-05") + bought("c", "02-01")),
            JULY,
        )
    )
    assert found["median of the survival curve"] is None
    assert found["mean of the completed gaps"] == 15
    assert found["mean over customers of (last − first order) ÷ (orders − 1)"] == 15


def test_the_formulas_of_order_value_and_lifetime_value(reader_of):
    orders = [order("1", "a", "05-05", 100), order("2", "a", "05-20", 50), order("3", "b", "05-06", 60)]
    returns = [{"return_id": "r", "order_id": "1", "customer_id": "a", "day": day("05-25"), "amount": 30}]
    reader = reader_of(orders=orders, returns=returns)
    found = list(figures(variants("order_value", reader, JULY)).values())
    assert found == [60, 70, 90, 60]
    worth = variants("lifetime_value", reader, Scope(day("09-01"), "USD", "UTC", margin=Decimal("0.5")))
    assert [each.value for each in worth[:3]] == [90, 45, 90], "three months are over, of all customers"


def test_every_variant_and_claim_is_there_on_an_empty_shop(reader_of):
    """Nothing, one order: no figure is nan, infinite or an exception; each that is missing has a reason or a dash."""
    for facts in ({}, {"orders": bought("a", "05-05")}):
        reader = reader_of(**facts)
        for name in VARIANTS:
            found = variants(name, reader, JULY)
            assert sum(each.ours for each in found) == 1
            assert found[0].ours
        for claim in claims(reader, JULY):
            assert (claim.value is None) == (claim.reason is not None), claim
            assert claim.reason is None or claim.reason in REASONS


def test_claims_by_hand(reader_of):
    """After the third purchase 2 of 2 buy again, after the first 3 of 4; the loyal paid 80 on their first day of 480."""
    orders = [
        order(f"l{n}", "l", on, total)
        for n, (on, total) in enumerate([("01-01", 60), ("02-01", 100), ("02-20", 120), ("03-01", 120)])
    ]
    orders += (
        bought("m", "01-05", "01-25", "02-05", "02-25", total=20)
        + bought("n", "01-05", "02-15", total=30)
        + bought("o", "01-05", total=40)
    )
    found = {claim.name: claim for claim in claims(reader_of(orders=orders), JULY)}
    assert found["after_third"].value == pytest.approx(1 / 0.75 - 1)
    assert found["worth_ten"].value == pytest.approx((400 + 80) / (60 + 20))
    assert found["spend_more"].value == pytest.approx((340 + 60 + 30) / 7 / (150 / 4) - 1)
    assert found["seven_times"].reason == "no_costs"
    assert found["easier_sold"].reason == "no_events"


def test_seven_times_cheaper(reader_of):
    costs = [
        {"cost_id": "1", "category": "advertising", "amount": 70, "day": day("05-05")},
        {"cost_id": "2", "category": "loyalty", "amount": 20, "day": day("05-05")},
    ]
    orders = bought("a", "02-02", "05-02") + bought("b", "02-02", "05-02") + bought("c", "05-09") + bought("z", "01-01")
    found = {claim.name: claim for claim in claims(reader_of(orders=orders, costs=costs), JULY)}
    assert found["seven_times"].value == pytest.approx(70 / 10)


def test_benchmarks_have_a_source_and_yield_to_the_shops_own():
    usual = benchmarks({})
    assert (usual["retention"].low, usual["retention"].high) == (0.70, 0.90)
    assert (usual["logo_churn"].low, usual["logo_churn"].high) == (0.01, 0.05)
    assert (usual["repeat_purchase"].low, usual["repeat_purchase"].high) == (0.20, 0.50)
    assert (usual["csat"].low, usual["csat"].high) == (0.70, 0.80)
    assert all(each.source and each.caution for each in usual.values())
    assert not {"nps", "order_value"} & set(usual), "a scale or another currency's amount is no benchmark"
    assert [usual["csat"].place(value) for value in (0.6, 0.75, 0.9)] == ["below", "within", "above"]
    own = benchmarks({"repeat_purchase": (0.4, 0.7), "activation": (0.3, 0.5)})
    assert (own["repeat_purchase"].low, own["repeat_purchase"].source) == (0.4, own["activation"].source)
    with pytest.raises(UnknownMetric, match="Did you mean retention"):
        benchmarks({"retenton": (0, 1)})


def test_the_near_name_is_suggested(shop):
    with pytest.raises(UnknownMetric, match="Did you mean retention"):
        metric("retension")
    with pytest.raises(UnknownMetric, match="Did you mean cohorts"):
        shop.metrics.cohort()
    with pytest.raises(UnknownAttribute, match="Did you mean first_channel"):
        shop.metrics.retention(by="first_chanel")
    with pytest.raises(UnknownOption, match="window_days, every, last, by, shift"):
        shop.metrics.retention(period_days=90)
    with pytest.raises(NobodyBehind, match="start, retained, lost"):
        shop.metrics.customers("retention", "gone")
    with pytest.raises(NobodyBehind, match="counts of a measure"):
        shop.metrics.customers("cohorts", "size")
    assert not hasattr(shop.metrics, "retension"), "Python's own question gets Python's own answer"
    with pytest.raises(UnknownOption, match="Did you mean window_days"):
        shop.metrics.all(window_day=90)
    with pytest.raises(UnknownAttribute, match="Did you mean source"):
        shop.metrics.all(by="sauce")
    with pytest.raises(UnknownAttribute, match="Did you mean channel"):
        shop.metrics.all(["open_rate", "retention"], by="chanel")
    with pytest.raises(UnknownAttribute, match="Choose one of channel, reason"):
        shop.metrics.all(["first_response"], by="source")
    with pytest.raises(UnknownAttribute, match="Choose one of channel, reason"):
        shop.metrics.first_response(by=Membership.of("orders >= 2"))


@pytest.mark.parametrize(
    ("name", "option"),
    [
        ("retention", {"window_days": 0}),
        ("retention", {"window_days": "90"}),
        ("retention", {"window_days": True}),
        ("retention", {"every": "fortnight"}),
        ("retention", {"every": "month", "last": 10**9}),
        ("retention", {"shift": 365}),
        ("retention", {"window_days": 36_525, "last": 21}),
        ("retention", {"by": Membership}),
        ("time_between_purchases", {"gap": "third"}),
        ("time_between_purchases", {"gap": 0}),
        ("lifetime_value", {"what": "profit"}),
        ("lifetime_value", {"most_cohorts": -1}),
        ("payback", {"by_channel": "yes"}),
    ],
)
def test_an_option_that_cannot_be_is_refused(reader_of, name, option):
    with pytest.raises(BadOption, match="takes"):
        ask(reader_of(orders=bought("a", "05-05")), name, **option)


def test_windows_without_measure_are_refused(reader_of):
    reader = reader_of(orders=bought("a", "05-05"))
    with pytest.raises(TooManyDays, match="fewer or shorter"):
        ask(reader, "retention", every="day", last=500, window_days=36_000)
    with pytest.raises(NoDay, match="between 1900 and 2200"):
        Scope(dt.date(9999, 1, 1), "USD", "UTC")
    with pytest.raises(NoDay, match="without a time"):
        Scope(dt.datetime(2024, 1, 1, tzinfo=dt.UTC), "USD", "UTC")


def test_nothing_given_is_the_default(reader_of):
    reader = reader_of(orders=bought("a", "02-05", "05-05"))
    usual = ask(reader, "retention")
    assert ask(reader, "retention", every=None, last=None, by=None, shift=None, window_days=None) == usual


def test_all_of_them_broken_down_where_they_can_be(shop):
    answers = {each.metric: each for each in shop.metrics.all(by="channel")}
    assert "group" in answers["open_rate"].table.column_names
    assert "group" not in answers["retention"].table.column_names


def test_the_customers_behind_any_cell(make_shop, tmp_path):
    lines = ["order_id,customer_id,placed_at,total,channel"]
    lines += [f"{n},{who},2024-0{month}-05 10:00:00Z,10,{where}" for n, (who, month, where) in enumerate(
        [("a", 1, "web"), ("a", 2, "app"), ("b", 1, "app"), ("c", 2, "web"), ("c", 3, "web"), ("a", 3, "web")]
    )]  # fmt: skip
    (tmp_path / "orders.csv").write_text("\n".join(lines), encoding="utf-8")
    shop = make_shop(currency="USD", time_zone="UTC")
    shop.import_files([tmp_path / "orders.csv"])
    when = dt.date(2024, 4, 1)

    def behind(part: str, **options: Any) -> list[str]:
        return shop.metrics.customers("retention", part, as_of=when, every="month", last=3, **options)

    assert behind("retained") == ["a", "c"]
    assert behind("retained", period_from=dt.date(2024, 2, 1)) == ["a"]
    assert behind("lost", period_from=dt.date(2024, 2, 1)) == ["b"]
    assert behind("end", by="first_channel", group="web", period_from=dt.date(2024, 2, 1)) == ["a", "c"]
    with pytest.raises(NoSuchPeriod, match="2024-01-01, 2024-02-01, 2024-03-01"):
        behind("lost", period_from=dt.date(2024, 2, 2))
    with pytest.raises(BadOption, match="window_days"):
        behind("lost", window_days=0)
    with pytest.raises(BadOption, match="`by` with it"):
        behind("lost", group="web")
    with pytest.raises(BadOption, match="a day such as"):
        behind("lost", period_from="2024-02-01")
    with pytest.raises(NoSuchGroup, match="app, web"):
        behind("start", by="first_channel", group="wbe", period_from=dt.date(2024, 2, 1))


def test_a_declaration_is_whole():
    names = [each.name for family in FAMILIES.values() for each in family]
    assert len(names) == len(set(names)) == len(METRICS) > 40
    for about in METRICS.values():
        assert about.title
        assert about.formula
        assert about.population
        assert about.source
        assert about.needs
        assert about.better in ("higher", "lower", "neither")
        assert isinstance(about.options(), dict)


@pytest.mark.parametrize("language", [each for each in LANGUAGES if each != "en"])
def test_every_word_of_a_declaration_is_translated(language):
    speaker = Speaker.of(language)
    same = {"MRR", "NPS", "9–10", "7–8", "0–6", "11.11", "12.12", "Ramadan"}
    words = (
        {w for m in METRICS.values() for w in (m.title, m.formula, m.population)}
        | set(REASONS.values())
        | set(FAMILIES)
    )
    words |= {each.title for each in ATTRIBUTES.values()}
    words |= {part.title for m in METRICS.values() for part in getattr(m, "parts", ())}
    assert sorted(word for word in words - same if speaker(word) == word) == []


def test_views_show_what_they_declare(make_shop, tmp_path):
    shop = make_shop(currency="USD", time_zone="UTC")
    lines = "\n".join(
        ["order_id,customer_id,placed_at,total", "1,a,2024-05-05 10:00:00Z,10", "2,a,2024-05-09 10:00:00Z,20"]
    )
    (tmp_path / "orders.csv").write_text(lines, encoding="utf-8")
    shop.import_files([tmp_path / "orders.csv"])
    for name, view in VIEWS.items():
        found = shop.sql(f"select * from {name}")
        assert set(found.column_names) == set(view.columns), name
    assert shop.sql("select sum(total)::int as t from counted_orders").to_pylist() == [{"t": 30}]
    assert shop.sql("select days, ended from purchases order by nth").to_pylist() == [
        {"days": 4, "ended": True},
        {"days": 0, "ended": False},
    ]


def test_what_is_behind_a_figure(reader_of):
    assert at("01-01 09:00").year == 2024
    answer = ask(reader_of(orders=bought("a", "05-05")), "order_value")
    assert answer.value == answer.figures["value"]
    assert METRICS["order_value"].check_query().count("$") > 4
