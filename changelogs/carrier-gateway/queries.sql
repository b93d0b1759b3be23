-- What carrier-gateway 3.8.2 asks of the shared database.

-- name: GetCarrier :one
select id, scac, name, country, active, capabilities, settings from carriers where id = $1;

-- name: ByScac :one
select id, name, active from carriers where scac = $1;

-- name: WithCapability :many
select id, scac, name from carriers where capabilities && $1::text[] and active order by name limit 50;

-- name: Book :one
-- ack: carrier_bookings.id
insert into carrier_bookings (shipment_id, carrier_id, booking_ref, cost) values ($1, $2, $3, $4) returning id;

-- name: ConfirmBooking :execrows
update carrier_bookings set state = 'confirmed' where id = $1 and state = 'requested';

-- name: NextRequests :many
select id, shipment_id, carrier_id
from carrier_bookings
where carrier_id = $1 and state = 'requested'
order by requested_at limit 5
for update skip locked;

-- name: BookingsOf :many
select b.id, b.state, b.cost, k.name
from carrier_bookings b
join carriers k on k.id = b.carrier_id
where b.shipment_id = $1
order by b.requested_at desc;

-- name: Cutoff :one
select settings ->> 'cutoff' as cutoff, (settings ->> 'edi')::boolean as edi from carriers where id = $1;

-- name: SetCutoff :exec
update carriers set settings = jsonb_set(settings, '{cutoff}', to_jsonb($2::text)), updated_at = now() where id = $1;

-- name: Candidates :many
select k.id, k.name, count(b.id) filter (where b.state = 'confirmed') as confirmed
from carriers k
left join carrier_bookings b on b.carrier_id = k.id and b.state = 'requested'
where k.country = $1 and k.active
group by k.id
order by 3 desc limit 10;

-- name: CheapestBooking :one
select b.id, b.cost from carrier_bookings b where b.shipment_id = $1 and b.cost is not null order by b.cost limit 1;
