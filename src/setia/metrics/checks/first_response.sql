-- Cases of the window, those answered, and the median wait. Parameters: since, until, moment.
with waited as (
    select greatest(epoch(case when first_response_at < $moment then first_response_at else $moment end)::bigint
        - epoch(opened_at)::bigint, 0) // 60 as minutes, coalesce(first_response_at < $moment, false) as done
    from cases where day >= $since and day < $until
),
lengths as (select minutes, count(*) filter (done) as ended, count(*) as n from waited group by minutes),
risk as (select minutes, ended, sum(n) over (order by minutes desc) as at_risk from lengths),
curve as (
    select minutes, exp(sum(case when ended < at_risk then ln(1 - ended / at_risk) else -1e9 end)
        over (order by minutes)) as survival
    from risk
)
select (select count(*) from waited) as cases, (select count(*) from waited where done) as done,
    (select min(minutes) from curve where survival <= 0.5 + 1e-9) / 60 as median_hours
