-- name: T :one
select a, c from t where a = $1;
