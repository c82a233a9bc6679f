"""The condition language: what it takes, what it refuses and how it says so, and what it means."""

from __future__ import annotations

import datetime as dt
import operator
from decimal import Decimal

import ibis
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import create_engine, text

from setia.conditions.condition import BadCondition, Condition
from setia.customers.traits import TRAITS, WORDS
from setia.history.scope import Scope
from setia.kernel.errors import printable

NUMBERS = ("orders", "usual_gap_days", "net_revenue")
SCHEMA = pa.schema(
    [
        ("customer_id", pa.int64()),
        ("orders", pa.int64()),
        ("usual_gap_days", pa.float64()),
        ("net_revenue", pa.decimal128(18, 4)),
        ("country", pa.string()),
        ("last_day", pa.date32()),
        ("has_email", pa.bool_()),
    ]
)
ARROW = {
    "text": pa.string(),
    "integer": pa.int64(),
    "number": pa.float64(),
    "money": pa.float64(),
    "share": pa.float64(),
    "day": pa.date32(),
    "flag": pa.bool_(),
}


def chosen(text: str, rows: list[dict]) -> set[int]:
    """The numbers of the rows in the segment, by DuckDB."""
    numbered = [{**row, "customer_id": number} for number, row in enumerate(rows)]
    table = ibis.memtable(pa.Table.from_pylist(numbered, schema=SCHEMA))
    inside = Condition.parse(text, WORDS).on(table, SCOPE)
    found = ibis.duckdb.connect().to_pyarrow(table.select("customer_id", inside=inside)).to_pylist()
    assert all(isinstance(row["inside"], bool) for row in found), "never null"
    return {row["customer_id"] for row in found if row["inside"]}


SCOPE = Scope(dt.date(2026, 3, 2), "USD", "UTC")
ROWS = [
    {"orders": 0, "country": None},
    {"orders": 1, "usual_gap_days": 0.0, "net_revenue": 10, "country": "ID", "last_day": dt.date(2026, 1, 31)},
    {"orders": 4, "usual_gap_days": 20.5, "net_revenue": -5, "country": "O'Hara", "has_email": True},
    {"orders": 9, "usual_gap_days": 7.25, "net_revenue": 900, "country": "MY", "last_day": dt.date(2026, 3, 1)},
]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("orders >= 4", {2, 3}),
        ("orders <> 4", {0, 1, 3}),
        ("orders != 4", {0, 1, 3}),
        ("orders between 1 and 4", {1, 2}),
        ("orders not between 1 and 4", {0, 3}),
        ("orders in (0, 9)", {0, 3}),
        ("orders not in (0, 9)", {1, 2}),
        ("country is null", {0}),
        ("country is not null", {1, 2, 3}),
        ("country = 'O''Hara'", {2}),
        ("country <> 'ID'", {2, 3}),
        ("last_day >= '2026-02-01'", {3}),
        ("'2026-02-01' > last_day", {1}),
        ("last_day between '2026-01-31' and '2026-02-28'", {1}),
        ("last_day > ('2026-01-31')", {3}),
        ("last_day in ('2026-03-01', '2026-03-02')", {3}),
        ("has_email", {2}),
        ("not has_email", set()),
        ("has_email is null", {0, 1, 3}),
        ("has_email = true", {2}),
        ("true", {0, 1, 2, 3}),
        ("false or orders = 1", {1}),
        ("net_revenue / orders > 2.4", {1, 3}),
        ("orders / usual_gap_days > 0", {2, 3}),
        ("orders / 0 is null", {0, 1, 2, 3}),
        ("orders * 2 + 1 - 1 >= -(-8)", {2, 3}),
        ("orders / 2 = 4.5", {3}),
        ("net_revenue < 1e1 and orders > 0", {2}),
        ("ORDERS >= 4 AND NOT Country = 'MY'", {2}),
        ("orders = 1 or orders = 4 and has_email", {1, 2}),
        ("(orders = 1 or orders = 4) and has_email", {2}),
    ],
)
def test_means(text, expected):
    assert chosen(text, ROWS) == expected


