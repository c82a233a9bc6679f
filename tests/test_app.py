"""A shop as a whole."""

from __future__ import annotations

from setia.app import Shop


def test_an_empty_shop_answers(shop: Shop) -> None:
    answers = {answer.metric: answer for answer in shop.metrics.all()}
    assert answers["retention"].figures["retention"] is None
    assert answers["retention"].reason == "history_too_short"
    assert answers["repeat_purchase"].figures["rate"] is None
    assert answers["order_value"].figures["orders"] == 0
    assert shop.refresh().customers == 0
