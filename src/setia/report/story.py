"""The life of one customer in words: who they are, what they did, what is to be expected, what to do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from setia.customers.rfm import GROUPS
from setia.customers.stages import ACTIONS, STAGES
from setia.customers.story import Happening, Story
from setia.customers.traits import TRAITS
from setia.kernel.figure import Column, Figure, Headline, Page, Section
from setia.kernel.i18n import Speaker
from setia.report import why
from setia.segments.saved import Segment

HIDDEN = ("customer_id",)


def life(story: Story, segments: Sequence[Segment], speaker: Speaker) -> Page:
    """The page of one customer."""
    return Page(
        language=speaker.language,
        title=story.contact.get("name") or story.customer_id,
        subtitle=_who(story, speaker),
        sections=(
            Section(
                name="life",
                title=speaker("Their life with the shop"),
                lead=" ".join(_sentences(story, speaker)),
                headlines=_headlines(story, speaker),
                figures=(_segments(segments, speaker), _happenings(story, speaker), _known(story, speaker)),
            ),
        ),
        footer=speaker("What to do: {action}", action=speaker(ACTIONS[story.traits["stage"]])),
    )


def _who(story: Story, speaker: Speaker) -> str:
    about = story.contact
    said = [story.customer_id]
    if len(story.keys) > 1:
        said.append(
            speaker("also known as {keys}", keys=speaker.listing(key for key in story.keys if key != story.customer_id))
        )
    said += [str(about[name]) for name in ("email", "phone", "city", "country") if about.get(name)]
    return " · ".join(said)


def _sentences(story: Story, speaker: Speaker) -> list[str]:
    """What a colleague would say about them, in a few sentences."""
    t = story.traits
    said = []
    if t["orders"]:
        said.append(
            speaker(
                "Customer since {day}: {orders} for {money} net.",
                day=speaker.date(t["first_day"]), orders=speaker.many("{n} order", "{n} orders", t["orders"]),
                money=speaker.money(t["net_revenue"]),
            )
        )  # fmt: skip
        said.append(
            speaker(
                "Usually buys again after {gap}; the latest order was {ago} ago.",
                gap=speaker.days(round(t["usual_gap_days"])), ago=speaker.days(t["days_since_last_order"]),
            )
        )  # fmt: skip
    else:
        said.append(speaker("Has not ordered yet."))
    if t["favourite_product"]:
        said.append(speaker("Likes best: {product}.", product=story.products[t["favourite_product"]]))
    if t["returns"]:
        back = speaker.many("{n} return", "{n} returns", t["returns"])
        said.append(speaker("Has sent back: {returns}.", returns=back))
    if t["referrer"]:
        said.append(speaker("Has brought friends: {n}.", n=speaker.count(t["referrals"])))
    if t["last_nps"] is not None:
        said.append(
            speaker(
                "Last answer to whether they recommend the shop: {score} of 10.", score=speaker.count(t["last_nps"])
            )
        )
    said += health_reason(t, speaker)
    if t["chance_active"] is not None:
        said.append(
            speaker(
                "Is still a customer with a chance of {chance}; expected in the next 365 days: {money}.",
                chance=speaker.percent(t["chance_active"], 0), money=speaker.money(t["expected_value_365d"]),
            )
        )  # fmt: skip
    return said + _ahead(story, speaker)


def _ahead(story: Story, speaker: Speaker) -> list[str]:
    """When they will order, why they might not, what to suggest."""
    t = story.traits
    said = []
    if t["next_order_day"] is not None and t["chance_of_order_90d"] is not None:
        said.append(
            speaker(
                "Orders within 90 days with a chance of {chance}; if again, most likely by {day}.",
                chance=speaker.percent(t["chance_of_order_90d"], 0), day=speaker.date(t["next_order_day"]),
            )
        )  # fmt: skip
    if told := why.reasons(t, speaker):
        said.append(speaker("What speaks against it: {reasons}.", reasons="; ".join(told)))
    if t["recommended_product"] is not None:
        product = story.products.get(t["recommended_product"], t["recommended_product"])
        because = story.products.get(t["recommended_because"], t["recommended_because"])
        said.append(_suggestion(t["recommended_kind"], product, because, speaker))
    if t["refill_product"] is not None and t["refill_product"] != t["recommended_product"]:
        said.append(
            speaker(
                "Is due for {product} on {day}.",
                product=story.products.get(t["refill_product"], t["refill_product"]), day=speaker.date(t["refill_day"]),
            )
        )  # fmt: skip
    if t["subscribe_product"] is not None:
        said.append(
            speaker(
                "Might subscribe to {product}, every {weeks} weeks: it would save {money} a year.",
                product=story.products.get(t["subscribe_product"], t["subscribe_product"]),
                weeks=speaker.count(t["subscribe_weeks"]), money=speaker.money(t["subscribe_saving"]),
            )
        )  # fmt: skip
    if t["chance_of_ending_90d"] is not None:
        said.append(
            speaker(
                "The subscription ends within 90 days with a chance of {chance}; payments expected in a year: {money}.",
                chance=speaker.percent(t["chance_of_ending_90d"], 0), money=speaker.money(t["subscriber_value_365d"]),
            )
        )  # fmt: skip
    return said


def _suggestion(kind: str, product: str, because: str | None, speaker: Speaker) -> str:
    match kind:
        case "together" if because:
            return speaker("Suggest {product}: it goes with {because}.", product=product, because=because)
        case "again":
            return speaker("Suggest {product}: they buy it again and again.", product=product)
        case "viewed":
            return speaker("Suggest {product}: they have looked at it or at what it goes with.", product=product)
    return speaker("Suggest {product}: many buy it at present.", product=product)


def health_reason(traits: dict[str, Any], speaker: Speaker) -> list[str]:
    """What costs a subscription's health most, in plain words; nothing where nothing does."""
    match traits.get("health_reason"):
        case "usage":
            return [
                speaker(
                    "Visits went from {before} to {now} a month.",
                    before=speaker.count(traits["visits_30d_before"]), now=speaker.count(traits["visits_30d"]),
                )
            ]  # fmt: skip
        case "support":
            return [
                speaker(
                    "Questions and complaints in 90 days: {n}, of all not settled yet: {open}.",
                    n=speaker.count(traits["cases_90d"]), open=speaker.count(traits["open_cases"]),
                )
            ]  # fmt: skip
        case "answers":
            return [speaker("The latest answers to surveys were low.")]
        case "payments":
            return [
                speaker("Payments that failed in 90 days: {n}.", n=speaker.count(traits["payment_failures_90d"]))
            ]  # fmt: skip
    return []


