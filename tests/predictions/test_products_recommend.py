"""Who is shown what, and why: small shops by hand, rules held against the facts themselves, no future in any figure."""

from __future__ import annotations

import datetime as dt
import random
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from setia.history.scope import Scope
from setia.predictions.products import blend
from setia.predictions.products.interactions import NothingSold
from setia.predictions.products.known import NEVER, Known, best, rank
from setia.predictions.products.recommend import Recommender
from setia.predictions.products.rules import BadRule, Rules

AS_OF = dt.date(2025, 7, 1)
SCOPE = Scope(AS_OF, "USD", "UTC")
Bought = list[tuple[str | None, int, str]]


def day(age: int) -> dt.date:
    """So many days before the last day that counts."""
    return AS_OF - dt.timedelta(days=age + 1)


def facts(bought: Bought, viewed: Any = (), returned: Any = (), products: Any = ()) -> dict[str, Any]:
    """Orders as customer (None: nobody known), age in days, products with spaces between; events as customer, age,
    product, name; returns as customer, age, product."""
    numbered = list(enumerate(bought))
    return {
        "orders": [
            {"order_id": f"o{n}", "customer_id": who, "total": 10, "currency": "USD", "day": day(age)}
            for n, (who, age, _) in numbered
        ],
        "order_lines": [
            {"order_id": f"o{n}", "document_id": f"o{n}", "product_id": product, "quantity": 1, "amount": 5}
            for n, (_, _, each) in numbered for product in each.split()
        ],
        "events": [
            {"event_id": f"e{n}", "customer_id": who, "name": name, "product_id": product, "day": day(age)}
            for n, (who, age, product, name) in enumerate(viewed)
        ],
        "returns": [
            {"return_id": f"r{n}", "document_id": f"r{n}", "customer_id": who, "product_id": product, "amount": 5,
             "quantity": 1, "currency": "USD", "day": day(age)}
            for n, (who, age, product) in enumerate(returned)
        ],
        "products": list(products),
    }  # fmt: skip


MANY: Bought = [
    *[(f"a{n:02}", 20 + n % 30, "machine filter") for n in range(20)],
    *[(f"b{n:02}", 20 + n % 30, "tea cup") for n in range(20)],
    *[(f"k{n:02}", age + n % 7, "coffee") for n in range(10) for age in (118, 88, 58, 28)],
]


def shown(fitted: Recommender, who: str, most: int = 9) -> dict[str, dict[str, Any]]:
    return {row["product_id"]: row for row in fitted.for_customers([who], most).to_pylist()}


def test_a_reason_for_each(reader_of):
    rows: Bought = [*MANY, ("x", 20, "machine"), *[("y", age, "coffee") for age in (118, 88, 58, 28)]]
    viewed = [
        ("x", 3, "cup", "Product Viewed"), ("only", 1, "cup", "Product Added"), ("y", 90, "tea", "Product Viewed"),
    ]  # fmt: skip
    fitted = Recommender().fit(reader_of(**facts(rows, viewed)), SCOPE)
    x, y = shown(fitted, "x"), shown(fitted, "y")
    filter_, cup = x["filter"], x["cup"]
    assert (filter_["kind"], filter_["because_product_id"], filter_["days_since"]) == ("together", "machine", 20)
    assert (cup["kind"], cup["because_product_id"], cup["days_since"]) == ("viewed", "cup", 3)
    assert [x["coffee"][name] for name in ("kind", "because_product_id", "days_since")] == ["popular", None, None]
    coffee = y["coffee"]
    assert (coffee["kind"], coffee["interval_days"], coffee["days_since"]) == ("again", 30, 28)
    assert (coffee["rank"], coffee["because_product_id"]) == (1, "coffee")
    assert coffee["score"] > 0.3
    assert y["tea"]["kind"] == "popular", "a view of 90 days ago is forgotten"
    only, nobody = shown(fitted, "only"), shown(fitted, "nobody")
    assert (only["cup"]["kind"], only["cup"]["rank"], only["tea"]["rank"]) == ("viewed", 1, 2)
    assert (only["tea"]["kind"], only["tea"]["because_product_id"]) == ("viewed", "cup"), "the cup speaks for it"
    assert {row["kind"] for row in nobody.values()} == {"popular"}
    assert len(nobody) == 5
    assert max(nobody.values(), key=lambda row: row["score"])["rank"] == 1


