-- name: Rooms :many
select id from rooms order by id;
