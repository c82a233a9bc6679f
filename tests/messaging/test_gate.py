"""The gate: every verdict, their order, and the hours of the night in zones that change their clocks."""

from __future__ import annotations

import dataclasses
import datetime as dt
from itertools import combinations
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from setia.messaging.gate import Request, Rules, Verdict, judge, quiet_until

JAKARTA, JAYAPURA, LONDON = (ZoneInfo(name) for name in ("Asia/Jakarta", "Asia/Jayapura", "Europe/London"))
NOON = dt.datetime(2026, 3, 2, 5, tzinfo=dt.UTC)  # 12:00 in Jakarta
AGREED = dt.datetime(2025, 1, 1, tzinfo=dt.UTC)
HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)

FINE = Request(
    now=NOON,
    not_after=NOON + DAY,
    programme_state="running",
    held_out=False,
    ordered_since_entry=False,
    has_address=True,
    consent_at=AGREED,
    optout_at=None,
    stopped_because=None,
    sent_in_seven_days=0,
)
RULES = Rules(JAKARTA, dt.time(20), dt.time(8), most_per_week=2)

# In the order in which they win.
REFUSALS: list[tuple[str, dict[str, Any]]] = [
    ("held_out", {"held_out": True}),
    ("programme_stopped", {"programme_state": "stopped"}),
    ("ordered", {"ordered_since_entry": True}),
    ("no_address", {"has_address": False}),
    ("bad_address", {"stopped_because": "bad_address"}),
    ("opted_out", {"optout_at": AGREED}),
    ("no_consent", {"consent_at": None}),
    ("too_late", {"not_after": NOON - HOUR}),
]
WAITS: list[tuple[str, dict[str, Any]]] = [
    ("paused", {"programme_state": "paused"}),
    ("cap", {"sent_in_seven_days": 2}),
    ("quiet_hours", {"now": NOON + 9 * HOUR}),
]


def changed(*changes: dict[str, Any]) -> Request:
    """The fine request with changes; of two for one field the first holds."""
    merged = {name: value for change in reversed(changes) for name, value in change.items()}
    return dataclasses.replace(FINE, **merged)


def test_a_message_with_nothing_against_it_is_sent() -> None:
    assert judge(FINE, RULES) == Verdict("send", "allowed")


@pytest.mark.parametrize(("reason", "change"), REFUSALS)
def test_each_refusal(reason: str, change: dict[str, Any]) -> None:
    assert judge(changed(change), RULES) == Verdict("refuse", reason)


@pytest.mark.parametrize(("reason", "change"), WAITS)
def test_each_wait(reason: str, change: dict[str, Any]) -> None:
    verdict = judge(changed(change), RULES)
    assert (verdict.kind, verdict.reason) == ("wait", reason)
    assert verdict.until is not None
    assert verdict.until > changed(change).now


@pytest.mark.parametrize(("first", "second"), list(combinations([*REFUSALS, *WAITS], 2)))
def test_what_comes_first_wins(first: tuple[str, dict[str, Any]], second: tuple[str, dict[str, Any]]) -> None:
    both = changed(first[1], second[1])
    if first[0] == "too_late":  # the moment itself is one of the two changes
        both = dataclasses.replace(both, not_after=both.now - HOUR)
    assert judge(both, RULES).reason == first[0]


def test_consent_that_is_yet_to_be_given_is_none() -> None:
    assert judge(changed({"consent_at": NOON + HOUR}), RULES).reason == "no_consent"
    assert judge(changed({"consent_at": NOON}), RULES).kind == "send"


def test_the_last_moment_is_not_too_late() -> None:
    assert judge(changed({"not_after": NOON}), RULES).kind == "send"


def test_nothing_may_be_sent_with_a_cap_of_nought() -> None:
    assert judge(FINE, dataclasses.replace(RULES, most_per_week=0)).reason == "cap"


