"""The composition root: from settings to a shop that can be asked. The only place that knows every room."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from setia import erasure
from setia.kernel.errors import SetiaError
from setia.kernel.figure import Page
from setia.kernel.i18n import Speaker
from setia.kernel.progress import Progress, Silent
from setia.messaging.ledger import opt_out
from setia.metrics.answer import Scope
from setia.metrics.purchases import last_recorded_day
from setia.metrics.service import Metrics
from setia.predictions.service import ModelName
from setia.programmes.journeys.desk import Journeys
from setia.programmes.journeys.service import Chance
from setia.refresh import Refreshed, last_card, refresh, tell_facts
from setia.report.contents import gather
from setia.report.html import as_json, render
from setia.report.pages import page, without_personal_rows
from setia.settings import FILE, Settings, ShopSettings, template
from setia.sources.files.importing import FileReport, Import, ImportReport, Preview
from setia.sources.files.overrides import from_mapping
from setia.sources.files.overrides import read as read_overrides
from setia.sources.files.understood import Shop as ShopFacts
from setia.sources.files.values.phones import region_of
from setia.store.database import Lock, Store
from setia.warehouse.identity import Identity, erased_fingerprints
from setia.warehouse.reader import Reader, reading
from setia.warehouse.writer import Writer, writing

if TYPE_CHECKING:
    import pyarrow as pa

FIRST_PLAYBOOK = "win-back"
"""What a report plans and runs a placebo of where no programme is running."""
Clock = Callable[[], dt.datetime]


def utc_now() -> dt.datetime:
    """The present moment."""
    return dt.datetime.now(dt.UTC)


class RefreshFirst(SetiaError):
    """The facts go up to the start of {wanted}, traits and predictions are as of {found}. Run `setia refresh` first,
    with the same `--as-of` if you gave one."""

    code = "app.refresh_first"


class AlreadyAWorkspace(SetiaError):
    """{folder} already holds a Setia workspace. Choose another folder, or work with the one that is there."""

    code = "app.already_a_workspace"


class Shop:
    """One business: its workspace folder, its settings, its store and its warehouse.

    `clock` gives the present moment, zone-aware; everything that depends on time takes it from there or from an
    `as_of` argument. Close it when done, or use it in a `with` block.
    """

    def __init__(
        self, folder: Path, settings: Settings, store: Store, clock: Clock, progress: Progress, chance: Chance
    ) -> None:
        self.folder = folder
        self.settings = settings
        self.store = store
        self.clock = clock
        self.progress = progress
        self._chance = chance

    @classmethod
    def open(
        cls,
        folder: str | Path,
        *,
        clock: Clock = utc_now,
        progress: Progress | None = None,
        chance: Chance | None = None,
    ) -> Shop:
        """The shop of a workspace folder, its store running.

        Raises NotAWorkspace, BadSettings, StoreUnreachable, StoreOutdated.
        """
        folder = Path(folder).resolve()
        settings = Settings.read(folder)
        watcher = progress or Silent()
        store = Store.of(folder, settings, watcher.say)
        store.require_current()
        return cls(folder, settings, store, clock, watcher, chance or Chance.secret())

    def __enter__(self) -> Shop:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give back the store's connections; a private server goes on running."""
        self.store.close()

    # The two doors of the warehouse.

    @property
    def _data(self) -> Path:
        return self.folder / "data"

    @property
    def _scratch(self) -> Path:
        return self.folder / "scratch"

    @contextmanager
    def reading(self, snapshot: int | None = None) -> Iterator[Reader]:
        """A pinned snapshot of the facts, the newest unless a number is given."""
        with reading(self.store, self._data, self._scratch, self.settings.warehouse, snapshot) as reader:
            yield reader

    @contextmanager
    def writing(self) -> Iterator[Writer]:
        """A write to the warehouse, one at a time. Raises Busy."""
        keep = dt.timedelta(days=self.settings.warehouse.keep_snapshots_days)
        with writing(
            self.store, self._data, self._scratch, self.settings.warehouse, self.clock() - keep, self.progress
        ) as writer:
            yield writer

    def scope(self, reader: Reader, as_of: dt.date | None = None) -> Scope:
        """What figures hold for: by default everything up to the last recorded day."""
        own = self.settings.shop
        if as_of is None:
            today = self.clock().astimezone(own.zone).date()
            last = last_recorded_day(reader, own.time_zone, today)
            as_of = last + dt.timedelta(days=1) if last else today
        return Scope(as_of, own.currency, own.time_zone)

    # Know.

    @cached_property
    def identity(self) -> Identity:
        """How this installation hides identifiers."""
        return Identity.of(self.store)

    @cached_property
    def metrics(self) -> Metrics:
        """The metrics, asked by name."""
        return Metrics(self.reading, self.scope)

    def import_files(
        self,
        paths: Sequence[str | Path],
        *,
        mapping: Mapping[str, object] | Path | None = None,
        strict: bool = False,
        tell: Callable[[FileReport], None] = lambda _: None,
        confirm: Callable[[Preview], bool] = lambda _: True,
    ) -> ImportReport:
        """Import files as one commit; `tell` hears what was understood of each before anything is written.

        `mapping` overrides that: roles to columns, or the path of a mapping file. `confirm` sees everything with its
        totals last and may still refuse; Declined is raised then.

        Bad rows go to a file under `rejects/`, or with `strict` refuse everything. Raises one of
        `setia.sources.files.errors`; nothing is changed then.
        """
        now = self.clock()
        own = self.settings.shop
        overrides = read_overrides(mapping) if isinstance(mapping, Path) else from_mapping(mapping or {})
        region = own.country or region_of(own.currency)
        facts = ShopFacts(own.time_zone, own.currency, region, self.identity, own.staff)
        fingerprints = erased_fingerprints(self.store)
        with self.writing() as writer:
            run = Import(
                writer, facts, fingerprints, self.progress,
                overrides=overrides, strict=strict, tell=tell, confirm=confirm,
            )  # fmt: skip
            rejects = self.folder / "rejects" / f"{now:%Y%m%dT%H%M%S%f}.csv"
            return run.run([Path(path) for path in paths], rejects, now)

    def refresh(self, *, as_of: dt.date | None = None, model: ModelName = "mbg_nbd") -> Refreshed:
        """Turn what programmes did into facts; make traits and predictions of every customer anew."""
        now = self.clock()
        with self.writing() as writer:
            tell_facts(self.store, writer, now, self.settings.shop.time_zone)
        with self.writing() as writer, self.reading() as reader:
            return refresh(reader, writer, self.scope(reader, as_of), now, model, self.progress)

    def sql(self, query: str) -> pa.Table:
        """The answer of DuckDB to a query over the present snapshot; files outside the workspace are out of reach."""
        with self.reading() as reader:
            return reader.query(query)

    # Act and prove.

    @cached_property
    def programmes(self) -> Journeys:
        """The programmes: plan, apply, work, results."""
        return Journeys(self.store, self.settings, self.folder, self.reading, self.scope, self.clock, self._chance)

    def report(self, language: str | None = None, *, as_of: dt.date | None = None) -> Page:
        """The report in one language (by default the shop's), from one snapshot. Raises NotRefreshed."""
        own = self.settings.shop
        speaker = Speaker.of(language or own.language, own.currency)
        results = self.programmes.results()
        idle = not any(each.state == "running" for each in results)
        with self.reading() as reader:
            reader.table("traits")
        plan = self.programmes.plan(FIRST_PLAYBOOK, as_of=as_of) if idle else None
        placebo = self.programmes.placebo(FIRST_PLAYBOOK, as_of=as_of) if not results else None
        with self.reading() as reader:
            card = last_card(self.store)
            if self.scope(reader, as_of).as_of.isoformat() != card["as_of"]:
                raise RefreshFirst(wanted=self.scope(reader, as_of).as_of, found=card["as_of"])
            return page(gather(reader, self.scope(reader, as_of), own.name, card, results, plan, placebo), speaker)

    def write_report(self, language: str | None = None, *, as_of: dt.date | None = None) -> Path:
        """Write the report as one HTML file under `reports/`, and its figures without personal rows as JSON.

        Returns the HTML file's path. The JSON stays for good, under the moment it was made.
        """
        own = self.settings.shop
        speaker = Speaker.of(language or own.language, own.currency)
        made = self.report(language, as_of=as_of)
        folder = self.folder / "reports"
        folder.mkdir(exist_ok=True)
        figures = {**as_json(without_personal_rows(made)), "made_at": self.clock().isoformat()}
        kept = folder / f"{self.clock():%Y%m%dT%H%M%S}-{speaker.language}.json"
        kept.write_text(json.dumps(figures, ensure_ascii=False, indent=1), encoding="utf-8")
        target = folder / f"report-{speaker.language}.html"
        target.write_text(render(made, speaker), encoding="utf-8")
        return target

    # The person.

    def erase(self, identifier: str) -> int:
        """Remove a person everywhere; returns how many files were rewritten. Raises NobodyFound."""
        now = self.clock()
        with self.writing() as writer:
            tell_facts(self.store, writer, now, self.settings.shop.time_zone)
        # Nobody may be let in, mailed or copied to the contacts while a person is being removed.
        quiet = self.store.locked(Lock.WORKER, doing="working on the programmes")
        with quiet, self.writing() as writer, self.reading() as reader:
            person = erasure.find(reader, self.identity, identifier)
            return erasure.erase(self.store, self.folder, reader, writer, self.identity, person, now)

    def opt_out(self, identifier: str) -> None:
        """Never write to a person by e-mail again. Raises NobodyFound."""
        with self.reading() as reader:
            person = erasure.find(reader, self.identity, identifier)
        with self.store.begin() as tx:
            for customer_id in person.customer_ids:
                opt_out(tx, customer_id, "email", "asked", self.clock())

    def takeout(self, identifier: str) -> dict[str, Any]:
        """Everything that is held about one person. Raises NobodyFound."""
        with self.reading() as reader:
            return erasure.takeout(self.store, reader, erasure.find(reader, self.identity, identifier))


def init(folder: str | Path, shop: ShopSettings) -> Path:
    """Make a workspace folder with its settings file. Raises AlreadyAWorkspace."""
    folder = Path(folder)
    if (folder / FILE).exists():
        raise AlreadyAWorkspace(folder=folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / FILE).write_text(template(shop), encoding="utf-8")
    return folder
