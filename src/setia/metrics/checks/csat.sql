-- Answers, and those in the upper fifth of their scale. Parameters: since, until, as_of.
with given as (
    select *, coalesce(scale, 5) as out_of from answers
    where survey = 'csat' and score between 1 and coalesce(scale, 5) and day < $as_of and day >= $since and day < $until
    qualify row_number() over (
        partition by coalesce(customer_id, answer_id) order by answered_at desc, answer_id desc) = 1
)
select count(*) as answers, count(*) filter (score / out_of >= 0.8) as satisfied,
    (select count(*) from messages where survey = 'csat' and state <> 'rejected' and day < $as_of and day >= $since and day < $until) as asked
from given