def _headlines(story: Story, speaker: Speaker) -> tuple[Headline, ...]:
    t = story.traits
    stage = speaker(STAGES[t["stage"]])
    name, _, rest = stage.partition(": ")
    found = [
        Headline("stage", speaker("Stage of the life cycle"), name, rest, story.stage_rule),
        Headline(
            "silence", speaker("Days since the latest order"), speaker.count(t["days_since_last_order"]),
            speaker("usually {gap}", gap=speaker.days(t["usual_gap_days"] and round(t["usual_gap_days"]))),
        ),
        Headline(
            "value", speaker("Worth in a year"), speaker.money(t["customer_value_365d"]),
            speaker("gross margin expected in 365 days, discounted"),
        ),
        Headline("rfm", "RFM", speaker(GROUPS[t["rfm_group"]]) if t["rfm_group"] else speaker.missing, _rfm(t, speaker)),
    ]  # fmt: skip
    if t["health"] is not None:
        found.append(
            Headline("health", speaker("Health of the subscription"), speaker.count(t["health"]),
                     " ".join(health_reason(t, speaker)))
        )  # fmt: skip
    return tuple(found)


def _rfm(traits: dict[str, Any], speaker: Speaker) -> str:
    if traits["rfm_group"] is None:
        return ""
    return speaker(
        "how recent {r}, how often {f}, how much {m}, of 5",
        r=speaker.count(traits["rfm_recency"]), f=speaker.count(traits["rfm_frequency"]), m=speaker.count(traits["rfm_value"]),
    )  # fmt: skip


def _segments(segments: Sequence[Segment], speaker: Speaker) -> Figure:
    rows = [
        {"segment": each.title if each.is_own else speaker(each.title), "condition": each.condition.text}
        for each in segments
    ]
    return Figure(
        name="own_segments",
        title=speaker("Segments"),
        finding=speaker("In {n} of the shop's segments.", n=speaker.count(len(rows))),
        columns=(
            Column("segment", speaker("Segment"), "text"),
            Column("condition", speaker("Because"), "text"),
        ),
        rows=rows,
    )


