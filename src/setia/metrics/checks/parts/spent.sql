counted as (
    select * from orders
    where (cancelled_at is null or cancelled_at >= $moment) and day < $as_of
      and not coalesce(is_test, false) and not coalesce(is_staff, false)
      and not coalesce(is_adjustment, false)
),
carried as (
    select code, min(programme) as programme, min(channel) as channel, max(offer_cost) as offer_cost,
        min(sent_at) as carried_at
    from messages
    where code is not null and programme is not null and state <> 'rejected' and day < $as_of group by code
),
told as (
    select category, programme, channel, day, amount, currency from costs
    union all
    select 'messages', programme, channel, day, cost, null from messages where cost > 0 and state <> 'rejected'
    union all
    select 'rewards', c.programme, c.channel, o.day,
        case when coalesce(discount, 0) - coalesce(platform_discount, 0) > 0
            then coalesce(discount, 0) - coalesce(platform_discount, 0) else offer_cost end,
        case when coalesce(discount, 0) - coalesce(platform_discount, 0) > 0 then o.currency end
    from counted o join carried c on c.code = o.code and o.placed_at >= c.carried_at
        and (coalesce(discount, 0) - coalesce(platform_discount, 0) > 0 or offer_cost is not null)
),
spent as (
    select category, programme, channel, day, case when coalesce(t.currency, $currency) = $currency then t.amount else (
        select try_cast(t.amount::decimal(19, 4) * r.rate as decimal(18, 4)) from rates r
        where r.from_currency = t.currency and r.to_currency = $currency and r.day <= t.day
        order by r.day desc limit 1) end as amount,
        case when programme is not null or category in ('retention', 'loyalty', 'rewards', 'messages', 'support', 'programme')
            then 'keeping' when category in ('advertising', 'acquisition') then 'winning' else 'other' end as purpose
    from told t where day < $as_of
)
