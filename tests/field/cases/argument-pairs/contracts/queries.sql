-- name: Between :many
select id from jobs where tstzrange($1, $2, '[)') @> created_at order by id;
