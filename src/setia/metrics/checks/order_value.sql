-- Orders, gross and net of everything before a day, in the shop's currency. Parameters: as_of, until, currency.
with own as (
    select is_adjustment, case when coalesce(o.currency, $currency) = $currency then total else (
        select round(o.total * r.rate, 4) from rates r
        where r.from_currency = o.currency and r.to_currency = $currency and r.day <= o.day
        order by r.day desc limit 1) end as total
    from orders o
    where (cancelled_at is null or cancelled_at >= $until) and day < $as_of
      and not coalesce(is_test, false) and not coalesce(is_staff, false)
), back as (
    select case when coalesce(b.currency, $currency) = $currency then amount else (
        select round(b.amount * r.rate, 4) from rates r
        where r.from_currency = b.currency and r.to_currency = $currency and r.day <= b.day
        order by r.day desc limit 1) end as amount
    from returns b where day < $as_of
)
select count(*) filter (not coalesce(is_adjustment, false)) as orders,
    coalesce(sum(total) filter (not coalesce(is_adjustment, false)), 0) as gross,
    coalesce(sum(total), 0) - coalesce((select sum(amount) from back), 0) as net
from own
