"""What the states of an order mean, in the words of WooCommerce and of its exports."""

from __future__ import annotations

from setia.warehouse.duck import literal

_NO_SALE = (
    "cancelled", "canceled", "failed", "trash", "pending", "pending payment", "draft", "auto-draft", "checkout-draft",
    "dibatalkan", "batal", "gagal", "menunggu pembayaran", "menunggu bayaran",
)  # fmt: skip
_REFUNDED = ("refunded", "dikembalikan", "dana dikembalikan", "bayaran balik", "dibayar balik")


def _among(states: tuple[str, ...]) -> str:
    return f"regexp_replace(status, '^wc-', '') in ({', '.join(map(literal, states))})"


CALLED_OFF = _among(_NO_SALE)
"""Whether WooCommerce's own reports leave the order out: called off, failed, or never paid at the checkout."""
GIVEN_BACK = _among(_REFUNDED)
"""Whether all of it was paid back."""
