-- The latest answer of each customer in the window, by group. Parameters: since, until, as_of.
with given as (
    select *, coalesce(scale, 10) as out_of from answers
    where survey = 'nps' and score is not null and day < $as_of and day >= $since and day < $until
    qualify row_number() over (
        partition by coalesce(customer_id, answer_id) order by answered_at desc, answer_id desc) = 1
)
select count(*) filter (out_of = 10) as answers,
    count(*) filter (out_of = 10 and score >= 9) as promoters,
    count(*) filter (out_of = 10 and score in (7, 8)) as passives,
    count(*) filter (out_of = 10 and score <= 6) as detractors,
    (select count(*) from messages where survey = 'nps' and state <> 'rejected' and day < $as_of and day >= $since and day < $until) as asked
from given
