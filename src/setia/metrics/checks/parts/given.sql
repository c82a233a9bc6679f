known as (
    -- Of several orders of one number and source, one that counts; by document where several do.
    select distinct on (order_id, source) order_id, regexp_extract(document_id, '^([a-z0-9_-]+):', 1) as source,
        document_id as order_document, currency as order_currency, customer_id as order_customer,
        (cancelled_at is null or cancelled_at >= $moment)
            and not coalesce(is_test, false) and not coalesce(is_staff, false) as stands
    from orders where day < $as_of
    order by order_id, source, stands desc, order_document desc, order_customer desc nulls last, order_currency desc nulls last
),
given as (
    select r.* replace (coalesce(r.currency, k.order_currency) as currency, coalesce(r.customer_id, k.order_customer) as customer_id),
        k.order_document
    from (from returns select *, regexp_extract(document_id, '^([a-z0-9_-]+):', 1) as source) r
    left join known k on k.order_id = r.order_id and (k.source = r.source
        or (k.source = '' or r.source = '') and (select count(*) from known o where o.order_id = r.order_id) = 1)
    where r.day < $as_of and coalesce(k.stands, true)
)
