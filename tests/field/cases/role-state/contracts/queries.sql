-- name: Day :one
select id, at::date as day from visits where id = $1;
-- name: Rooms :many
select id from rooms order by id;
