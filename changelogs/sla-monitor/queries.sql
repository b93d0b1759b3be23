-- What sla-monitor 1.6.0 asks of the shared database.

-- name: Policies :many
select id, service_level, max_hours, penalty_percent from sla_policies where customer_id = any($1::bigint[]) order by id;

-- name: Breach :exec
insert into sla_breaches (shipment_id, policy_id, hours_late)
values ($1, $2, 4.5)
on conflict (shipment_id, policy_id) do update
set hours_late = excluded.hours_late, found_at = now();

-- name: BreachesOf :many
select b.id, b.hours_late, p.service_level, p.penalty_percent from sla_breaches b join sla_policies p on p.id = b.policy_id where b.shipment_id = $1;

-- name: Candidates :many
select s.id, s.service_level, s.promised_at
from shipments s
where s.promised_at between $1 and $1 + interval '1 hour' and s.status not in ('delivered', 'cancelled')
order by s.promised_at limit 20;

-- name: Hours :one
select extract(epoch from coalesce(delivered_at, now()) - created_at) / 3600 as hours, service_level from shipments where id = $1;

-- name: NewPolicy :one
-- ack: sla_policies.id
insert into sla_policies (customer_id, service_level, max_hours) values ($1, 'express', 24) returning id;

-- name: Tighten :execrows
update sla_policies set max_hours = greatest(max_hours - 1, 12) where id = $1;

-- name: Penalty :many
select b.shipment_id, sum(c.amount) * max(p.penalty_percent) / 100 as penalty
from sla_breaches b
join sla_policies p on p.id = b.policy_id
join charges c on c.shipment_id = b.shipment_id
where b.shipment_id = any($1::bigint[])
group by b.shipment_id;

-- name: Worst :many
select id, shipment_id, hours_late, dense_rank() over (order by hours_late desc) as r
from sla_breaches
where shipment_id = any($1::bigint[])
order by r limit 10;

-- name: OnTime :many
select s.service_level, count(*) filter (where s.delivered_at <= s.promised_at) as on_time, count(*) as n
from shipments s
where s.carrier_id = $1 and s.status = 'exception'
group by s.service_level;
