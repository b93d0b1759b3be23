-- name: ByLogin :one
select user_id, login, display_name, role from users where lower(login) = lower($1::text);
-- name: Join :exec
insert into users (user_id, login, display_name) values ($1, $2, $3);
-- name: Promote :execrows
update users set role = $2 where user_id = $1;
-- name: Seen :execrows
update users set last_seen = $2, karma = karma + 1 where user_id = $1;
-- name: NewTopic :one
insert into topics (title, slug, author_id) values ($1, $2, $3) returning topic_id;
-- name: Topic :one
select * from topics where slug = $1;
-- name: List :many
select * from topic_list order by views desc, topic_id limit 10;
-- name: ListByAuthor :many
select title, posts from topic_list where author = $1 order by title;
-- name: Pinned :many
select topic_id, title from topics where pinned_until > date '2026-06-01' order by topic_id;
-- name: Viewed :execrows
update topics set views = views + 1 where topic_id = $1;
-- name: Reply :one
insert into posts (topic_id, user_id, body, parent_id) values ($1, $2, $3, $4) returning post_id, posted;
-- name: Thread :many
select post_id, user_id, body, edited from posts where topic_id = $1 and hidden is not true order by posted, post_id;
-- name: Ancestors :many
with recursive up as (select post_id, parent_id from posts where post_id = $1
  union all select p.post_id, p.parent_id from posts p join up on p.post_id = up.parent_id)
select post_id from up order by post_id;
-- name: WithAuthors :many
select post_id, login from posts natural join users where topic_id = $1 order by post_id;
-- name: Voted :many
select p.post_id, v.value from posts p left join votes v using (post_id, user_id) where p.user_id = $1 order by p.post_id;
-- name: Vote :exec
insert into votes (post_id, user_id, value) values ($1, $2, $3) on conflict (post_id, user_id) do update set value = excluded.value;
-- name: Scores :many
select post_id, sum(value) as score from votes group by post_id having sum(value) > 1 order by post_id;
-- name: Hide :execrows
update posts set hidden = true, edited = $2 where post_id = $1;
-- name: Leaders :many
select l.user_id, l.points, u.display_name from leaderboard l join users u on u.user_id = l.user_id order by l.points desc, l.user_id limit 5;
-- name: Reputation :one
select reputation($1) as reputation;
-- name: Badges :many
select b.badge, b.points, ub.given from user_badges ub join badges b on b.badge = ub.badge where ub.user_id = $1 order by b.badge;
-- name: Award :exec
insert into user_badges (user_id, badge) values ($1, $2);
-- name: NewBadge :exec
insert into badges values ($1, $2);
-- name: Log :exec
insert into audit (who, what) values ($1, $2);
-- name: Trail :many
select at, who, what->>'n' as n from audit where who = $1 order by at;
-- name: Purge :execrows
delete from posts where post_id = $1 and not exists (select from posts c where c.parent_id = posts.post_id);
-- name: Active :many
select user_id from users where last_seen is not null except select author_id from topics order by 1;
-- name: Top :many
select login, karma, rank() over (order by karma desc) as place from users order by place, login limit 5;
