"""Segments with a name: the usual ones, a shop's own files, one that asks for another, and what goes wrong."""

from __future__ import annotations

import pytest

from setia.conditions.condition import BadCondition, Condition, Words
from setia.customers.traits import WORDS
from setia.segments.saved import USUAL, BadSegment, UnknownSegment, segment, segments

ORDERS = """\
order_id,customer_id,placed_at,total
1,ani,2026-01-05,100
2,ani,2026-02-05,100
3,ani,2026-02-25,100
4,budi,2026-02-20,10
5,citra,2025-03-01,500
"""
PEOPLE = """\
customer_id,email,email_consent_at
ani,ani@example.com,2026-01-01
citra,,
"""


@pytest.fixture
def kept(shop, tmp_path):
    for name, text in (("orders", ORDERS), ("customers", PEOPLE)):
        (tmp_path / f"{name}.csv").write_text(text, encoding="utf-8")
    shop.import_files([tmp_path / "orders.csv", tmp_path / "customers.csv"])
    shop.refresh()
    (shop.folder / "segments").mkdir(exist_ok=True)
    return shop


def write(shop, name, text):
    (shop.folder / "segments" / f"{name}.yaml").write_text(text, encoding="utf-8")


def test_the_usual_ones_can_all_be_asked(kept):
    sizes = {row["segment"]: row for row in kept.segments.sizes().to_pylist()}
    assert set(sizes) == set(USUAL)
    for name, row in sizes.items():
        assert row["customers"] == len(kept.segments.members(name)), name
        assert 0 <= row["reachable"] <= row["customers"]
    assert kept.segments.members("new") == ["budi"]
    assert sizes["lost"]["net_revenue"] == 500


def test_the_shops_own_ask_for_others_and_win(kept):
    write(kept, "spenders", "title: Belanja banyak\ncondition: net_revenue >= 300\n")
    write(kept, "active-spenders", "condition: in_segment('spenders') and count_orders(60) > 0\n")
    write(kept, "new", "condition: purchase_days = 1\n")
    assert kept.segments.members("spenders") == ["ani", "citra"]
    assert kept.segments.members("active-spenders") == ["ani"]
    assert kept.segments.members("new") == ["budi", "citra"]
    assert kept.segments.matching("in_segment('spenders') or in_segment('new')") == ["ani", "budi", "citra"]
    both = {(row["segment"], row["other"]): row["customers"] for row in kept.segments.overlap().to_pylist()}
    assert next(n for pair, n in both.items() if set(pair) == {"spenders", "active-spenders"}) == 1


def test_a_segment_has_a_version_as_long_as_its_condition_stands(tmp_path):
    (tmp_path / "segments").mkdir()

    def version(text: str) -> str:
        (tmp_path / "segments" / "mine.yaml").write_text(text, encoding="utf-8")
        return segment(tmp_path, "mine").version

    first = version("title: One\ncondition: orders > 1\n")
    assert version("title: Another title\ncondition: orders > 1\n") == first
    assert version("condition: orders > 2\n") != first


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("title: x\n", "needs a line `condition"),
        ("condition: 3\n", "needs a line `condition"),
        ("condition: orders > 1\ncolour: red\n", "it has colour"),
        ("condition: ordres > 1\n", "did you mean `orders`"),
        ("condition: in_segment('loyall')\n", "did you mean `loyal`"),
        ("condition: in_segment('mine')\n", "the segment asks for itself: mine → mine"),
        ("condition: [\n", "no YAML file"),
    ],
)
def test_a_file_that_cannot_be_used_is_named(tmp_path, text, said):
    (tmp_path / "segments").mkdir()
    (tmp_path / "segments" / "mine.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(BadSegment, match=r"mine\.yaml") as refused:
        segments(tmp_path)
    assert said in str(refused.value)


def test_a_circle_of_segments_is_refused():
    saved = {"a": "in_segment('b')", "b": "in_segment('c')", "c": "in_segment('a')"}
    with pytest.raises(BadCondition, match="a → b → c → a"):
        Condition.parse(saved["a"], Words(WORDS.traits, saved), ("a",))


def test_where_segments_are_not_known_it_is_said():
    with pytest.raises(BadCondition, match="write the segment's own condition here"):
        Condition.parse("in_segment('loyal')", WORDS)


def test_the_near_name_is_suggested(tmp_path):
    with pytest.raises(UnknownSegment, match="Did you mean loyal"):
        segment(tmp_path, "loyall")


def test_conditions_are_known_by_what_they_ask():
    saved = {"big": "orders > 9", "small": "orders < 2"}
    one, same = (
        Condition.parse("in_segment('big') or in_segment('small')", Words(WORDS.traits, saved)) for _ in range(2)
    )
    other = Condition.parse(
        "in_segment('big') or in_segment('small')", Words(WORDS.traits, {**saved, "big": "orders > 99"})
    )
    assert (one == same, hash(one) == hash(same), one == other) == (True, True, False)


def test_a_version_holds_what_a_segment_asks_for(shop):
    folder = shop.folder / "segments"
    folder.mkdir()
    (folder / "inner.yaml").write_text("condition: orders > 1\n", encoding="utf-8")
    (folder / "outer.yaml").write_text("condition: in_segment('inner') and orders < 9\n", encoding="utf-8")
    (folder / "own.yaml").write_text("condition: mine > 1\n", encoding="utf-8")
    (shop.folder / "traits.yaml").write_text("mine: {expression: orders + 1}\n", encoding="utf-8")
    before = {each.name: each.version for each in shop.segments.all()}
    (folder / "inner.yaml").write_text("condition: orders > 2\n", encoding="utf-8")
    (shop.folder / "traits.yaml").write_text("mine: {expression: orders + 2}\n", encoding="utf-8")
    after = {each.name: each.version for each in shop.segments.all()}
    assert {name for name in before if before[name] != after[name]} == {"inner", "outer", "own"}


def test_segments_that_ask_for_segments_are_read_once_and_have_an_end():
    deep = {"s0": "orders > 1"} | {f"s{n}": f"in_segment('s{n - 1}') or in_segment('s{n - 1}')" for n in range(1, 40)}
    with pytest.raises(BadCondition, match="more than 2,000 words"):
        Condition.parse(deep["s39"], Words(WORDS.traits, deep), ("s39",))
    with pytest.raises(BadCondition, match="30 digits at most"):
        Condition.parse("orders = " + "9" * 5000, WORDS)
