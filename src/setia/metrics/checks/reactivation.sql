-- Customers who had bought before, but not in the window before, and those of them who did in this one.
-- Parameters: since, until, before (first day of the window before), as_of, moment.
with counted as (
    select * from orders
    where (cancelled_at is null or cancelled_at >= $moment) and day < $as_of
      and not coalesce(is_test, false) and not coalesce(is_staff, false)
      and not coalesce(is_adjustment, false) and customer_id is not null
),
silent as (
    select customer_id from counted group by customer_id
    having min(day) < $since and count(*) filter (day >= $before and day < $since) = 0
)
select count(*) as dormant,
    count(*) filter (customer_id in (select customer_id from counted where day >= $since and day < $until)) as returned
from silent
