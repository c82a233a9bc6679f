-- Visitors of the window, and those with another visit on a later day within 30 days of their first in it.
-- Parameters: since, until, as_of, moment, currency, minutes (that end a visit).
with {visits},
firsts as (select who, min(day) as first_day from visits where day >= $since and day < $until group by who)
select count(*) as visitors,
    count(*) filter (exists (select 1 from visits v
        where v.who = f.who and v.day > first_day and v.day <= first_day + 30)) as back
from firsts f
