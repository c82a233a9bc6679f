-- Costs of winning in the window, and customers whose first order lies in it.
-- Parameters: since, until, as_of, moment, currency.
with {spent},
firsts as (select customer_id, min(day) as first_day from counted where customer_id is not null group by customer_id)
select (select coalesce(sum(amount), 0) from spent where purpose = 'winning' and day >= $since and day < $until) as cost,
    (select count(*) from firsts where first_day >= $since and first_day < $until) as new_customers,
    (select count(*) from spent where purpose = 'winning' and day >= $since and day < $until and amount is null) as unpriced
