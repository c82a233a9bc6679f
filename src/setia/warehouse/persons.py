"""One person, one key: facts of customers who were found to be the same person, shown under one of their keys.

Which keys are one person stands in the derived table `same_person`; the files of facts stay as they were imported, so
that a join can be undone. The SQL here is the same for DuckDB and Spark.
"""

from __future__ import annotations

from setia.facts import FACTS, FactTable

SAME_PERSON = "same_person"
"""`customer_id` and the `person_id` that stands for it; only customers who are known under several keys are there."""
_FIRST, _LAST = ("created_at",), ("email_optout_at", "known_at")


def is_joined(table: str) -> bool:
    """Whether a table's rows belong to customers."""
    return table in FACTS and "customer_id" in FACTS[table].names()


def as_one(table: FactTable, source: str, same_person: str) -> str:
    """The SELECT that shows a fact table under the keys of persons, from two table expressions."""
    if table.name == "customers":
        return _merged_people(table, source, same_person)
    columns = ", ".join(
        "coalesce(p.person_id, f.customer_id) as customer_id" if name == "customer_id" else f"f.{name}"
        for name in table.names()
    )
    joined = f"select {columns} from {source} f left join {same_person} p on f.customer_id = p.customer_id"
    return joined if table.name != "exposures" else _first_exposure(table, source, same_person)


def _first_exposure(table: FactTable, source: str, same_person: str) -> str:
    """Who took part under several keys took part under the one that came first: its arm holds."""
    columns = ", ".join("person_id as customer_id" if name == "customer_id" else name for name in table.names())
    listed = ", ".join(f"f.{name}" for name in table.names())
    place = (
        "row_number() over (partition by coalesce(p.person_id, f.customer_id, f.exposure_id), f.measurement "
        "order by f.exposed_at, f.exposure_id)"
    )
    return (
        f"select {columns} from (select {listed}, coalesce(p.person_id, f.customer_id) as person_id, "
        f"p.person_id is not null and {place} > 1 as is_later "
        f"from {source} f left join {same_person} p on f.customer_id = p.customer_id) x where not is_later"
    )


def _merged_people(table: FactTable, source: str, same_person: str) -> str:
    """One row per person: of each column what was learned last, but when they first and last did something.

    A consent is an address's: that of another address than the one that is shown does not show. An opt-out does.
    """

    def merged(name: str) -> str:
        if name == "customer_id":
            return "person_id as customer_id"
        if name in _FIRST:
            return f"min({name}) as {name}"
        if name in _LAST:
            return f"max({name}) as {name}"
        if name == "email_consent_at":
            return f"max({name}) filter (where email is null or lower(email) = lower(shown)) as {name}"
        return f"max_by({name}, place) filter (where {name} is not null) as {name}"

    names = table.names()
    alone = ", ".join(f"f.{name}" for name in names)
    ranked = (
        f"select p.person_id, f.*, row_number() over (partition by p.person_id "
        f"order by f.known_at is not null, f.known_at, f.customer_id) as place "
        f"from {source} f join {same_person} p on f.customer_id = p.customer_id"
    )
    shown = (
        f"select person_id as whose, max_by(email, place) filter (where email is not null) as shown from ({ranked}) a"
    )
    return (
        f"select {alone} from {source} f left join {same_person} p on f.customer_id = p.customer_id "
        f"where p.person_id is null union all select {', '.join(map(merged, names))} "
        f"from ({ranked}) r join ({shown} group by person_id) s on s.whose = r.person_id group by person_id"
    )
