-- Monthly recurring revenue at both ends of the window and every movement in between.
-- Parameters: since, opens and closes (the window's first moments), moment, currency.
with prices as (
    select customer_id, case when abs(amount) <= 1000000000000 then (sign(amount) * 0.0001 * (
            (2 * (abs(amount)::decimal(24, 4) * 10000)::hugeint * if(period_weeks > 0, 52, 1) + months) // (2 * months)
        )::decimal(30, 0))::decimal(18, 4) end as monthly,
        coalesce(currency, $currency) as currency, greatest(started_at, coalesce(trial_ends_at, started_at)) as paid_from,
        ended_at
    from (from subscriptions select *, if(period_weeks > 0, 12 * period_weeks, if(period_months > 0, period_months, 1)) as months)
),
own as (
    select customer_id, paid_from, ended_at, case when currency = $currency then monthly else (
        select try_cast(monthly::decimal(19, 4) * r.rate as decimal(18, 4)) from rates r
        where r.from_currency = prices.currency and r.to_currency = $currency and r.day <= $since
        order by r.day desc limit 1) end as monthly
    from prices
    where paid_from < $moment and paid_from < $closes and (ended_at is null or ended_at > paid_from)
),
people as (
    select customer_id, coalesce(bool_or(paid_from < $opens and coalesce(monthly > 0, true)), false) as earlier,
        coalesce(sum(monthly) filter (paid_from < $opens and (ended_at is null or ended_at >= $opens)), 0) as before,
        coalesce(sum(monthly) filter (paid_from < $closes and (ended_at is null or ended_at >= $closes)), 0) as after
    from own group by customer_id
)
select coalesce(sum(before), 0) as start,
    coalesce(sum(after) filter (before = 0 and not earlier), 0) as new,
    coalesce(sum(after - before) filter (before > 0 and after > before), 0) as expansion,
    coalesce(sum(before - after) filter (after > 0 and after < before), 0) as contraction,
    coalesce(sum(before) filter (after = 0), 0) as churned,
    coalesce(sum(after) filter (before = 0 and earlier), 0) as reactivation,
    coalesce(sum(after), 0) as "end",
    count(*) filter (before > 0) as subscribers_start,
    count(*) filter (before = 0 and after > 0 and not earlier) as subscribers_new,
    count(*) filter (before = 0 and after > 0 and earlier) as subscribers_back,
    count(*) filter (before > 0 and after = 0) as subscribers_lost,
    count(*) filter (after > 0) as subscribers_end,
    (select count(*) from own where monthly is null and (
        paid_from < $opens and (ended_at is null or ended_at >= $opens)
        or paid_from < $closes and (ended_at is null or ended_at >= $closes))) as unpriced,
    (select count(*) from own where monthly is null and paid_from < $closes and (ended_at is null or ended_at >= $closes))
        as unpriced_end
from people
