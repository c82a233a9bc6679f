"""Answers to surveys: Google Forms, Typeform, SurveyMonkey, Delighted.

The columns of the first three are the questions, in words the shop chose: `questions` knows the question of the Net
Promoter Score, of satisfaction and of effort in English, Indonesian and Malay, and the one for a comment.

Google Forms: `Timestamp`, the questions, and `Email Address` where addresses are collected (its help pages and public
samples). Inferred: the Indonesian and Malay names of the first column. A question whether the shop may send its offers
is taken as consent, with its words; one that names no channel is taken for e-mail, and a no as an opt-out.
Typeform: `#`, the questions, `Response Type`, `Start Date (UTC)`, `Submit Date (UTC)`, `Network ID` (public samples).
SurveyMonkey: `Respondent ID`, `Collector ID`, `Start Date`, `End Date`, `IP Address`, `Email Address`, the questions,
and a second line of headings such as `Open-Ended Response` (public samples, older and newer spellings).
Delighted: its interface's JSON, as documented by Delighted (Listing survey responses, with or without the person). Its
CSV was documented nowhere at hand and is not read.

Inferred: that a recommendation was asked for on 0 to 10 if the question says so or if an answer is 0 or above 5, and on
1 to 5 else; then it is no Net Promoter Score and is kept as the survey `recommend`.
"""

from __future__ import annotations

from setia.sources.files.formats.surveys.delighted import RESPONSES as DELIGHTED
from setia.sources.files.formats.surveys.forms import GOOGLE_FORMS, SURVEYMONKEY, TYPEFORM

LAYOUTS = (TYPEFORM, SURVEYMONKEY, DELIGHTED, GOOGLE_FORMS)
