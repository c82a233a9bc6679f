"""An import that is killed at any moment leaves the old facts or the new ones, whole."""

from __future__ import annotations

import multiprocessing
import random
import time
from collections import Counter
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import duckdb
import pytest

from setia.app import Shop

STATE = {
    "orders": "count(*), sum(total), count(distinct customer_id), sum(hash(o)::hugeint)",
    "order_lines": "count(*), sum(amount), sum(quantity), sum(hash(o)::hugeint)",
    "returns": "count(*), sum(amount), sum(quantity), sum(hash(o)::hugeint)",
    # The older file does not take back what the newer said of people and products.
    "customers": "count(*), count(country)",
    "products": "count(*), count(name)",
}


def write(path: Path, *, extra: int, where: str) -> None:
    """60,000 lines of 15,000 orders over 18 months; the same numbers give the same lines."""
    duckdb.execute(f"""copy (
        select case when o % 50 = 0 then 'C' else '' end || (100000 + o) as invoice_no, 'c' || o % 4000 as customer_id,
            timestamp '2024-01-01' + to_minutes((o * 52 + {extra} * 60000)::bigint) as invoice_date,
            'p' || (o * 7 + l) % 300 as sku, case when o % 50 = 0 then -1 else 1 end * (1 + l + {extra}) as quantity,
            (1 + (o + l) % 90) * 1.25 as unit_price, 'country ' || (o % 5 + {extra}) as country
        from range(15000) a(o), range(4) b(l) where {where}) to '{path}' (format csv)""")


def state(folder: Path) -> dict[str, Any]:
    with Shop.open(folder) as shop, shop.reading() as reader:
        return {t: reader.duck.execute(f"select {figures} from {t} o").fetchall() for t, figures in STATE.items()}


def import_one(folder: Path, file: Path, said: Connection) -> None:
    """What the process that is killed does."""
    with Shop.open(folder) as shop:
        said.send("begun")
        shop.import_files([file])
        said.send("done")


class Processes:
    """Real processes that come into being quickly: each is forked off one that has loaded the libraries."""

    def __init__(self) -> None:
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(["setia.app", "duckdb", "pyarrow.parquet"])

    def run(self, folder: Path, file: Path, *, kill_after: float) -> tuple[float, bool]:
        """Import a file; returns the seconds it ran and whether it was killed before it had finished."""
        hears, says = self._context.Pipe(duplex=False)
        process = self._context.Process(target=import_one, args=(folder, file, says))
        process.start()
        says.close()
        assert hears.recv() == "begun"
        start = time.monotonic()
        finished = hears.poll(kill_after)
        process.kill()
        process.join()
        hears.close()
        return time.monotonic() - start, not finished


@pytest.mark.slow
def test_a_killed_import_leaves_the_old_or_the_new_state(make_shop: Any, tmp_path: Path) -> None:
    shop = make_shop()
    first, second = tmp_path / "first.csv", tmp_path / "second.csv"
    write(first, extra=0, where="true")
    # Every other order again: other amounts and days, the last line missing.
    write(second, extra=1, where="o % 2 = 0 and l < 3")
    files = {"old": first, "new": second}
    shop.import_files([first])
    states = {"old": state(shop.folder)}
    processes = Processes()
    seconds, killed = processes.run(shop.folder, second, kill_after=60)
    assert not killed
    states["new"] = state(shop.folder)
    assert states["old"] != states["new"]
    moments = random.Random(20260302)
    outcomes: Counter[str] = Counter()
    at = "new"
    for attempt in range(16):
        goal = "old" if at == "new" else "new"
        # Three of four are killed somewhere on the way, the others about the end.
        share = moments.uniform(0, 0.9) if attempt % 4 else moments.uniform(0.9, 1.6)
        took, killed = processes.run(shop.folder, files[goal], kill_after=seconds * share)
        found = state(shop.folder)
        assert found in states.values()
        assert killed or found == states[goal]
        outcomes["new" if found == states[goal] else "old"] += 1
        at = goal if found == states[goal] else at
        # This machine may be quicker now than it was.
        seconds = seconds if killed else took
    assert outcomes["old"] >= 8, outcomes
    # What the killed ones left is swept by the next import, which succeeds.
    goal = "old" if at == "new" else "new"
    shop.import_files([files[goal]])
    assert state(shop.folder) == states[goal]
    with shop.writing():
        pass
    on_disk = {str(p.relative_to(shop.folder / "data")) for p in (shop.folder / "data").rglob("*.parquet")}
    with shop.store.begin() as tx:
        known = {row[0] for row in tx.exec_driver_sql("select path from fact_files")}
    assert on_disk == known
    assert not list((shop.folder / "scratch").glob("write-*"))
    print(f"killed imports: {dict(outcomes)}")
