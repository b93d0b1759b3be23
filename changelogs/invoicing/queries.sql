-- What invoicing 3.1.0 asks of the shared database.

-- name: Invoice :one
select id, account_id, number, state, total, issued_on, due_on from invoices where id = $1;

-- name: ByNumber :one
select id, state, total from invoices where number = $1;

-- name: NewInvoice :one
-- ack: invoices.id
insert into invoices (account_id, number, total, issued_on, due_on) values ($1, $2, $3, current_date, current_date + 30) returning id;

-- name: AddLine :one
-- ack: invoice_lines.id
insert into invoice_lines (invoice_id, charge_id, description, amount) values ($1, $2, $3, $4) returning id;

-- name: Lines :many
select l.description, l.amount, c.kind, c.at from invoice_lines l left join charges c on c.id = l.charge_id where l.invoice_id = $1 order by l.id;

-- name: OfAccount :many
select id, number, state, total, issued_on from invoices where account_id = $1 order by issued_on desc limit 20;

-- name: Overdue :many
select i.id, i.number, c.name, i.total, current_date - i.due_on as days
from invoices i
join billing_accounts b on b.id = i.account_id
join customers c on c.id = b.customer_id
where i.state = 'issued' and i.due_on < $1
order by i.due_on limit 20;

-- name: Issue :execrows
update invoices set state = 'issued', issued_on = current_date where id = $1 and state = 'draft';

-- name: MarkPaid :one
update invoices set state = 'paid' where id = $1 and state = 'issued' returning id, total;

-- name: Ageing :many
select width_bucket(current_date - due_on, 0, 90, 3) as bucket, count(*) as n, sum(total) as total
from invoices
where state = 'issued' and account_id = any($1::bigint[])
group by 1
order by 1;
