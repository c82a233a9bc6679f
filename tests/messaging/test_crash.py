"""Workers that are killed: nothing is mailed twice, nothing disappears."""

from __future__ import annotations

import csv
import os
import random
import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from setia.messaging.tables import sends
from setia.programmes.journeys.tables import enrolments


@pytest.fixture
def nursery(mailing: Any) -> Iterator[Any]:
    made = mailing.Nursery()
    yield made
    made.close()


def codes_in(content: bytes) -> list[str]:
    return re.findall(r"COME-[2-9A-Z]{9}", content.decode())


WORK = "shop.programmes.work()"


class Killer:
    """Kills the worker at the nth time that a verb is heard, or after a time; and reads codes.csv at each mail."""

    def __init__(self, nursery: Any) -> None:
        self.nursery = nursery
        self.verb, self.countdown = "", 0
        self.killed_after_text: list[str] = []
        self.codes_file = Path()
        self.unlisted: list[str] = []
        self.last_mail = lambda: b""

    def arm(self, verb: str, countdown: int) -> None:
        self.verb, self.countdown = verb, countdown

    def __call__(self, verb: str, argument: str, talk: Any) -> str | None:
        if verb == "END":
            with self.codes_file.open(newline="") as file:
                listed = {row["code"] for row in csv.DictReader(file)}
            self.unlisted += [code for code in codes_in(self.last_mail()) if code not in listed]
        if verb == self.verb:
            self.countdown -= 1
            if self.countdown == 0:
                if verb == "END":
                    self.killed_after_text.append(argument)
                self.nursery.kill()
                return "hang up"
        return None


def patiently(attempt: Callable[[], bool]) -> None:
    """Until it succeeds: the database may not have noticed yet that the worker before is gone."""
    for _ in range(50):
        if attempt():
            return
        time.sleep(0.2)
    raise AssertionError("it never succeeds")


def run(shop: Any, nursery: Any, moment: Any) -> int:
    nursery.start(shop.folder, moment, WORK)
    return int(nursery.wait())


def killed(shop: Any, nursery: Any, killer: Killer, verb: str, nth: int, seconds: float) -> bool:
    """Whether a worker was killed: at the nth time of a verb, or earlier after so many seconds."""
    killer.arm(verb, nth)
    nursery.start(shop.folder, shop.clock(), WORK)
    timer = threading.Timer(seconds, nursery.kill)
    timer.start()
    status = nursery.wait()
    timer.cancel()
    return os.WIFSIGNALED(status)


@pytest.mark.slow
def test_kills_at_any_point_neither_double_nor_lose(
    silent_shop: Any, mail_server: Any, mailing: Any, nursery: Any
) -> None:
    killer = Killer(nursery)
    server = mail_server(killer)
    killer.last_mail = lambda: server.received[-1][1]
    shop = silent_shop(extra=mailing.smtp(server.port))
    killer.codes_file = shop.folder / "exports" / "codes.csv"
    shop.programmes.apply("come-back")
    # By the clock of the worker, or at a verb of the server; never so late that a round sends all that is left.
    draw = random.Random(11)
    verbs = [("END", 3), ("MAIL", 2), ("RCPT", 4), ("DATA", 1), ("END", 1), ("HELLO", 1), ("END", 5)]
    rounds = [*((verb, nth, 60.0) for verb, nth in verbs), *(("END", 4, draw.uniform(0.05, 1.5)) for _ in range(6))]
    draw.shuffle(rounds)
    for verb, nth, seconds in rounds:
        patiently(lambda how=(verb, nth, seconds): killed(shop, nursery, killer, *how))
    killer.arm("", 0)
    patiently(lambda: run(shop, nursery, mailing.NOW) == 0)

    with shop.store.begin() as tx:
        states = {row.customer_id: row.state for row in tx.execute(select(sends).where(sends.c.step == 1))}
        arms = {row.customer_id: row.arm for row in tx.execute(select(enrolments))}
        codes = set(tx.scalars(select(sends.c.code).where(sends.c.code.is_not(None))))
    assert len(arms) == mailing.PEOPLE
    assert states.keys() == {customer for customer, arm in arms.items() if arm == "treated"}
    assert set(states.values()) <= {"accepted", "unknown"}
    received = Counter(address.split("@")[0].upper() for address in server.to())
    assert max(received.values()) == 1
    assert set(received) <= states.keys()
    assert {customer for customer, state in states.items() if state == "accepted"} <= set(received)
    assert set(states) - set(received) <= {customer for customer, state in states.items() if state == "unknown"}
    assert killer.killed_after_text
    for address in killer.killed_after_text:
        customer = address.split("@")[0].upper()
        assert (states[customer], received[customer]) == ("unknown", 1)
    assert sum(state == "unknown" for state in states.values()) <= len(rounds)
    mailed = {code for _to, content in server.received for code in codes_in(content)}
    assert len(mailed) == len(received)
    assert mailed <= codes
    assert killer.unlisted == []
