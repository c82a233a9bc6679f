"""Shops as they should not be: a usable answer or a reason, never a value that is none, never a traceback."""

from __future__ import annotations

import datetime as dt
import math
from decimal import Decimal
from typing import Any

import pytest

from setia.conditions.condition import BadCondition
from setia.customers.service import UnknownTrait
from setia.customers.story import NotACustomer
from setia.segments.saved import BadSegment


def imported(shop: Any, tmp_path: Any, rows: list[str], head: str = "order_id,customer_id,placed_at,total") -> Any:
    (tmp_path / "orders.csv").write_text("\n".join([head, *rows]) + "\n", encoding="utf-8")
    shop.import_files([tmp_path / "orders.csv"])
    return shop


def everything(shop: Any, *, report: bool = False) -> list[dict[str, Any]]:
    """All that is asked of a shop's customers; every number of their traits is one."""
    shop.refresh()
    rows: list[dict[str, Any]] = shop.customers.traits().to_pylist()
    for row in rows:
        for name, value in row.items():
            assert not isinstance(value, float | Decimal) or math.isfinite(value), name
    shop.segments.sizes()
    shop.segments.overlap()
    shop.segments.composition("loyal")
    shop.customers.stage_flow()
    shop.customers.rfm()
    for row in rows[:2]:
        assert shop.story(row["customer_id"], "id").sections[0].lead
    if report:
        shop.report("ms")
    return rows


def test_one_customer_only(shop, tmp_path):
    (row,) = everything(imported(shop, tmp_path, ["1,a,2026-01-05,100", "2,a,2026-02-05,100"]), report=True)
    assert (row["rfm_recency"], row["rfm_frequency"], row["rfm_value"], row["rfm_group"]) == (3, 3, 3, "need_attention")
    assert row["stage"] == "retention"


def test_all_orders_on_one_day(shop, tmp_path):
    rows = everything(imported(shop, tmp_path, [f"{n},c{n % 9},2026-02-01,{n}" for n in range(40)]))
    assert {row["purchase_days"] for row in rows} == {1}
    assert {row["stage"] for row in rows} == {"activation"}
    assert {row["rfm_recency"] for row in rows} == {3}


@pytest.mark.slow
def test_a_customer_with_a_hundred_thousand_orders(shop, tmp_path):
    start = dt.date(2023, 1, 1)
    many = [f"m{n},busy,{start + dt.timedelta(days=n % 1000)},{n % 7 - 1}" for n in range(100_000)]
    rows = {row["customer_id"]: row for row in everything(imported(shop, tmp_path, [*many, "1,rare,2025-09-01,10"]))}
    assert (rows["busy"]["orders"], rows["busy"]["purchase_days"]) == (100_000, 1000)
    assert rows["busy"]["usual_gap_days"] == pytest.approx(1, abs=0.5)
    assert shop.customers.story("busy").more > 99_000


def test_negative_totals_and_returns_beyond_them(shop, tmp_path):
    (tmp_path / "returns.csv").write_text(
        "return_id,order_id,customer_id,returned_at,amount\nr,1,a,2026-01-20,500\n", encoding="utf-8"
    )
    imported(shop, tmp_path, ["1,a,2026-01-05,-100", "2,a,2026-02-05,0", "3,b,2026-02-06,5"])
    shop.import_files([tmp_path / "returns.csv"])
    rows = {row["customer_id"]: row for row in everything(shop)}
    assert rows["a"]["net_revenue"] == -600


def test_nobody_at_all(shop):
    assert everything(shop) == []
    with pytest.raises(Exception, match="Nobody is known as x"):
        shop.story("x")


def test_somebody_whom_the_traits_do_not_know_yet(shop, tmp_path):
    imported(shop, tmp_path, ["1,a,2026-01-05,100"]).refresh()
    imported(shop, tmp_path, ["2,b,2026-02-05,100"])
    with pytest.raises(NotACustomer, match="as of the last refresh"):
        shop.story("b")


