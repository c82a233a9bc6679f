-- The latest answer of each customer in the window, by group. Parameters: since, until, as_of.
with given as (
    select * from answers
    where survey = 'nps' and score between 0 and coalesce(scale, 10) and coalesce(scale, 10) = 10
      and day < $as_of and day >= $since and day < $until
    qualify row_number() over (
        partition by coalesce(customer_id, answer_id) order by answered_at desc, answer_id desc) = 1
)
select count(*) as answers,
    count(*) filter (score >= 9) as promoters,
    count(*) filter (score in (7, 8)) as passives,
    count(*) filter (score <= 6) as detractors,
    (select count(*) from messages where survey = 'nps' and state <> 'rejected' and day < $as_of and day >= $since and day < $until) as asked
from given
