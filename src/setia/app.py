"""The composition root: from settings to a shop that can be asked. The only place that knows every room."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path

from setia.kernel.errors import SetiaError
from setia.kernel.progress import Progress, Silent
from setia.settings import FILE, Settings, ShopSettings, template
from setia.sources.files.formats.understood import Shop as ShopFacts
from setia.sources.files.importing import FileReport, Import, ImportReport
from setia.store.database import Store
from setia.warehouse.identity import Identity, erased_fingerprints
from setia.warehouse.reader import Reader, reading
from setia.warehouse.writer import Writer, writing

Clock = Callable[[], dt.datetime]


def utc_now() -> dt.datetime:
    """The present moment."""
    return dt.datetime.now(dt.UTC)


class AlreadyAWorkspace(SetiaError):
    """{folder} already holds a Setia workspace. Choose another folder, or work with the one that is there."""

    code = "app.already_a_workspace"


class Shop:
    """One business: its workspace folder, its settings, its store and its warehouse.

    `clock` gives the present moment, zone-aware; everything that depends on time takes it from there or from an
    `as_of` argument. Close it when done, or use it in a `with` block.
    """

    def __init__(self, folder: Path, settings: Settings, store: Store, clock: Clock, progress: Progress) -> None:
        self.folder = folder
        self.settings = settings
        self.store = store
        self.clock = clock
        self.progress = progress

    @classmethod
    def open(cls, folder: str | Path, *, clock: Clock = utc_now, progress: Progress | None = None) -> Shop:
        """The shop of a workspace folder, its store running.

        Raises NotAWorkspace, BadSettings, StoreUnreachable, StoreOutdated.
        """
        folder = Path(folder).resolve()
        settings = Settings.read(folder)
        store = Store.of(folder, settings)
        store.require_current()
        return cls(folder, settings, store, clock, progress or Silent())

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
        with writing(self.store, self._data, self._scratch, self.settings.warehouse, self.progress) as writer:
            yield writer

    # Know.

    @cached_property
    def identity(self) -> Identity:
        """How this installation hides identifiers."""
        return Identity.of(self.store)

    def import_files(
        self,
        paths: Sequence[str | Path],
        *,
        mapping: Mapping[str, str] | None = None,
        strict: bool = False,
        tell: Callable[[FileReport], None] = lambda _: None,
    ) -> ImportReport:
        """Import files as one commit; `tell` hears what was understood of each before anything is written.

        Bad rows go to a file under `rejects/`, or with `strict` refuse everything. Raises one of
        `setia.sources.files.errors`; nothing is changed then.
        """
        now = self.clock()
        own = self.settings.shop
        facts = ShopFacts(own.time_zone, own.currency, self.identity)
        with self.writing() as writer:
            run = Import(
                writer,
                facts,
                erased_fingerprints(self.store),
                self.progress,
                mapping=mapping or {},
                strict=strict,
                tell=tell,
            )
            rejects = self.folder / "rejects" / f"{now:%Y%m%dT%H%M%S%f}.csv"
            return run.run([Path(path) for path in paths], rejects, now)


def init(folder: str | Path, shop: ShopSettings) -> Path:
    """Make a workspace folder with its settings file. Raises AlreadyAWorkspace."""
    folder = Path(folder)
    if (folder / FILE).exists():
        raise AlreadyAWorkspace(folder=folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / FILE).write_text(template(shop), encoding="utf-8")
    return folder
