"""The report's words: from contents to a page in one language."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from setia.kernel.figure import Page, Section
from setia.kernel.i18n import Speaker
from setia.report import (
    ahead,
    analyst,
    buying,
    claims,
    driving,
    keeping,
    monday,
    numbers,
    people,
    proof,
    spending,
    subscribing,
    visiting,
    voice,
    what_if,
    winning,
    worth,
    writing,
)
from setia.report.contents import Contents
from setia.report.labels import labels

ZONES = {"Asia/Jakarta": "WIB", "Asia/Makassar": "WITA", "Asia/Jayapura": "WIT", "Asia/Kuala_Lumpur": "Malaysia"}
"""Zones by the names that people there use."""


def page(contents: Contents, speaker: Speaker) -> Page:
    """The whole report."""
    scope = contents.scope
    sections = tuple(_sections(contents, speaker))
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


def _sections(contents: Contents, speaker: Speaker) -> Iterator[Section]:
    """What somebody acts on first; then what the shop has facts for; the analyst's pages last."""
    has = contents.has
    yield monday.section(contents, speaker)
    yield numbers.section(contents, speaker)
    yield people.section(contents, speaker)
    yield ahead.section(contents, speaker)
    yield keeping.section(contents, speaker)
    yield buying.section(contents, speaker)
    yield winning.section(contents, speaker)
    if "events" in has:
        yield visiting.section(contents, speaker)
    yield worth.section(contents, speaker)
    if contents.foresight.drivers is not None:
        yield driving.section(contents.foresight.drivers, contents.products, speaker)
    if "subscriptions" in has:
        yield subscribing.section(contents, speaker)
    if {"answers", "cases"} & has:
        yield voice.section(contents, speaker)
    yield writing.section(contents, speaker)
    if contents.answers["costs"].value is not None:
        yield spending.section(contents, speaker)
    if contents.economics is not None:
        yield what_if.section(contents.economics, speaker)
    yield proof.section(contents, speaker)
    yield claims.section(contents, speaker)
    yield analyst.variants(contents, speaker)
    yield analyst.cohorts(contents, speaker)
    yield analyst.everything(contents, speaker)


def without_personal_rows(made: Page) -> Page:
    """The same page without the figure that names customers, to be kept for good."""
    sections = tuple(
        replace(section, figures=tuple(figure for figure in section.figures if figure.name != monday.PERSONAL))
        for section in made.sections
    )
    return replace(made, sections=sections)
