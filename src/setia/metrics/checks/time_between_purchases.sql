-- The survival curve of all gaps, in one pass. Parameters: as_of, until.
with days as (
    select distinct customer_id, day from orders
    where customer_id is not null and (cancelled_at is null or cancelled_at >= $until)
      and not coalesce(is_test, false) and not coalesce(is_staff, false) and not coalesce(is_adjustment, false) and day < $as_of
),
gaps as (
    select lead(day) over (partition by customer_id order by day) as next_day, day from days
),
lengths as (
    select coalesce(next_day, $as_of - 1) - day as length, count(next_day) as d, count(*) as n from gaps group by 1
),
risk as (
    select length, d, sum(n) over (order by length desc) as at_risk from lengths
)
select length as days, at_risk,
    exp(sum(case when d < at_risk then ln(1 - d / at_risk) else -1e9 end) over (order by length)) as survival
from risk order by length
