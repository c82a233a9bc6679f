-- Net sales by the month of the first order and months since, in the shop's currency. Parameters: as_of, moment, currency.
with counted as (
    select * from orders
    where (cancelled_at is null or cancelled_at >= $moment) and day < $as_of
      and not coalesce(is_test, false) and not coalesce(is_staff, false)
      and not coalesce(is_adjustment, false) and customer_id is not null
),
firsts as (select customer_id, date_trunc('month', min(day))::date as cohort from counted group by customer_id),
{given},
moved as (
    select customer_id, day, case when coalesce(o.currency, $currency) = $currency then o.total else (
        select try_cast(o.total::decimal(19, 4) * r.rate as decimal(18, 4)) from rates r
        where r.from_currency = o.currency and r.to_currency = $currency and r.day <= o.day
        order by r.day desc limit 1) end as amount
    from counted o
    union all
    select customer_id, day, -(case when coalesce(b.currency, $currency) = $currency then b.amount else (
        select try_cast(b.amount::decimal(19, 4) * r.rate as decimal(18, 4)) from rates r
        where r.from_currency = b.currency and r.to_currency = $currency and r.day <= b.day
        order by r.day desc limit 1) end)
    from given b where customer_id is not null
)
select cohort, greatest(date_diff('month', cohort, date_trunc('month', day)), 0) as age,
    coalesce(sum(amount), 0) as amount
from moved join firsts using (customer_id) group by all order by all
