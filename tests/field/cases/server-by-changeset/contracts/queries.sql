-- name: User :one
select id, mail from users where id = $1;
