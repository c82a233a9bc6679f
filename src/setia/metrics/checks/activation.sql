-- New customers of the window and those activated in time: by an event on or after the day of the first order, or
-- without one by a purchase on a later day. Parameters: since, until, as_of, moment, event, days.
with counted as (
    select * from orders
    where (cancelled_at is null or cancelled_at >= $moment) and day < $as_of
      and not coalesce(is_test, false) and not coalesce(is_staff, false)
      and not coalesce(is_adjustment, false) and customer_id is not null
),
{seen},
firsts as (select customer_id, min(day) as first_day from counted group by customer_id)
select count(*) as customers,
    count(*) filter (case when $event::varchar is null
        then exists (select 1 from counted c where c.customer_id = f.customer_id
            and c.day > first_day and c.day <= first_day + $days)
        else exists (select 1 from seen e where e.customer_id = f.customer_id and e.name = $event and e.day < $as_of
            and e.day >= first_day and e.day <= first_day + $days) end) as activated
from firsts f where first_day >= $since and first_day < $until
