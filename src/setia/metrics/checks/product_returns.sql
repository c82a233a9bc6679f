-- Units sold in the window, and units of these orders that came back by now. Parameters: since, until, as_of, moment.
with counted as (
    select * from orders
    where (cancelled_at is null or cancelled_at >= $moment) and day < $as_of
      and not coalesce(is_test, false) and not coalesce(is_staff, false)
      and not coalesce(is_adjustment, false) and day >= $since and day < $until
),
{given}
select
    (select coalesce(sum(l.quantity), 0) from order_lines l join counted o using (document_id, order_id)) as sold,
    (select coalesce(sum(r.quantity), 0) from given r join counted o on r.order_document = o.document_id and r.order_id = o.order_id) as returned