def test_what_everybody_has_is_popular_and_no_more(reader_of):
    """A third buy salt, with machines as without; the older a purchase, the less it speaks."""
    rows: Bought = [*MANY, ("x", 20, "machine"), ("y", 110, "machine")]
    rows += [(f"{who}{n:02}", 25, "salt") for who in "ab" for n in range(0, 20, 3)]
    fitted = Recommender().fit(reader_of(**facts(rows)), SCOPE)
    found = shown(fitted, "x")
    assert (found["salt"]["kind"], found["filter"]["kind"]) == ("popular", "together")
    known = fitted.known_
    who = np.array([known.past.customers.to_pylist().index(each) for each in "xy"])
    product = np.searchsorted(known.columns, known.past.products.to_pylist().index("filter"))
    cause, near = known.because(who, np.array([product, product]))
    assert [known.past.products[int(each)].as_py() for each in cause] == ["machine", "machine"]
    assert near[0] == pytest.approx(2 * near[1]), "90 days older"


def test_what_they_looked_at_and_then_bought_is_history(reader_of):
    viewed = [("x", 25, "cup", "Product Viewed"), ("y", 20, "cup", "Product Viewed")]
    fitted = Recommender().fit(reader_of(**facts([*MANY, ("x", 20, "cup"), ("y", 20, "cup")], viewed)), SCOPE)
    assert len(fitted.known_.past.seen.age) == 0
    assert shown(fitted, "x")["cup"]["kind"] == "again"


def test_what_they_looked_at_counts_less_the_longer_ago(reader_of):
    viewed = [("x", 1, "cup", "Product Viewed"), ("y", 30, "cup", "Product Viewed"), ("z", 1, "cup", "Product Added")]
    rows: Bought = [*MANY, *[(who, 40, "machine") for who in "xyzu"]]
    fitted = Recommender().fit(reader_of(**facts(rows, viewed)), SCOPE)
    z, x, y, u = (shown(fitted, who)["cup"]["score"] for who in "zxyu")
    assert z > x > y > u


def test_just_bought_rests_unless_due(reader_of):
    """Milk every 4 days is due after 4, tea rests for a week and is then there again."""
    rows: Bought = [*MANY, *[("x", age, "milk") for age in (24, 20, 16, 12, 8, 4)], ("x", 6, "tea"), ("y", 7, "tea")]
    rows += [(f"m{n}", age + n, "milk") for n in range(8) for age in (30, 26, 22, 18)]
    reader = reader_of(**facts(rows))
    fitted = Recommender().fit(reader, SCOPE)
    assert "tea" not in shown(fitted, "x")
    assert shown(fitted, "x")["milk"]["kind"] == "again"
    assert "tea" in shown(fitted, "y")
    assert "tea" in shown(Recommender(Rules(rest_days=0)).fit(reader, SCOPE), "x")
    new = Recommender(Rules(again=False)).fit(reader, SCOPE)
    assert "milk" not in shown(new, "x")
    assert "again" not in new.for_customers()["kind"].to_pylist()


def test_given_back_until_bought_again(reader_of):
    rows: Bought = [*MANY, ("x", 40, "tea"), ("y", 40, "tea"), ("y", 10, "tea"), ("z", 9, "cup")]
    returned = [("x", 30, "tea"), ("y", 30, "tea"), ("z", 8, "filter")]
    fitted = Recommender().fit(reader_of(**facts(rows, returned=returned)), SCOPE)
    assert "tea" not in shown(fitted, "x")
    assert "tea" in shown(fitted, "y")
    assert "filter" not in shown(fitted, "z"), "a gift they sent back"


def test_out_of_stock_is_what_nobody_bought_lately(reader_of):
    rows: Bought = [*MANY, ("x", 61, "lamp"), (None, 59, "vase"), ("y", 20, "tea")]
    reader = reader_of(**facts(rows))
    assert {"vase"} == {"vase", "lamp"} & set(shown(Recommender().fit(reader, SCOPE), "y"))
    longer = Recommender(Rules(available_days=90, exclude=("vase", "tea"))).fit(reader, SCOPE)
    assert {"lamp"} == {"vase", "lamp", "tea"} & set(shown(longer, "y"))


