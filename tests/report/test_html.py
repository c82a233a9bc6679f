"""The HTML file, read back with the standard library's parser."""

from __future__ import annotations

import base64
import dataclasses
import datetime as dt
import hashlib
import json
import re
from html.parser import HTMLParser

import pytest

from setia.kernel.figure import Column, Figure, Page, Section
from setia.kernel.i18n import Speaker
from setia.report import html

VOID = {"meta", "link", "br", "img", "hr", "input"}


class Document(HTMLParser):
    """Elements as (tag, attributes, path of open tags), texts, and whether all tags close in order."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str], tuple[str, ...]]] = []
        self.open: list[str] = []
        self.texts: list[tuple[str, str]] = []
        self.disorder: list[str] = []
        self.feed(source)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, {k: v or "" for k, v in attrs}, tuple(self.open)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.disorder.append(tag)

    def handle_data(self, data):
        if data.strip():
            self.texts.append((self.open[-1] if self.open else "", data.strip()))

    def all(self, tag, **wanted):
        return [a for t, a, _path in self.elements if t == tag and wanted.items() <= a.items()]

    def said(self, tag):
        return [text for inside, text in self.texts if inside == tag]


@pytest.fixture(scope="module")
def source(page, speaker) -> str:
    return html.render(page, speaker)


@pytest.fixture(scope="module")
def document(source) -> Document:
    return Document(source)


def test_every_tag_closes_in_order(document):
    assert document.disorder == [] and document.open == []


def test_the_frame(document, page):
    assert document.all("html") == [{"lang": "en"}]
    assert document.said("title")[0] == document.said("h1")[0] == page.title
    first_link = document.all("a")[0]
    assert first_link == {"class": "skip", "href": "#report"}
    assert [len(document.all(tag)) for tag in ("header", "nav", "main", "footer", "h1")] == [1] * 5


def test_contents_lead_to_the_sections_in_their_order(document, page):
    links = [a["href"].removeprefix("#") for a in document.all("a")][1:]
    assert links == [section["id"] for section in document.all("section")]
    assert document.said("h2") == [section.title for section in page.sections]


def test_every_figure_has_its_title_its_finding_and_its_table(document, page):
    figures = [figure for section in page.sections for figure in section.figures]
    assert document.said("h3") == [figure.title for figure in figures]
    said = {text for _tag, text in document.texts}
    assert {figure.finding for figure in figures} <= said
    assert document.said("caption") == [figure.title for figure in figures if figure.rows]
    assert "No data yet." in said


def test_long_tables_beside_a_drawing_are_folded_and_short_ones_are_not(document):
    folded = ["details" in path for tag, _a, path in document.elements if tag == "table"]
    # stages (no drawing), retention (13 rows), cohorts (grid), gaps (181), sales (13), products (5), orders (5), lift,
    # what if and formulas (no drawing)
    assert folded == [False, True, False, True, True, False, False, False, False, False]


def test_ids_are_unique_and_every_reference_is_kept(document):
    ids = [a["id"] for _t, a, _p in document.elements if "id" in a]
    assert len(ids) == len(set(ids))
    named = [i for _t, a, _p in document.elements for i in a.get("aria-labelledby", "").split()]
    assert set(named) <= set(ids)


def test_one_figure_in_two_sections_keeps_its_ids_apart(page, speaker):
    first = page.sections[1]
    twice = dataclasses.replace(page, sections=(first, dataclasses.replace(first, name="again")))
    ids = [a["id"] for _t, a, _p in Document(html.render(twice, speaker)).elements if "id" in a]
    assert len(ids) == len(set(ids))


def test_table_heads_have_their_scope(document):
    assert {a["scope"] for a in document.all("th")} == {"col", "row", "colgroup"}


def test_the_policy_names_exactly_the_delivered_style_and_script(source):
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]+)"', source).group(1).replace("&#39;", "'")
    for tag, directive in (("style", "style-src"), ("script", "script-src")):
        (inside,) = re.findall(rf"<{tag}>(.*?)</{tag}>", source, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(inside.encode()).digest()).decode()
        assert f"{directive} 'sha256-{digest}';" in policy
    assert policy.startswith("default-src 'none';")
    assert "unsafe" not in policy


def test_nothing_comes_from_outside_and_nothing_is_inline(source, document):
    assert not re.search(r"https?://|@import|url\(", source)
    attributes = {name for _t, a, _p in document.elements for name in a}
    assert "style" not in attributes
    assert not [name for name in attributes if name.startswith("on")]
    assert [a.get("href") for a in document.all("link")] == ["data:,"]


def test_hostile_words_stay_words(hostile_page, page, speaker):
    source = html.render(hostile_page, speaker)
    hostile, plain = Document(source), Document(html.render(page, speaker))
    assert len(hostile.all("script")) == 1 and hostile.all("img") == []
    assert hostile.disorder == [] and hostile.open == []
    assert [t for t, _a, _p in hostile.elements if t in ("table", "figure", "svg", "nav")] == [
        t for t, _a, _p in plain.elements if t in ("table", "figure", "svg", "nav")
    ]
    assert {n for _t, a, _p in hostile.elements for n in a} == {n for _t, a, _p in plain.elements for n in a}


def grid_figure(rows) -> Figure:
    columns = (Column("c", "Cohort", "text"), Column("n", "Size", "count"), Column("a", "Age", "count"))
    columns = (*columns, Column("s", "Share", "percent"))
    return Figure("g", "Grid", "Finding.", columns, rows, mark="grid", x="a", y="c", series=("s",))


def rendered(figure: Figure, language: str = "en") -> Document:
    page = Page(language, "T", "S", (Section("s", "S", "", (), (figure,)),), "F")
    return Document(html.render(page, Speaker.of(language)))


def test_a_cohort_table_stands_as_rows_by_ages_with_open_cells_marked():
    rows = [
        {"c": "May", "n": 40, "a": 0, "s": 1.0},
        {"c": "May", "n": 40, "a": 1, "s": 0.25},
        {"c": "May", "n": 40, "a": 2, "s": None},
        {"c": "June", "n": 60, "a": 0, "s": 1.0},
        {"c": "June", "n": 60, "a": 1, "s": None},
    ]
    document = rendered(grid_figure(rows))
    assert document.said("th") == ["Cohort", "Size", "Age", "0", "1", "2", "May", "June"]
    assert document.said("td") == ["40", "100%", "25%", "60", "100%"]
    assert len(document.all("td", **{"class": "open"})) == 2
    assert document.said("span").count("not complete yet") == 2
    assert len(document.all("td", **{"class": "shade-6"})) == 1


def test_a_lead_with_no_headlines_and_a_page_with_no_sections(speaker):
    document = Document(html.render(Page("en", "T", "S", (), "F"), speaker))
    assert document.disorder == [] and document.all("section") == []


def test_three_languages(page, any_speaker):
    told = dataclasses.replace(page, language=any_speaker.language)
    document = Document(html.render(told, any_speaker))
    assert document.all("html") == [{"lang": any_speaker.language}]
    assert any_speaker.percent(0.433) in document.said("td")


def test_the_same_figures_as_json(page):
    data = json.loads(json.dumps(html.as_json(page), allow_nan=False))
    stages = data["sections"][0]["figures"][0]
    assert stages["rows"][0] == {
        "stage": "Loyal",
        "customers": 418,
        "share": 0.114,
        "value": "812500",
        "day": "2026-08-30",
    }
    assert [s["name"] for s in data["sections"]] == [s.name for s in page.sections]


def test_json_holds_declared_columns_only_and_no_number_that_is_none():
    columns = (Column("v", "V", "number"), Column("d", "D", "date"))
    rows = [{"v": float("nan"), "d": dt.datetime(2026, 8, 31, 12, tzinfo=dt.UTC), "email": "ayu@example.com"}]
    page = Page("en", "T", "S", (Section("s", "S", "", (), (Figure("f", "F", "F.", columns, rows),)),), "F")
    data = html.as_json(page)
    assert data["sections"][0]["figures"][0]["rows"] == [{"v": None, "d": "2026-08-31T12:00:00+00:00"}]
    assert "ayu" not in json.dumps(data)
