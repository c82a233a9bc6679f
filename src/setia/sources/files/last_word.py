"""The facts of all files of one command: where they speak of the same thing, the file named last has the word."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from setia.facts import FACTS
from setia.kernel.progress import Progress
from setia.sources.files.errors import AmountsTooLarge
from setia.warehouse.duck import quoted
from setia.warehouse.writer import Replaced, StagedTables, Writer


def stage_facts(writer: Writer, exports: Sequence[Mapping[str, str]], progress: Progress) -> list[StagedTables]:
    """All facts written to files aside, from a SELECT per fact table of each export. Raises AmountsTooLarge."""
    import duckdb

    groups = [{name: _last_known(name, parts)} for name, parts in _merged(exports).items()]
    for number, parts in enumerate(_documents(exports)):
        groups.append(_last_documents(writer, number, parts) if len(parts) > 1 else parts[0])
    staged = []
    with progress.stage("tables", len(groups), "steps") as stage:
        for done, group in enumerate(groups):
            stage.advance(done)
            try:
                staged.append(writer.stage(group))
            except (duckdb.ConversionException, duckdb.OutOfRangeException) as problem:
                raise AmountsTooLarge(problem=str(problem).splitlines()[0]) from problem
        stage.advance(len(groups))
    return staged


def settle(writer: Writer, groups: Sequence[StagedTables]) -> dict[str, Replaced]:
    """Put what was staged in its place; returns what became of each table."""
    written: dict[str, Replaced] = {}
    for group in groups:
        for name, done in writer.settle(group).items():
            written[name] = written[name].and_then(done) if name in written else done
    return written


def _merged(exports: Sequence[Mapping[str, str]]) -> dict[str, list[str]]:
    """The SELECTs of tables whose rows fill each other in."""
    found: dict[str, list[str]] = {}
    for facts in exports:
        for name, select in facts.items():
            if FACTS[name].merged:
                found.setdefault(name, []).append(select)
    return found


def _documents(exports: Sequence[Mapping[str, str]]) -> list[list[dict[str, str]]]:
    """The other facts, in groups of the same tables with the same key; a group stands where its last file stands."""
    found: dict[tuple[str, ...], list[dict[str, str]]] = {}
    for facts in exports:
        by_key: dict[tuple[str, ...], dict[str, str]] = {}
        for name, select in facts.items():
            if not FACTS[name].merged:
                by_key.setdefault(FACTS[name].key, {})[name] = _once(name, select)
        for together in by_key.values():
            tables = tuple(sorted(together))
            found[tables] = [*found.pop(tables, []), together]
    return list(found.values())


def _once(name: str, select: str) -> str:
    if not FACTS[name].one_row:
        return select
    return f"select distinct on ({', '.join(map(quoted, FACTS[name].key))}) * from ({select})"


def _last_known(name: str, parts: Sequence[str]) -> str:
    """One row for each key, from all files: each column's last value that is known."""
    table = FACTS[name]
    keys = ", ".join(quoted(key) for key in table.key)
    numbered = " union all by name ".join(f"select *, {n} as part from ({part})" for n, part in enumerate(parts))
    last = "max_by({c}, (known_at, part, {c}))" if len(parts) > 1 else "max({c})"
    columns = ", ".join(f"{last.format(c=quoted(c))} as {quoted(c)}" for c in table.names() if c not in table.key)
    return f"select {keys}, {columns} from ({numbered}) group by {keys}"


def _last_documents(writer: Writer, number: int, parts: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """The facts of several files alike: a document that stands in several is taken from the last, whole."""
    keys = ", ".join(quoted(key) for key in FACTS[next(iter(parts[0]))].key)
    all_keys = " union all ".join(
        f"select {keys}, {n} as part from ({select})" for n, part in enumerate(parts) for select in part.values()
    )
    last = f"last_documents_{number}"
    writer.duck.execute(
        f"create temp table {last} as select {keys}, max(part) as part from ({all_keys}) group by {keys}"
    )
    own = f"semi join (select {keys} from {last} where part = {{n}}) using ({keys})"
    return {
        name: " union all by name ".join(
            f"select p.* from ({part[name]}) p {own.format(n=n)}" for n, part in enumerate(parts)
        )
        for name in parts[0]
    }
