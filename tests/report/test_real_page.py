"""The report of a shop, end to end: simulated facts, a running programme, three languages, a real browser."""

from __future__ import annotations

import gettext
import re

import pytest

from setia.app import Shop
from setia.kernel import i18n
from setia.kernel.i18n import LANGUAGES
from setia.settings import PredictionSettings
from setia.simulate import ShopSettings, SimulatedShop


@pytest.fixture(scope="module")
def simulated(tmp_path_factory):
    shop = SimulatedShop(ShopSettings(seed=5, customers=300))
    return shop, shop.history(tmp_path_factory.mktemp("simulated"))


@pytest.fixture(scope="module")
def lived_in(make_lasting_shop, simulated) -> Shop:
    """A shop with sixty weeks of facts, a programme that has just begun, and everything that predictions have."""
    source, files = simulated
    shop = make_lasting_shop(name="Kopi <b>Setia</b>", clock=lambda: source.now, extra="[predictions]")
    shop.import_files(files)
    whole = shop.settings
    shop.settings = whole.model_copy(
        update={"predictions": PredictionSettings(model="mbg_nbd", products=False, reasons=False)}
    )
    shop.refresh()
    shop.settings = whole
    shop.programmes.apply("win-back")
    shop.programmes.work(send=False)
    shop.refresh()
    return shop


class Unknown(gettext.NullTranslations):
    """Whatever a catalogue does not have."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: set[str] = set()

    def gettext(self, message: str) -> str:
        self.asked.add(message)
        return message


@pytest.fixture
def unknown(monkeypatch: pytest.MonkeyPatch) -> Unknown:
    """What the pages ask the Indonesian and the Malay catalogue for in vain."""
    found = Unknown()
    for language in ("id", "ms"):
        monkeypatch.setattr(i18n._catalogue(language), "_fallback", found)
    return found


def test_every_page_says_its_words_in_its_language(lived_in: Shop, unknown: Unknown) -> None:
    written = zip(LANGUAGES, lived_in.write_reports(LANGUAGES), strict=True)
    pages = {language: path.read_text(encoding="utf-8") for language, path in written}
    assert "Whom to act on this week" in pages["en"]
    assert "Siapa yang perlu disapa minggu ini" in pages["id"]
    assert "Kumpulan kawalan" in pages["ms"]
    for page in pages.values():
        assert "Kopi &lt;b&gt;Setia&lt;/b&gt;" in page
        assert "<b>Setia" not in page
        assert "{" not in re.sub(r"<(style|script)[^>]*>.*?</\1>", "", page, flags=re.DOTALL)
        assert "nan" not in page.lower().split()
    assert unknown.asked == set()


def test_a_shop_without_programmes_shows_plan_and_placebo(make_shop, simulated) -> None:
    source, files = simulated
    shop = make_shop(clock=lambda: source.now)
    shop.import_files(files)
    shop.refresh()
    sections = shop.report("en").sections
    figures = {figure.name: figure for section in sections for figure in section.figures}
    assert figures["placebo"].title == "Placebo: a programme that sent nothing is not shown"
    names = {headline.name for section in sections for headline in section.headlines}
    assert {"plan_audience", "plan_share", "plan_cost"} <= names


@pytest.mark.browser
@pytest.mark.slow
def test_axe_finds_nothing_in_any_language(browser, lived_in: Shop) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    found = {}
    paths = dict(zip(LANGUAGES, lived_in.write_reports(LANGUAGES), strict=True))
    for language, scheme, width in (("en", "light", 1280), ("id", "dark", 1280), ("ms", "light", 375)):
        page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
        said: list[str] = []
        page.on("console", lambda message, said=said: said.append(message.text))
        page.goto(paths[language].as_uri())
        page.locator("#analyst").click()
        page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
        found[language] = [violation["id"] for violation in axe.run(page).response["violations"]]
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        assert said == []
        page.close()
    assert found == {"en": [], "id": [], "ms": []}
