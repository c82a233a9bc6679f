-- Net sales by the month of the first order and months since, in the shop's currency. Parameters: as_of, moment, currency.
with counted as (
    select * from orders
    where (cancelled_at is null or cancelled_at >= $moment) and day < $as_of
      and not coalesce(is_test, false) and not coalesce(is_staff, false)
      and not coalesce(is_adjustment, false) and customer_id is not null
),
firsts as (select customer_id, date_trunc('month', min(day))::date as cohort from counted group by customer_id),
known as (
    -- Of several orders of one number and source, one that counts; by document where several do.
    select distinct on (order_id, source) order_id, regexp_extract(document_id, '^([a-z0-9_-]+):', 1) as source,
        document_id as order_document, currency as order_currency, customer_id as order_customer,
        (cancelled_at is null or cancelled_at >= $moment)
            and not coalesce(is_test, false) and not coalesce(is_staff, false) as stands
    from orders where day < $as_of
    order by order_id, source, stands desc, order_document desc, order_customer desc nulls last, order_currency desc nulls last
),
given as (
    select r.* replace (coalesce(r.currency, k.order_currency) as currency, coalesce(r.customer_id, k.order_customer) as customer_id),
        k.order_document
    from (from returns select *, regexp_extract(document_id, '^([a-z0-9_-]+):', 1) as source) r
    left join known k on k.order_id = r.order_id and (k.source = r.source
        or (k.source = '' or r.source = '') and (select count(*) from known o where o.order_id = r.order_id) = 1)
    where r.day < $as_of and coalesce(k.stands, true)
),
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
