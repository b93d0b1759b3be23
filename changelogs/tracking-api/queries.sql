-- What tracking-api 3.3.0 asks of the shared database.

-- name: LatestEvent :one
select e.kind, e.facility, e.occurred_at, e.note from tracking_events e where e.shipment_id = $1 order by e.occurred_at desc limit 1;

-- name: History :many
select e.id, e.kind, e.facility, e.occurred_at from tracking_events e where e.shipment_id = $1 order by e.occurred_at limit 100;

-- name: ByReference :many
select s.reference, s.status, e.kind, e.facility, e.occurred_at
from shipments s
join tracking_events e on e.shipment_id = s.id
where s.reference = $1
order by e.occurred_at desc limit 20;

-- name: LatestOfMany :many
select s.id, s.status, l.facility, l.occurred_at
from shipments s
left join lateral (select e.facility, e.occurred_at from tracking_events e where e.shipment_id = s.id order by e.occurred_at desc limit 1) l on true
where s.id = any($1::bigint[]);

-- name: Subscribe :one
insert into tracking_subscriptions (shipment_id, email, kinds) values ($1, gen_random_uuid()::text || '@example.com', '{1,5}') returning id;

-- name: Unsubscribe :execrows
update tracking_subscriptions set active = false where id = $1;

-- name: Subscribers :many
select id, email, kinds from tracking_subscriptions where shipment_id = $1 and active;

-- name: Dwell :many
select facility, occurred_at, lead(occurred_at) over (order by occurred_at) - occurred_at as dwell
from tracking_events
where shipment_id = $1
order by occurred_at limit 50;

-- name: Status :one
select s.status, s.promised_at, s.delivered_at, s.promised_at < coalesce(s.delivered_at, now()) as late from shipments s where s.reference = $1;

-- name: Milestones :many
with e as (select kind, min(occurred_at) as first_at from tracking_events where shipment_id = $1 group by kind) select kind, first_at, rank() over (order by first_at) as step
from e
order by step;

-- name: FacilityLoad :many
select facility, count(*) as events
from tracking_events
where occurred_at between $1 and $1 + interval '10 minutes'
group by facility
order by 2 desc limit 10;

-- name: KindsSeen :many
select distinct kind from tracking_events where shipment_id = any($1::bigint[]) order by kind;
