-- Customers who got to each number of purchases, and those who bought again since. Parameters: as_of, moment.
with days as (
    select distinct customer_id, day from orders
    where customer_id is not null and (cancelled_at is null or cancelled_at >= $moment) and day < $as_of
      and not coalesce(is_test, false) and not coalesce(is_staff, false) and not coalesce(is_adjustment, false)
),
numbered as (
    select customer_id, row_number() over (partition by customer_id order by day) as purchases,
        lead(day) over (partition by customer_id order by day) as next_day
    from days
)
select purchases, count(*) as customers, count(next_day) as bought_again from numbered where purchases <= 10 group by all order by all
