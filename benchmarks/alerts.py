"""How often an alert is false, and how often a real break is seen, on simulated shops.

    python benchmarks/alerts.py --shops 10 --customers 3000 --weeks 110 --work bench-work

Shops in which nothing happens but what the calendar brings (Ramadan and Lebaran, 11.11 and 12.12, paydays, the weeks
after New Year) and one without any season are imported, and every watched measure is judged in each of the last weeks
as it would have been at the end of that week. Whatever alerts is false. Then the newest week's figure is moved by so many
per cent (of a share: of its odds), and the same judgement counts how often that is seen.
"""

from __future__ import annotations

import argparse
import datetime as dt
import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import setia.app
from setia.app import Shop
from setia.history.scope import Scope
from setia.metrics.catalogue import METRICS
from setia.metrics.measure import Measure
from setia.metrics.watch import SCALES, WATCHED, Point, judge, series
from setia.settings import ShopSettings
from setia.simulate import ShopSettings as SimulatedSettings
from setia.simulate import SimulatedShop
from setia.store.server import destroy

FALLS = (-0.2, -0.35, -0.5)


def shops(given: argparse.Namespace, season: bool) -> Iterator[tuple[Shop, dt.date]]:
    """Imported shops, and the day after their last."""
    for seed in range(1, given.shops + 1):
        folder = given.work.resolve() / f"alerts-{seed}"
        shutil.rmtree(folder, ignore_errors=True)
        settings = SimulatedSettings(seed=seed, customers=given.customers, weeks_of_history=given.weeks, season=season)
        source = SimulatedShop(settings)
        files = source.history(folder / "facts")
        setia.app.init(folder / "shop", ShopSettings(currency="IDR", time_zone="Asia/Jakarta"))
        try:
            with Shop.open(folder / "shop", clock=lambda source=source: source.now) as shop:
                shop.import_files(files)
                yield shop, settings.start + dt.timedelta(weeks=given.weeks)
        finally:
            destroy(folder / "shop")
            shutil.rmtree(folder, ignore_errors=True)


def moved(measure: Measure, past: Sequence[Point], by: float) -> list[Point]:
    """The newest figure moved; of a share its odds, of a score by so many points of a hundred."""
    newest, scale = past[-1], SCALES[measure.unit]
    if newest.value is None:
        return list(past)
    if measure.unit == "share":
        odds = newest.value / (1 - newest.value) if newest.value < 1 else 1e3
        value = odds * (1 + by) / (1 + odds * (1 + by))
    elif measure.unit == "score":
        value = scale.back(newest.value + 100 * by)
    else:
        value = newest.value * (1 + by)
    return [*past[:-1], replace(newest, value=value)]


def count(given: argparse.Namespace, season: bool) -> None:
    """Judge and print."""
    judged: Counter[str] = Counter()
    unknown: Counter[str] = Counter()
    alarms: Counter[str] = Counter()
    seen: Counter[tuple[str, float]] = Counter()
    for shop, until in shops(given, season):
        with shop.reading() as reader:
            scope: Scope = shop.scope(reader, until)
            for name in WATCHED:
                measure = METRICS[name]
                assert isinstance(measure, Measure)
                if not all(reader.rows(table) for table in measure.needs):
                    continue
                past = series(measure, reader, scope, 7)
                for end in range(max(1, len(past) - given.judged), len(past) + 1):
                    then = replace(scope, as_of=past[end - 1].window.until)
                    verdict = judge(measure, then, past[:end])
                    if verdict.judgement == "unknown":
                        unknown[name] += 1
                        continue
                    judged[name] += 1
                    alarms[name] += verdict.alerts
                    for by in FALLS:
                        seen[name, by] += judge(measure, then, moved(measure, past[:end], by)).alerts
        print(".", end="", flush=True)
    total = sum(judged.values())
    print(f"\n{given.shops} shops {'with' if season else 'without'} seasons, {total:,} judgements, {sum(unknown.values()):,} "
          f"weeks not judged: {sum(alarms.values())} false alarms, {1000 * sum(alarms.values()) / total:.1f} in 1,000")  # fmt: skip
    print(
        f"  {'measure':<20} {'judged':>7} {'unknown':>8} {'false':>6}" + "".join(f"{f'{by:+.0%}':>8}" for by in FALLS)
    )
    for name in judged:
        found = "".join(f"{seen[name, by] / judged[name]:8.0%}" for by in FALLS)
        print(f"  {name:<20} {judged[name]:>7} {unknown[name]:>8} {alarms[name]:>6}{found}", flush=True)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shops", type=int, default=10)
    parser.add_argument("--customers", type=int, default=3000)
    parser.add_argument("--weeks", type=int, default=110)
    parser.add_argument("--judged", type=int, default=60, help="the last so many weeks")
    parser.add_argument("--work", type=Path, default=Path("bench-work"))
    given = parser.parse_args()
    for season in (True, False):
        count(given, season)


if __name__ == "__main__":
    main()
