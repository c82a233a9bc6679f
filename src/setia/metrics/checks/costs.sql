-- What was spent in the window. Parameters: since, until, as_of, moment, currency. The categories are Setia's own choice.
with {spent}
select purpose, category, programme, coalesce(sum(amount), 0) as amount
from spent where day >= $since and day < $until group by all order by all
