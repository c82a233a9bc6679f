counted as (
    select * from orders
    where (cancelled_at is null or cancelled_at >= $moment) and day < $as_of
      and not coalesce(is_test, false) and not coalesce(is_staff, false)
      and not coalesce(is_adjustment, false) and customer_id is not null
),
{seen},
steps as (
    select coalesce('customer:' || customer_id, 'device:' || visitor) as who, customer_id, occurred_at as happened_at, day, device, platform, false as bought,
        name = 'Product Added' as into_cart, null::decimal(18, 4) as total
    from seen where coalesce(customer_id, visitor) is not null
    union all
    select 'customer:' || customer_id, customer_id, placed_at, day, null, null, true, false, case when coalesce(o.currency, $currency) = $currency then o.total else (
        select try_cast(o.total::decimal(19, 4) * r.rate as decimal(18, 4)) from rates r
        where r.from_currency = o.currency and r.to_currency = $currency and r.day <= o.day
        order by r.day desc limit 1) end
    from counted o
),
begun as (
    select *, coalesce(epoch(happened_at)::bigint - epoch(lag(happened_at) over (partition by who order by happened_at))::bigint > 60 * $minutes, true) as begins
    from steps
),
numbered as (
    select *, sum(begins::int) over (partition by who order by happened_at, begins desc rows unbounded preceding) as number
    from begun
),
visits as (
    select who, max(customer_id) as customer_id, min(happened_at) as started_at, min(day) as day, min(device) as device,
        min(platform) as platform, bool_or(into_cart) as with_cart, bool_or(bought) as with_order,
        coalesce(sum(total), 0) as revenue, count(*) filter (bought and total is null) as unpriced
    from numbered group by who, number having not bool_and(bought)
)
