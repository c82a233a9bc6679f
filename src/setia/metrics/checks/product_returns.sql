-- Units sold in the window, and units of these orders that came back by now. Parameters: since, until, as_of, moment.
with counted as (
    select * from orders
    where (cancelled_at is null or cancelled_at >= $moment) and day < $as_of
      and not coalesce(is_test, false) and not coalesce(is_staff, false)
      and not coalesce(is_adjustment, false) and day >= $since and day < $until
),
known as (
    select order_id, if(contains(document_id, ':'), split_part(document_id, ':', 1), '') as source,
        max(document_id) as order_document, max(currency) as order_currency,
        bool_or((cancelled_at is null or cancelled_at >= $moment)
            and not coalesce(is_test, false) and not coalesce(is_staff, false)) as stands
    from orders where day < $as_of group by all
),
given as (
    select r.* replace (coalesce(r.currency, k.order_currency) as currency), k.order_document
    from returns r left join known k on k.order_id = r.order_id and (
        k.source = if(contains(r.document_id, ':'), split_part(r.document_id, ':', 1), '')
        or (select count(*) from known o where o.order_id = r.order_id) = 1)
    where r.day < $as_of and coalesce(k.stands, true)
)
select
    (select coalesce(sum(l.quantity), 0) from order_lines l join counted o using (document_id)) as sold,
    (select coalesce(sum(r.quantity), 0) from given r join counted o on r.order_document = o.document_id) as returned