def test_names_the_traits_it_reads():
    assert Condition.parse("orders > 1 and (orders < 9 or country = 'ID')", WORDS).traits == {"orders", "country"}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("orderz > 1", "there is no trait `orderz` (character 1); did you mean `orders`?"),
        ("orders > 1 and lastday > '2026-01-01'", "no trait `lastday` (character 16); did you mean `last_day`?"),
        ("qqq = 1", "there is no trait `qqq` (character 1); docs/reference/traits.md lists them all"),
        ("orders >", "it breaks off or goes wrong"),
        ("orders > 1 and", "it breaks off or goes wrong"),
        ("(orders > 1", "it breaks off or goes wrong"),
        ("", "it breaks off or goes wrong"),
        ("   ", "it breaks off or goes wrong"),
        ("'orders", "it breaks off or goes wrong"),
        ("orders", "it is not true or false by itself; compare it with something"),
        ("orders + 1", "it is not true or false by itself"),
        ("country > 3", "`country` is a text, `3` a number"),
        ("orders = 'many'", "`orders` is a number, `'many'` a text"),
        ("has_email > 1", "`has_email` is a flag, `1` a number"),
        ("country + 1 > 2", "`country` is a text where a number is needed"),
        ("orders and has_email", "`orders` is a number where a flag is needed"),
        ("not orders", "`orders` is a number where a flag is needed"),
        ("last_day > '2026-02-30'", "'2026-02-30' is not a day such as '2026-08-31'"),
        ("last_day > '31/08/2026'", "'31/08/2026' is not a day such as '2026-08-31'"),
        ("last_day > country", "`last_day` is a day, `country` a text"),
        ("last_day > 20260831", "`last_day` is a day, `20260831` a number"),
        ("last_day + 1 > '2026-01-01'", "`last_day` is a day where a number is needed"),
        ("orders in (1, 'x')", "`orders` is a number, `'x'` a text"),
        ("orders = null", "is not part of the condition language"),
        ("has_email is true", "is not part of the condition language"),
        ("orders % 2 = 0", "is not part of the condition language"),
        ("country like 'I%'", "is not part of the condition language"),
        ("country || 'x' = 'IDx'", "is not part of the condition language"),
        ("1 < orders < 5", "`1 < orders` is a flag, `5` a number"),
        ("last_day > '20260831'", "'20260831' is not a day such as '2026-08-31'"),
        ("orders > 1 -- yes", "comments are not part of the condition language"),
        ("orders > 1;", "`;` is not part of the condition language"),
    ],
)
def test_says_what_is_wrong(text, problem):
    with pytest.raises(BadCondition) as refused:
        Condition.parse(text, WORDS)
    assert str(refused.value).startswith(f"The condition `{text}` cannot be used: ")
    assert problem in str(refused.value)


def test_shows_the_place_where_it_goes_wrong():
    with pytest.raises(BadCondition, match="near 'country'"):
        Condition.parse("orders > 1 country", WORDS)


@pytest.mark.parametrize(
    "text",
    [
        "orders > 1; drop table traits",
        "orders > 1;",
        "drop table traits",
        "select true",
        "(select true)",
        "orders > (select 1)",
        "orders in (select 1)",
        "exists (select 1)",
        "abs(orders) > 1",
        "count(*) > 1",
        "read_text('/etc/passwd') = 'x'",
        "getenv('HOME') = 'x'",
        "traits.orders > 1",
        "main.traits.orders > 1",
        "orders::text = '1'",
        "cast(orders as text) = '1'",
        "try_cast(orders as text) = '1'",
        "case when orders > 1 then true else false end",
        "orders > $1",
        "orders > ?",
        "orders > :limit",
        "orders > @limit",
        "orders > 1 union select 2",
        "orders > all (select 1)",
        "orders > any ([1])",
        "orders[1] > 1",
        "[orders] = [1]",
        "{'a': orders} = {'a': 1}",
        "orders -> 'x' = 1",
        "date '2026-01-01' < last_day",
        "interval 1 day > orders",
        "orders > 1 collate nocase",
        "x -> x > 1",
        "* > 1",
        "columns('x') > 1",
        "orders is distinct from 1",
        "orders similar to '1'",
        "orders between symmetric 4 and 1",
        "orders > 1 /* comment */",
        "orders > 1 -- comment",
        "/* comment */ orders > 1",
        "orders /* hidden */ > 1",
        "orders > 1 qualify true",
        "current_date > last_day",
        "b'1' = 'x'",
        "x'00' = country",
        "e'\\n' = country",
        "$$x$$ = country",
        "orders in ()",
        "orders // 2 = 1",
        "orders ^ 2 > 1",
        "~orders > 1",
        "orders & 1 = 1",
        "orders := 1",
        "not",
    ],
)
def test_takes_nothing_else(text):
    with pytest.raises(BadCondition):
        Condition.parse(text, WORDS)


def test_no_condition_is_too_deep_to_refuse():
    deep = "(" * 240 + "orders > 1" + ")" * 240
    with pytest.raises(BadCondition, match="deeply"):
        Condition.parse(deep, WORDS)
    long = " or ".join(f"orders = {number}" for number in range(3000))
    with pytest.raises(BadCondition, match="too long"):
        Condition.parse(long, WORDS)


def test_the_longest_condition_still_runs():
    longest = " or ".join(f"orders = {number}" for number in range(125))
    assert chosen(longest, ROWS) == {0, 1, 2, 3}


