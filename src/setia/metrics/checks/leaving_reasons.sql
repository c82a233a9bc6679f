-- Who left in the window, and why. Parameters: since, until, opens and closes (the window's first moments).
with ended as (
    select customer_id as who, reason from subscriptions s
    where ended_at >= $opens and ended_at < $closes
      and not exists (select 1 from subscriptions n
          where n.subscription_id = s.subscription_id and n.started_at = s.ended_at)
    union all
    select coalesce(customer_id, answer_id), choice from answers
    where survey = 'leaving' and day >= $since and day < $until
),
told as (select distinct who, reason from ended where reason is not null),
silent as (select distinct who from ended where who not in (select who from told))
select reason, count(*) as customers from told group by reason
union all
select null, count(*) from silent having count(*) > 0
order by reason nulls last
