"""Voice and service: scores with their intervals, reasons for leaving, waiting times."""

from __future__ import annotations

from typing import Any

import pytest

from setia.history.scope import Scope

from .building import ask, at, day

SCOPE = Scope(day("06-29"), "USD", "UTC")


def answers(survey: str, scores: list[int | None], scale: int | None = None, who: str = "c") -> list[dict[str, Any]]:
    return [
        {
            "answer_id": f"{survey}-{who}-{n}",
            "customer_id": f"{who}{n}",
            "survey": survey,
            "score": score,
            "scale": scale,
            "day": day("06-01"),
            "answered_at": at("06-01 09:00"),
        }
        for n, score in enumerate(scores)
    ]


def test_nps_with_its_interval(reader_of):
    """50 promoters, 30 passives and 20 detractors: 30, adjusted-Wald 14.1 to 44.2."""
    rows = answers("nps", [10] * 30 + [9] * 20 + [8] * 20 + [7] * 10 + [6] * 5 + [0] * 15)
    figures = ask(reader_of(answers=rows), "nps", SCOPE).figures
    assert figures["value"] == 30
    assert (figures["low"], figures["high"]) == pytest.approx((14.051, 44.201), abs=5e-4)
    assert figures["response_rate"] is None, "nobody knows how many were asked"


def test_one_answer_of_each_customer_the_latest(reader_of):
    rows = answers("nps", [2])
    rows.append({**rows[0], "answer_id": "later", "score": 10, "answered_at": at("06-01 18:00")})
    rows.append({**rows[0], "answer_id": "nameless", "customer_id": None, "score": 5})
    figures = ask(reader_of(answers=rows), "nps", SCOPE).figures
    assert (figures["answers"], figures["promoters"], figures["detractors"]) == (2, 1, 1)


def test_an_answer_on_another_scale_is_to_another_question(reader_of):
    figures = ask(reader_of(answers=answers("nps", [5, 4], 5)), "nps", SCOPE).figures
    assert (figures["answers"], figures["value"]) == (0, None)


def test_satisfied_are_those_from_four_fifths_of_the_scale_up(reader_of):
    """81 of 263 by Wilson: 25.5289 % to 36.6210 %."""
    figures = ask(reader_of(answers=answers("csat", [4] * 41 + [5] * 40 + [3] * 182)), "csat", SCOPE).figures
    assert (figures["answers"], figures["satisfied"]) == (263, 81)
    assert (figures["low"], figures["high"]) == pytest.approx((0.255289, 0.366210), abs=5e-7)
    sevens = answers("csat", list(range(1, 8)), 7, "d")
    tens = answers("csat", list(range(1, 11)), 10, "e")
    assert ask(reader_of(answers=sevens), "csat", SCOPE).figures["satisfied"] == 2
    assert ask(reader_of(answers=tens), "csat", SCOPE).figures["satisfied"] == 3


def test_ease_from_two_thirds_up(reader_of):
    """5, 6 and 7 of 7; 4 and 5 of 5."""
    assert ask(reader_of(answers=answers("ces", list(range(1, 8)))), "ces", SCOPE).figures["easy"] == 3
    assert ask(reader_of(answers=answers("ces", list(range(1, 6)), 5)), "ces", SCOPE).figures["easy"] == 2


def test_response_rate(reader_of):
    sent = [
        {
            "message_id": str(n),
            "survey": "nps",
            "channel": "email",
            "state": state,
            "day": day("06-01"),
            "sent_at": at("06-01 08:00"),
        }
        for n, state in enumerate(["accepted"] * 4 + ["rejected"])
    ]
    figures = ask(reader_of(answers=answers("nps", [10]), messages=sent), "nps", SCOPE).figures
    assert (figures["asked"], figures["response_rate"]) == (4, 0.25)


def test_reasons_for_leaving(reader_of):
    def ended(who: str, reason: str | None, end: str = "05-05", **more: Any) -> dict[str, Any]:
        return {
            "subscription_id": who,
            "customer_id": who,
            "amount": 1,
            "started_at": at("01-01 00:00"),
            "ended_at": at(f"{end} 00:00"),
            "reason": reason,
            **more,
        }

    rows = [
        ended("a", "price"),
        ended("b", "price"),
        ended("c", None),
        ended("d", "taste", "05-06"),
        ended("e", "price"),
    ]
    rows.append({**ended("e", None), "started_at": at("05-05 00:00"), "ended_at": None})  # only the price changed
    said = answers("leaving", [None], who="z")
    said[0] |= {"choice": "moved", "customer_id": "a"}
    answer = ask(reader_of(subscriptions=rows, answers=said), "leaving_reasons", SCOPE)
    assert [(row["reason"], row["customers"], row["share"]) for row in answer.rows()] == [
        ("price", 2, pytest.approx(2 / 3)),
        ("moved", 1, pytest.approx(1 / 3)),
        ("taste", 1, pytest.approx(1 / 3)),
        (None, 1, None),
    ]
    assert (answer.figures["left"], answer.figures["with_reason"], answer.value) == (4, 3, pytest.approx(2 / 3))


