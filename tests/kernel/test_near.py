"""The name that was meant."""

from __future__ import annotations

import pytest

from setia.kernel.near import nearest

KNOWN = ["retention", "returning_revenue", "order_value", "mrr"]


@pytest.mark.parametrize(
    ("asked", "meant"),
    [("retenton", "retention"), ("Retention", "retention"), ("revenue", "returning_revenue"), ("mmr", "mrr"),
     ("re", None), ("", None), ("weather", None)],
)  # fmt: skip
def test_the_name_that_was_meant(asked, meant):
    assert nearest(asked, KNOWN) == meant
