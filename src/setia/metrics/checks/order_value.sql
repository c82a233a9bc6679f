-- Orders, gross and net of everything before a day. Parameters: as_of, until.
select count(*) filter (not coalesce(is_adjustment, false)) as orders,
    coalesce(sum(total) filter (not coalesce(is_adjustment, false)), 0) as gross,
    coalesce(sum(total), 0) - coalesce((select sum(amount) from returns where day < $as_of), 0) as net
from orders
where (cancelled_at is null or cancelled_at >= $until) and not coalesce(is_test, false) and not coalesce(is_staff, false) and day < $as_of
