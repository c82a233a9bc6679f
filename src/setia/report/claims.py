"""What the articles claim, and what this shop shows."""

from __future__ import annotations

from setia.kernel.figure import Column, Figure, Section
from setia.kernel.i18n import Speaker
from setia.metrics.claims import Claim
from setia.metrics.reasons import REASONS
from setia.report.contents import Contents


def section(contents: Contents, speaker: Speaker) -> Section:
    """Every claim with the shop's own figure beside it."""
    rows = [
        {
            "said": speaker(claim.said),
            "claimed": speaker(claim.claimed),
            "ours": _ours(claim, speaker),
            "measured": speaker(claim.measured),
        }
        for claim in contents.claims
    ]
    known = sum(1 for claim in contents.claims if claim.value is not None)
    figure = Figure(
        name="claims",
        title=speaker("Their figure, your figure"),
        finding=speaker("For {n} of {of} sentences your facts have an answer.", n=speaker.count(known), of=speaker.count(len(rows))),
        columns=(
            Column("said", speaker("They say"), "text"),
            Column("claimed", speaker("Their figure"), "text"),
            Column("ours", speaker("Your shop"), "text"),
            Column("measured", speaker("What was measured"), "text"),
        ),
        rows=rows,
        note=speaker("That loyal customers bring more does not show that making customers loyal brings more: only a held-out group shows what a programme causes."),
    )  # fmt: skip
    return Section(
        name="claims",
        title=speaker("What the articles claim, what your shop shows"),
        lead=speaker("Sentences about retention that are copied from page to page, each beside your own figure."),
        figures=(figure,),
    )


def _ours(claim: Claim, speaker: Speaker) -> str:
    if claim.value is None:
        return speaker(REASONS[claim.reason]) if claim.reason else speaker.missing
    value = float(claim.value)
    if claim.unit == "ratio":
        return speaker("{n} times", n=speaker.number(value, 1))
    if claim.name == "eighty_twenty":
        return speaker.percent(value, 0)
    return ("+" if value > 0 else "−" if value < 0 else "") + speaker.percent(abs(value), 0)
