"""The gate: whether one message may go to one person now. Pure; every answer has a reason that is kept."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Literal
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True)
class Request:
    """Everything the gate looks at, as it is at the moment of sending."""

    now: dt.datetime
    not_after: dt.datetime
    programme_state: str
    held_out: bool
    ordered_since_entry: bool
    has_address: bool
    consent_at: dt.datetime | None
    optout_at: dt.datetime | None
    stopped_because: str | None
    """Reason of an opt-out that Setia itself recorded."""
    sent_in_seven_days: int


@dataclass(frozen=True, slots=True)
class Rules:
    """The shop's rules for all messages."""

    zone: ZoneInfo
    quiet_from: dt.time
    quiet_until: dt.time
    most_per_week: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """`send`, `wait` (until a moment) or `refuse` for good, and why."""

    kind: Literal["send", "wait", "refuse"]
    reason: str
    until: dt.datetime | None = None


def judge(request: Request, rules: Rules) -> Verdict:
    """The verdict for one message. Refusals that no waiting mends come first, then waits, then leave to send."""
    refusal = _refusal(request)
    if refusal is not None:
        return Verdict("refuse", refusal)
    if request.programme_state == "paused":
        return Verdict("wait", "paused", request.now + dt.timedelta(hours=1))
    if request.sent_in_seven_days >= rules.most_per_week:
        return Verdict("wait", "cap", request.now + dt.timedelta(days=1))
    quiet_end = quiet_until(request.now, rules)
    if quiet_end is not None:
        return Verdict("wait", "quiet_hours", quiet_end)
    return Verdict("send", "allowed")


def _refusal(request: Request) -> str | None:
    reasons = (
        ("held_out", request.held_out),
        ("programme_stopped", request.programme_state == "stopped"),
        ("ordered", request.ordered_since_entry),
        ("no_address", not request.has_address),
        (request.stopped_because or "", request.stopped_because is not None),
        ("opted_out", request.optout_at is not None),
        ("no_consent", request.consent_at is None or request.consent_at > request.now),
        ("too_late", request.now > request.not_after),
    )
    return next((reason for reason, applies in reasons if applies), None)


def quiet_until(now: dt.datetime, rules: Rules) -> dt.datetime | None:
    """When the quiet hours end that `now` falls into, None outside them. Equal ends mean no quiet hours."""
    start, end = rules.quiet_from, rules.quiet_until
    if start == end:
        return None
    local = now.astimezone(rules.zone)
    clock = local.time()
    quiet = start <= clock < end if start < end else clock >= start or clock < end
    if not quiet:
        return None
    day = local.date() if clock < end else local.date() + dt.timedelta(days=1)
    # Wall-clock time in the shop's zone, so that a change of daylight saving in between does no harm. Where the clock
    # goes back, the end comes twice, and only one of the two may lie ahead.
    ends = (dt.datetime.combine(day, end.replace(fold=fold), rules.zone).astimezone(dt.UTC) for fold in (0, 1))
    return next(moment for moment in ends if moment > now)
