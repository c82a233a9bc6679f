-- New customers of the window, and those who bought on another day within 90 days. Parameters: since, until, as_of, moment.
with counted as (
    select * from orders
    where (cancelled_at is null or cancelled_at >= $moment) and day < $as_of
      and not coalesce(is_test, false) and not coalesce(is_staff, false)
      and not coalesce(is_adjustment, false) and customer_id is not null
),
firsts as (select customer_id, min(day) as first_day from counted group by customer_id)
select count(*) as customers,
    count(*) filter (exists (
        select 1 from counted c
        where c.customer_id = f.customer_id and c.day > first_day and c.day <= first_day + 90)) as again
from firsts f where first_day >= $since and first_day < $until
