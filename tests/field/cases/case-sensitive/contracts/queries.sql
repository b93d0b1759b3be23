-- name: ByMail :one
select id from accounts where mail = $1;

-- name: ByNick :one
select id from accounts where nick = $1;

-- name: ByTown :many
select id from accounts where town = $1 order by id;

-- name: ById :one
select id, town from accounts where id = $1;
