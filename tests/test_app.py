"""A shop as a whole."""

from __future__ import annotations

from setia.app import Shop


def test_an_empty_shop_answers(shop: Shop) -> None:
    answers = {answer.metric: answer for answer in shop.metrics.all()}
    assert answers["retention"].value is None
    assert answers["retention"].reason == "no_orders"
    assert answers["repeat_purchase"].value is None
    assert answers["order_value"].figures["orders"] == 0
    assert shop.refresh().customers == 0
