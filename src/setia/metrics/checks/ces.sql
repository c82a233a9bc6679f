-- Answers, and those from two thirds of the way up their scale. Parameters: since, until, as_of.
with given as (
    select *, coalesce(scale, 7) as out_of from answers
    where survey = 'ces' and score between 1 and coalesce(scale, 7) and day < $as_of and day >= $since and day < $until
    qualify row_number() over (
        partition by coalesce(customer_id, answer_id) order by answered_at desc, answer_id desc) = 1
)
select count(*) as answers, count(*) filter (3 * (score - 1) >= 2 * (out_of - 1)) as easy,
    (select count(*) from messages where survey = 'ces' and state <> 'rejected' and day < $as_of and day >= $since and day < $until) as asked
from given