def test_waiting_counts_for_as_long_as_it_has_lasted(reader_of):
    """Answered after 1, 2 and 30 hours, one waits for 100: the mean of those answered is 11 hours, the median 2."""

    def case(n: int, hours: int | None) -> dict[str, Any]:
        opened = at("06-24 20:00")
        answered = None if hours is None else opened.replace(day=24 + (20 + hours) // 24, hour=(20 + hours) % 24)
        return {
            "case_id": str(n),
            "opened_at": opened,
            "day": day("06-24"),
            "first_response_at": answered,
            "channel": "email",
        }

    reader = reader_of(cases=[case(1, 1), case(2, 2), case(3, 30), case(4, None)])
    figures = ask(reader, "first_response", SCOPE).figures
    assert (figures["cases"], figures["done"], figures["value"]) == (4, 3, 2)
    assert figures["within_24_hours"] == pytest.approx(0.5)
    assert figures["mean_of_done_hours"] == 11
    assert ask(reader, "resolution", SCOPE).reason == "median_not_reached"
    assert [row["group"] for row in ask(reader, "first_response", SCOPE, by="channel").rows()] == ["email"]
    assert ask(reader_of(), "first_response", SCOPE).reason == "no_cases"


def test_only_who_pays_for_nothing_any_more_has_left(reader_of):
    def plan(number: str, who: str, end: str | None, **more: Any) -> dict[str, Any]:
        ended_at = at(f"{end} 00:00") if end else None
        row = {"subscription_id": number, "customer_id": who, "amount": 5, "started_at": at("01-01 00:00")}
        return {**row, "ended_at": ended_at, "reason": "price", **more}

    rows = [
        plan("1", "keeps another", "05-05"),
        plan("2", "keeps another", None),
        plan("3", "never paid", "05-05", trial_ends_at=at("06-01 00:00")),
        plan("4", "was never charged", "05-05", amount=0),
        plan("5", "left twice", "05-05"),
        plan("6", "left twice", "05-06", reason="taste"),
        plan("7", "left silently", "05-07", reason=None),
    ]
    figures = ask(reader_of(subscriptions=rows), "leaving_reasons", SCOPE).figures
    assert (figures["left"], figures["with_reason"]) == (2, 1)
    silent = ask(reader_of(subscriptions=rows[-1:]), "leaving_reasons", SCOPE)
    assert (silent.value, silent.reason) == (None, "no_reasons")


def test_a_number_that_the_scale_does_not_have_is_no_answer(reader_of):
    """Not the latest one either, so that the answer before it stands."""
    good = answers("csat", [5], 5)
    typo = {**good[0], "answer_id": "typo", "score": 50, "answered_at": at("06-02 09:00")}
    figures = ask(reader_of(answers=[*good, typo]), "csat", SCOPE).figures
    assert (figures["answers"], figures["satisfied"]) == (1, 1)
    none = {**good[0], "survey": "nps", "score": -1, "scale": None}
    assert ask(reader_of(answers=[none]), "nps", SCOPE).reason == "no_answers"


def message(number: int, channel: str, **more: Any) -> dict[str, Any]:
    return {
        "message_id": str(number),
        "customer_id": "a",
        "channel": channel,
        "state": "accepted",
        "day": day("06-01"),
        "sent_at": at("06-01 09:00"),
        **more,
    }


def test_a_channel_that_tells_nothing_is_in_no_rate(reader_of):
    """Of mail some deliveries are told, of text messages none: their silence is no failure."""
    sent = [
        message(1, "email", delivered_at=at("06-01 09:01"), opened_at=at("06-02 09:00")),
        message(2, "email", delivered_at=at("06-01 09:01")),
        message(3, "email"),
        message(4, "sms"),
        message(5, "whatsapp", delivered_at=at("06-01 09:01")),
    ]
    reader = reader_of(messages=sent)
    assert ask(reader, "delivery_rate", SCOPE).value == 3 / 4
    assert ask(reader, "open_rate", SCOPE).value == 1 / 2
    only_openings = [message(1, "email", opened_at=at("06-02 09:00")), message(2, "email"), message(3, "email")]
    assert ask(reader_of(messages=only_openings), "open_rate", SCOPE).value == 1 / 3, "nothing is known to have failed"
    unnamed = [message(1, "email", delivered_at=at("06-01 10:00")), message(2, "email", programme="")]
    assert ask(reader_of(messages=unnamed), "delivery_rate", SCOPE).figures["tracked"] == 2
    silent = reader_of(messages=[message(4, "sms")])
    assert ask(silent, "delivery_rate", SCOPE).reason == "not_tracked"


def test_what_comes_a_week_later_is_left_out(reader_of):
    """So that the newest messages, which had less time, can be compared with older ones."""
    came = {"delivered_at": at("06-01 09:00")}
    sent = [message(n, "email", opened_at=at(f"06-08 {when}"), **came) for n, when in enumerate(("08:59", "09:00"))]
    assert ask(reader_of(messages=sent), "open_rate", SCOPE).figures["opened"] == 1
    assert ask(reader_of(messages=sent), "open_rate", Scope(day("06-05"), "USD", "UTC"), window_days=3).reason
