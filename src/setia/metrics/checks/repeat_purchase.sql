-- Buyers of the window, their orders, and those with two orders or more. Parameters: since, until, as_of, moment.
with counted as (
    select * from orders
    where (cancelled_at is null or cancelled_at >= $moment) and day < $as_of
      and not coalesce(is_test, false) and not coalesce(is_staff, false)
      and not coalesce(is_adjustment, false) and customer_id is not null and day >= $since and day < $until
),
people as (select customer_id, count(*) as orders from counted group by customer_id)
select count(*) as customers, count(*) filter (orders >= 2) as repeat_customers,
    coalesce(sum(orders), 0)::bigint as orders
from people
