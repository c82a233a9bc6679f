-- What the best tenth and fifth of the window's customers paid. Parameters: since, until, as_of, moment, currency.
with counted as (
    select * from orders
    where (cancelled_at is null or cancelled_at >= $moment) and day < $as_of
      and not coalesce(is_test, false) and not coalesce(is_staff, false)
      and not coalesce(is_adjustment, false) and customer_id is not null and day >= $since and day < $until
),
paid as (
    select customer_id, case when coalesce(o.currency, $currency) = $currency then o.total else (
        select try_cast(o.total::decimal(19, 4) * r.rate as decimal(18, 4)) from rates r
        where r.from_currency = o.currency and r.to_currency = $currency and r.day <= o.day
        order by r.day desc limit 1) end as amount from counted o
),
people as (select customer_id, coalesce(sum(amount), 0) as revenue from paid group by customer_id),
ranked as (select *, row_number() over (order by revenue desc) as place, count(*) over () as among from people)
select count(*) as customers, coalesce(sum(revenue), 0) as revenue,
    coalesce(sum(revenue) filter (place <= ceil(among / 10)), 0) as top_10,
    coalesce(sum(revenue) filter (place <= ceil(among / 5)), 0) as top_20,
    (select count(*) filter (amount is null) from paid) as unpriced
from ranked