def test_names_that_are_none(shop, tmp_path):
    imported(shop, tmp_path, ["1,a,2026-01-05,100"]).refresh()
    with pytest.raises(UnknownTrait, match="Did you mean orders"):
        shop.customers.traits(["ordres"])


def test_conditions_that_are_always_null_or_ask_for_themselves(shop, tmp_path):
    imported(shop, tmp_path, ["1,a,2026-01-05,100"]).refresh()
    assert shop.segments.matching("orders / 0 > 1") == []
    assert shop.segments.matching("not (orders / 0 > 1)") == []
    assert shop.segments.matching("last_nps > 5 or not last_nps > 5") == []
    (shop.folder / "segments").mkdir()
    (shop.folder / "segments" / "round.yaml").write_text("condition: in_segment('round')\n", encoding="utf-8")
    with pytest.raises(BadSegment, match="asks for itself: round → round"):
        shop.refresh()
    (shop.folder / "segments" / "round.yaml").unlink()
    with pytest.raises(BadCondition, match="no column `colour`"):
        shop.segments.matching("count_events('x', colour = 'red') > 0")
    with pytest.raises(BadCondition, match="with the property's name"):
        shop.segments.matching("count_events('x', property('a b') = 'red') > 0")
    with pytest.raises(BadCondition, match="there is no trait `properties`"):
        shop.segments.matching("properties = 'x'")


def test_what_events_carry(shop, tmp_path):
    events = [
        '1,a,Plan Chosen,2026-01-01T00:00:00Z,"{""plan"": ""gold"", ""value"": 9.5, ""a"": {""b"": ""c""}}"',
        '2,b,Plan Chosen,2026-01-02T00:00:00Z,"{""plan"": ""silver"", ""value"": ""10""}"',
        '3,c,Plan Chosen,2026-01-02T00:00:00Z,"{""plan"": null, ""value"": ""many""}"',
        "4,d,Plan Chosen,2026-01-02T00:00:00Z,no object",
    ]
    head = "event_id,customer_id,name,occurred_at,properties"
    (tmp_path / "events.csv").write_text("\n".join([head, *events]) + "\n", encoding="utf-8")
    shop.import_files([tmp_path / "events.csv"])
    imported(shop, tmp_path, ["1,a,2026-01-05,100"]).refresh()
    ask = shop.segments.matching
    assert ask("count_events('Plan Chosen', property('plan') = 'gold') > 0") == ["a"]
    assert ask("count_events('Plan Chosen', number('value') >= 9.5) > 0") == ["a", "b"]
    assert ask("count_events('Plan Chosen', property('a.b') = 'c') > 0") == ["a"]
    assert ask("count_events('Plan Chosen', property('plan') is null) > 0") == ["c", "d"]


def test_what_was_bought(shop, tmp_path):
    lines = "order_id,customer_id,product_id,quantity,amount,placed_at\n1,a,p,1,60,2026-01-05\n" \
            "1,a,q,2,40,2026-01-05\n2,a,p,1,30,2026-02-05\n3,b,q,1,9,2026-02-06\n"  # fmt: skip
    products = "product_id,name,category\np,Gayo,beans\nq,Cup,things\n"
    for name, text in (("order_lines", lines), ("products", products)):
        (tmp_path / f"{name}.csv").write_text(text, encoding="utf-8")
    imported(shop, tmp_path, ["1,a,2026-01-05,100", "2,a,2026-02-05,30", "3,b,2026-02-06,9"])
    shop.import_files([tmp_path / "order_lines.csv", tmp_path / "products.csv"])
    shop.refresh()
    ask = shop.segments.matching
    assert ask("count_orders_of(category = 'beans') >= 2") == ["a"]
    assert ask("count_orders_of(20, category = 'beans') = 1") == ["a"]
    assert ask("sum_products(category = 'things') = 9 or sum_products(quantity > 1) = 40") == ["a", "b"]
    assert ask("days_since_product(product_id = 'q') < 10") == ["b"]
