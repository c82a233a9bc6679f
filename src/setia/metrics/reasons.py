"""Why a figure is empty, as stable words and as sentences."""

from __future__ import annotations

from setia.kernel.i18n import N_

REASONS: dict[str, str] = {
    "history_too_short": N_("The history is too short for this figure"),
    "brackets_have_none": N_("No bracket is the first period alone; read the table"),
    "not_over": N_("Not complete yet"),
    "no_customers": N_("There are no customers to count"),
    "no_new_customers": N_("There are no new customers to count"),
    "no_dormant_customers": N_("Nobody was silent to begin with"),
    "no_retained_customers": N_("Nobody bought again, so that no cost falls on anybody"),
    "no_orders": N_("There are no orders to count"),
    "no_priced_orders": N_("No order is in a currency whose rate is known"),
    "no_revenue": N_("There is no revenue to share out"),
    "no_rate": N_("No amount is in a currency whose rate is known"),
    "no_returns": N_("No returns have been imported"),
    "no_units": N_("The orders have no lines to count"),
    "no_order_lines": N_("The orders have no lines to count"),
    "no_events": N_("No visits have been imported"),
    "no_visits": N_("There are no visits to count"),
    "no_carts": N_("Nobody put anything into a cart"),
    "no_subscriptions": N_("No subscription was running"),
    "no_loss": N_("Nothing was lost, so that there is nothing to divide by"),
    "nobody_left": N_("Nobody left"),
    "no_reasons": N_("Nobody who left gave a reason"),
    "no_answers": N_("There are no answers to count"),
    "no_messages": N_("There are no messages to count"),
    "not_tracked": N_("No tool told what became of the messages"),
    "no_cases": N_("There are no cases to count"),
    "no_costs": N_("No costs of this kind are known"),
    "median_not_reached": N_("Fewer than half have got there so far"),
    "never_paid_back": N_("The cost has not come back yet"),
}
