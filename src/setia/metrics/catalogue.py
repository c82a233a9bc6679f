"""Every metric, declared once. The reference page and `setia metrics --list` are made from this."""

from __future__ import annotations

from setia.kernel.errors import SetiaError
from setia.kernel.i18n import N_
from setia.kernel.near import nearest
from setia.metrics.buying import BUYING
from setia.metrics.caring import CARING
from setia.metrics.cohorts import COHORTS
from setia.metrics.keeping import KEEPING
from setia.metrics.metric import Metric
from setia.metrics.spending import SPENT
from setia.metrics.subscribing import SUBSCRIBING
from setia.metrics.timing import TIMING
from setia.metrics.visiting import VISITING
from setia.metrics.voice import VOICE
from setia.metrics.worth import WORTH
from setia.metrics.writing import WRITING

FAMILIES: dict[str, tuple[Metric, ...]] = {
    N_("Keeping"): (*KEEPING, COHORTS),
    N_("Buying"): BUYING,
    N_("How long things take"): TIMING,
    N_("Visits"): VISITING,
    N_("Value"): WORTH,
    N_("Subscriptions"): SUBSCRIBING,
    N_("Voice"): VOICE,
    N_("Service"): CARING,
    N_("Messages"): WRITING,
    N_("Costs"): SPENT,
}
METRICS: dict[str, Metric] = {metric.name: metric for family in FAMILIES.values() for metric in family}


class UnknownMetric(SetiaError, AttributeError):
    """There is no metric {name}.{near} `setia metrics --list` names them all."""

    code = "metrics.unknown_metric"


def metric(name: str) -> Metric:
    """A metric by name. Raises UnknownMetric, with the name that may have been meant."""
    if name not in METRICS:
        # By its title too, where abbreviations stand: AOV is order_value.
        titles = {f"{each.title} {each.name}": each.name for each in METRICS.values()}
        meant = nearest(name, METRICS) or titles.get(nearest(name, titles) or "")
        raise UnknownMetric(name=name, near=f" Did you mean {meant}?" if meant else "")
    return METRICS[name]
