-- What quotes 2.0.0 asks of the shared database.

-- name: Quote :one
select id, customer_id, state, total, valid_until, created_at from quotes where id = $1;

-- name: QuotesOf :many
select id, state, total, valid_until from quotes where customer_id = $1 order by created_at desc limit 20;

-- name: NewQuote :one
-- ack: quotes.id
insert into quotes (customer_id, price_list_id, total, valid_until) values ($1, $2, $3, current_date + 30) returning id;

-- name: AddLine :one
-- ack: quote_lines.id
insert into quote_lines (quote_id, lane_id, weight_kg, price) values ($1, $2, $3, $4) returning id;

-- name: Lines :many
select q.id, q.weight_kg, q.price, l.origin_country, l.destination_country
from quote_lines q
left join lanes l on l.id = q.lane_id
where q.quote_id = $1
order by q.id;

-- name: Send :execrows
update quotes set state = 'sent' where id = $1 and state = 'draft';

-- name: Accept :one
update quotes set state = 'accepted' where id = $1 and state = 'sent' returning id, total;

-- name: Total :execrows
update quotes q set total = coalesce((select sum(price) from quote_lines where quote_id = q.id), 0) where q.id = $1;

-- name: Conversion :many
select state, count(*) as n, avg(total) as mean from quotes where customer_id = any($1::bigint[]) group by state order by state;

-- name: Expire :execrows
update quotes
set state = 'expired'
where id in (select id from quotes where customer_id = $1 and valid_until < current_date and state = 'sent' limit 5 for update skip locked);
