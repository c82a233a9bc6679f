-- New customers and costs of winning by month. Parameters: as_of, moment, currency.
with {spent},
firsts as (select customer_id, min(day) as first_day from counted where customer_id is not null group by customer_id),
won as (select date_trunc('month', first_day)::date as cohort, count(*) as customers from firsts group by all),
paid as (
    select date_trunc('month', day)::date as cohort, sum(amount) as cost from spent where purpose = 'winning' group by all
)
select cohort, customers, coalesce(cost, 0) as cost from won left join paid using (cohort) order by cohort
