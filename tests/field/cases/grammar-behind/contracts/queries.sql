-- name: Get :one
select id, merge_action(kind) as done from orders where id = $1;
-- name: Note :one
select id, note from orders where id = $1;
