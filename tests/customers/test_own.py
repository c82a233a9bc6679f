"""Traits of the shop's own: expressions and functions in the workspace, and what is wrong with them in words."""

from __future__ import annotations

import pytest

from setia.customers.own import BadOwnTrait, own_traits

ORDERS = "order_id,customer_id,placed_at,total\n1,a,2026-01-01,100\n2,a,2026-02-01,50\n3,b,2026-02-20,10\n"
YAML = """
spent_lately:
  title: Belanja 40 hari terakhir
  expression: sum_orders(40)
much_lately:
  expression: spent_lately > 20 and orders >= 2
"""
PYTHON = '''
from datetime import date
from decimal import Decimal

def orders_a_year(traits, scope) -> float:
    """Orders of a year at their present rate."""
    return 365 * traits.orders / (traits.days_since_first_order + 1)

def web_orders(facts, scope) -> int:
    orders = facts.table("orders")
    return orders.group_by("customer_id").aggregate(n=orders.count(where=orders.total > 40))

def _not_a_trait():
    return 1
'''


@pytest.fixture
def known(shop, tmp_path):
    (tmp_path / "orders.csv").write_text(ORDERS, encoding="utf-8")
    shop.import_files([tmp_path / "orders.csv"])
    (shop.folder / "traits.yaml").write_text(YAML, encoding="utf-8")
    (shop.folder / "traits.py").write_text(PYTHON, encoding="utf-8")
    (shop.folder / "segments").mkdir()
    (shop.folder / "segments" / "hot.yaml").write_text("condition: much_lately and web_orders > 1\n", encoding="utf-8")
    shop.refresh()
    return shop


def test_they_stand_beside_the_others(known):
    names = ["spent_lately", "much_lately", "orders_a_year", "web_orders"]
    assert [each.name for each in own_traits(known.folder)] == names
    a, b = known.customers.traits(names).to_pylist()
    # The last recorded day is 20 February: forty days of it begin on 12 January.
    assert (a["spent_lately"], a["much_lately"], a["web_orders"]) == (50, True, 2)
    assert (b["spent_lately"], b["much_lately"], b["web_orders"]) == (10, False, 0)
    assert a["orders_a_year"] == pytest.approx(365 * 2 / 51)
    assert known.segments.members("hot") == ["a"]
    known.refresh()
    assert known.customers.traits(names).to_pylist() == [a, b], "made anew, whoever has news"


def test_they_show_in_the_life_of_a_customer(known):
    page = known.story("a", "en")
    shown = {row["name"]: row["value"] for row in page.sections[0].figures[-1].rows}
    assert shown["much_lately"] == "yes"
    assert page.footer.startswith("What to do: ")


@pytest.mark.parametrize(
    ("yaml", "python", "said"),
    [
        ("x: [", "", "no YAML"),
        ("- a", "", "a line `name:` for each trait"),
        ("x: {expression: orders +}", "", "goes wrong"),
        ("x: {expression: ordres}", "", "did you mean `orders`"),
        ("x: {title: y}", "", "needs a line `expression: …`"),
        ("x: {expression: orders, colour: red}", "", "it has colour"),
        ("orders: {expression: purchase_days}", "", "a trait of that name already"),
        ("Größe: {expression: orders}", "", "small letters, digits"),
        ("", "def x(traits) -> float:\n    return 1/", "ends in SyntaxError"),
        ("", "import nothing_of_that_name", "ends in ModuleNotFoundError"),
        ("", "def x(a, b, c) -> float:\n    return a", "takes (traits), (traits, scope) or (facts, scope)"),
        ("", "def x(traits):\n    return traits.orders", "write what it gives"),
        ("", "def x(traits) -> list:\n    return traits.orders", "write what it gives"),
        ("", "def x(traits) -> float:\n    return traits.no_such_trait", "ends in AttributeError"),
        ("email: {expression: country}", "", "of that name already"),
        ("", "def x(traits) -> int:\n    return traits.country", "it gives string, and says that it gives a integer"),
        ("", "def x(traits) -> 'Nothing':\n    return traits.orders", "its types cannot be read"),
        ("", "def x(facts, scope) -> int:\n    return facts.table('orders')", "customer_id and one more column"),
        ("x: {expression: orders}", "def x(traits) -> float:\n    return traits.orders", "of that name already"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_has_changed(shop, tmp_path, yaml, python, said):
    (tmp_path / "orders.csv").write_text(ORDERS, encoding="utf-8")
    shop.import_files([tmp_path / "orders.csv"])
    (shop.folder / "traits.yaml").write_text(yaml, encoding="utf-8")
    (shop.folder / "traits.py").write_text(python, encoding="utf-8")
    with pytest.raises(BadOwnTrait) as problem:
        shop.refresh()
    assert said in str(problem.value)
    with shop.reading() as reader:
        assert reader.columns("traits") == ()
