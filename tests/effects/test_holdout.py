"""Assignment is a pure function with known values, equal in Python and in SQL."""

from __future__ import annotations

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import chdtrc

from setia.effects.holdout import BUCKETS, ImpossibleShareError, arm, bucket, bucket_sql

IDS = [f"C-{i}" for i in range(20_000)]


@pytest.mark.parametrize(("customer", "expected"), [("C-1", 158), ("C-2", 7788), ("C-3", 5572)])
def test_known_buckets(customer, expected):
    assert bucket("setia:global-2026Q1", customer) == expected


def test_a_known_digest():
    """SHA-256 of "s:1" starts 1b25f38c1aa85."""
    assert bucket("s", "1") == 0x1B25F38C1AA85 % 10_000


def test_sql_says_what_python_says():
    ids = [*IDS[:5_000], "", " ", "ümlaut", "顧客", "o'brien", 'a"b', "😀", "a:b"]
    salt = "sälty:'; drop"
    with duckdb.connect() as connection:
        connection.execute('create table "who is" as select unnest($ids::varchar[]) as "customer id"', {"ids": ids})
        query = f'select "customer id", {bucket_sql("salt", "who is.customer id")} from "who is"'
        rows = connection.execute(query, {"salt": salt}).fetchall()
    assert sorted(rows) == sorted((customer, bucket(salt, customer)) for customer in ids)


def test_sql_keeps_null_and_reads_numbers_as_text():
    with duckdb.connect() as connection:
        query = f"select {bucket_sql('$salt', 'id')} from (values (null), (17)) t(id)"
        assert connection.execute(query, {"salt": "s"}).fetchall() == [(None,), (bucket("s", "17"),)]


def test_a_parameter_is_a_name_not_sql():
    with pytest.raises(ValueError, match="parameter"):
        bucket_sql("'x') --", "id")


@given(st.text(max_size=20), st.text(max_size=20))
def test_every_bucket_is_in_range_and_stays(salt, customer):
    assert 0 <= bucket(salt, customer) == bucket(salt, customer) < BUCKETS


def test_buckets_are_uniform_and_salts_independent():
    """Chi-square over 100 bins, and over the 10 by 10 table of two salts, both with 99 degrees of freedom."""
    bins, table = [0] * 100, [0] * 100
    for customer in IDS:
        first, second = bucket("first", customer), bucket("second", customer)
        bins[first // 100] += 1
        table[first // 1_000 * 10 + second // 1_000] += 1
    for counts in (bins, table):
        assert chdtrc(99, sum((count - 200) ** 2 / 200 for count in counts)) > 0.001


def test_shares_are_met_to_the_bucket():
    for share, held_out in ((0, 0), (0.1, 1_000), (0.29, 2_900), (0.0001, 1), (0.5, 5_000), (1, 10_000)):
        assert sum(arm(b, share) == "held_out" for b in range(BUCKETS)) == held_out


@given(st.integers(0, BUCKETS - 1), st.floats(0, 1), st.floats(0, 1))
def test_a_growing_share_keeps_its_members(place, one, other):
    small, large = sorted((one, other))
    if arm(place, small) == "held_out":
        assert arm(place, large) == "held_out"


@pytest.mark.parametrize("share", [-0.1, 1.1, float("nan")])
def test_an_impossible_share_is_refused(share):
    with pytest.raises(ImpossibleShareError) as refusal:
        arm(0, share)
    assert refusal.value.code == "effects.share"
    assert str(share) in str(refusal.value)