def test_margins(reader_of):
    """Tea earns 4 of 5, cups 1 of 5; of machines only the price paid is known, so the shop's 40 % count."""
    products = [
        {"product_id": "tea", "price": 5, "cost": 1, "category": "drinks"},
        {"product_id": "cup", "cost": 4, "category": "things"},
        {"product_id": "filter", "price": 9, "cost": 1, "currency": "EUR"},
    ]
    reader = reader_of(**facts([*MANY, ("x", 10, "coffee")], products=products))
    thrifty = Recommender(Rules(minimum_margin=0.4)).fit(reader, SCOPE)
    assert set(shown(thrifty, "x")) == {"tea", "machine", "filter", "coffee"}, "all but cups"
    past = thrifty.known_.past
    margin = dict(zip(past.products.to_pylist(), past.margin, strict=True))
    assert margin == pytest.approx({"coffee": 2, "cup": 1, "filter": 2, "machine": 2, "tea": 4})
    plain, weighed = (shown(Recommender(Rules(margin_weight=w)).fit(reader, SCOPE), "nobody") for w in (0, 1))
    assert plain["tea"]["score"] == weighed["tea"]["score"], "a chance stays a chance"
    order = sorted(plain, key=lambda each: (-plain[each]["score"] * margin[each], each))
    assert [weighed[each]["rank"] for each in order] == [1, 2, 3, 4, 5]
    assert plain["cup"]["rank"] < plain["machine"]["rank"], "equals by name"
    assert weighed["cup"]["rank"] > weighed["machine"]["rank"]


def test_chances_not_odds_are_weighed_by_margin():
    """98 % of 2 is less than 88 % of 3, though 55 to 1 times 2 is more than 7 to 1 times 3."""
    known: Any = SimpleNamespace(worth=np.log([2.0, 3.0]))
    assert Known.best(known, np.array([[4.0, 2.0]]), 2)[1].tolist() == [1, 0]


def test_the_favourite_category_comes_first(reader_of):
    products = [{"product_id": f"{kind}{n}", "category": kind} for kind in ("toys", "wine") for n in range(3)]
    rows: Bought = [(f"{kind}-{n:02}", 20 + n, f"{kind}{n % 3}") for kind in ("toys", "wine") for n in range(30)]
    fitted = Recommender(Rules(again=False)).fit(reader_of(**facts(rows, products=products)), SCOPE)
    for kind in ("toys", "wine"):
        first, second, *_ = fitted.for_customers([f"{kind}-03"]).to_pylist()
        assert {first["product_id"], second["product_id"]} == {f"{kind}1", f"{kind}2"}
        assert {first["kind"], second["kind"]} == {"popular"}


def test_of_few_customers_only_what_is_popular(reader_of):
    rows: Bought = [("x", 9, "tea"), ("y", 9, "tea cup"), ("z", 9, "tea"), (None, 9, "cup")]
    fitted = Recommender().fit(reader_of(**facts(rows)), SCOPE)
    assert not fitted.learnt_
    assert {who: list(shown(fitted, who)) for who in "xyz"} == {"x": ["cup"], "y": [], "z": ["cup"]}
    assert fitted.for_customers()["kind"].to_pylist() == ["popular", "popular"]
    assert list(shown(fitted, "nobody")) == ["tea", "cup"]
    everything = fitted.for_customers([], most=3)
    assert (everything.num_rows, everything.column_names[0]) == (0, "customer_id")


def test_what_cannot_be_is_said(reader_of):
    with pytest.raises(NothingSold, match="No product was sold before 2025-07-01"):
        Recommender().fit(reader_of(**facts([("x", -3, "tea")])), SCOPE)
    with pytest.raises(NothingSold):
        Recommender().fit(reader_of(), SCOPE)
    taken_off = facts([("x", 9, "tea")])
    taken_off["order_lines"][0]["quantity"] = -1
    with pytest.raises(NothingSold):
        Recommender().fit(reader_of(**taken_off), SCOPE)
    with pytest.raises(BadRule, match="margin_weight is 2; it takes a number from 0 to 1"):
        Rules(margin_weight=2)
    with pytest.raises(BadRule, match="horizon_days is 0"):
        Recommender(horizon_days=0)
    fitted = Recommender().fit(reader_of(**facts([("x", 9, "tea")])), SCOPE)
    for asked in (lambda: fitted.for_customers(most=0), lambda: fitted.with_cart(["tea"], most=0)):
        with pytest.raises(BadRule, match="most is 0"):
            asked()


