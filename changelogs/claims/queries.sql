-- What claims 2.7.0 asks of the shared database.

-- name: Claim :one
select id, shipment_id, customer_id, kind, state, amount, opened_at from claims where id = $1;

-- name: OpenClaim :one
-- ack: claims.id
insert into claims (shipment_id, customer_id, kind, amount) values ($1, $2, $3, $4) returning id;

-- name: ClaimsOf :many
select id, kind, state, amount from claims where customer_id = $1 order by opened_at desc limit 20;

-- name: Investigate :execrows
update claims set state = 'investigating' where id = $1 and state = 'open';

-- name: Decide :one
update claims set state = 'paid', amount = coalesce(amount, 0) where id = $1 and state = 'investigating' returning id, amount;

-- name: Oldest :many
select c.id, c.opened_at, s.reference
from claims c
join shipments s on s.id = c.shipment_id
where c.state in ('open', 'investigating')
order by c.opened_at limit $1;

-- name: Documents :many
select id, name, meta ->> 'pages' as pages from claim_documents where claim_id = $1 order by uploaded_at;

-- name: AddDocument :one
-- ack: claim_documents.id
insert into claim_documents (claim_id, name, meta) values ($1, $2, '{"pages": 2}') returning id;

-- name: Evidence :many
select e.kind, e.facility, e.occurred_at
from claims c
join tracking_events e on e.shipment_id = c.shipment_id
where c.id = $1
order by e.occurred_at desc limit 20;

-- name: Ratio :many
select kind, count(*) as n, avg(amount) as mean, percentile_cont(0.5) within group (order by amount) as median
from claims
where customer_id = any($1::bigint[])
group by kind;
