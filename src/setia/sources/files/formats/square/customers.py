"""Square's customer directory."""

from __future__ import annotations

from setia.kernel.i18n import N_
from setia.sources.files.layout import Layout, day, email, flag, phone, text, word

_STATE = """case when subscription = 'unsubscribed' or unsubscribed then 'withdrawn'
    when subscription = 'subscribed' then 'given' end"""

CUSTOMERS = Layout(
    name="Square: customer directory",
    roles={
        "customer": text("Square Customer ID", required=True),
        "first_name": text("First Name", "Given Name"),
        "last_name": text("Last Name", "Surname", "Family Name"),
        "email": email("Email Address"),
        "phone": phone("Phone Number"),
        "city": text("City", "Suburb"),
        "birthday": text("Birthday"),
        "source": text("Creation Source"),
        "first_visit": day("First Visit"),
        "last_visit": day("Last Visit"),
        "subscription": word("Email Subscription Status"),
        "unsubscribed": flag("Email Unsubscribed"),
    },
    needs=("customer", "first_name", "email"),
    facts={
        "customers": {
            "customer_id": "'square:' || customer",
            "email": "email",
            "phone": "phone",
            "name": "nullif(concat_ws(' ', first_name, last_name), '')",
            "city": "city",
            # A birthday without its year has the year 0000 or none.
            "birth_date": "case when birthday >= '1900' then try_cast(birthday as date) end",
            "source": "source",
        },
        "consents": {
            # The state of now, which a later export replaces.
            "consent_id": "'square:' || customer || ':email'",
            "customer_id": "'square:' || customer",
            "email": "email",
            "channel": "'email'",
            "purpose": "'marketing'",
            "state": _STATE,
            "source": "'Square'",
            # The export has no date of the decision: consent counts from as early, its end from as late as can be.
            "decided_at": f"""timezone({{zone}}, case when {_STATE} = 'given' then first_visit else
                coalesce(max(greatest(first_visit, last_visit)) over (), date '1970-01-01') end::timestamp)""",
        },
    },
    notes=(
        N_(
            "Square does not say when somebody subscribed or unsubscribed: consent is dated to the first visit, "
            "so that every later withdrawal wins, and a withdrawal to the last visit anybody paid"
        ),
    ),
)
