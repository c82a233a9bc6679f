-- The survival curve from the first visit to the first order. Parameters: as_of, moment.
with days as (
    select distinct customer_id, day from orders
    where customer_id is not null and (cancelled_at is null or cancelled_at >= $moment) and day < $as_of
      and not coalesce(is_test, false) and not coalesce(is_staff, false) and not coalesce(is_adjustment, false)
),
owners as (
    select visitor, max(customer_id) as owner from events
    where day < $as_of and visitor is not null and customer_id is not null
    group by visitor having count(distinct customer_id) = 1
),
seen as (
    select coalesce(e.customer_id, o.owner) as customer_id, min(day) as day
    from events e left join owners o using (visitor)
    where day < $as_of and coalesce(e.customer_id, o.owner) is not null group by all
),
gaps as (
    select s.day, min(d.day) as next_day from seen s left join days d using (customer_id)
    group by s.customer_id, s.day having next_day is null or next_day >= s.day
),
lengths as (
    select coalesce(next_day, $as_of - 1) - day as length, count(next_day) as ended, count(*) as n from gaps group by 1
),
risk as (select length, ended, sum(n) over (order by length desc) as at_risk from lengths)
select length as days, at_risk::bigint as at_risk, ended,
    exp(sum(case when ended < at_risk then ln(1 - ended / at_risk) else -1e9 end) over (order by length)) as survival
from risk order by length
