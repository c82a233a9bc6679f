-- Orders, gross and net of everything before a day. Parameters: as_of.
select count(*) filter (not coalesce(is_adjustment, false)) as orders,
    sum(total) filter (not coalesce(is_adjustment, false)) as gross,
    sum(total) - coalesce((select sum(amount) from returns where day < $as_of), 0) as net
from orders
where cancelled_at is null and not coalesce(is_test, false) and day < $as_of