def lively(seed: int, people: int = 150) -> dict[str, Any]:
    """A shop of people with tastes, returns, visits and margins of all kinds."""
    r = random.Random(seed)
    bought: Bought = []
    viewed, returned = [], []
    for who in range(people):
        taste = r.sample(range(24), 5)
        for _ in range(r.randint(1, 9)):
            age = r.randint(0, 150)
            products = {f"p{r.choice(taste):02}" for _ in range(r.randint(1, 3))}
            products |= {"p04"} if "p03" in products else set()
            name = f"c{who:03}" if r.random() < 0.9 else None
            bought.append((name, age, " ".join(sorted(products))))
            if name and r.random() < 0.15:
                returned.append((name, max(age - r.randint(0, 9), 0), sorted(products)[0]))
        if r.random() < 0.5:
            viewed.append((f"c{who:03}", r.randint(0, 70), f"p{r.randrange(26):02}", "Product Viewed"))
    bought.append(("c000", 80, "p90"))
    products = [
        {"product_id": f"p{n:02}", "price": 10, "cost": r.choice([2, 5, 9, None]), "category": f"k{n % 4}"}
        for n in range(24)
    ]
    return facts(bought, viewed, returned, products)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_rules_hold_against_the_facts(reader_of, seed):
    given_ = lively(seed)
    rules = Rules(exclude=("p01", "p02"), available_days=40, rest_days=20, minimum_margin=0.3)
    fitted = Recommender(rules).fit(reader_of(**given_), SCOPE)
    found = fitted.for_customers(most=6).to_pylist()
    assert len(found) > 400
    of = {order["order_id"]: order for order in given_["orders"]}
    cost = {row["product_id"]: row["cost"] for row in given_["products"]}
    days: dict[tuple[str | None, str], set[dt.date]] = {}
    sold: dict[str, dt.date] = {}
    for line in given_["order_lines"]:
        order = of[line["order_id"]]
        days.setdefault((order["customer_id"], line["product_id"]), set()).add(order["day"])
        sold[line["product_id"]] = max(sold.get(line["product_id"], day(999)), order["day"])
    back: dict[tuple[str, str], dt.date] = {}
    for row in given_["returns"]:
        pair = (row["customer_id"], row["product_id"])
        back[pair] = max(back.get(pair, day(999)), row["day"])
    for row in found:
        product, pair = row["product_id"], (row["customer_id"], row["product_id"])
        own = days.get(pair, set())
        assert product not in rules.exclude
        assert sold[product] > day(40)
        assert cost.get(product) in (2, 5, None)
        assert not own or pair not in back or back[pair] < max(own)
        if own:
            assert row["kind"] == "again"
            assert row["days_since"] == (day(0) - max(own)).days
            assert row["days_since"] >= 20 or len(own) > 1, "only what has a rhythm is due"
        else:
            assert pair not in back
            assert row["kind"] != "again"
        if row["kind"] == "together":
            assert days[row["customer_id"], row["because_product_id"]]
    scores = {}
    for row in found:
        scores.setdefault(row["customer_id"], []).append((-row["score"], row["product_id"]))
        assert row["rank"] == len(scores[row["customer_id"]])
    assert all([score for score, _ in each] == sorted(score for score, _ in each) for each in scores.values())


def test_nothing_that_came_later_matters_nor_the_order_of_rows(reader_of):
    given_ = lively(4, people=300)
    taught = Recommender().fit(reader_of(**given_), SCOPE)
    assert taught.learnt_
    assert np.all(taught.new_weights_[1:4] != blend.start(blend.NEW)[1:4])
    assert np.all(taught.own_weights_[1:4] != blend.start(blend.OWN)[1:4])
    r = random.Random(5)
    later = facts(
        [("c001", -age, "p03 p04 p99") for age in range(1, 9)],
        [("c002", -2, "p07", "Product Added")],
        [("c003", -3, "p05"), *[("c004", -2, f"p{n:02}") for n in range(24)]],
    )
    mixed = {name: rows + [{**row, **_renamed(row)} for row in later[name]] for name, rows in given_.items()}
    for rows in mixed.values():
        r.shuffle(rows)
    tables = []
    for each in (given_, mixed):
        fitted = Recommender().fit(reader_of(**each), SCOPE)
        tables.append((fitted.for_customers(), fitted.together("p03"), fitted.with_cart(["p03", "p04"])))
    for one, other in zip(*tables, strict=True):
        assert one.num_rows > 0
        assert one.equals(other)


def _renamed(row: dict[str, Any]) -> dict[str, Any]:
    keys = ("order_id", "document_id", "event_id", "return_id")
    return {key: f"later-{row[key]}" for key in keys if key in row}


@given(st.integers(1, 6), st.integers(1, 7), st.integers(1, 9), st.randoms(use_true_random=False))
@settings(max_examples=60)
def test_the_best_of_each_row(rows, columns, most, r):
    key = np.array([[r.choice([NEVER, 0.0, 1.0, 2.0]) for _ in range(columns)] for _ in range(rows)])
    row, column = best(key, most)
    for n in range(rows):
        ordered = sorted((c for c in range(columns) if key[n, c] > NEVER), key=lambda c: (-key[n, c], c))
        assert column[row == n].tolist() == ordered[:most]
        assert rank(row)[row == n].tolist() == list(range(1, len(ordered[:most]) + 1))
