-- What customs-filings 2.2.0 asks of the shared database.

-- name: Tariff :one
select code, description, duty_percent from tariff_codes where code = $1;

-- name: File :one
-- ack: customs_filings.id
insert into customs_filings (declaration_id, authority, message) values ($1, $2, '{"type": "EX515"}') returning id;

-- name: Answer :execrows
update customs_filings set answer = '{"code": "OK"}' where id = $1 and answer is null;

-- name: Unanswered :many
select id, declaration_id, sent_at from customs_filings where answer is null order by sent_at limit 10 for update skip locked;

-- name: LatestAttempt :one
select id, attempt, answer ->> 'code' as code from customs_filings where declaration_id = $1 order by attempt desc limit 1;

-- name: Retry :one
insert into customs_filings (declaration_id, authority, message, attempt) select declaration_id, authority, message, attempt + 1
from customs_filings
where id = $1
returning id;

-- name: Refused :many
select f.id, d.mrn
from customs_filings f
join customs_declarations d on d.id = f.declaration_id
where f.declaration_id = any($1::bigint[]) and f.answer @> '{"code": "ERR"}';

-- name: DutyRates :many
select code, duty_percent, percent_rank() over (order by duty_percent) as share from tariff_codes where code >= $1 order by code limit 20;

-- name: MessageType :one
select message ->> 'type' as type, authority from customs_filings where id = $1;

-- name: WithDeclaration :many
select f.id, f.attempt, d.state, d.value
from customs_filings f
join customs_declarations d on d.id = f.declaration_id
where d.shipment_id = $1
order by f.id;