def _happenings(story: Story, speaker: Speaker) -> Figure:
    rows = [{"day": each.day, "what": _WORDS[each.kind](each, speaker)} for each in story.happenings]
    finding = speaker("What happened, newest first.")
    if story.more:
        finding += " " + speaker("{n} older things are left out.", n=speaker.count(story.more))
    return Figure(
        name="happenings",
        title=speaker("What happened"),
        finding=finding,
        columns=(Column("day", speaker("Day"), "date"), Column("what", speaker("What"), "text")),
        rows=rows,
    )


def _order(each: Happening, speaker: Speaker) -> str:
    a = each.about
    said = speaker("Ordered for {money}", money=speaker.money(a["total"], a["currency"]))
    for name, words in (("products", ": {it}"), ("code", " ({it})")):
        if a[name]:
            said += words.format(it=a[name])
    return said


def _cancelled(each: Happening, speaker: Speaker) -> str:
    a = each.about
    money = speaker.money(a["total"], a["currency"])
    if a["undelivered_at"] is not None:
        return speaker("An order for {money} could not be delivered", money=money)
    return speaker("An order for {money} was cancelled", money=money)


def _returned(each: Happening, speaker: Speaker) -> str:
    return speaker("Sent goods back: {money}", money=speaker.money(each.about["amount"]))


def _answer(each: Happening, speaker: Speaker) -> str:
    a = each.about
    score = speaker.missing if a["score"] is None else speaker.count(a["score"])
    said = speaker("Answered {survey}: {score}", survey=str(a["survey"]).upper(), score=score)
    return f"{said} – {a['comment']}" if a["comment"] else said


def _case(each: Happening, speaker: Speaker) -> str:
    reason = each.about["reason"] or speaker.missing
    if each.about["resolved_at"] is None:
        return speaker("Asked or complained: {reason}; not settled yet", reason=reason)
    return speaker("Asked or complained: {reason}; settled", reason=reason)


def _message(each: Happening, speaker: Speaker) -> str:
    a = each.about
    facts = {"programme": a["programme"] or speaker.missing, "channel": a["channel"] or speaker.missing}
    if a["clicked_at"] is not None:
        return speaker("Got a message of {programme} ({channel}) and clicked", **facts)
    if a["opened_at"] is not None:
        return speaker("Got a message of {programme} ({channel}) and opened it", **facts)
    return speaker("Got a message of {programme} ({channel})", **facts)


def _visits(each: Happening, speaker: Speaker) -> str:
    a = each.about
    return speaker(
        "Looked around on {days} of the month ({n} events)",
        days=speaker.days(a["days"]), n=speaker.count(a["events"]),
    )  # fmt: skip


def _subscribed(each: Happening, speaker: Speaker) -> str:
    a = each.about
    return speaker(
        "Subscribed to {plan} at {money}", plan=a["plan"] or speaker.missing,
        money=speaker.money(a["amount"], a["currency"]),
    )  # fmt: skip


def _unsubscribed(each: Happening, speaker: Speaker) -> str:
    a = each.about
    said = speaker("Ended the subscription to {plan}", plan=a["plan"] or speaker.missing)
    return f"{said}: {a['reason']}" if a["reason"] else said


_WORDS: dict[str, Callable[[Happening, Speaker], str]] = {
    "order": _order,
    "cancelled": _cancelled,
    "returned": _returned,
    "answer": _answer,
    "case": _case,
    "message": _message,
    "visits": _visits,
    "subscribed": _subscribed,
    "unsubscribed": _unsubscribed,
}


def _known(story: Story, speaker: Speaker) -> Figure:
    rows = [
        {
            "trait": speaker(TRAITS[name].meaning) if name in TRAITS else name,
            "value": _shown(name, value, speaker),
            "name": name,
        }
        for name, value in story.traits.items()
        if value is not None and name not in HIDDEN
    ]
    return Figure(
        name="known",
        title=speaker("Everything that is known"),
        finding=speaker("As of the last refresh; what is not known is left out."),
        columns=(
            Column("trait", speaker("What"), "text"),
            Column("value", speaker("Value"), "text"),
            Column("name", speaker("Name in conditions"), "text"),
        ),
        rows=rows,
    )  # fmt: skip


def _shown(name: str, value: Any, speaker: Speaker) -> str:
    kind = TRAITS[name].kind if name in TRAITS else "text"
    if isinstance(value, bool):
        return speaker("yes") if value else speaker("no")
    match kind:
        case "money":
            return speaker.money(value)
        case "share":
            return speaker.percent(value)
        case "integer":
            return speaker.count(value)
        case "number":
            return speaker.number(value, 2)
        case "day":
            return speaker.date(value)
    return str(value)
