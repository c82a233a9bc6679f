"""Who and what is counted, in words."""

from __future__ import annotations

from setia.kernel.i18n import N_

PEOPLE = N_("Customers with at least one order; anonymous guests, trial orders and cancelled orders are left out")
SALES = N_(
    "All orders but trial and cancelled ones; guests included; corrections of stock or books count in net sales alone"
)
NEW_PEOPLE = N_("Customers whose first order lies in the window; anonymous guests, trial and cancelled orders left out")
VISITORS = N_("Visits of customers and of devices nobody is known on; a pause as long as the shop has set ends a visit")
SUBSCRIBERS = N_(
    "Customers with a running paid subscription, all their plans together; trials count from the first paid day, and "
    "whoever joins and leaves within one window is not seen"
)
ANSWERERS = N_("The latest answer of each customer in the window, and every nameless one")
RECIPIENTS = N_("Messages that were handed over, of Setia and of other tools")
CASES = N_("Cases opened in the window; those not answered yet count as still open")
SPENDING = N_("All costs imported or caused by programmes, in the shop's currency")
