"""A simulated shop and a real installation week by week: orders in, messages out, customers react to what arrived."""

from __future__ import annotations

import datetime as dt
from email.message import EmailMessage
from pathlib import Path

from sqlalchemy import select

from setia.app import Shop, init
from setia.demo.mailbox import Mailbox
from setia.kernel.progress import Progress
from setia.messaging.tables import sends
from setia.programmes.journeys.service import Chance
from setia.programmes.journeys.tables import enrolments
from setia.refresh import Refreshed
from setia.settings import PredictionSettings, ShopSettings
from setia.simulate import ArrivedMail, Enrolment, PlannedMail, SimulatedShop

WITHOUT_QUIET_HOURS = """
[gate]
quiet_from = 08:00:00
quiet_until = 08:00:00
most_per_week = 7
"""
"""The simulated clock jumps a week at a time, so its messages leave at one moment, whatever the hour."""

QUICK = PredictionSettings(model="mbg_nbd", products=False, reasons=False)
"""Sixty weeks in as many seconds: nobody reads what would be predicted in each of them."""


class Loop:
    """One simulated shop on one real workspace. Use it in a `with` block; `week` moves both clocks on."""

    def __init__(
        self,
        folder: Path,
        simulated: SimulatedShop,
        mailbox: Mailbox,
        shop: ShopSettings,
        *,
        store_url: str | None = None,
        seed: int = 0,
        progress: Progress | None = None,
    ) -> None:
        self.simulated = simulated
        self._mailbox = mailbox
        self._files = folder / "simulated"
        self._week = 0
        self._programme = ""
        init(folder, shop)
        settings = folder / "setia.toml"
        own = settings.read_text(encoding="utf-8").split("[email]")[0]
        mail = f'[email]\nhost = "127.0.0.1"\nport = {mailbox.port}\nsecurity = "none"\n'
        store = f'[store]\nurl = "{store_url}"\n' if store_url else ""
        settings.write_text(f"{own}{mail}{WITHOUT_QUIET_HOURS}{store}", encoding="utf-8")
        self.shop = Shop.open(folder, clock=lambda: simulated.now, progress=progress, chance=Chance.seeded(seed))
        self._settings = self.shop.settings
        self.shop.settings = self._settings.model_copy(update={"predictions": QUICK})

    def __enter__(self) -> Loop:
        return self

    def __exit__(self, *_: object) -> None:
        self.shop.close()

    def begin(self, programme: str) -> None:
        """Import the history, refresh, start a programme and do the first round."""
        self.shop.import_files(self.simulated.history(self._files / "history"))
        self.shop.refresh()
        self._programme = programme
        self.shop.programmes.apply(programme)
        self.shop.programmes.work()

    def week(self, *, work: bool = True) -> None:
        """Let customers live a week with the mails that arrived, and import it; with `work` refresh and do a round."""
        self._week += 1
        mails = [self._arrived(mail) for mail in self._mailbox.collect()]
        files = self.simulated.tick(self._files / f"week-{self._week:03d}", [mail for mail in mails if mail])
        self.shop.import_files(files)
        if work:
            self.shop.refresh()
            self.shop.programmes.work()

    def look_ahead(self) -> Refreshed:
        """Refresh with everything that the weeks did without: the back-test, products, reasons."""
        self.shop.settings = self._settings
        return self.shop.refresh()

    def _arrived(self, mail: EmailMessage) -> ArrivedMail | None:
        """What an arrived mail means to the simulated customer, by the send that its Message-ID names."""
        send_id = str(mail["Message-ID"]).strip("<>").partition("@")[0]
        with self.shop.store.begin() as tx:
            send = tx.execute(select(sends).where(sends.c.id == send_id)).one()
        expires = send.offer.get("expires_at")
        return ArrivedMail(
            customer_id=send.customer_id,
            step=send.step,
            arrived_at=send.attempted_at,
            offer_kind=send.offer["kind"],
            offer_value=float(send.offer["value"]),
            code=send.code,
            expires_at=dt.datetime.fromisoformat(expires) if expires else None,
        )

    def enrolled(self, measurement: str) -> list[Enrolment]:
        """Everybody in a measurement, both arms, with the mails of the ladder that each would get.

        The offers are those of the document, rung by rung: the simulator's customers are worth the whole ladder.
        """
        with self.shop.store.begin() as tx:
            rows = tx.execute(
                select(enrolments.c.customer_id, enrolments.c.entered_at).where(
                    enrolments.c.measurement == measurement, enrolments.c.customer_id.is_not(None)
                )
            ).all()
        journey, _yaml = self.shop.programmes.load(self._programme)
        mails = tuple(
            PlannedMail(step.after_days, number, step.offer.kind, float(step.offer.value))
            for number, step in enumerate(journey.steps, start=1)
        )
        return [Enrolment(row.customer_id, row.entered_at, mails) for row in rows]
