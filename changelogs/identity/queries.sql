-- What identity 4.2.1 asks of the shared database.

-- name: GetUser :one
select id, email, display_name, role, locked, last_login_at from users where id = $1;

-- name: GetUserByEmail :one
select id, email, display_name, role, locked from users where lower(email) = lower($1);

-- name: OpenSession :one
-- ack: sessions.id
insert into sessions (user_id, user_agent, ip, expires_at) values ($1, $2, $3, now() + interval '12 hours') returning id;

-- name: ExtendSession :execrows
update sessions set expires_at = greatest(expires_at, now() + interval '1 hour') where id = $1;

-- name: ActiveSessions :many
select s.id, s.user_agent, s.created_at, s.expires_at
from sessions s
where s.user_id = $1 and s.expires_at > now()
order by s.created_at desc limit 20;

-- name: PurgeSessions :execrows
delete from sessions where id in (select id from sessions where expires_at < now() - interval '10 years' limit 50);

-- name: RecordLogin :exec
update users set last_login_at = now() where id = $1;

-- name: KeysWithScope :many
select id, user_id, scopes, created_at from api_keys where scopes @> $1::text[] and revoked_at is null order by id limit 50;

-- name: RevokeKey :execrows
update api_keys set revoked_at = now() where id = $1 and revoked_at is null;

-- name: OperatorsPage :many
select id, display_name, role from users where role in ('operator', 'admin') and id > $1 order by id limit $2;

-- name: LockedUsers :many
select id, email from users where locked order by id limit 100;

-- name: SessionsPerUser :many
select u.id, u.display_name, count(s.id) as sessions, max(s.created_at) as latest
from users u
left join sessions s on s.user_id = u.id
where u.id = any($1::bigint[])
group by u.id;