def test_sums_do_not_overflow():
    assert chosen("orders * 9223372036854775807 > 19999999999999999999", ROWS) == {2, 3}
    assert chosen("orders * 1e308 * 1e308 > 1", ROWS) == {1, 2, 3}


@given(st.text(max_size=40))
@settings(max_examples=200)
def test_any_text_is_taken_or_refused(text):
    try:
        condition = Condition.parse(text, WORDS)
    except BadCondition as refused:
        assert printable(text) in str(refused)
    else:
        assert condition.traits <= set(TRAITS)


# Against Python.

row_of = st.fixed_dictionaries(
    {
        "orders": st.integers(-3, 5),
        "usual_gap_days": st.one_of(st.none(), st.sampled_from([0.0, 0.5, 2.0, 3.0])),
        "net_revenue": st.one_of(st.none(), st.integers(-3, 5)),
        "country": st.one_of(st.none(), st.sampled_from(["ID", "MY", ""])),
        "last_day": st.one_of(st.none(), st.dates(dt.date(2026, 1, 1), dt.date(2026, 1, 5))),
        "has_email": st.one_of(st.none(), st.booleans()),
    }
)
COMPARE = {"=": operator.eq, "<>": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt,
           ">=": operator.ge}  # fmt: skip
ARITHMETIC = {"+": operator.add, "-": operator.sub, "*": operator.mul,
              "/": lambda a, b: None if b == 0 else a / b}  # fmt: skip


def strict(function, *values):
    """SQL's rule: a null goes in, a null comes out."""
    return None if None in values else function(*values)


def either(a, b):
    return True if True in (a, b) else None if None in (a, b) else False


def both(a, b):
    return False if False in (a, b) else None if None in (a, b) else True


def negated(a):
    return None if a is None else not a


def number(row, name):
    value = row[name]
    return None if value is None else float(value)


numbers = st.recursive(
    st.one_of(
        st.integers(0, 4).map(lambda n: (str(n), lambda row: float(n))),
        st.sampled_from(NUMBERS).map(lambda name: (name, lambda row: number(row, name))),
    ),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(sorted(ARITHMETIC)), inner).map(
            lambda t: (
                f"({t[0][0]} {t[1]} {t[2][0]})",
                lambda row: strict(ARITHMETIC[t[1]], t[0][1](row), t[2][1](row)),
            )
        ),
        inner.map(lambda t: (f"(-{t[0]})", lambda row: strict(operator.neg, t[1](row)))),
    ),
    max_leaves=3,
)


def _between(low, high):
    return lambda a: both(strict(operator.le, low, a), strict(operator.le, a, high))


atoms = st.one_of(
    st.tuples(numbers, st.sampled_from(sorted(COMPARE)), numbers).map(
        lambda t: (
            f"{t[0][0]} {t[1]} {t[2][0]}",
            lambda row: strict(COMPARE[t[1]], t[0][1](row), t[2][1](row)),
        )
    ),
    numbers.map(lambda t: (f"{t[0]} is null", lambda row: t[1](row) is None)),
    st.tuples(numbers, st.integers(0, 3)).map(
        lambda t: (f"{t[0][0]} between {t[1]} and 3", lambda row: _between(t[1], 3)(t[0][1](row)))
    ),
    st.tuples(st.sampled_from(NUMBERS), st.lists(st.integers(0, 4), min_size=1, max_size=3)).map(
        lambda t: (
            f"{t[0]} in ({', '.join(map(str, t[1]))})",
            lambda row: strict(lambda a: a in t[1], number(row, t[0])),
        )
    ),
    st.tuples(st.sampled_from(sorted(COMPARE)), st.sampled_from(["ID", "MY"])).map(
        lambda t: (f"country {t[0]} '{t[1]}'", lambda row: strict(COMPARE[t[0]], row["country"], t[1]))
    ),
    st.tuples(st.sampled_from(sorted(COMPARE)), st.dates(dt.date(2026, 1, 1), dt.date(2026, 1, 5))).map(
        lambda t: (f"last_day {t[0]} '{t[1]}'", lambda row: strict(COMPARE[t[0]], row["last_day"], t[1]))
    ),
    st.sampled_from([("has_email", lambda row: row["has_email"]), ("true", lambda row: True)]),
)
conditions = st.recursive(
    atoms,
    lambda inner: st.one_of(
        st.tuples(inner, inner).map(
            lambda t: (f"({t[0][0]}) and ({t[1][0]})", lambda row: both(t[0][1](row), t[1][1](row)))
        ),
        st.tuples(inner, inner).map(
            lambda t: (f"({t[0][0]}) or ({t[1][0]})", lambda row: either(t[0][1](row), t[1][1](row)))
        ),
        inner.map(lambda t: (f"not ({t[0]})", lambda row: negated(t[1](row)))),
    ),
    max_leaves=5,
)


