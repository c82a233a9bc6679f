owners as (
    select visitor, max(customer_id) as owner from events
    where day < $as_of and visitor is not null and customer_id is not null
    group by visitor having count(distinct customer_id) = 1
),
seen as (
    select e.* replace (coalesce(e.customer_id, o.owner) as customer_id)
    from events e left join owners o using (visitor) where e.day < $as_of
)
