-- A forum: schemas, natural joins, recursive queries, full text, materialised view, policies, partial and expression indexes.
create schema app;
alter database forum set search_path = app, public;
set search_path = app, public;
create table users (
  user_id integer primary key,
  login varchar(30) not null,
  display_name varchar(60),
  role text not null default 'member' check (role in ('member', 'moderator', 'admin')),
  karma integer not null default 0,
  joined timestamp not null default '2025-01-01',
  last_seen timestamptz
);
create unique index users_login on users (lower(login));
create table topics (
  topic_id serial primary key,
  title varchar(200) not null,
  slug varchar(80) not null unique,
  author_id integer not null references users (user_id),
  locked boolean not null default false,
  pinned_until date,
  views bigint not null default 0
);
create table posts (
  post_id bigserial primary key,
  topic_id integer not null references topics,
  parent_id bigint references posts,
  user_id integer not null references users,
  body text not null,
  score real not null default 0,
  posted timestamptz not null default '2026-01-01',
  edited timestamptz,
  hidden boolean
);
create index posts_topic on posts (topic_id, posted);
create index posts_visible on posts (user_id) where hidden is not true;
create table votes (
  post_id bigint not null references posts on delete cascade,
  user_id integer not null references users,
  value smallint not null check (value in (-1, 1)),
  unique (post_id, user_id)
);
create table badges (badge varchar(20) primary key, points integer not null default 10);
create table user_badges (user_id integer references users, badge varchar(20) references badges, given date default '2026-01-01');
create table audit (at timestamptz not null default '2026-01-01', who text, what json);
create view topic_list as
  select t.topic_id, t.title, t.slug, u.login as author, t.views, (select count(*) from posts p where p.topic_id = t.topic_id) as posts
  from topics t join users u on u.user_id = t.author_id;
create materialized view leaderboard as select user_id, sum(value) as points from votes group by user_id;
create unique index on leaderboard (user_id);
create function reputation(u integer) returns integer language sql stable as
  $$ select coalesce(sum(v.value), 0)::integer from app.votes v join app.posts p using (post_id) where p.user_id = u $$;
create function guard_locked() returns trigger language plpgsql as
  $$ begin if (select locked from app.topics where topic_id = new.topic_id) then raise exception 'topic % is locked', new.topic_id; end if; return new; end $$;
create trigger posts_guard before insert on posts for each row execute function guard_locked();

insert into users (user_id, login, display_name, role, karma, last_seen)
  select n, 'user' || n, case when n % 4 > 0 then 'User ' || n end, (array['member','member','moderator'])[1 + n % 3], n * 3,
    case when n % 2 = 0 then timestamptz '2026-02-01' + n * interval '1 hour' end from generate_series(1, 40) n;
insert into topics (title, slug, author_id, locked, pinned_until)
  select 'Topic ' || n, 'topic-' || n, 1 + n % 40, n % 10 = 0, case when n % 7 = 0 then date '2026-12-01' end from generate_series(1, 30) n;
insert into posts (topic_id, parent_id, user_id, body, score)
  select t, null, 1 + (t * k) % 40, 'Body ' || t || ' ' || k, k from generate_series(1, 29) t, generate_series(1, 4) k where t % 10 > 0;
update posts set parent_id = post_id - 1 where post_id % 4 = 0;
insert into votes select post_id, u, case when (post_id + u) % 3 = 0 then -1 else 1 end from posts, generate_series(1, 3) u;
insert into badges values ('early', 10), ('helpful', 25), ('gold', 100);
insert into user_badges (user_id, badge) select n, (array['early','helpful'])[1 + n % 2] from generate_series(1, 20) n;
insert into audit (who, what) select 'user' || n, json_build_object('n', n) from generate_series(1, 10) n;
refresh materialized view leaderboard;
