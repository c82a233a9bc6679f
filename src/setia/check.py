"""Looks through a workspace and says how to mend what is wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from setia.facts import FACTS
from setia.kernel.errors import SetiaError
from setia.settings import Settings
from setia.store.database import Store, StoreOutdated
from setia.warehouse import files


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at."""

    what: str
    ok: bool
    found: str
    """What was found, or how to mend it."""


def look(workspace: Path) -> list[Finding]:
    """Everything, in the order in which it must be right; stops where nothing further can be looked at."""
    findings: list[Finding] = []
    try:
        settings = Settings.read(workspace)
        findings.append(
            Finding("settings", True, f"{settings.shop.name}, {settings.shop.currency}, {settings.shop.time_zone}")
        )
        store = Store.of(workspace, settings)
    except SetiaError as problem:
        return [*findings, Finding("settings" if not findings else "store", False, str(problem))]
    try:
        for what, ask in (("store", _store), ("schema", _schema), ("files", _files(workspace)), ("engine", _engine)):
            findings.append(_answered(what, ask, store))
            if not findings[-1].ok:
                return findings
    finally:
        store.close()
    findings.append(_mail(settings))
    return findings


def _answered(what: str, ask: Callable[[Store], str], store: Store) -> Finding:
    try:
        return Finding(what, True, ask(store))
    except SetiaError as problem:
        return Finding(what, False, str(problem))


def _store(store: Store) -> str:
    with store.begin() as tx:
        version = tx.exec_driver_sql("show server_version").scalar_one()
    return f"PostgreSQL {version}"


def _schema(store: Store) -> str:
    found, needed = store.versions()
    if found != needed:
        raise StoreOutdated(found=found or "nothing", needed=needed)
    return f"version {found}"


class FilesMissing(SetiaError):
    """{count} files of the catalogue are not in {folder}, {example} among them. Bring the folder back from a backup."""

    code = "check.files_missing"


def _files(workspace: Path) -> Callable[[Store], str]:
    def ask(store: Store) -> str:
        folder = workspace / "data"
        with store.begin() as tx:
            listed = files.in_snapshot(tx)
        gone = [file.path for file in listed if not (folder / file.path).is_file()]
        if gone:
            raise FilesMissing(count=len(gone), folder=folder, example=gone[0])
        old = [file for file in listed if file.table in FACTS and file.schema_version < FACTS[file.table].version]
        rows = sum(file.rows for file in listed)
        older = f", {len(old)} of an older schema (read as they are)" if old else ""
        return f"{len(listed)} files, {rows:,} rows{older}"

    return ask


def _engine(_: Store) -> str:
    import duckdb

    return f"DuckDB {duckdb.__version__}"


def _mail(settings: Settings) -> Finding:
    if settings.email.host is None:
        return Finding("e-mail", True, "no server set: messages are rendered and not sent")
    import smtplib

    where = f"{settings.email.host}:{settings.email.port}"
    try:
        with smtplib.SMTP(settings.email.host, settings.email.port, timeout=5):
            return Finding("e-mail", True, f"{where} answers")
    except OSError as problem:
        return Finding("e-mail", False, f"{where} does not answer ({problem}); see [email] in setia.toml")
