-- What billing 5.0.1 asks of the shared database.

-- name: Account :one
select id, customer_id, currency, balance, state from billing_accounts where id = $1;

-- name: AccountOf :one
select id, currency, balance from billing_accounts where customer_id = $1 order by id limit 1;

-- name: Charge :one
-- ack: charges.id
insert into charges (account_id, shipment_id, kind, amount) values ($1, $2, $3, $4) returning id;

-- name: Debit :execrows
update billing_accounts set balance = balance - $2::numeric, updated_at = now() where id = $1;

-- name: Credit :execrows
update billing_accounts set balance = balance + $2::numeric, updated_at = now() where id = $1;

-- name: Statement :many
select c.id, c.kind, c.amount, c.at, sum(c.amount) over (order by c.at, c.id) as running
from charges c
where c.account_id = $1
order by c.at desc, c.id desc limit 50;

-- name: Uninvoiced :many
select c.id, c.amount, s.reference
from charges c
join shipments s on s.id = c.shipment_id
where c.account_id = $1 and not c.invoiced
order by c.id limit 100;

-- name: TakeUninvoiced :many
update charges
set invoiced = true
where id in (select id from charges where account_id = $1 and not invoiced order by id limit 5 for update skip locked)
returning id, amount;

-- name: ChargesOfShipment :many
select kind, sum(amount) as amount from charges where shipment_id = $1 group by kind order by kind;

-- name: Balances :many
select b.id, b.balance, c.name
from billing_accounts b
join customers c on c.id = b.customer_id
where b.customer_id = any($1::bigint[])
order by b.id;

-- name: MonthTotals :many
select date_trunc('month', at) as month, count(*) filter (where invoiced) as invoiced, sum(amount) as amount
from charges
where account_id = $1
group by 1
order by 1 desc limit 12;

-- name: ExportCharges :many
copy (select id, account_id, kind, amount, at from charges where account_id between 1 and 20 order by id limit 200) to stdout;
