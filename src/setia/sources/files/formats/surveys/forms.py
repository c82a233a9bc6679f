"""Forms whose columns are the questions: Google Forms, Typeform, SurveyMonkey."""

from __future__ import annotations

from setia.kernel.i18n import N_
from setia.sources.files.formats.surveys import agreeing
from setia.sources.files.formats.surveys.questions import KEY, PERSON, QUESTIONS, RATING, answers
from setia.sources.files.layout import Layout, email, moment, text, word

_CUSTOMER = {"customer_id": KEY, "email": "email", "phone": "phone", "name": "name"}
# An answer without a number of its own goes by its time and what it says.
_BY_CONTENT = "md5(concat_ws('|', epoch_us(answered_at), nps, csat, ces, comment, pseudonym(coalesce(email, phone))))"
_ABOUT_SCALES = N_(
    "A recommendation on a scale that does not begin at 0 nor end at 10 is kept apart from the Net Promoter Score"
)

GOOGLE_FORMS = Layout(
    name="Google Forms: responses",
    roles={
        "answered_at": moment("Timestamp", "Stempel waktu", "Cap waktu", "Cap masa", "Setem masa", required=True),
        **PERSON,
        **QUESTIONS,
        **agreeing.ROLES,
        "asked": text(pattern=f"{RATING}|{agreeing.ASKED}"),
    },
    needs=("answered_at", "asked"),
    facts={
        "customers": _CUSTOMER,
        "answers": answers("google-forms", _BY_CONTENT, "answered_at"),
        "consents": agreeing.consents("google-forms", _BY_CONTENT, KEY, "answered_at"),
    },
    notes=(_ABOUT_SCALES,),
)

TYPEFORM = Layout(
    name="Typeform: responses",
    roles={
        "token": text("#", "Response ID", required=True),
        "kind": word("Response Type"),
        "began_at": moment("Start Date (UTC)", "Start Date"),
        "answered_at": moment("Submit Date (UTC)", "Submit Date", required=True),
        "network": text("Network ID"),
        **PERSON,
        **QUESTIONS,
    },
    needs=("token", "answered_at", "asked"),
    marks=("Submit Date (UTC)", "Network ID"),
    only="coalesce(kind, 'completed') = 'completed'",
    others=N_("responses that were not completed"),
    zone="UTC",
    facts={"customers": _CUSTOMER, "answers": answers("typeform", "token", "answered_at")},
    notes=(_ABOUT_SCALES,),
)

SURVEYMONKEY = Layout(
    name="SurveyMonkey: responses",
    roles={
        "respondent": text("Respondent ID", "RespondentID", required=True),
        "collector": text("Collector ID", "CollectorID"),
        "began_at": moment("Start Date", "StartDate", "Date Created"),
        "answered_at": moment("End Date", "EndDate", "Date Modified", required=True),
        **PERSON,
        "email": email("Email Address"),
        "first_name": text("First Name"),
        "last_name": text("Last Name", "LastName"),
        **QUESTIONS,
    },
    needs=("respondent", "collector", "answered_at", "asked"),
    # The second line of headings has no respondent.
    only="respondent is not null",
    others=N_("a second line of headings"),
    facts={
        "customers": {**_CUSTOMER, "name": "coalesce(nullif(concat_ws(' ', first_name, last_name), ''), name)"},
        "answers": answers("surveymonkey", "respondent", "answered_at"),
    },
    notes=(_ABOUT_SCALES,),
)
