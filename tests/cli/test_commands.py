"""The command line as a person meets it: a real process, a real workspace with its own server."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from setia.store.server import destroy

SETIA = Path(sys.executable).with_name("setia")
Run = Callable[..., subprocess.CompletedProcess[str]]

ORDERS = """Order No,Customer,Date,Total
1,ayu@example.com,05/01/2026,150000
2,ayu@example.com,07/02/2026,90000
3,Budi,09/01/2026,75000
4,Siti,11/01/2026,60000
5,Siti,21/02/2026,oops
"""


def command(*arguments: str, cwd: Path, ok: bool = True) -> subprocess.CompletedProcess[str]:
    done = subprocess.run([SETIA, *arguments], cwd=cwd, capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr, done.stderr
    if ok:
        assert done.returncode == 0, done.stderr
    return done


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("cli") / "toko kopi"
    command("init", str(folder), "--name", "Kopi Setia", "--language", "id", cwd=folder.parent)
    (folder / "orders.csv").write_text(ORDERS, encoding="utf-8")
    done = command("import", "orders.csv", cwd=folder)
    assert "Order log" in done.stdout
    assert "dibaca sebagai hari/bulan/tahun" in done.stdout
    assert "1 baris yang tidak bisa dibaca" in done.stdout
    command("refresh", cwd=folder)
    yield folder
    destroy(folder)


def test_help_names_every_step(tmp_path: Path) -> None:
    shown = command("--help", cwd=tmp_path).stdout
    for step in ("init", "import", "metrics", "refresh", "report", "plan", "apply", "results", "stop", "check", "erase",
                 "takeout", "sql"):  # fmt: skip
        assert f"\n  {step} " in shown


def test_a_second_import_changes_nothing(workspace: Path) -> None:
    assert "Nothing new" in command("import", "orders.csv", "--lang", "en", cwd=workspace).stdout


def test_rejects_name_row_column_and_reason(workspace: Path) -> None:
    rejects = sorted((workspace / "rejects").glob("*.csv"))[0].read_text(encoding="utf-8")
    assert "orders.csv,6,Total,unreadable" in rejects
    assert "oops" in rejects


def test_strict_refuses_with_exit_code_2(workspace: Path) -> None:
    done = command("import", "--strict", "orders.csv", cwd=workspace, ok=False)
    assert done.returncode == 2
    assert "the first in row 6" in done.stderr


def test_metrics_as_json(workspace: Path) -> None:
    answers = {a["metric"]: a for a in json.loads(command("metrics", "--json", cwd=workspace).stdout)}
    assert answers["repeat_purchase"]["figures"]["customers"] == 3
    assert answers["repeat_purchase"]["figures"]["repeat_customers"] == 1
    assert answers["order_value"]["figures"]["orders"] == 4


def test_a_metric_explains_itself(workspace: Path) -> None:
    shown = command("metrics", "repeat_purchase", "--why", "--variants", "--lang", "ms", cwd=workspace).stdout
    assert "Kadar pembelian berulang" in shown
    assert "customers" in shown and "33.3" in shown
    assert "\nSELECT" in shown.upper()
    listed = command("metrics", "--list", "--lang", "id", cwd=workspace).stdout
    assert "repeat_purchase" in listed and "Tingkat" in listed and "purchase rate" not in listed


def test_the_customers_behind_a_count(workspace: Path) -> None:
    shown = command("metrics", "repeat_purchase", "--customers", "repeat_customers", cwd=workspace).stdout
    (customer_id,) = shown.splitlines()
    assert customer_id in command("sql", "--csv", "select customer_id from customers where email = 'ayu@example.com'",
                                  cwd=workspace).stdout  # fmt: skip


def test_a_metric_over_time_as_csv(workspace: Path) -> None:
    shown = command("metrics", "order_value", "--every", "month", "--last", "2", "--as-of", "2026-03-01", "--csv",
                    cwd=workspace).stdout  # fmt: skip
    rows = list(csv.DictReader(shown.splitlines()))
    assert [(row["period_from"], Decimal(row["value"])) for row in rows] == [
        ("2026-01-01", 95_000),
        ("2026-02-01", 90_000),
    ]


def test_alerts_say_what_is_watched(workspace: Path) -> None:
    (workspace / "setia.toml").write_text(
        (workspace / "setia.toml").read_text(encoding="utf-8") + "\n[targets]\nrepeat_purchase = 0.5\n",
        encoding="utf-8",
    )
    shown = command("alerts", "--lang", "en", cwd=workspace).stdout
    assert "Repeat purchase rate" in shown and "50" in shown
    assert command("alerts", "--fail", cwd=workspace, ok=False).returncode in (0, 1)


def test_report_in_the_language_asked_for(workspace: Path) -> None:
    path = Path(command("report", "--lang", "ms", cwd=workspace).stdout.strip().splitlines()[-1])
    page = path.read_text(encoding="utf-8")
    assert 'lang="ms"' in page
    assert "Kadar pembelian berulang" in page
    assert "Kadar pembelian berulang" in command("report", "--lang", "ms", "--terminal", cwd=workspace).stdout
    kept = json.loads(sorted((workspace / "reports").glob("*-ms.json"))[-1].read_text(encoding="utf-8"))
    assert "people" not in [figure["name"] for section in kept["sections"] for figure in section["figures"]]


def test_sql_reaches_the_snapshot_and_nothing_else(workspace: Path) -> None:
    shown = command("sql", "--csv", "select count(*) as n from orders", cwd=workspace).stdout
    assert shown.splitlines()[1:] == ["4"]
    refused = command("sql", "select * from read_csv('/etc/hostname')", cwd=workspace, ok=False)
    assert refused.returncode == 2


def test_check_finds_everything_in_order(workspace: Path) -> None:
    shown = command("check", cwd=workspace).stdout
    for what in ("settings", "store", "schema", "files", "engine", "e-mail"):
        assert what in shown
    assert "!!" not in shown


def test_plan_preview_and_refusals(workspace: Path) -> None:
    assert "held out" in command("plan", "win-back", cwd=workspace).stdout
    assert "Kode Anda: BACK-" in command("preview", "--step", "2", cwd=workspace).stdout
    missing = command("plan", "no-such-thing", cwd=workspace, ok=False)
    assert missing.returncode == 2
    assert "win-back" in missing.stderr
    unsent = command("test-send", "me@example.com", cwd=workspace, ok=False)
    assert unsent.returncode == 2
    assert "[email]" in unsent.stderr


def test_takeout_names_everything_held(workspace: Path) -> None:
    held = json.loads(command("takeout", "ayu@example.com", cwd=workspace).stdout)
    assert held["facts"]["customers"][0]["email"] == "ayu@example.com"
    assert len(held["facts"]["orders"]) == 2


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("import", "missing.csv"), "There is no file"),
        (("refresh", "--as-of", "yesterday"), "is not a day"),
        (("takeout", "nobody@example.com"), "Nobody is known"),
        (("report", "--lang", "fr"), "does not speak fr"),
        (("metrics", "--shop", "/nowhere/at/all"), "setia init"),
        (("metrics", "repeat_purchas"), "repeat_purchase"),
        (("metrics", "revenue"), "returning_revenue"),
        (("metrics", "repeat_purchase", "--customers", "repeat_customer"), "repeat_customers"),
        (("metrics", "order_value", "--every", "fortnight"), "week"),
        (("metrics", "order_value", "--by", "citty"), "city"),
        (("metrics", "order_value", "--align", "lebarann"), "lebaran"),
    ],
)
def test_bad_input_gets_one_sentence(workspace: Path, arguments: tuple[str, ...], said: str) -> None:
    done = command(*arguments, cwd=workspace, ok=False)
    assert done.returncode == 2
    assert said in " ".join(done.stderr.split())
