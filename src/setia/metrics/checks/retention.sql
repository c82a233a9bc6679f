-- Buyers of the newest period and of the one before it. Parameters: as_of, until, period_days.
with days as (
    select distinct customer_id, day from orders
    where customer_id is not null and (cancelled_at is null or cancelled_at >= $until)
      and not coalesce(is_test, false) and not coalesce(is_staff, false) and not coalesce(is_adjustment, false) and day < $as_of
),
now as (
    select distinct customer_id from days where day >= $as_of - $period_days
),
before as (
    select distinct customer_id from days
    where day < $as_of - $period_days and day >= $as_of - 2 * $period_days
),
firsts as (select customer_id, min(day) as first_day from days group by customer_id)
select
    (select count(*) from before) as start,
    (select count(*) from before where customer_id in (select customer_id from now)) as retained,
    (select count(*) from firsts where first_day >= $as_of - $period_days) as new,
    (select count(*) from now) as "end"
