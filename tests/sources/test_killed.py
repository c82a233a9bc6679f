"""An import that is killed at any moment leaves the old facts or the new ones, whole."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import duckdb
import pytest

from setia.app import Shop

IMPORT = """
import sys
from setia.app import Shop
with Shop.open(sys.argv[1]) as shop:
    print("ready", flush=True)
    shop.import_files([sys.argv[2]])
"""
STATE = {
    "orders": "count(*), sum(total), count(distinct customer_id), sum(hash(o)::hugeint)",
    "order_lines": "count(*), sum(amount), sum(quantity), sum(hash(o)::hugeint)",
    "returns": "count(*), sum(amount), sum(quantity), sum(hash(o)::hugeint)",
    "customers": "count(*), sum(hash(o)::hugeint)",
    "products": "count(*), sum(hash(o)::hugeint)",
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


def run(folder: Path, file: Path, *, kill_after: float | None) -> float:
    """Import in a process of its own; returns the seconds from its readiness to its end."""
    process = subprocess.Popen([sys.executable, "-c", IMPORT, str(folder), str(file)], stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    start = time.monotonic()
    try:
        process.wait(timeout=kill_after)
        assert process.returncode == 0
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
        process.wait()
    process.stdout.close()
    return time.monotonic() - start


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
    seconds = run(shop.folder, second, kill_after=None)
    states["new"] = state(shop.folder)
    assert states["old"] != states["new"]
    random_moments = random.Random(20260302)
    outcomes: Counter[str] = Counter()
    at = "new"
    for attempt in range(16):
        # From new to old and back; a few are killed late, around the commit itself.
        goal = "old" if at == "new" else "new"
        share = random_moments.uniform(0, 0.95) if attempt % 4 else random_moments.uniform(0.8, 1.1)
        run(shop.folder, files[goal], kill_after=seconds * share)
        found = state(shop.folder)
        assert found in states.values()
        arrived = found == states[goal]
        outcomes["new" if arrived else "old"] += 1
        at = goal if arrived else at
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
