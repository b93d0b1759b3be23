-- What drivers 3.9.0 asks of the shared database.

-- name: Driver :one
select id, employee_no, name, country, active, skills, updated_at from drivers where id = $1;

-- name: ByNumber :one
select id, name, active from drivers where employee_no = $1;

-- name: WithSkills :many
select id, name, skills from drivers where skills @> $1::text[] and active order by id limit 20;

-- name: Licences :many
select class, valid_to from driver_licences where driver_id = $1 order by class;

-- name: RenewLicence :exec
insert into driver_licences (driver_id, class, valid_to)
values ($1, $2, current_date + 1800)
on conflict (driver_id, class) do update
set valid_to = excluded.valid_to;

-- name: Expiring :many
select d.id, d.name, l.class, l.valid_to
from driver_licences l
join drivers d on d.id = l.driver_id
where l.driver_id between $1 and $1 + 100 and l.valid_to < current_date + 400
order by l.valid_to limit 20;

-- name: Deactivate :execrows
update drivers set active = false, updated_at = now() where id = $1 and active;

-- name: Reactivate :execrows
update drivers set active = true, updated_at = now() where id = $1 and not active;

-- name: AddSkill :execrows
update drivers set skills = array(select distinct s from unnest(skills || array['adr']) s order by s) where id = $1;

-- name: PerCountry :many
select country, count(*) as drivers, count(*) filter (where active) as active from drivers group by country order by country;
