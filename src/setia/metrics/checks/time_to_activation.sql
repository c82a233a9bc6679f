-- The survival curve from the first order to activation. Parameters: as_of, moment, event (null: the second purchase).
with days as (
    select distinct customer_id, day from orders
    where customer_id is not null and (cancelled_at is null or cancelled_at >= $moment) and day < $as_of
      and not coalesce(is_test, false) and not coalesce(is_staff, false) and not coalesce(is_adjustment, false)
),
{seen},
firsts as (select customer_id, min(day) as day from days group by customer_id),
active as (
    select f.customer_id, d.day from firsts f join days d on d.customer_id = f.customer_id and d.day > f.day
    where $event::varchar is null
    union all
    select f.customer_id, e.day from firsts f join seen e on e.customer_id = f.customer_id and e.day >= f.day
    where e.name = $event and e.day < $as_of
),
gaps as (
    select f.day, min(a.day) as next_day from firsts f left join active a using (customer_id) group by f.customer_id, f.day
),
lengths as (
    select coalesce(next_day, $as_of - 1) - day as length, count(next_day) as ended, count(*) as n from gaps group by 1
),
risk as (select length, ended, sum(n) over (order by length desc) as at_risk from lengths)
select length as days, at_risk::bigint as at_risk, ended,
    exp(sum(case when ended < at_risk then ln(1 - ended / at_risk) else -1e9 end) over (order by length)) as survival
from risk order by length
