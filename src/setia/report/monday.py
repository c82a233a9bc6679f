"""The Monday page: what changed, whom to act on this week, what the programmes caused."""

from __future__ import annotations

import datetime as dt
from typing import Any

from setia.history.calendar import Calendar
from setia.kernel.figure import Column, Figure, Headline, Section
from setia.kernel.i18n import Speaker
from setia.report import proof, watching, why
from setia.report.contents import Contents
from setia.report.showing import calendar_of

PERSONAL = "people"
"""The one figure that names customers."""


def section(contents: Contents, speaker: Speaker) -> Section:
    """The first section."""
    return Section(
        name="monday",
        title=speaker("This week"),
        lead=speaker("What changed, whom to write to, and what the programmes caused."),
        headlines=_changes(contents, speaker),
        figures=(
            _people(contents, speaker),
            watching.alerts(contents.watched, speaker),
            *watching.wanted(contents.targets, speaker),
            proof.summary(contents, speaker),
            _weeks(contents, speaker),
        ),
    )


def _changes(contents: Contents, speaker: Speaker) -> tuple[Headline, ...]:
    now = contents.weeks.figures
    money = speaker.money
    return (
        _change("net_sales", speaker("Net sales, last 7 days"), now, money, speaker),
        _change("orders", speaker("Orders, last 7 days"), now, speaker.count, speaker),
        _change("returning_customers", speaker("Returning customers, last 7 days"), now, speaker.count, speaker),
        Headline(
            "at_risk",
            speaker("At risk now"),
            money(contents.at_risk["value"]),
            speaker(
                "{n} customers are overdue; this is what they would spend in a year if they came back",
                n=speaker.count(contents.at_risk["customers"]),
            ),
        ),
    )


def _change(name: str, title: str, now: dict[str, Any], shown: Any, speaker: Speaker) -> Headline:
    before, value = now[f"before_{name}"], now[name]
    if not before or before < 0:
        detail = speaker("{before} in the week before", before=shown(before))
    else:
        share = float(value) / float(before) - 1
        sign = "+" if share > 0 else "−" if share < 0 else "±"
        change = sign + speaker.percent(abs(share), 0)
        detail = speaker("{change} against the week before ({before})", change=change, before=shown(before))
    return Headline(name, title, shown(value), detail)


def _people(contents: Contents, speaker: Speaker) -> Figure:
    people = contents.people
    rows = [
        {
            "name": person["name"] or person["customer_id"],
            "customer_id": person["customer_id"],
            "why": "; ".join(why.reasons(person, speaker, most=2))
            or speaker(
                "Usually buys again after {gap} days, silent for {silence}",
                gap=speaker.number(person["usual_gap_days"], 0),
                silence=speaker.number(person["days_since_last_order"], 0),
            ),
            "chance": person["chance_active"],
            "worth": person["worth"],
            "next": person["next_order_day"],
            "product": person["product"],
        }
        for person in people
    ]
    finding = (
        speaker(
            "{n} customers have been silent for longer than their own rhythm explains; start with the {most} below.",
            n=speaker.count(contents.at_risk["customers"]),
            most=speaker.count(len(people)),
        )
        if people
        else speaker("Nobody is overdue this week.")
    )
    return Figure(
        name=PERSONAL,
        title=speaker("Whom to act on this week"),
        finding=finding,
        columns=(
            Column("name", speaker("Customer"), "text"),
            Column("customer_id", speaker("Number"), "text"),
            Column("why", speaker("Why"), "text"),
            Column("chance", speaker("Chance of still being a customer"), "percent"),
            Column("worth", speaker("Worth in a year if they come back"), "money"),
            Column("next", speaker("Next order by"), "date"),
            *([Column("product", speaker("What to suggest"), "text")] if any(row["product"] for row in rows) else []),
        ),
        rows=rows,
        how=speaker(
            "Overdue: silent for more than 1.6 times the customer's usual gap; four in five of those who come back have "
            "done so by then. Sorted by the revenue expected of them in the next 365 days."
        ),
    )


def _weeks(contents: Contents, speaker: Speaker) -> Figure:
    calendar = contents.scope.calendar
    rows = [{**row, "calendar": _marks(row["week_from"], calendar, speaker)} for row in contents.weeks.rows()]
    last, before = rows[-1], rows[-2]
    return Figure(
        name="weeks",
        title=speaker("The last nine weeks"),
        finding=speaker(
            "Last week {returning} customers came back and {new} bought for the first time; the week before it was "
            "{returning_before} and {new_before}.",
            returning=speaker.count(last["returning_customers"]),
            new=speaker.count(last["new_customers"]),
            returning_before=speaker.count(before["returning_customers"]),
            new_before=speaker.count(before["new_customers"]),
        ),
        columns=(
            Column("week_from", speaker("Week from"), "date"),
            Column("orders", speaker("Orders"), "count"),
            Column("new_customers", speaker("New customers"), "count"),
            Column("returning_customers", speaker("Returning customers"), "count"),
            Column("net_sales", speaker("Net sales"), "money"),
            Column("calendar", speaker("Calendar"), "text"),
        ),
        rows=rows,
        mark="bars",
        marks="calendar",
        x="week_from",
        series=("new_customers", "returning_customers"),
        how=speaker("Seven-day weeks up to the last recorded day. Returns are deducted on the day they came back."),
    )


def _marks(monday: dt.date, calendar: Calendar, speaker: Speaker) -> str:
    return calendar_of({"period_from": monday, "period_until": monday + dt.timedelta(days=7)}, calendar, speaker)
