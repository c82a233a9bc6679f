"""What the page computes in the browser is what `Economics.changed` says, written as the language writes it."""

from __future__ import annotations

import re

import pytest
from tests.report.conftest import speaks

from setia.kernel.figure import Page
from setia.kernel.i18n import LANGUAGES, Speaker
from setia.metrics.what_if import Economics
from setia.report import html, what_if

pytestmark = pytest.mark.browser

SHOPS = {
    "IDR": Economics(customers=1552, order_value=153_000.4, orders_per_month=0.62, months_kept=5.22, margin=0.35),
    "MYR": Economics(customers=48, order_value=87.35, orders_per_month=1.9, months_kept=12.4, margin=1.0),
}
TURNS = (
    {},
    {"retention_points": 5},
    {"retention_points": -2.5, "frequency_percent": 10},
    {"value_percent": -15, "margin_points": -40},
    {"retention_points": 50, "margin_points": 50, "value_percent": 500},
    {"retention_points": -50, "frequency_percent": -90},
)


def written(own: Economics, turned: dict[str, float], speaker: Speaker) -> dict[str, str]:
    now = own.changed(**turned)
    return {
        "months_kept": speaker.number(now.months_kept, 1),
        "per_customer": speaker.money(now.per_customer),
        "total": speaker.money(now.total),
        "change": speaker.money(now.total - own.total),
    }


@pytest.mark.parametrize("currency", SHOPS)
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_browser_computes_what_python_does(browser, tmp_path, language, currency):
    if not speaks(language):
        pytest.skip(f"the catalogue of {language} is not compiled")
    own, speaker = SHOPS[currency], Speaker.of(language, currency)
    path = tmp_path / "report.html"
    section = what_if.section(own, speaker)
    path.write_text(html.render(Page(language, "Kopi Pagi", "", (section,), ""), speaker), encoding="utf-8")
    tab = browser.new_page()
    said: list[str] = []
    tab.on("console", lambda message: said.append(message.text))
    tab.goto(path.as_uri())

    def shown() -> dict[str, str]:
        outputs = tab.locator("form.calculator output")
        return {each.get_attribute("name"): re.sub(r"\s", " ", each.inner_text()) for each in outputs.all()}

    for turned in TURNS:
        tab.locator("form.calculator button[type=reset]").click()
        for name, value in turned.items():
            tab.locator(f"input[name={name}]").fill(str(value))
        tab.wait_for_timeout(1)
        assert shown() == {name: re.sub(r"\s", " ", text) for name, text in written(own, turned, speaker).items()}
    tab.locator("input[name=value_percent]").fill("")
    tab.locator("form.calculator button[type=reset]").click()
    tab.wait_for_timeout(1)
    assert shown() == {name: re.sub(r"\s", " ", text) for name, text in written(own, {}, speaker).items()}
    tab.close()
    assert said == []


def test_a_number_out_of_range_is_taken_to_its_end(browser, page, speaker, economics, tmp_path):
    path = tmp_path / "report.html"
    path.write_text(html.render(page, speaker), encoding="utf-8")
    tab = browser.new_page()
    tab.goto(path.as_uri())
    tab.locator("input[name=frequency_percent]").fill("9999")
    total = tab.locator("output[name=total]").inner_text()
    tab.close()
    assert total == speaker.money(economics.changed(frequency_percent=500).total)
