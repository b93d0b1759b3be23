-- name: Price :one
select price from products where sku = $1;
