-- Messages of the window and what became of them by now. Parameters: since, until, as_of, moment.
with sent as (
    select coalesce(delivered_at < $moment, false) as arrived, coalesce(opened_at < $moment, false) as seen,
        coalesce(clicked_at < $moment, false) as followed, coalesce(unsubscribed_at < $moment, false) as unsubscribed,
        coalesce(complained_at < $moment, false) as complained
    from messages where state <> 'rejected' and day < $as_of and day >= $since and day < $until
)
select count(*) as messages,
    count(*) filter (arrived or seen or followed or unsubscribed or complained) as delivered,
    count(*) filter (seen or followed) as opened, count(*) filter (followed) as clicked,
    count(*) filter (unsubscribed) as unsubscribed, count(*) filter (complained) as complained
from sent
