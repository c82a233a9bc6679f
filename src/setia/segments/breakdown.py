"""Who was in a segment when a window began: figures broken down by a condition over traits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from setia.conditions.behaviour import with_behaviour
from setia.conditions.condition import Condition
from setia.customers import traits
from setia.customers.rhythm import shop_gap_days
from setia.kernel.errors import SetiaError
from setia.kernel.i18n import N_

if TYPE_CHECKING:
    from setia.history.scope import Scope
    from setia.history.windows import Spans
    from setia.warehouse.snapshot import Snapshot


MOST_STARTS = 60


class TooManyStarts(SetiaError):
    """The windows and those they are compared with begin on {found} days, and on each the segment has to be made anew;
    {most} are the most. Ask for fewer periods."""

    code = "segments.too_many_starts"


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
    needs_windows: ClassVar[bool] = True

    @classmethod
    def of(cls, text: str) -> Membership:
        """Of a condition's text. Raises BadCondition, PredictedThen."""
        condition = Condition.parse(text, traits.WORDS)
        predicted = sorted(condition.traits & traits.PREDICTED)
        if predicted:
            raise PredictedThen(traits=", ".join(predicted))
        return cls(condition)

    def joined(self, facts: Snapshot, scope: Scope, spans: Spans | None, rows: Any) -> Any:
        """Rows that have a `window` and a `customer_id`, with their `group`, null where nobody is known.

        Raises NoWindowBegins, TooManyStarts.
        """
        if spans is None:
            raise NoWindowBegins
        starts = sorted({window.since for window in spans.windows})
        if len(starts) > MOST_STARTS:
            raise TooManyStarts(found=len(starts), most=MOST_STARTS)
        members = _stacked([self._at_start(facts, scope.at(day)) for day in starts])
        dated: Any = spans.bounded(rows)
        found = dated.left_join(members, [dated.customer_id == members.member_id, dated.since == members.member_since])
        group = found.member_id.notnull().ifelse("in", found.customer_id.notnull().ifelse("out", None))
        return found.select(*rows.columns, group=group)

    def _at_start(self, facts: Snapshot, then: Scope) -> Any:
        import ibis

        known: Any = traits.observed(facts, then, shop_gap_days(facts, then), self.condition.traits)
        known = with_behaviour(facts, then, known, self.condition.behaviours)
        inside = known.filter(self.condition.on(known, then))
        # Kept, because the query of all starts together is larger than an engine plans in reasonable time.
        return facts.kept(inside.select(member_id="customer_id", member_since=ibis.literal(then.as_of)))


def _stacked(tables: list[Any]) -> Any:
    """All rows of the tables: a union as flat as can be, because each storey of a query costs its compiler."""
    if len(tables) == 1:
        return tables[0]
    middle = len(tables) // 2
    return _stacked(tables[:middle]).union(_stacked(tables[middle:]))
