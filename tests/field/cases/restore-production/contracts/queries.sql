-- name: Open :many
select id, customer from open_orders order by id;
