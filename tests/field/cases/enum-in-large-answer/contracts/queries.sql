-- name: All :many
select id, state, filler from jobs order by id;
