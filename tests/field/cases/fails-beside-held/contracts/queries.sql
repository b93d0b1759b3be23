-- name: One :one
select x from a where id = $1;
