-- name: One :one
select id, rate from cust where id = $1;
