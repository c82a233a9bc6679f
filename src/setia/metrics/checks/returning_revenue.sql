-- Sales of the window to new customers, returning ones and guests, before returns.
-- Parameters: since, until, as_of, moment, currency.
with counted as (
    select * from orders
    where (cancelled_at is null or cancelled_at >= $moment) and day < $as_of
      and not coalesce(is_test, false) and not coalesce(is_staff, false)
      and not coalesce(is_adjustment, false)
),
firsts as (select customer_id, min(day) as first_day from counted where customer_id is not null group by customer_id),
sold as (
    select o.customer_id, first_day, case when coalesce(o.currency, $currency) = $currency then o.total else (
        select try_cast(o.total::decimal(19, 4) * r.rate as decimal(18, 4)) from rates r
        where r.from_currency = o.currency and r.to_currency = $currency and r.day <= o.day
        order by r.day desc limit 1) end as amount
    from counted o left join firsts using (customer_id) where day >= $since and day < $until
)
select coalesce(sum(amount), 0) as revenue,
    coalesce(sum(amount) filter (first_day >= $since), 0) as new_revenue,
    coalesce(sum(amount) filter (first_day < $since), 0) as returning_revenue,
    coalesce(sum(amount) filter (customer_id is null), 0) as guest_revenue,
    count(*) filter (amount is null) as unpriced
from sold
