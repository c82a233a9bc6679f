"""Programmes as they stand: applied, edited, measured anew, paused, stopped."""

from __future__ import annotations

import datetime as dt
import random
import secrets
import uuid
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Connection, func, select, update
from sqlalchemy.dialects.postgresql import insert

from setia.customers.identity import keys_of
from setia.kernel.errors import SetiaError
from setia.messaging.tables import sends
from setia.programmes.journeys.models import Journey
from setia.programmes.journeys.tables import enrolments, measurements, programme_versions, programmes

MOVES: dict[str, tuple[str, ...]] = {
    "paused": ("running",),
    "running": ("paused",),
    "closed": ("running", "paused"),
    "stopped": ("running", "paused", "closed"),
}
"""From which states each state can be reached: what was closed or stopped opens again by a new measurement alone."""


class WrongState(SetiaError):
    """{name} is {found} and cannot become {wanted}: that is possible for a programme that is {possible}. One that was
    closed or stopped starts again with `setia apply {name} --new-measurement`."""

    code = "journeys.wrong_state"


class NoProgramme(SetiaError):
    """There is no programme called {name}. Running or known: {known}."""

    code = "journeys.no_programme"


@dataclass(frozen=True, slots=True)
class Chance:
    """Where randomness comes from: the salt of a measurement, ids of sends, letters of codes."""

    new_salt: Callable[[], str]
    new_id: Callable[[], str]
    choose: Callable[[str], str]

    @classmethod
    def secret(cls) -> Chance:
        """The operating system's, which nobody can guess."""
        return cls(lambda: secrets.token_hex(16), lambda: uuid.uuid4().hex, secrets.choice)

    @classmethod
    def seeded(cls, seed: int) -> Chance:
        """The same every time, for simulations and tests: never for a real shop, whose codes would be guessed."""
        source = random.Random(seed)
        return cls(lambda: f"{source.getrandbits(128):032x}", lambda: f"{source.getrandbits(128):032x}", source.choice)


@dataclass(frozen=True, slots=True)
class Running:
    """A programme as it stands in the store."""

    name: str
    version: int
    state: str
    journey: Journey
    measurement: str
    salt: str
    held_out_share: float
    started_at: dt.datetime


def apply(
    tx: Connection, journey: Journey, yaml: str, *, share: float, planned_total: int, now: dt.datetime,
    chance: Chance, new_measurement: bool = False,
) -> int:  # fmt: skip
    """Start a journey, or put its edited document in force; returns its version.

    A running measurement is kept unless a new one is asked for; that ends the journeys of the old one, so that no
    customer is in two. An unchanged document makes no new version.
    """
    own = tx.execute(select(programmes).where(programmes.c.name == journey.programme).with_for_update()).first()
    document = journey.model_dump(mode="json")
    version = own.version if own is not None else 0
    newest = tx.scalar(
        select(programme_versions.c.document).where(
            programme_versions.c.name == journey.programme, programme_versions.c.version == version
        )
    )
    if newest != document:
        version += 1
        tx.execute(
            programme_versions.insert().values(
                name=journey.programme, version=version, document=document, yaml=yaml, applied_at=now
            )
        )
    if own is not None and own.state in ("closed", "stopped") and not new_measurement:
        raise WrongState(name=own.name, found=own.state, wanted="running", possible="running, paused")
    measurement = own.measurement if own is not None and not new_measurement else None
    if measurement is None:
        _end(tx, [journey.programme], now)
        measurement = _measure(tx, journey, share, planned_total, now, chance.new_salt())
    values = {"version": version, "state": "running", "measurement": measurement, "changed_at": now}
    statement = insert(programmes).values(name=journey.programme, **values)
    tx.execute(statement.on_conflict_do_update(index_elements=["name"], set_=values))
    return version


def _measure(tx: Connection, journey: Journey, share: float, planned_total: int, now: dt.datetime, salt: str) -> str:
    m = measurements.c
    number = 1 + int(tx.scalar(select(func.count()).where(m.programme == journey.programme)) or 0)
    name = f"{journey.programme}-{number}"
    tx.execute(
        measurements.insert().values(
            id=name,
            programme=journey.programme,
            salt=salt,
            held_out_share=share,
            window_days=journey.measure.window_days,
            planned_total=planned_total,
            expected_effect=journey.measure.expected_effect,
            started_at=now,
        )
    )
    return name


def known(tx: Connection) -> list[Running]:
    """All programmes, whatever their state."""
    rows = tx.execute(
        select(programmes, programme_versions.c.document, measurements)
        .join(programme_versions, (programme_versions.c.name == programmes.c.name)
              & (programme_versions.c.version == programmes.c.version))
        .join(measurements, measurements.c.id == programmes.c.measurement)
        .order_by(programmes.c.name)
    ).all()  # fmt: skip
    return [
        Running(
            row.name,
            row.version,
            row.state,
            Journey.model_validate(row.document),
            row.measurement,
            row.salt,
            row.held_out_share,
            row.started_at,
        )
        for row in rows
    ]


def versions(tx: Connection) -> list[tuple[str, int, Journey]]:
    """Every version of every programme: those who entered on one finish on it."""
    rows = tx.execute(select(programme_versions.c.name, programme_versions.c.version, programme_versions.c.document))
    return [(name, version, Journey.model_validate(document)) for name, version, document in rows]


def find(tx: Connection, name: str) -> Running:
    """One programme. Raises NoProgramme."""
    found = known(tx)
    for running in found:
        if running.name == name:
            return running
    raise NoProgramme(name=name, known=", ".join(running.name for running in found) or "none")


def set_state(tx: Connection, name: str | None, state: str, now: dt.datetime) -> list[str]:
    """Pause, resume, close or stop one programme, or all that can be with None; returns their names.

    Raises NoProgramme, WrongState. Closing lets nobody in any more, and those inside go on to the end.

    Stopping ends every journey under way and refuses what is planned; what was already assigned stays in its
    measurement.
    """
    found = known(tx) if name is None else [find(tx, name)]
    names = [running.name for running in found if running.state in MOVES[state]]
    if name is not None and not names:
        raise WrongState(name=name, found=found[0].state, wanted=state, possible=", ".join(MOVES[state]))
    p = programmes.c
    tx.execute(update(programmes).where(p.name.in_(names)).values(state=state, changed_at=now))
    if state == "stopped":
        _end(tx, names, now)
    return names


def _end(tx: Connection, names: list[str], now: dt.datetime) -> None:
    """End every journey under way, and refuse what is planned."""
    e, s = enrolments.c, sends.c
    tx.execute(
        update(enrolments)
        .where(e.programme.in_(names), e.state == "active")
        .values(state="stopped", due_at=None, ended_at=now)
    )
    tx.execute(
        update(sends)
        .where(s.programme.in_(names), s.state == "planned")
        .values(state="refused", reason="programme_stopped", settled_at=now)
    )


def held_out(tx: Connection) -> set[str]:
    """All keys of customers in the held-out group of a measurement that is going on."""
    e = enrolments.c
    own = (
        select(e.customer_id)
        .join(programmes, programmes.c.measurement == e.measurement)
        .where(e.arm == "held_out", e.customer_id.is_not(None), programmes.c.state != "stopped")
    )
    return {str(key) for key in tx.scalars(own.union(keys_of(own)))}
