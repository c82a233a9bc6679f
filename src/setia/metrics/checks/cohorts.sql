-- One row per cohort and calendar month with a purchase. Parameters: as_of, moment.
with days as (
    select distinct customer_id, day from orders
    where customer_id is not null and (cancelled_at is null or cancelled_at >= $moment) and day < $as_of
      and not coalesce(is_test, false) and not coalesce(is_staff, false) and not coalesce(is_adjustment, false)
),
firsts as (select customer_id, date_trunc('month', min(day)) as cohort from days group by customer_id)
select cohort::date as cohort, date_diff('month', cohort, date_trunc('month', day)) as age,
    count(distinct customer_id) as customers
from days join firsts using (customer_id)
group by all order by all
