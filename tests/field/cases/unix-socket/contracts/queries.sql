-- name: Note :one
select id, text from notes where id = $1;
