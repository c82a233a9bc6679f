"""What `make demo` runs, on files that anybody has."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from setia.store.server import destroy


def demo(folder: Path, *arguments: str) -> str:
    command = [sys.executable, "-m", "setia.demo", "--folder", str(folder), "--serve", "0", *arguments]
    # One of the three looks back before it predicts; the others take what the settings name.
    how = (
        {}
        if "--language" in arguments
        else {"SETIA_PREDICTIONS__MODEL": "mbg_nbd", "SETIA_PREDICTIONS__REASONS": "false"}
    )
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, cwd=folder.parent, env={**os.environ, **how}
    )
    assert done.returncode == 0, done.stderr
    destroy(folder)
    return done.stdout


@pytest.mark.slow
def test_the_simulated_shop_goes_through_the_whole_loop(tmp_path: Path) -> None:
    said = demo(tmp_path / "demo", "--customers", "300", "--weeks", "2", "--language", "ms")
    for step in ("Know:", "Decide:", "Act:", "Prove:", "The simulator knows the truth"):
        assert step in said
    for language in ("en", "id", "ms"):
        assert (tmp_path / "demo" / "reports" / f"report-{language}.html").stat().st_size > 20_000
    assert "report-ms.html" in said.splitlines()[-1]


@pytest.mark.slow
@pytest.mark.data
@pytest.mark.parametrize(
    ("name", "options", "counts"),
    [
        ("online_retail", ("--currency", "GBP", "--time-zone", "Europe/London"), ("541,909", "5,268 exact duplicates")),
        ("cdnow_master", ("--currency", "USD", "--time-zone", "America/New_York"), ("69,659", "255 exact duplicates")),
    ],
)
def test_a_file_of_the_users_own_goes_as_far_as_the_data_allow(
    tmp_path: Path, data_set: Callable[[str], Path], name: str, options: tuple[str, ...], counts: tuple[str, ...]
) -> None:
    """Without addresses the mails are rendered and not sent, and a placebo at a past date shows nothing."""
    orders = tmp_path / f"{name}.csv"
    duckdb.sql(f"copy (from '{data_set(f'{name}.parquet')}') to '{orders}'")
    said = demo(tmp_path / "demo", "--orders", str(orders), *options)
    for count in counts:
        assert count in said
    assert "0 can be reached" in said
    assert "rendered, not sent" in said
    assert "is not shown" in said
    outbox = sorted((tmp_path / "demo" / "outbox").iterdir())
    assert len(outbox) == 6
    assert "{{" not in "".join(file.read_text(encoding="utf-8") for file in outbox)


def test_a_folder_that_is_no_demonstration_is_left_alone(tmp_path: Path) -> None:
    folder = tmp_path / "letters"
    folder.mkdir()
    (folder / "letter.txt").write_text("dear Ayu", encoding="utf-8")
    orders = tmp_path / "empty.csv"
    orders.write_text("", encoding="utf-8")
    command = [sys.executable, "-m", "setia.demo", "--folder", str(folder), "--serve", "0", "--orders", str(orders)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "is empty" in done.stderr
    assert (folder / "letter.txt").read_text(encoding="utf-8") == "dear Ayu"
    destroy(folder)
