"""One shop of each place for a whole test function, emptied between examples: making one takes too long."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from setia.app import Shop

from .model import Place


@pytest.fixture
def emptied(make_shop: Callable[..., Shop]) -> Callable[[Place], Shop]:
    """The shop of a place, without any facts."""
    shops: dict[str, Shop] = {}

    def empty(place: Place) -> Shop:
        if place.zone not in shops:
            shops[place.zone] = make_shop(currency=place.currency, time_zone=place.zone)
        shop = shops[place.zone]
        with shop.store.begin() as tx:
            tx.exec_driver_sql("delete from fact_files")
        return shop

    return empty
