-- What customer-accounts 6.0.3 asks of the shared database.

-- name: GetCustomer :one
select id, number, name, country, segment, locale, marketing_opt_in, credit_limit, attributes from customers where id = $1;

-- name: FindByName :many
select id, number, name from customers where lower(name) like lower($1) || '%' order by lower(name) limit 20;

-- name: FindByNumber :one
select id, name, segment from customers where number = $1;

-- name: ByAttributes :many
select id, name, attributes ->> 'industry' as industry from customers where attributes @> '{"tier": 2, "edi": true}' order by id limit 25;

-- name: CreateCustomer :one
-- ack: customers.id
insert into customers (number, name, country, segment, attributes)
values ($1, $2, $3, 'standard', jsonb_build_object('tier', 1, 'source', $4::text))
returning id;

-- name: SetLocale :execrows
update customers set locale = $2 where id = $1;

-- name: SetMarketing :execrows
update customers set marketing_opt_in = not marketing_opt_in where id = $1;

-- name: RaiseTier :exec
update customers set attributes = jsonb_set(attributes, '{tier}', to_jsonb(least(coalesce((attributes ->> 'tier')::int, 0) + 1, 5))) where id = $1;

-- name: PrimaryContact :one
select c.id, c.name, c.email, c.phone from customer_contacts c where c.customer_id = $1 and c.is_primary;

-- name: AddContact :one
-- ack: customer_contacts.id
insert into customer_contacts (customer_id, name, email, is_primary) values ($1, $2, $3, false) returning id;

-- name: CurrentAgreement :one
select a.id, a.valid_from, a.valid_to, a.terms ->> 'discount' as discount
from customer_agreements a
where a.customer_id = $1 and a.valid_from <= current_date
order by a.valid_from desc limit 1;

-- name: AccountOverview :many
select c.id, c.name, b.balance, b.state, (select count(*) from orders o where o.customer_id = c.id and o.reference = $2) as matching
from customers c
join billing_accounts b on b.customer_id = c.id
where c.id = $1;

-- name: Locales :many
select c.locale, c.marketing_opt_in, count(*) as customers from customers c where c.id between $1 and $1 + 500 group by 1, 2 order by 3 desc;
