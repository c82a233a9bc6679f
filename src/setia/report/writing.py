"""Messages: what becomes of them, and who can be written to."""

from __future__ import annotations

from setia.kernel.figure import Column, Figure, Section
from setia.kernel.i18n import N_, Speaker
from setia.metrics.catalogue import METRICS
from setia.report.contents import Contents
from setia.report.showing import headline

CHANNELS = {"any": N_("at least one"), "email": N_("e-mail"), "whatsapp": "WhatsApp", "sms": "SMS"}


def section(contents: Contents, speaker: Speaker) -> Section:
    """Health of the messages, where any were sent, and the reachable share."""
    asked = contents.answers
    rates = ("delivery_rate", "open_rate", "click_rate", "unsubscribe_rate", "complaint_rate")
    return Section(
        name="messages",
        title=speaker("Messages and reach"),
        lead=speaker("Who can be written to, and what becomes of messages."),
        headlines=tuple(headline(asked[name], speaker) for name in rates) if "messages" in contents.has else (),
        figures=(_reach(contents, speaker),),
    )


def _reach(contents: Contents, speaker: Speaker) -> Figure:
    answer = contents.answers["reachable"]
    rows = [
        {**row, "channel": speaker(CHANNELS[row["channel"]])}
        for row in answer.rows()
        if row["reachable"] or row["channel"] == "any"
    ]
    return Figure(
        name="reach",
        title=speaker("Customers who can be reached"),
        finding=speaker(
            "{n} of {of} customers can be reached on one channel at least.",
            n=speaker.count(answer.figures["reachable"]), of=speaker.count(answer.figures["customers"]),
        ),
        columns=(
            Column("channel", speaker("Channel"), "text"),
            Column("customers", speaker("Customers"), "count"),
            Column("reachable", speaker("Can be reached"), "count"),
            Column("share", speaker("Share"), "percent"),
        ),
        rows=rows,
        mark="bars",
        x="channel",
        series=("share",),
        how=speaker(METRICS["reachable"].formula),
    )  # fmt: skip
