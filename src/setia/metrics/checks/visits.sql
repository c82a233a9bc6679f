-- Visits of the window and what came of them. Parameters: since, until, as_of, moment, currency, minutes (that end a visit).
with {visits}
select count(*) as visits, count(*) filter (with_cart) as with_cart, count(*) filter (with_order) as with_order,
    count(*) filter (with_cart and not with_order) as abandoned, coalesce(sum(revenue), 0) as revenue,
    coalesce(sum(unpriced), 0) as unpriced
from visits where day >= $since and day < $until
