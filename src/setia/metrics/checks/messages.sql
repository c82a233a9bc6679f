-- Messages of the window and what became of them within a week. Parameters: since, until, as_of, moment.
with sent as (
    select day, coalesce(channel, '') as channel, coalesce(programme, '') as programme,
        coalesce(delivered_at < least($moment, sent_at + interval 7 days), false) as arrived,
        coalesce(opened_at < least($moment, sent_at + interval 7 days), false) as seen,
        coalesce(clicked_at < least($moment, sent_at + interval 7 days), false) as clicked,
        coalesce(unsubscribed_at < least($moment, sent_at + interval 7 days), false) as unsubscribed,
        coalesce(complained_at < least($moment, sent_at + interval 7 days), false) as complained
    from messages where state <> 'rejected' and day < $as_of
),
told as (
    select channel, programme, bool_or(arrived) as tells_delivery, bool_or(seen or clicked) as tells_opening
    from sent group by all
),
known as (
    select *, case when tells_delivery then arrived or seen or clicked or unsubscribed or complained
        else tells_opening end as delivered
    from sent join told using (channel, programme) where day >= $since and day < $until
)
select count(*) as messages, count(*) filter (tells_delivery) as tracked,
    count(*) filter (tells_delivery and delivered) as arrived,
    count(*) filter (delivered) as delivered, count(*) filter (delivered and tells_opening) as followed,
    count(*) filter (delivered and (seen or clicked)) as opened, count(*) filter (delivered and clicked) as clicked,
    count(*) filter (delivered and unsubscribed) as unsubscribed,
    count(*) filter (delivered and complained) as complained
from known
