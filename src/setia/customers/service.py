"""The customers of one shop: what is known of them, their lives, how they move, and who is one person."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

from setia.customers import flow, health_weights, identity, story
from setia.history.scope import Scope
from setia.kernel.errors import SetiaError
from setia.kernel.near import nearest
from setia.store.database import Store

if TYPE_CHECKING:
    import pyarrow as pa

    from setia.warehouse.reader import Reader


class UnknownTrait(SetiaError):
    """There is no trait {name}.{near} docs/reference/traits.md lists them all."""

    code = "customers.unknown_trait"


class Customers:
    """Traits and stages are as of the last refresh; flows are worked out for the day that is asked."""

    def __init__(
        self,
        reading: Callable[[], AbstractContextManager[Reader]],
        scope: Callable[[Any, dt.date | None], Scope],
        store: Store,
        keys_of: Callable[[str], tuple[str, ...]],
        decide: Callable[[int, str], int],
    ) -> None:
        self._reading = reading
        self._scope = scope
        self._store = store
        self._keys_of = keys_of
        self._decide = decide

    def traits(self, names: Sequence[str] | None = None) -> pa.Table:
        """One row per customer with all traits, or those that are named beside `customer_id`.

        Raises NotRefreshed, UnknownTrait.
        """
        with self._reading() as facts:
            rows: Any = facts.table("traits")
            for name in names or ():
                if name not in rows.columns:
                    meant = nearest(name, rows.columns)
                    raise UnknownTrait(name=name, near=f" Did you mean {meant}?" if meant else "")
            chosen = rows if names is None else rows.select("customer_id", *names)
            return facts.arrow(chosen.order_by("customer_id"))

    def story(self, identifier: str) -> story.Story:
        """The life of a customer, by key, e-mail address or telephone. Raises NobodyFound, NotACustomer."""
        keys = self._keys_of(identifier)
        with self._reading() as facts:
            return story.story(facts, self._scope(facts, None), keys[0], keys)

    def stage_flow(self, months: int = 6, *, as_of: dt.date | None = None) -> flow.Flow:
        """How many stood in each stage at the beginnings of months, and from which stage to which they went."""
        with self._reading() as facts:
            return flow.stage_flow(facts, self._scope(facts, as_of), months)

    def rfm(self, *, as_of: dt.date | None = None) -> flow.RfmMap:
        """The RFM map, its eleven names, and the movement between them over 30 days."""
        with self._reading() as facts:
            return flow.rfm_map(facts, self._scope(facts, as_of))

    def learn_health(self, *, as_of: dt.date | None = None) -> health_weights.LearnedWeights:
        """Weights of the health score as past endings of subscriptions teach them. Raises TooFewEndings."""
        with self._reading() as facts:
            return health_weights.learn(facts, self._scope(facts, as_of))

    def joins(self, state: str | None = None) -> list[dict[str, Any]]:
        """The log of who is one person, newest first: `id`, `customer_id`, `other_id`, `evidence`, `state` (joined,
        proposed, refused, undone, blocked, lapsed), `decided_by` (rule or person), `found_at`, `decided_at`, `note`."""
        with self._store.begin() as tx:
            return identity.listed(tx, state)

    def accept(self, number: int) -> int:
        """Say that a pair is one person; returns how many keys are another's now. Raises NoJoin, KeptApart, Busy."""
        return self._decide(number, "joined")

    def refuse(self, number: int) -> int:
        """Say that a proposed pair is two people; the same. Raises NoJoin, Busy."""
        return self._decide(number, "refused")

    def undo(self, number: int) -> int:
        """Take a join back: the two are kept apart from then on; the same. Raises NoJoin, Busy."""
        return self._decide(number, "undone")
