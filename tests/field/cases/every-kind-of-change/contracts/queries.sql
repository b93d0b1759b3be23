-- name: Shop :one
select id from shops where id = $1;
