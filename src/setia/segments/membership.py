"""Who was in a segment when a window began: figures broken down by a condition over traits."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from typing import TYPE_CHECKING, Any

from setia.customers import traits
from setia.customers.rhythm import shop_gap_days
from setia.kernel.errors import SetiaError
from setia.kernel.i18n import N_
from setia.segments.condition import Condition

if TYPE_CHECKING:
    from setia.history.scope import Scope
    from setia.history.windows import Spans
    from setia.warehouse.snapshot import Snapshot


class NoWindowBegins(SetiaError):
    """This metric has no windows at whose beginning somebody could be in a segment. Take an attribute instead."""

    code = "segments.no_window_begins"


class PredictedThen(SetiaError):
    """The condition reads {traits}, and what was predicted when the window began is not kept. Leave predictions out."""

    code = "segments.predicted_then"


@dataclass(frozen=True, slots=True)
class Membership:
    """Puts customers `in` a segment or `out` of it as things stood when each window began, never by what followed."""

    condition: Condition
    name: str = "segment"
    title: str = N_("Segment when the window began")

    @classmethod
    def of(cls, text: str) -> Membership:
        """Of a condition's text. Raises BadCondition, PredictedThen."""
        condition = Condition.parse(text)
        predicted = sorted(condition.traits & traits.PREDICTED)
        if predicted:
            raise PredictedThen(traits=", ".join(predicted))
        return cls(condition)

    def joined(self, facts: Snapshot, scope: Scope, spans: Spans | None, rows: Any) -> Any:
        """Rows that have a `window` and a `customer_id`, with their `group`. Raises NoWindowBegins."""
        if spans is None:
            raise NoWindowBegins
        members = reduce(
            lambda one, other: one.union(other),
            [self._at_start(facts, scope.at(window.since), place) for place, window in enumerate(spans.windows)],
        )
        found = rows.left_join(
            members, [rows.customer_id == members.member_id, rows.window == members.member_window]
        ).select(*rows.columns, "member_id")
        return found.mutate(group=found.member_id.notnull().ifelse("in", "out")).drop("member_id")

    def _at_start(self, facts: Snapshot, then: Scope, place: int) -> Any:
        import ibis

        known: Any = traits.judged(traits.observed(facts, then, shop_gap_days(facts, then)))
        inside = known.filter(self.condition.on(known))
        return inside.select(member_id="customer_id", member_window=ibis.literal(place, "int64"))