@pytest.mark.slow
@given(condition=conditions, rows=st.lists(row_of, min_size=1, max_size=12))
@settings(max_examples=60)
def test_agrees_with_three_valued_logic(condition, rows):
    """AND, OR and NOT over unknowns as SQL has them; what is unknown at the end is outside."""
    text, python = condition
    assert chosen(text, rows) == {number for number, row in enumerate(rows) if python(row) is True}


@pytest.mark.slow
@given(a=atoms, b=atoms, rows=st.lists(row_of, min_size=1, max_size=12))
@settings(max_examples=20)
def test_agrees_with_set_algebra(a, b, rows):
    inside_a, inside_b = chosen(a[0], rows), chosen(b[0], rows)
    assert chosen(f"({a[0]}) and ({b[0]})", rows) == inside_a & inside_b
    assert chosen(f"({a[0]}) or ({b[0]})", rows) == inside_a | inside_b
    assert not chosen(f"not ({a[0]})", rows) & inside_a


TYPES = {"customer_id": "int64", "orders": "int64", "usual_gap_days": "float64", "net_revenue": "decimal(18, 4)",
         "country": "string", "last_day": "date", "has_email": "boolean"}  # fmt: skip
IN_POSTGRES = {"int64": "bigint", "float64": "double precision", "decimal(18, 4)": "numeric(18, 4)", "string": "text",
               "date": "date", "boolean": "boolean"}  # fmt: skip


@pytest.fixture(scope="module")
def postgres(server_url):
    engine = create_engine(server_url)
    with engine.connect() as connection:
        columns = ", ".join(f"{name} {IN_POSTGRES[kind]}" for name, kind in TYPES.items())
        connection.execute(text(f"create temp table people ({columns})"))
        yield connection
    engine.dispose()


@pytest.mark.slow
@given(several=st.lists(conditions, min_size=8, max_size=8), rows=st.lists(row_of, min_size=1, max_size=12))
@settings(max_examples=15)
def test_the_same_on_postgresql(postgres, several, rows):
    """Run there, on a table of traits as programmes have one, and on DuckDB: the same customers are inside."""
    postgres.execute(text("truncate people"))
    numbered = [{**dict.fromkeys(TYPES), **row, "customer_id": number} for number, row in enumerate(rows)]
    postgres.execute(text(f"insert into people values ({', '.join(f':{name}' for name in TYPES)})"), numbered)
    table = ibis.table(TYPES, name="people")
    for written, python in several:
        inside = table.filter(Condition.parse(written, WORDS).on(table, SCOPE)).select("customer_id")
        found = set(postgres.exec_driver_sql(str(ibis.to_sql(inside, dialect="postgres")).replace("%", "%%")).scalars())
        assert found == {number for number, row in enumerate(rows) if python(row) is True}, written


@pytest.mark.java
@pytest.mark.slow
@given(several=st.lists(conditions, min_size=15, max_size=15), rows=st.lists(row_of, min_size=12, max_size=12))
@settings(max_examples=4)
def test_the_same_on_spark(spark_session, several, rows):
    numbered = [{**dict.fromkeys(TYPES), **row, "customer_id": number} for number, row in enumerate(rows)]
    schema = "customer_id bigint, orders bigint, usual_gap_days double, net_revenue decimal(18, 4), country string, " \
             "last_day date, has_email boolean"  # fmt: skip
    values = [
        tuple(Decimal(v) if n == "net_revenue" and v is not None else v for n, v in row.items()) for row in numbered
    ]
    spark_session.createDataFrame(values, schema).createOrReplaceTempView("people")
    table = ibis.pyspark.connect(spark_session).table("people")
    marks = {f"c{n}": Condition.parse(written, WORDS).on(table, SCOPE) for n, (written, _python) in enumerate(several)}
    found = spark_session.sql(str(ibis.to_sql(table.select("customer_id", **marks), dialect="pyspark"))).collect()
    for n, (written, python) in enumerate(several):
        inside = {row["customer_id"] for row in found if row[f"c{n}"]}
        assert inside == {number for number, row in enumerate(rows) if python(row) is True}, written


@pytest.mark.parametrize("name", sorted(TRAITS))
def test_every_trait_can_be_asked_for(name):
    literal = {"text": "'x'", "day": "'2026-01-01'", "flag": "true"}.get(TRAITS[name].kind, "1")
    table = ibis.table({name: str(ibis.dtype(ARROW[TRAITS[name].kind]))}, name="traits")
    assert "traits" in str(ibis.to_sql(table.filter(Condition.parse(f"{name} = {literal}", WORDS).on(table, SCOPE))))
