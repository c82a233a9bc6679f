-- Monthly recurring revenue at both ends of the window and every movement in between.
-- Parameters: since, opens and closes (the window's first moments), moment, currency.
with prices as (
    select customer_id, round(amount * case when period_weeks is not null then 52 / (12 * period_weeks)
            else 1 / coalesce(period_months, 1) end, 4)::decimal(18, 4) as monthly,
        coalesce(currency, $currency) as currency, greatest(started_at, coalesce(trial_ends_at, started_at)) as paid_from,
        ended_at
    from subscriptions
),
own as (
    select customer_id, paid_from, ended_at, case when currency = $currency then monthly else (
        select round(monthly * r.rate, 4)::decimal(18, 4) from rates r
        where r.from_currency = prices.currency and r.to_currency = $currency and r.day <= $since
        order by r.day desc limit 1) end as monthly
    from prices
    where paid_from < $moment and paid_from < $closes and (ended_at is null or ended_at > paid_from)
),
people as (
    select customer_id, min(paid_from) < $opens as earlier,
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
    (select count(*) from own where monthly is null) as unpriced
from people
