-- Customers who may be written to, by channel. Parameters: as_of, moment.
with people as (
    select customer_id from customers where created_at is null or created_at < $moment
    union
    select customer_id from orders
    where customer_id is not null and (cancelled_at is null or cancelled_at >= $moment) and day < $as_of
      and not coalesce(is_test, false) and not coalesce(is_staff, false) and not coalesce(is_adjustment, false)
),
told as (
    select coalesce(lower(email), customer_id) as address, email_consent_at as given, email_optout_at as withdrawn from customers
    union all
    select coalesce(lower(c.email), lower(k.email), c.customer_id),
        case when state = 'given' then decided_at end, case when state = 'withdrawn' then decided_at end
    from consents c left join customers k using (customer_id)
    where channel = 'email' and coalesce(purpose, 'marketing') = 'marketing'
),
agreed as (
    select address from told group by address
    having max(given) filter (given < $moment) is not null
      and coalesce(max(given) filter (given < $moment) > max(withdrawn) filter (withdrawn < $moment), true)
),
by_mail as (
    select customer_id from customers
    where email is not null and lower(email) in (from agreed)
),
by_phone as (
    select customer_id, channel from consents
    where channel in ('whatsapp', 'sms') and coalesce(purpose, 'marketing') = 'marketing' and decided_at < $moment
    group by all
    having max(decided_at) filter (state = 'given') is not null and coalesce(
        max(decided_at) filter (state = 'given') > max(decided_at) filter (state = 'withdrawn'), true)
),
marked as (
    select p.customer_id, p.customer_id in (from by_mail) as email,
        k.phone is not null and exists (select 1 from by_phone b where b.customer_id = p.customer_id and b.channel = 'whatsapp') as whatsapp,
        k.phone is not null and exists (select 1 from by_phone b where b.customer_id = p.customer_id and b.channel = 'sms') as sms
    from people p left join customers k using (customer_id)
)
select count(*) as customers, count(*) filter (email) as email, count(*) filter (coalesce(whatsapp, false)) as whatsapp,
    count(*) filter (coalesce(sms, false)) as sms,
    count(*) filter (email or coalesce(whatsapp, false) or coalesce(sms, false)) as "any"
from marked
