-- Costs of keeping in the window, and customers of the window before who bought again in it.
-- Parameters: since, until, before (first day of the window before), as_of, moment, currency.
with {spent},
kept as (
    select customer_id from counted where customer_id is not null group by customer_id
    having count(*) filter (day >= $since and day < $until) > 0 and count(*) filter (day >= $before and day < $since) > 0
)
select (select coalesce(sum(amount), 0) from spent where purpose = 'keeping' and day >= $since and day < $until) as cost,
    (select count(*) from kept) as retained,
    (select count(*) from spent where purpose = 'keeping' and day >= $since and day < $until and amount is null) as unpriced
