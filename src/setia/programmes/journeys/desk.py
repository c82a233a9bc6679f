"""The desk from which a shop runs its journeys: plan, apply, preview, work, pause, stop, results."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Row

from setia.channels.email import EmailChannel
from setia.channels.port import Message
from setia.customers import contacts
from setia.history.scope import Scope
from setia.kernel.errors import SetiaError
from setia.kernel.i18n import LANGUAGES, Speaker
from setia.messaging import codes
from setia.messaging.gate import Rules
from setia.messaging.ledger import deliver
from setia.messaging.render import Letter, Offer, Written, language_of, write
from setia.programmes.journeys import audience, moves, planning, service
from setia.programmes.journeys.models import Journey, OfferSpec, load
from setia.programmes.journeys.placebo import Placebo, placebo
from setia.programmes.journeys.planning import Plan
from setia.programmes.journeys.results import Result, result
from setia.programmes.journeys.service import Chance, Running
from setia.settings import Settings
from setia.store.database import Lock, Store

if TYPE_CHECKING:
    from setia.warehouse.reader import Reader

OLDEST_FACTS_DAYS = 10
"""Facts may be this old before the desk stops writing to people who may long have ordered again."""


class NoMailServer(SetiaError):
    """No mail server is set, so nothing can be sent. Put `host` under `[email]` in setia.toml; `setia preview` shows
    the messages meanwhile."""

    code = "journeys.no_mail_server"


class FactsTooOld(SetiaError):
    """The newest order is of {day}, {days} days ago. Somebody may have ordered since: import newer orders first."""

    code = "journeys.facts_too_old"


class NoSuchStep(SetiaError):
    """{programme} has no step {step}: it has {steps}."""

    code = "journeys.no_such_step"


class NotSent(SetiaError):
    """The test message was not taken: {detail}."""

    code = "journeys.not_sent"


@dataclass(frozen=True, slots=True)
class Worked:
    """What one round of work did."""

    entered: int
    ordered: int
    planned: int
    sent: Counter[str]


class Journeys:
    """The journeys of one shop."""

    def __init__(
        self,
        store: Store,
        settings: Settings,
        folder: Path,
        reading: Callable[[], AbstractContextManager[Reader]],
        scope: Callable[[Reader, dt.date | None], Scope],
        clock: Callable[[], dt.datetime],
        chance: Chance,
    ) -> None:
        self._store = store
        self._settings = settings
        self._folder = folder
        self._reading = reading
        self._scope = scope
        self._clock = clock
        self._chance = chance

    # Before.

    def load(self, name: str) -> tuple[Journey, str]:
        """A journey by file, by name in the workspace's `programmes/`, or a playbook, and its YAML."""
        return load(name, self._folder / "programmes")

    def plan(self, name: str, *, as_of: dt.date | None = None) -> Plan:
        """Whom a programme would reach, what it may cost, the smallest effect it could show. Changes nothing."""
        journey, _yaml = self.load(name)
        with self._reading() as reader:
            own = self._settings.shop
            return planning.plan(reader, journey, self._scope(reader, as_of), currency=own.currency, margin=own.margin)

    def placebo(self, name: str, *, as_of: dt.date | None = None) -> Placebo | None:
        """An A/A placebo of the programme at a past date."""
        journey, _yaml = self.load(name)
        with self._reading() as reader:
            scope = self._scope(reader, as_of)
            bought, n = planning.look_back(reader, journey, scope)
            share = planning.share_for(journey, n, bought / n if n else None).share
            return placebo(reader, journey, scope, share, f"placebo-{journey.programme}-{scope.as_of}")

    def preview(self, name: str, step: int, language: str, customer: str = "Ayu") -> Written:
        """One message as a customer would get it, with a made-up code."""
        journey, _yaml = self.load(name)
        if not 1 <= step <= len(journey.steps):
            raise NoSuchStep(step=step, programme=journey.programme, steps=len(journey.steps))
        offer = journey.steps[step - 1].offer
        expires = self._clock() + dt.timedelta(days=journey.steps[step - 1].valid_days)
        code = None if offer.kind == "none" else f"{journey.code_prefix}-2345ABCDE"
        return self._written(journey, step, language, customer, _offer(offer), code, expires)

    def test_send(self, name: str, step: int, language: str, to: str) -> None:
        """Send one message to an address of the shop's own, outside ledger and measurement. Raises NotSent."""
        written = self.preview(name, step, language)
        channel = self._channel()
        try:
            outcome = channel.send(Message(f"test-{self._chance.new_id()}", to, *_parts(written)))
        finally:
            channel.close()
        if outcome.kind != "accepted":
            raise NotSent(detail=outcome.detail or outcome.kind)

    # During.

    def apply(self, name: str, *, new_measurement: bool = False) -> Running:
        """Start a programme or put its edited file in force, with the held-out share that `plan` gives."""
        journey, yaml = self.load(name)
        for step in range(1, len(journey.steps) + 1):
            for language in LANGUAGES:
                self.preview(name, step, language)
        plan = self.plan(name)
        now = self._clock()
        alone = self._store.locked(Lock.WORKER, doing="working on the programmes")
        with alone, self._reading() as reader, self._store.begin() as tx:
            service.apply(
                tx, journey, yaml, share=plan.share, planned_total=plan.planned_total, now=now, chance=self._chance,
                new_measurement=new_measurement,
            )  # fmt: skip
            contacts.sync(tx, reader)
            running = service.find(tx, journey.programme)
        copy = self._folder / "programmes" / f"{journey.programme}.yaml"
        if not copy.exists():
            copy.parent.mkdir(exist_ok=True)
            copy.write_text(yaml, encoding="utf-8")
        return running

    def set_state(self, name: str | None, state: str) -> list[str]:
        """Pause, resume (`running`) or stop a programme, or all with None."""
        with self._store.begin() as tx:
            return service.set_state(tx, name, state, self._clock())

    def work(self, *, send: bool = True) -> Worked:
        """One round: let in whoever is due, move everybody on, send what may go. Safe to repeat and to kill.

        One process at a time, so that no code leaves before it stands in the file. Raises FactsTooOld, Busy,
        NoMailServer.
        """
        with self._store.locked(Lock.WORKER, doing="working on the programmes"):
            return self._round(send)

    def _round(self, send: bool) -> Worked:
        now = self._clock()
        self._require_fresh_facts(now)
        entered = self._enter(now)
        with self._store.begin() as tx:
            ordered = moves.end_ordered(tx, now)
        own = self._settings.shop
        planned = moves.advance(self._store, now, own.currency, own.margin, self._chance)
        with self._store.begin() as tx:
            codes.export(tx, self._folder / "exports" / "codes.csv", now)
        return Worked(entered, ordered, planned, self._deliver() if send else Counter())

    def _require_fresh_facts(self, now: dt.datetime) -> None:
        """Nobody enters and nobody is written to on facts so old that many may have ordered since."""
        with self._store.begin() as tx:
            if all(each.state == "stopped" for each in service.known(tx)):
                return
        today = now.astimezone(self._settings.shop.zone).date()
        with self._reading() as reader:
            newest = self._scope(reader, None).last_day
        if (today - newest).days > OLDEST_FACTS_DAYS:
            raise FactsTooOld(day=newest, days=(today - newest).days)

    def _enter(self, now: dt.datetime) -> int:
        with self._store.begin() as tx:
            running = [each for each in service.known(tx) if each.state == "running"]
        if not running:
            return 0
        today = now.astimezone(self._settings.shop.zone).date()
        entered = 0
        with self._reading() as reader:
            scope = self._scope(reader, today)
            for each in running:
                rows = audience.entering(reader, reader.table("traits"), each.journey, scope, reachable=True)
                found = reader.arrow(rows.select("customer_id")).column(0).to_pylist()
                with self._store.begin() as tx:
                    entered += moves.enter(tx, each, sorted(found), now)
        return entered

    def _deliver(self) -> Counter[str]:
        gate, shop = self._settings.gate, self._settings.shop
        rules = Rules(shop.zone, gate.quiet_from, gate.quiet_until, gate.most_per_week)
        documents: dict[tuple[str, int], Journey] = {}
        with self._store.begin() as tx:
            for name, version, journey in service.versions(tx):
                documents[name, version] = journey

        def compose(send: Row[Any], contact: Row[Any]) -> Written:
            journey = documents[send.programme, send.version]
            language = language_of(contact.language, shop.language)
            offer = Offer(send.offer["kind"], float(send.offer["value"]), send.offer.get("text"))
            expires = dt.datetime.fromisoformat(send.offer["expires_at"]) if send.code else None
            name = contact.name or Speaker.of(language)("customer")
            return self._written(journey, send.step, language, name, offer, send.code, expires)

        return deliver(self._store, self._channel(), rules, moves.standing, compose, self._clock)

    def _channel(self) -> EmailChannel:
        if self._settings.email.host is None:
            raise NoMailServer
        return EmailChannel(self._settings.email)

    def _written(
        self, journey: Journey, step: int, language: str, name: str, offer: Offer, code: str | None,
        expires: dt.datetime | None,
    ) -> Written:  # fmt: skip
        shop, email = self._settings.shop, self._settings.email
        spec = journey.steps[step - 1]
        speaker = Speaker.of(language, shop.currency)
        letter = Letter(
            name=name,
            shop=shop.name,
            offer=offer,
            code=code,
            expires_at=expires.astimezone(shop.zone).date() if expires else None,
            unsubscribe=email.unsubscribe or "",
            postal_address=email.postal_address,
        )
        return write(spec.subject[speaker.language], spec.body[speaker.language], letter, speaker, step)

    def held_out(self) -> set[str]:
        """The customers whom programmes that are going on may not reach, so that their effect can be seen."""
        with self._store.begin() as tx:
            return service.held_out(tx)

    def opted_out(self) -> set[tuple[str, str]]:
        """Who asked to stop, by key and channel."""
        with self._store.begin() as tx:
            return contacts.opted_out(tx)

    # After.

    def results(self, name: str | None = None) -> list[Result]:
        """What each programme caused so far, or one of them. Raises NoProgramme."""
        with self._reading() as reader, self._store.begin() as tx:
            found = service.known(tx) if name is None else [service.find(tx, name)]
            # What happened after the last recorded day is not known yet, so no window is over by the clock alone.
            known_until = min(self._clock(), self._scope(reader, None).until)
            return [result(tx, reader, running, known_until) for running in found]


def _offer(spec: OfferSpec) -> Offer:
    return Offer(spec.kind, float(spec.value), {str(k): v for k, v in spec.text.items()} if spec.text else None)


def _parts(written: Written) -> tuple[str, str, str]:
    return written.subject, written.text, written.html