@pytest.mark.parametrize(
    ("zone", "quiet", "local", "until"),
    [
        (JAKARTA, ("20:00", "08:00"), "2026-03-02T20:00+07:00", "2026-03-03T08:00+07:00"),
        (JAKARTA, ("20:00", "08:00"), "2026-03-02T19:59:59+07:00", None),
        (JAKARTA, ("20:00", "08:00"), "2026-03-03T07:59:59+07:00", "2026-03-03T08:00+07:00"),
        (JAKARTA, ("20:00", "08:00"), "2026-03-03T08:00+07:00", None),
        (JAKARTA, ("20:00", "08:00"), "2026-12-31T23:59+07:00", "2027-01-01T08:00+07:00"),
        # The same moment, two hours further east.
        (JAYAPURA, ("20:00", "08:00"), "2026-03-02T18:30+07:00", "2026-03-03T08:00+09:00"),
        (JAKARTA, ("12:00", "14:00"), "2026-03-02T13:00+07:00", "2026-03-02T14:00+07:00"),
        (JAKARTA, ("12:00", "14:00"), "2026-03-02T14:00+07:00", None),
        (JAKARTA, ("00:00", "06:00"), "2026-03-02T00:00+07:00", "2026-03-02T06:00+07:00"),
        (JAKARTA, ("08:00", "08:00"), "2026-03-02T08:00+07:00", None),
        # British clocks: forward on 29 March at 01:00 UTC, back on 25 October at 01:00 UTC.
        (LONDON, ("20:00", "08:00"), "2026-03-28T22:00+00:00", "2026-03-29T08:00+01:00"),
        (LONDON, ("20:00", "08:00"), "2026-10-24T22:00+01:00", "2026-10-25T08:00+00:00"),
        (LONDON, ("20:00", "01:30"), "2026-03-29T00:10+00:00", "2026-03-29T01:30+00:00"),  # 01:30 does not exist
        (LONDON, ("20:00", "01:30"), "2026-10-25T00:10+01:00", "2026-10-25T01:30+01:00"),
        (LONDON, ("20:00", "01:30"), "2026-10-25T01:10+00:00", "2026-10-25T01:30+00:00"),  # the second 01:10
    ],
)
def test_quiet_hours(zone: ZoneInfo, quiet: tuple[str, str], local: str, until: str | None) -> None:
    start, end = map(dt.time.fromisoformat, quiet)
    found = quiet_until(dt.datetime.fromisoformat(local), Rules(zone, start, end, 2))
    assert found == (dt.datetime.fromisoformat(until) if until else None)


MOMENTS = st.datetimes(dt.datetime(2025, 1, 1), dt.datetime(2028, 1, 1), timezones=st.just(dt.UTC))  # noqa: DTZ001
CHANGES = st.sampled_from(
    [dt.datetime(2026, 3, 29, 1, tzinfo=dt.UTC), dt.datetime(2026, 10, 25, 1, tzinfo=dt.UTC)]
).flatmap(lambda change: st.timedeltas(-3 * HOUR, 3 * HOUR).map(lambda away: change + away))
ZONES = st.sampled_from(
    [JAKARTA, JAYAPURA, LONDON, *map(ZoneInfo, ("America/New_York", "Australia/Lord_Howe", "Africa/Cairo"))]
)
TIMES = st.times().map(lambda time: time.replace(second=0, microsecond=0))


@given(now=MOMENTS | CHANGES, zone=ZONES, start=TIMES, end=TIMES)
def test_quiet_hours_end_ahead_and_the_clock_agrees(
    now: dt.datetime, zone: ZoneInfo, start: dt.time, end: dt.time
) -> None:
    rules = Rules(zone, start, end, 2)
    until = quiet_until(now, rules)
    # The oracle walks the clock face: minutes since the start of the quiet hours.
    clock = now.astimezone(zone)
    length = ((end.hour - start.hour) * 60 + end.minute - start.minute) % 1440
    passed = ((clock.hour - start.hour) * 60 + clock.minute - start.minute) % 1440
    assert (until is not None) == (passed < length)
    if until is not None:
        assert now < until <= now + dt.timedelta(hours=26)
        assert quiet_until(until, rules) is None


@given(now=MOMENTS | CHANGES, zone=ZONES, end=TIMES)
def test_equal_ends_are_no_quiet_hours(now: dt.datetime, zone: ZoneInfo, end: dt.time) -> None:
    assert quiet_until(now, Rules(zone, end, end, 2)) is None


MAYBE = st.none() | MOMENTS
REQUESTS = st.builds(
    Request,
    now=MOMENTS | CHANGES,
    not_after=MOMENTS,
    programme_state=st.sampled_from(["running", "paused", "stopped"]),
    held_out=st.booleans(),
    ordered_since_entry=st.booleans(),
    has_address=st.booleans(),
    consent_at=MAYBE,
    optout_at=MAYBE,
    stopped_because=st.none() | st.sampled_from(["asked", "bad_address", ""]),
    sent_in_seven_days=st.integers(0, 4),
)
ANY_RULES = st.builds(Rules, ZONES, TIMES, TIMES, st.integers(0, 4))


@given(REQUESTS, ANY_RULES)
def test_what_is_sent_has_nothing_against_it(request: Request, rules: Rules) -> None:
    verdict = judge(request, rules)
    assert verdict.reason != "" or request.stopped_because == ""
    if verdict.kind == "wait":
        assert verdict.until is not None
        assert verdict.until > request.now
    else:
        assert verdict.until is None
    if verdict.kind != "refuse":
        assert not request.held_out
        assert not request.ordered_since_entry
        assert request.has_address
        assert request.optout_at is None
        assert request.stopped_because is None
        assert request.consent_at is not None
        assert request.consent_at <= request.now <= request.not_after
        assert request.programme_state != "stopped"
    if verdict.kind == "send":
        assert request.programme_state == "running"
        assert request.sent_in_seven_days < rules.most_per_week
        assert quiet_until(request.now, rules) is None


@given(REQUESTS, ANY_RULES)
def test_whoever_is_held_out_never_gets_anything(request: Request, rules: Rules) -> None:
    held = dataclasses.replace(request, held_out=True)
    assert judge(held, rules) == Verdict("refuse", "held_out")
