"""Visits: what they lead to, for new and returning visitors, by device, by app and web."""

from __future__ import annotations

from setia.kernel.figure import Figure, Section
from setia.kernel.i18n import N_, Speaker
from setia.metrics.answer import Answer
from setia.report.contents import Contents
from setia.report.showing import by_group, headline, over_time

WORDS = {
    "new": N_("Had not bought before"),
    "returning": N_("Had bought before"),
    "desktop": N_("Computer"),
    "mobile": N_("Phone"),
    "tablet": N_("Tablet"),
    "web": N_("Web"),
    "app": N_("App"),
}


def section(contents: Contents, speaker: Speaker) -> Section:
    """Conversion, carts, revenue per visit, who comes back."""
    asked = contents.answers
    names = ("conversion", "add_to_cart", "revenue_per_visit", "cart_abandonment", "return_visits")
    return Section(
        name="visits",
        title=speaker("Visits"),
        lead=speaker("What visits lead to. An order belongs to the visit in which it was placed."),
        headlines=tuple(headline(asked[name], speaker) for name in names),
        figures=(
            _by(asked["conversion_kind"], speaker, "conversion-kind",
                speaker("Conversion of new and returning visitors"), speaker("Visitors")),
            *_if_known(asked["abandonment_device"], speaker, "abandonment-device",
                       speaker("Abandoned carts by device"), speaker("Device")),
            *_if_known(asked["back_platform"], speaker, "back-platform",
                       speaker("Back within 30 days, by app and web"), speaker("Came first by")),
            over_time(
                asked["conversion_months"], speaker, contents.scope.calendar, name="conversion",
                title=speaker("Conversion by month"), finding=_trend(asked["conversion_months"], speaker),
                parts=("visits", "with_order"),
            ),
        ),
    )  # fmt: skip


def _trend(answer: Answer, speaker: Speaker) -> str:
    whole = [row for row in answer.rows() if row["value"] is not None]
    if not whole:
        return speaker("No month is complete yet.")
    return speaker(
        "In {month} an order was placed in {share} of {n} visits.",
        month=speaker.month(whole[-1]["period_from"]), share=speaker.percent(whole[-1]["value"]),
        n=speaker.count(whole[-1]["visits"]),
    )  # fmt: skip


def _if_known(answer: Answer, speaker: Speaker, name: str, title: str, head: str) -> tuple[Figure, ...]:
    """Nothing where no visit says on what it was made."""
    known = any(row["group"] is not None for row in answer.rows())
    return (_by(answer, speaker, name, title, head),) if known else ()


def _by(answer: Answer, speaker: Speaker, name: str, title: str, head: str) -> Figure:
    figure = by_group(answer, speaker, name=name, title=title, finding="", head=head)
    rows = [
        {**row, "group": speaker(WORDS[row["group"]]) if row["group"] in WORDS else row["group"]} for row in figure.rows
    ]
    shares = [f"{row['group']}: {speaker.percent(row['value'])}" for row in rows if row["value"] is not None]
    finding = " · ".join(shares) if shares else speaker("No data yet.")
    return Figure(
        name, figure.title, finding, figure.columns, rows, figure.mark, figure.x, series=figure.series, how=figure.how,
    )  # fmt: skip
