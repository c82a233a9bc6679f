-- Customers of one window and of the one before it. Parameters: since, until, before (first day of the window before),
-- as_of, moment (when as_of begins).
with counted as (
    select * from orders
    where (cancelled_at is null or cancelled_at >= $moment) and day < $as_of
      and not coalesce(is_test, false) and not coalesce(is_staff, false)
      and not coalesce(is_adjustment, false) and customer_id is not null
),
now as (select distinct customer_id from counted where day >= $since and day < $until),
earlier as (select distinct customer_id from counted where day >= $before and day < $since),
firsts as (select customer_id, min(day) as first_day from counted group by customer_id)
select
    (select count(*) from earlier) as start,
    (select count(*) from earlier where customer_id in (from now)) as retained,
    (select count(*) from earlier where customer_id not in (from now)) as lost,
    (select count(*) from firsts where first_day >= $since and first_day < $until) as new,
    (select count(*) from now join firsts using (customer_id)
        where first_day < $since and customer_id not in (from earlier)) as returned,
    (select count(*) from now) as "end"
