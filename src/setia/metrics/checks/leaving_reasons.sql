-- Who left in the window, and why. Parameters: since, until, opens and closes (the window's first moments).
with paying as (
    select coalesce(customer_id, subscription_id) as who, reason, ended_at,
        case when trial_ends_at > started_at then trial_ends_at else started_at end as paid_from
    from subscriptions
    where amount is null or amount > 0
),
ended as (
    select who, reason from paying p
    where ended_at >= $opens and ended_at < $closes and ended_at > paid_from
      and not exists (
          from paying o
          where o.who = p.who and o.paid_from < $closes and o.paid_from <= p.ended_at
            and (o.ended_at is null or o.ended_at > p.ended_at and o.ended_at > o.paid_from))
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
