-- What tracking-ingest 11.0.4 asks of the shared database.

-- name: Record :one
-- ack: tracking_events.id
insert into tracking_events (shipment_id, kind, facility, device_id, occurred_at) values ($1, $2, $3, $4, now()) returning id;

-- name: RecordMany :execrows
insert into tracking_events (shipment_id, kind, facility, occurred_at) select s, 2, $2, now() from unnest($1::bigint[]) as s;

-- name: DeviceSeen :execrows
update scan_devices set last_seen_at = now() where serial = $1;

-- name: Device :one
select id, serial, facility, last_seen_at from scan_devices where serial = $1;

-- name: SilentDevices :many
select id, serial, facility from scan_devices where last_seen_at < now() - interval '7 days' and id > $1 order by id limit 20;

-- name: Receive :one
-- ack: ingest_batches.id
insert into ingest_batches (device_id, events, payload) values ($1, 3, '[{"kind": 1}]') returning id;

-- name: NextBatches :many
select id, device_id, payload from ingest_batches where state = 'new' order by received_at limit 2 for update skip locked;

-- name: FinishBatch :execrows
update ingest_batches set state = 'done' where id = $1 and state in ('new', 'working');

-- name: BatchOfDevice :many
select id, events, state, received_at from ingest_batches where device_id = $1 order by received_at desc limit 10;

-- name: LastOfShipment :one
select id, kind, facility, occurred_at from tracking_events where shipment_id = $1 order by occurred_at desc limit 1;

-- name: StageCopy :copyfrom
copy tracking_staging (device_serial, shipment_reference, kind, facility, occurred_at) from stdin;

-- name: StageOne :exec
insert into tracking_staging (device_serial, shipment_reference, kind, facility, occurred_at) values ($1, $2, 1, $3, now());
