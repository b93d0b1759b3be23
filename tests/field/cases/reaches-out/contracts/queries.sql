-- name: Order :one
select id, status from orders where id = $1;

-- name: SetStatus :exec
update orders set status = $2 where id = $1;
