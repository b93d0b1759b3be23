-- name: Get :one
select value, old from limits where id = $1;
