"""The page in a real browser: axe, policy, keyboard, widths, themes, paper."""

from __future__ import annotations

from importlib import resources

import pytest

from setia.report import html

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def file(page, speaker, tmp_path_factory):
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(html.render(page, speaker), encoding="utf-8")
    return path


@pytest.fixture
def opened(browser, file, request):
    """The page in a window; the test fails if the console or the network had anything to say."""
    wanted = {"viewport": {"width": 1280, "height": 900}, **getattr(request, "param", {})}
    context = browser.new_context(**wanted)
    tab = context.new_page()
    said, asked = [], []
    tab.on("console", lambda message: said.append(message.text))
    tab.on("pageerror", lambda error: said.append(str(error)))
    tab.on("request", lambda sent: asked.append(sent.url))
    tab.goto(file.as_uri())
    yield tab
    context.close()
    assert said == []
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []


def window(width: int, scheme: str = "light", script: bool = True) -> dict:
    size = {"width": width, "height": 900}
    return {"viewport": size, "color_scheme": scheme, "java_script_enabled": script, "reduced_motion": "reduce"}


EVERY_LOOK = [window(width, scheme) for width in (1280, 375) for scheme in ("light", "dark")]


@pytest.mark.parametrize(
    "opened", EVERY_LOOK, indirect=True, ids=lambda w: f"{w['viewport']['width']}-{w['color_scheme']}"
)
def test_axe_finds_nothing(opened):
    axe = pytest.importorskip("axe_playwright_python")
    opened.evaluate("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
    opened.evaluate((resources.files(axe) / "axe.min.js").read_text(encoding="utf-8"))
    found = opened.evaluate("axe.run()")
    assert len(found["passes"]) > 20
    assert [(v["id"], v["impact"], [n["html"] for n in v["nodes"]][:3]) for v in found["violations"]] == []


@pytest.mark.parametrize("opened", [window(375), window(320), window(1280)], indirect=True)
def test_the_page_never_scrolls_sideways(opened):
    opened.evaluate("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
    assert opened.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize("opened", [window(320), window(1280)], indirect=True)
def test_drawn_words_stay_inside_their_figure_and_are_large_enough(opened):
    outside = opened.evaluate(
        """() => [...document.querySelectorAll('svg.drawing text')].filter((text) => {
          const box = text.getBoundingClientRect(), figure = text.closest('figure').getBoundingClientRect();
          const size = parseFloat(getComputedStyle(text).fontSize);
          return box.width && (box.left < figure.left || box.right > figure.right || size < 11);
        }).map((text) => text.textContent)"""
    )
    assert outside == []


@pytest.mark.parametrize("opened", [window(320), window(1280)], indirect=True)
def test_words_in_a_drawing_do_not_run_into_each_other(opened):
    clashes = opened.evaluate(
        """() => [...document.querySelectorAll('svg.drawing')].flatMap((drawing) => {
          const boxes = [...drawing.querySelectorAll('text')].map((t) => [t.textContent, t.getBoundingClientRect()])
            .filter(([, box]) => box.width);
          return boxes.flatMap(([a, p], i) => boxes.slice(i + 1).filter(([, q]) =>
            p.left < q.right && q.left < p.right && p.top < q.bottom - 2 && q.top < p.bottom - 2).map(([b]) => [a, b]));
        })"""
    )
    assert clashes == []


def test_the_keyboard_reaches_the_report_first_and_opens_details(opened):
    opened.keyboard.press("Tab")
    assert opened.evaluate("document.activeElement.className") == "skip"
    opened.keyboard.press("Enter")
    assert opened.evaluate("document.activeElement.id") == "report"
    summary = opened.locator("details summary").first
    summary.focus()
    opened.keyboard.press("Enter")
    assert opened.evaluate("document.activeElement.parentElement.open")


@pytest.mark.parametrize("opened", [window(1280), window(375)], indirect=True)
def test_only_tables_that_scroll_stop_the_tab_key(opened):
    opened.evaluate("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
    opened.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    wrong = opened.evaluate(
        """() => [...document.querySelectorAll('.scroll')]
          .filter((box) => (box.scrollWidth > box.clientWidth) !== (box.tabIndex === 0))
          .map((box) => box.getAttribute('aria-label'))"""
    )
    assert wrong == []


def test_the_theme_button_goes_round_and_is_remembered(opened):
    def paper() -> str:
        return opened.evaluate("getComputedStyle(document.body).backgroundColor")

    button, automatic = opened.locator("#theme"), paper()
    assert button.inner_text() == "Appearance: automatic"
    button.click()
    assert (button.inner_text(), paper()) == ("Appearance: light", automatic)
    button.click()
    assert button.inner_text() == "Appearance: dark"
    assert paper() != automatic
    opened.reload()
    assert opened.locator("#theme").inner_text() == "Appearance: dark"


@pytest.mark.parametrize("opened", [window(375, script=False)], indirect=True)
def test_without_script_everything_is_there_but_the_buttons(opened):
    assert not opened.locator("#theme").is_visible() and not opened.locator("#analyst").is_visible()
    assert opened.locator("section.analyst").is_visible()
    assert not opened.locator("form.calculator").is_visible() and opened.locator("#what-if table").count() == 1
    table = opened.locator("#keeping-retention details").first
    table.locator("summary").click()
    assert table.locator("td").first.is_visible()


def test_on_paper_every_table_is_open_and_there_is_no_menu(opened):
    opened.emulate_media(media="print")
    opened.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert opened.locator("details:not([open])").count() == 0
    assert not opened.locator("nav").is_visible()
    opened.evaluate("dispatchEvent(new Event('afterprint'))")
    assert opened.locator("details[open]").count() == 0


def test_the_analysts_pages_are_behind_a_switch_that_is_remembered(opened):
    button, pages, link = (opened.locator(each) for each in ("#analyst", "section.analyst", "nav li.analyst"))
    assert button.inner_text() == "Pages for the analyst: show"
    assert not pages.is_visible() and not link.is_visible()
    button.focus()
    opened.keyboard.press("Enter")
    assert button.get_attribute("aria-expanded") == "true"
    assert pages.is_visible() and link.is_visible()
    opened.reload()
    assert opened.locator("section.analyst").is_visible()
    opened.locator("#analyst").click()
    assert not opened.locator("section.analyst").is_visible()


def test_a_link_to_an_analysts_page_shows_it(opened, file):
    opened.goto("about:blank")
    opened.goto(f"{file.as_uri()}#variants")
    assert opened.locator("section.analyst").is_visible()
    opened.locator("#analyst").click()
    opened.evaluate("location.hash = '#proof'")
    assert not opened.locator("section.analyst").is_visible()
    opened.evaluate("location.hash = '#variants'")
    opened.locator("section.analyst").wait_for(state="visible")


def test_occasions_are_marked_in_the_drawing_and_named_in_the_table(opened):
    figure = opened.locator("#buying-sales")
    assert figure.locator("svg .occasion title").all_text_contents() == ["11.11", "Idulfitri"]
    figure.locator("details", has=opened.locator("table")).locator("summary").click()
    assert figure.locator("td", has_text="Idulfitri").is_visible()


def test_hostile_words_do_nothing_and_break_no_line(browser, hostile_page, speaker, tmp_path):
    path = tmp_path / "hostile.html"
    path.write_text(html.render(hostile_page, speaker), encoding="utf-8")
    tab = browser.new_page(viewport={"width": 375, "height": 800})
    said = []
    tab.on("console", lambda message: said.append(message.text))
    tab.on("dialog", lambda dialog: said.append(dialog.message))
    tab.goto(path.as_uri())
    assert tab.locator("script").count() == 1 and tab.locator("img").count() == 0
    assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth")
    tab.close()
    assert said == []
