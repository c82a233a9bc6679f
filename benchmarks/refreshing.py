"""How long `setia refresh` takes and how much memory, at several sizes of a shop.

    python benchmarks/refreshing.py --orders 100000 1000000 10000000 --runs 3 --work bench-work

Makes seeded orders (about 7.3 a customer, customers joining over two years and drifting away, values that differ
between customers) in Setia's own layout, imports them into a fresh shop, and refreshes it: metrics of the shop's
rhythm, traits of every customer, a fitted purchase model and its predictions. Making and importing are not timed.
Every refresh is a process of its own, its PostgreSQL already running. Times are of the whole process, start of Python
included, on the wall and of CPU; memory is its highest resident set, without the PostgreSQL server. The setting
`[warehouse] memory` is as in a new shop unless `--memory` says otherwise. Targets: time and memory per order do not
grow with the number of orders, and ten million orders stay under 4 GiB.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

import duckdb

import setia.app
from setia.app import Shop
from setia.settings import ShopSettings
from setia.store.server import destroy

ORDERS_EACH = 7.3
TARGET_BYTES = 4 << 30

CHILD = """
import json, resource, sys
from setia.app import Shop
with Shop.open(sys.argv[1]) as shop:
    if sys.argv[2] == "refresh":
        done = shop.refresh()
        answer = {"customers": done.customers, "reason": done.card.reason, "fit": done.card.log_likelihood}
    else:
        shop.import_files([sys.argv[2]])
        answer = {}
used = resource.getrusage(resource.RUSAGE_SELF)
print(json.dumps(answer | {"bytes": used.ru_maxrss * 1024, "cpu": used.ru_utime + used.ru_stime}))
"""

# Everything about an order follows from the numbers of its customer and itself, through seeded hashes.
ORDERS = """
    with people as (
        select i, (hash(i, 1) % 730)::int as joined, (1 + floor(-6.85 * ln(1 - hash(i, 2) % 1000000 / 1e6)))::int as n,
            least(900 - hash(i, 1) % 730, 1 - 400 * ln(1 - hash(i, 3) % 1000000 / 1e6)) as life,
            exp(3.5 + 1.2 * (hash(i, 4) % 1000000 / 1e6)) as usual
        from range({customers}) people(i)
    ), drawn as (select *, unnest(range(n)) as k from people)
    select i || '-' || k as order_id, 'C' || i as customer_id,
        timestamp '2023-01-01 09:00:00' + to_minutes(
            ((joined + if(k = 0, 0, life * (hash(i, k, 5) % 1000000 / 1e6))) * 1440)::bigint) as placed_at,
        (usual * (0.5 + hash(i, k, 6) % 1000 / 1e3))::decimal(18, 2) as total
    from drawn"""


def make(path: Path, orders: int) -> int:
    """Write about so many orders as Parquet and return how many; the same number gives the same file."""
    select = ORDERS.format(customers=round(orders / ORDERS_EACH))
    duckdb.execute(f"copy ({select}) to '{path}' (format parquet)")
    ((count,),) = duckdb.execute(f"select count(*) from read_parquet('{path}')").fetchall()
    return int(count)


@contextmanager
def fresh_shop(folder: Path, memory: str | None) -> Iterator[Path]:
    """A new shop with its store running; both are gone afterwards."""
    shutil.rmtree(folder, ignore_errors=True)
    setia.app.init(folder, ShopSettings(currency="IDR", time_zone="Asia/Jakarta"))
    if memory:
        file = folder / "setia.toml"
        file.write_text(file.read_text(encoding="utf-8").replace('memory = "1GB"', f'memory = "{memory}"'), "utf-8")
    Shop.open(folder).close()
    try:
        yield folder
    finally:
        destroy(folder)
        shutil.rmtree(folder, ignore_errors=True)


def run(folder: Path, what: str) -> tuple[float, dict[str, Any]]:
    """Do one thing in a process of its own: seconds and what it said."""
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", CHILD, str(folder), what], check=True, stdout=subprocess.PIPE, text=True
    )
    return time.perf_counter() - start, json.loads(done.stdout.splitlines()[-1])


def measure(work: Path, orders: int, runs: int, memory: str | None) -> int:
    """Print what refreshing a shop of this size takes; returns the highest memory of all runs."""
    file = work / "orders.parquet"
    made = make(file, orders)
    with fresh_shop(work / "shop", memory) as folder:
        run(folder, str(file))
        file.unlink()
        done = [run(folder, "refresh") for _ in range(runs)]
    seconds, said = [each[0] for each in done], done[0][1]
    if said["reason"]:
        raise SystemExit(f"nothing was predicted: {said['reason']}")
    if any(other["fit"] != said["fit"] for _, other in done):
        raise SystemExit("refreshing the same facts twice gave two fits")
    most, cpu = max(each[1]["bytes"] for each in done), median(each[1]["cpu"] for each in done)
    print(
        f"{made:>11,} orders, {said['customers']:>9,} customers  {median(seconds):7.2f} s "
        f"({min(seconds):.2f} to {max(seconds):.2f}), {cpu:.2f} s of CPU  {most / 2**20:6.0f} MiB  "
        f"an order: {median(seconds) / made * 1e6:.2f} µs, {cpu / made * 1e6:.2f} µs of CPU, {most / made:.0f} bytes",
        flush=True,
    )
    return most


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--orders", type=int, nargs="+", default=[100_000, 1_000_000, 10_000_000])
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--memory", help="the setting [warehouse] memory, such as 2GB")
    parser.add_argument("--work", type=Path, default=Path("bench-work"))
    given = parser.parse_args()
    work: Path = given.work.resolve()
    work.mkdir(parents=True, exist_ok=True)
    most = max(measure(work, orders, given.runs, given.memory) for orders in given.orders)
    print(f"highest memory: {most / 2**20:.0f} MiB (target: less than {TARGET_BYTES / 2**20:.0f})")


if __name__ == "__main__":
    main()
