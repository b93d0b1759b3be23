-- name: Order :one
select id, ref from orders where id = $1;
