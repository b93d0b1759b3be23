-- name: SetPin :exec
update users set pin = $2 where id = $1;
-- name: SetDay :exec
update spelled set day = $2 where id = $1;
