"""The report's words: from contents to a page in one language."""

from __future__ import annotations

from dataclasses import replace

from setia.kernel.figure import Page, Section
from setia.kernel.i18n import Speaker
from setia.report import monday, numbers, proof
from setia.report.contents import Contents
from setia.report.labels import labels

ZONES = {"Asia/Jakarta": "WIB", "Asia/Makassar": "WITA", "Asia/Jayapura": "WIT", "Asia/Kuala_Lumpur": "Malaysia"}
"""Zones by the names that people there use."""


def page(contents: Contents, speaker: Speaker) -> Page:
    """The whole report."""
    scope = contents.scope
    sections: tuple[Section, ...] = (
        monday.section(contents, speaker),
        numbers.headlines(contents, speaker),
        numbers.keeping(contents, speaker),
        numbers.value(contents, speaker),
        proof.section(contents, speaker),
    )
    return Page(
        language=speaker.language,
        title=speaker("{shop}: customers kept", shop=contents.shop),
        subtitle=speaker(
            "Up to and including {day}, {zone} time",
            day=speaker.date(scope.last_day),
            zone=ZONES.get(scope.time_zone, scope.time_zone),
        ),
        sections=sections,
        footer=speaker(
            "Made by Setia from the shop's own orders. Amounts in {currency}. Every figure carries its formula.",
            currency=scope.currency,
        ),
        labels=labels(speaker),
    )


def without_personal_rows(made: Page) -> Page:
    """The same page without the figure that names customers, to be kept for good."""
    sections = tuple(
        replace(section, figures=tuple(figure for figure in section.figures if figure.name != monday.PERSONAL))
        for section in made.sections
    )
    return replace(made, sections=sections)
