-- name: Accounts :many
select id, name from accounts where id > $1 order by id;
-- name: Bookings :exec
update bookings set name = $2 where id = $1;
-- name: Cities :many
select id, name from cities where id > $1 order by id;
-- name: Depots :many
select id, name from depots where id > $1 order by id;
-- name: Ticket :one
insert into tickets (name) values ($1) returning id;
-- name: TicketOf :exec
insert into tickets (id, name) values ($1, $2);
-- name: Van :one
insert into vans (name) values ($1) returning id;
-- name: Number :one
select nextval('numbers');
-- name: Doc :exec
update docs set body = $2 where id = $1;
-- name: Secret :one
select secret_of($1);
-- name: Own :many
select id, name from own where id > $1 order by id;
-- name: Shared :many
select id, name from shared where id > $1 order by id;
-- name: Bases :many
select id, name from base where id > $1 order by id;
-- name: Roots :many
select id, name from root where id > $1 order by id;
-- name: Named :exec
insert into named (id) values ($1);
-- name: Coded :exec
insert into coded (id) values ($1);
-- name: Twice :one
select twice($1);
-- name: Hidden :many
select id, name from hidden where id > $1 order by id;
-- name: Found :many
select id from texts where to_tsvector('plain', body) @@ to_tsquery('plain', 'run') order by id;
