"""What many tests share: real shops on a real PostgreSQL, and the real data sets where they are at hand."""

from __future__ import annotations

import datetime as dt
import importlib.util
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from sqlalchemy import create_engine, text

import setia.app
from setia.app import Shop
from setia.facts import FACTS
from setia.settings import ShopSettings, WarehouseSettings, template
from setia.store.database import Store
from setia.store.server import PrivateServer, destroy
from setia.warehouse import duck
from setia.warehouse.files import DataFile
from setia.warehouse.reader import Reader

MakeShop = Callable[..., Shop]
ReaderOf = Callable[..., Reader]
NOW = dt.datetime(2026, 3, 2, 9, tzinfo=dt.UTC)
QUICK = '[predictions]\nmodel = "mbg_nbd"\nproducts = false\nreasons = false\n'


def pytest_configure(config: pytest.Config) -> None:
    """Hypothesis without deadlines: the machine that runs the tests may be slow.

    With SETIA_HYPOTHESIS=unshrunk a failing example is shown as it was found: shrinking whole shops takes minutes.
    """
    from hypothesis import Phase, settings

    settings.register_profile("setia", deadline=None)
    settings.register_profile("unshrunk", deadline=None, phases=(Phase.generate,))
    settings.load_profile(os.environ.get("SETIA_HYPOTHESIS", "setia"))


LONGEST = (
    "test_engines.py", "test_loop.py", "test_examples.py", "test_demo.py", "test_real_page.py", "test_crash.py",
    "test_erasure.py", "test_news.py", "test_foreseeing.py",
)  # fmt: skip
"""Files whose tests take longest: begun first, so that no worker is left alone with one of them at the end."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files first, all others in their order."""
    rank = {name: number for number, name in enumerate(LONGEST)}
    items.sort(key=lambda item: rank.get(item.path.name, len(LONGEST)))


@pytest.fixture(scope="session")
def data_set() -> Callable[[str], Path]:
    """The path of a real data set; skips where the data are not there (set SETIA_DATA to their folder)."""
    folder = Path(os.environ.get("SETIA_DATA", Path(__file__).parents[2] / "shared" / "data"))

    def find(name: str) -> Path:
        path = folder / name
        if not path.is_file():
            pytest.skip(f"the data set {name} is not at hand; set SETIA_DATA to the folder that holds it")
        return path

    return find


@pytest.fixture(scope="session")
def server_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A private server for the whole run, with a migrated template database."""
    workspace = tmp_path_factory.mktemp("server")
    url = PrivateServer.of(workspace).start()
    _execute(url, "create database setia_template")
    store = Store(url_of(url, "setia_template"))
    store.require_current()
    store.close()
    yield url
    destroy(workspace)


def url_of(url: str, database: str) -> str:
    """The same server, another database."""
    head, _, query = url.partition("?")
    return f"{head.rsplit('/', 1)[0]}/{database}?{query}"


def _execute(url: str, statement: str) -> None:
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(statement))
    engine.dispose()


_numbers = count(1)


@pytest.fixture
def new_store(server_url: str) -> Iterator[Callable[[], str]]:
    """Makes fresh, migrated databases and gives their URLs."""
    names: list[str] = []

    def make() -> str:
        names.append(f"store_{next(_numbers)}")
        _execute(server_url, f"create database {names[-1]} template setia_template")
        return url_of(server_url, names[-1])

    yield make
    for name in names:
        _execute(server_url, f"drop database {name} with (force)")


@pytest.fixture
def make_shop(server_url: str, tmp_path: Path) -> Iterator[MakeShop]:
    """Makes shops with a fresh database each: `make_shop(currency="GBP", clock=lambda: NOW, extra="[gate]…")`."""
    yield from _shops(server_url, tmp_path)


@pytest.fixture(scope="module")
def make_lasting_shop(server_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[MakeShop]:
    """The same for shops that several tests look at and none changes."""
    yield from _shops(server_url, tmp_path_factory.mktemp("lasting"))


def _shops(server_url: str, tmp_path: Path) -> Iterator[MakeShop]:
    made: list[tuple[Shop, str]] = []

    def make(*, clock: Callable[[], dt.datetime] = lambda: NOW, extra: str = "", **shop: object) -> Shop:
        name = f"shop_{next(_numbers)}"
        _execute(server_url, f"create database {name} template setia_template")
        folder = tmp_path / name
        setia.app.init(folder, ShopSettings.model_validate(shop))
        url = url_of(server_url, name)
        own = template(ShopSettings.model_validate(shop)).split("[email]")[0]
        # A test that does not ask for it neither replays the past nor looks for products at each refresh.
        quick = "" if "[predictions]" in extra else QUICK
        (folder / "setia.toml").write_text(f'{own}\n[store]\nurl = "{url}"\n{quick}{extra}\n', encoding="utf-8")
        opened = Shop.open(folder, clock=clock)
        made.append((opened, name))
        return opened

    yield make
    for opened, name in made:
        opened.close()
        _execute(server_url, f"drop database {name} with (force)")


@pytest.fixture
def shop(make_shop: MakeShop) -> Shop:
    """An empty shop in rupiah, on 2 March 2026."""
    return make_shop()


def _mailing() -> ModuleType:
    name = "setia_tests_mailing"
    if name not in sys.modules:
        path = Path(__file__).parent / "messaging" / "mailing.py"
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec is not None
        assert spec.loader is not None
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


@pytest.fixture(scope="session")
def mailing() -> ModuleType:
    """The module with mail servers, mails and silent shops."""
    return _mailing()


@pytest.fixture
def mail_server(mailing: ModuleType) -> Iterator[Any]:
    """Makes SMTP servers: `mail_server(answer)`."""
    with mailing.mail_servers() as make:
        yield make


@pytest.fixture(scope="session")
def original(mailing: ModuleType, server_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The silent shop that is copied."""
    with mailing.original_shop(server_url, tmp_path_factory.mktemp("original")) as shop:
        yield shop


