-- name: Order :one
select id, unit, updated_at from orders where id = $1;

-- name: Measure :exec
update orders set unit = $2 where id = $1;
