"""The composition root: from settings to a shop that can be asked. The only place that knows every room."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from decimal import Decimal
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from setia import erasure
from setia.customers.service import Customers
from setia.history.calendar import Calendar
from setia.history.sales import last_recorded_day
from setia.history.scope import Scope
from setia.joining import decide, look_for_joins, person_first
from setia.kernel.errors import SetiaError
from setia.kernel.figure import Page
from setia.kernel.i18n import Speaker
from setia.kernel.progress import Progress, Silent
from setia.messaging.ledger import opt_out
from setia.metrics.attributes import By
from setia.metrics.benchmarks import benchmarks
from setia.metrics.catalogue import metric as known
from setia.metrics.service import Metrics
from setia.metrics.variants import Variant, variants
from setia.metrics.views import add_views
from setia.metrics.watch import Target, Watched, targets, watch
from setia.predictions.foreseeing import drifts
from setia.predictions.service import Predictions
from setia.programmes.journeys.desk import Journeys
from setia.programmes.journeys.service import Chance
from setia.refresh import Refreshed, refresh, tell_facts
from setia.report.contents import Contents, Programmes, gather
from setia.report.foresight import Kept
from setia.report.pages import page
from setia.report.shelf import keep
from setia.report.story import life
from setia.segments.breakdown import Membership
from setia.segments.service import Segments
from setia.settings import PredictionSettings, Settings, init
from setia.sources.files.importing import FileReport, Import, ImportReport, Preview
from setia.sources.files.overrides import from_mapping
from setia.sources.files.overrides import read as read_overrides
from setia.sources.files.understood import Shop as ShopFacts
from setia.sources.files.values.phones import region_of
from setia.store.database import Lock, Store
from setia.warehouse.identity import Identity, erased_fingerprints
from setia.warehouse.reader import Reader, pinned, reading
from setia.warehouse.snapshot import Snapshot
from setia.warehouse.writer import Writer, writing

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql import SparkSession

    from setia.warehouse.spark import SparkReader

FIRST_PLAYBOOK = "win-back"
"""What a report plans and runs a placebo of where no programme is running."""
Clock = Callable[[], dt.datetime]


def utc_now() -> dt.datetime:
    """The present moment."""
    return dt.datetime.now(dt.UTC)


__all__ = ["RefreshFirst", "Shop", "init", "utc_now"]


class RefreshFirst(SetiaError):
    """The facts go up to the start of {wanted}, traits and predictions are as of {found}. Run `setia refresh` first,
    with the same `--as-of` if you gave one."""

    code = "app.refresh_first"


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
    def reading(self, snapshot: int | None = None, *, as_imported: bool = False) -> Iterator[Reader]:
        """A pinned snapshot of the facts, the newest unless a number is given.

        With `as_imported` customers stand under the keys of their files, whoever was found to be one person.
        """
        limits = self.settings.warehouse
        with reading(self.store, self._data, self._scratch, limits, snapshot, as_imported=as_imported) as reader:
            yield reader

    @contextmanager
    def writing(self) -> Iterator[Writer]:
        """A write to the warehouse, one at a time. Raises Busy."""
        keep = dt.timedelta(days=self.settings.warehouse.keep_snapshots_days)
        with writing(
            self.store, self._data, self._scratch, self.settings.warehouse, self.clock() - keep, self.progress
        ) as writer:
            yield writer

    def scope(self, facts: Snapshot, as_of: dt.date | None = None) -> Scope:
        """What figures hold for: by default everything up to the last recorded day. Raises NoDay."""
        own = self.settings.shop
        today = self.clock().astimezone(own.zone).date()
        margin = Decimal(str(own.margin))
        scope = Scope(
            today, own.currency, own.time_zone, self.settings.metrics, margin, self.calendar, self.settings.customers
        )
        if as_of is not None:
            return scope.at(as_of)
        day_after = dt.timedelta(days=1)
        last = last_recorded_day(facts, scope.at(today + day_after))
        return scope.at(last + day_after) if last else scope

    @property
    def calendar(self) -> Calendar:
        """The feasts of the shop's country, and what happened to it alone."""
        own = self.settings.shop
        return Calendar(own.country or region_of(own.currency), self.settings.calendar)

    # Know.

    @cached_property
    def identity(self) -> Identity:
        """How this installation hides identifiers."""
        return Identity.of(self.store)

    @cached_property
    def metrics(self) -> Metrics:
        """The metrics, asked by name."""
        return Metrics(self.reading, self.scope)

    def metrics_on(self, session: SparkSession) -> Metrics:
        """The metrics under a Spark session of the caller's, over the same files: every method as on `metrics`.

        Needs `setia[spark]` and Java 17. Raises SparkSetOtherwise for a session in another time zone than UTC.
        """
        return Metrics(partial(self._reading_spark, session), self.scope)

    @contextmanager
    def _reading_spark(self, session: SparkSession) -> Iterator[SparkReader]:
        from setia.warehouse.spark import SparkReader

        with pinned(self.store) as listed:
            reader = SparkReader(session, self._data, listed)
            try:
                yield reader
            finally:
                reader.close()

    @staticmethod
    def breakdown(by: str) -> str | By:
        """What figures are broken down by: an attribute's name, or `segment: CONDITION` for customers who met a
        condition over traits when the window began. Raises BadCondition."""
        kind, _, condition = by.partition(":")
        return Membership.of(condition.strip()) if kind == "segment" and condition else by

    def alerts(self, *, as_of: dt.date | None = None) -> list[Watched]:
        """The watched measures' newest complete week, each against what was to be expected of it."""
        with self.reading() as reader:
            return watch(reader, self.scope(reader, as_of))

    def targets(self, *, as_of: dt.date | None = None) -> list[Target]:
        """What the shop wants of its metrics, and what it got. Raises UnknownMetric."""
        with self.reading() as reader:
            return targets(reader, self.scope(reader, as_of), self.settings.targets)

    def variants(self, metric: str, *, as_of: dt.date | None = None) -> list[Variant]:
        """The other formulas in circulation for a metric, on the shop's own data. Raises UnknownMetric."""
        known(metric)
        with self.reading() as reader:
            return variants(metric, reader, self.scope(reader, as_of))

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

    def refresh(
        self, *, as_of: dt.date | None = None, model: str | None = None, from_scratch: bool = False
    ) -> Refreshed:
        """Turn what programmes did into facts, join who is one person; make traits, predictions and segments anew.

        Traits are worked out again for customers with news alone, unless `from_scratch`; the answer is the same.
        `model` stands in for the settings' own. Raises BadStage, BadOwnTrait, BadSegment.
        """
        now, how = self.clock(), self.settings.predictions
        if model is not None:
            how = PredictionSettings.model_validate({**how.model_dump(), "model": model})
        with self.writing() as writer:
            tell_facts(self.store, writer, now, self.settings.shop.time_zone)
        with self.writing() as writer, self.reading(as_imported=True) as reader:
            look_for_joins(self.store, reader, writer, now)
        with self.writing() as writer, self.reading() as reader:
            return refresh(
                reader, writer, self.store, self.folder, self.scope(reader, as_of), now, how, self.progress,
                from_scratch=from_scratch,
            )  # fmt: skip

    def sql(self, query: str) -> pa.Table:
        """The answer of DuckDB to a query over the present snapshot; files outside the workspace are out of reach."""
        with self.reading() as reader:
            add_views(reader, self.scope(reader), query)
            return reader.query(query)

    @cached_property
    def customers(self) -> Customers:
        """The customers: traits, lives, stages, who is one person."""
        return Customers(self.reading, self.scope, self.store, self._keys_of, self._decide_join)

    def story(self, identifier: str, language: str | None = None) -> Page:
        """The life of a customer as a page, by key, e-mail address or telephone. Raises NobodyFound, NotACustomer."""
        told = self.customers.story(identifier)
        return life(told, self.segments.of(told.customer_id), self._speaker(language))

    def _keys_of(self, identifier: str) -> tuple[str, ...]:
        return person_first(self.store, self._find(identifier).customer_ids)

    def _decide_join(self, number: int, state: str) -> int:
        with self.writing() as writer:
            return decide(self.store, writer, number, state, self.clock())

    # Predict.

    @cached_property
    def predictions(self) -> Predictions:
        """The predictions: back-test, model cards, drift, what customers are worth until a day."""
        own = self.settings.predictions
        return Predictions(self.reading, self.scope, self.store, own, self.clock, self.progress)

    # Decide.

    @cached_property
    def segments(self) -> Segments:
        """The segments: sizes, members, overlap."""
        return Segments(self.reading, self.scope, self.folder, self.programmes.held_out, self.programmes.opted_out)

    # Act and prove.

    @cached_property
    def programmes(self) -> Journeys:
        """The programmes: plan, apply, work, results."""
        return Journeys(self.store, self.settings, self.folder, self.reading, self.scope, self.clock, self._chance)

    def report(self, language: str | None = None, *, as_of: dt.date | None = None) -> Page:
        """The report in one language (by default the shop's), from one snapshot. Raises NotRefreshed."""
        return page(self._contents(as_of), self._speaker(language))

    def write_report(self, language: str | None = None, *, as_of: dt.date | None = None) -> Path:
        """Write the report as one HTML file under `reports/`, and its figures without personal rows as JSON.

        Returns the HTML file's path. The JSON stays for good, under the moment it was made.
        """
        (path,) = self.write_reports([self._speaker(language).language], as_of=as_of)
        return path

    def write_reports(self, languages: Sequence[str], *, as_of: dt.date | None = None) -> list[Path]:
        """The same in several languages, asking the facts once. Returns the paths in their order."""
        speakers = [self._speaker(language) for language in languages]
        contents = self._contents(as_of)
        folder = self.folder / "reports"
        return [keep(folder, page(contents, speaker), speaker, self.clock()) for speaker in speakers]

    def _speaker(self, language: str | None) -> Speaker:
        own = self.settings.shop
        return Speaker.of(language or own.language, own.currency)

    def _contents(self, as_of: dt.date | None) -> Contents:
        results = self.programmes.results()
        idle = not any(each.state == "running" for each in results)
        with self.reading() as reader:
            reader.table("traits")
        plan = self.programmes.plan(FIRST_PLAYBOOK, as_of=as_of) if idle else None
        placebo = self.programmes.placebo(FIRST_PLAYBOOK, as_of=as_of) if not results else None
        sizes = self.segments.sizes().to_pylist()
        with self.reading() as reader:
            last, scope = self.predictions.card(), self.scope(reader, as_of)
            if last is None or last[0] != scope.as_of:
                raise RefreshFirst(wanted=scope.as_of, found=last[0] if last else "an older Setia")
            said = Programmes(results, plan, placebo)
            kept = Kept(last[1], self.predictions.last_backtest(as_of=scope.as_of), drifts(self.store, reader, scope))
            ranges = benchmarks(self.settings.benchmarks)
            name, wanted = self.settings.shop.name, self.settings.targets
            return gather(reader, scope, name, kept, said, sizes, wanted, ranges, self.progress)

    # The person.

    def erase(self, identifier: str) -> int:
        """Remove a person everywhere; returns how many files were rewritten. Raises NobodyFound."""
        now = self.clock()
        with self.writing() as writer:
            tell_facts(self.store, writer, now, self.settings.shop.time_zone)
        # Nobody may be let in, mailed or copied to the contacts while a person is being removed.
        quiet = self.store.locked(Lock.WORKER, doing="working on the programmes")
        with quiet, self.writing() as writer, self.reading() as reader:
            person = self._find(identifier)
            return erasure.erase(self.store, self.folder, reader, writer, self.identity, person, now)

    def opt_out(self, identifier: str) -> None:
        """Never write to a person by e-mail again. Raises NobodyFound."""
        person = self._find(identifier)
        with self.store.begin() as tx:
            for customer_id in person.customer_ids:
                opt_out(tx, customer_id, "email", "asked", self.clock())

    def takeout(self, identifier: str) -> dict[str, Any]:
        """Everything that is held about one person. Raises NobodyFound."""
        with self.reading(as_imported=True) as imported:
            return erasure.takeout(self.store, imported, self._find(identifier))

    def _find(self, identifier: str) -> erasure.Person:
        with self.reading(as_imported=True) as imported:
            return erasure.find(imported, self.identity, identifier)
