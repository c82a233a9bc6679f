-- Buyers of the window and those with two orders or more. Parameters: as_of, until, window_days.
select count(*) as customers, count(*) filter (orders >= 2) as repeat_customers
from (
    select customer_id, count(*) as orders from orders
    where customer_id is not null and (cancelled_at is null or cancelled_at >= $until)
      and not coalesce(is_test, false) and not coalesce(is_staff, false) and not coalesce(is_adjustment, false)
      and day < $as_of and day >= $as_of - $window_days
    group by customer_id
)