@pytest.fixture
def silent_shop(mailing: ModuleType, original: Any, tmp_path: Path) -> Iterator[Any]:
    """Makes copies of the silent shop: `silent_shop(extra=…, clock=…)`."""
    with mailing.copies(original, tmp_path) as copy:
        yield copy


@pytest.fixture(scope="session")
def planned_original(mailing: ModuleType, original: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The same shop once its journey has begun."""
    with mailing.planned_shop(original, tmp_path_factory.mktemp("planned")) as shop:
        yield shop


@pytest.fixture
def planned_shop(mailing: ModuleType, planned_original: Any, tmp_path: Path) -> Iterator[Any]:
    """Makes copies of the shop whose first sends are planned."""
    with mailing.copies(planned_original, tmp_path) as copy:
        yield copy


@pytest.fixture
def reader_of(tmp_path: Path) -> Iterator[ReaderOf]:
    """Readers over facts given as SELECT statements or as rows: `reader_of(orders=[{...}], returns="select ...")`.

    Columns left out are null; where an order has no `document_id` it is its number, without `placed_at` it is noon UTC.
    """
    limits, numbers, opened = WarehouseSettings(memory="1GB"), count(), []

    def make(**facts: str | list[dict[str, Any]]) -> Reader:
        connection = duck.connect(limits, tmp_path)
        opened.append(connection)
        listed = []
        for name, rows in facts.items():
            path = tmp_path / f"{name}-{next(numbers)}.parquet"
            written = _write(connection, name, rows, path)
            listed.append(DataFile(name, None, path.name, written, FACTS[name].version))
        return Reader(connection, tmp_path, listed)

    yield make
    for connection in opened:
        connection.close()


def _write(connection: Any, name: str, rows: str | list[dict[str, Any]], path: Path) -> int:
    import pyarrow as pa

    table = FACTS[name]
    if not isinstance(rows, str):
        names = {column for row in rows for column in row} or {table.fields[0].name}
        connection.register("given", pa.table({c: [row.get(c) for row in rows] for c in names}))
        rows = "select * from given"
    blank = ", ".join(f"null::{field.kind.value} as {field.name}" for field in table.fields)
    typed = ", ".join(f"{field.name}::{field.kind.value} as {field.name}" for field in table.fields)
    select = f"select {typed} from (select {blank} where false union all by name from ({rows}))"
    if name == "orders":
        noon = "coalesce(placed_at, timezone('UTC', day + interval 12 hours)) as placed_at"
        select = f"select * replace (coalesce(document_id, order_id) as document_id, {noon}) from ({select})"
    return int(connection.execute(f"copy ({select}) to '{path}' (format parquet)").fetchall()[0][0])


@pytest.fixture(scope="module")
def spark_session() -> Iterator[Any]:
    """One Spark session on two cores, in UTC and with ANSI arithmetic."""
    if shutil.which("java") is None:
        pytest.skip("no Java on the path; Spark needs version 17 or newer")
    sql = pytest.importorskip("pyspark.sql", reason="Spark is not installed; `make spark` adds it")
    from setia.warehouse.spark import NEEDED

    os.environ["PYSPARK_PYTHON"] = sys.executable  # workers of this environment, not of the path's
    building = sql.SparkSession.builder.master("local[2]").appName("setia")
    quiet = {"spark.ui.enabled": "false", "spark.sql.shuffle.partitions": "2", "spark.driver.bindAddress": "127.0.0.1",
             "spark.driver.host": "127.0.0.1", "spark.ui.showConsoleProgress": "false", "spark.driver.memory": "3g",
             "spark.sql.autoBroadcastJoinThreshold": "-1",
             "spark.sql.execution.arrow.pyspark.enabled": "true"}  # fmt: skip
    for name, value in {**quiet, **NEEDED}.items():
        building = building.config(name, value)
    running = building.getOrCreate()
    running.sparkContext.setLogLevel("ERROR")
    yield running
    running.stop()
