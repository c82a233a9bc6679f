-- Orders, corrections and returns of the window, in the shop's currency. Parameters: since, until, as_of, moment, currency.
with counted as (
    select * from orders
    where (cancelled_at is null or cancelled_at >= $moment) and day < $as_of
      and not coalesce(is_test, false) and not coalesce(is_staff, false) and day >= $since and day < $until
),
sold as (
    select coalesce(is_adjustment, false) as corrects, case when coalesce(o.currency, $currency) = $currency then o.total else (
        select try_cast(o.total::decimal(19, 4) * r.rate as decimal(18, 4)) from rates r
        where r.from_currency = o.currency and r.to_currency = $currency and r.day <= o.day
        order by r.day desc limit 1) end as amount
    from counted o
),
{given},
back as (
    select case when coalesce(b.currency, $currency) = $currency then b.amount else (
        select try_cast(b.amount::decimal(19, 4) * r.rate as decimal(18, 4)) from rates r
        where r.from_currency = b.currency and r.to_currency = $currency and r.day <= b.day
        order by r.day desc limit 1) end as amount
    from given b where day >= $since and day < $until
),
sums as (
    select
        count(*) filter (not corrects and amount is not null) as orders,
        coalesce(sum(amount) filter (not corrects), 0) as gross,
        coalesce(sum(amount) filter (corrects), 0) as corrected,
        (select coalesce(sum(amount), 0) from back) as returned,
        count(*) filter (amount is null) + (select count(*) filter (amount is null) from back) as unpriced
    from sold
)
select *, gross + corrected - returned as net from sums
