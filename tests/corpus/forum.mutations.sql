alter table app.posts add column login text
--
alter table app.users add column body text
--
alter table app.users add column post_id bigint
--
drop index app.users_login; create unique index users_login on app.users (login)
--
alter table app.users drop constraint users_role_check; alter table app.users add constraint users_role_check check (role in ('member', 'moderator')) not valid
--
alter table app.users drop constraint users_role_check; alter table app.users add constraint users_role_check check (role in ('member', 'moderator', 'admin', 'guest'))
--
drop materialized view app.leaderboard; create view app.leaderboard as select user_id, sum(value) as points from app.votes group by user_id
--
drop materialized view app.leaderboard; create materialized view app.leaderboard as select user_id, count(*) as points from app.votes group by user_id
--
create or replace function app.guard_locked() returns trigger language plpgsql as $$ begin if new.body = '' then raise exception 'empty'; end if; return new; end $$
--
create or replace function app.guard_locked() returns trigger language plpgsql as $$ begin return null; end $$
--
drop trigger posts_guard on app.posts
--
alter table app.votes drop constraint votes_post_id_user_id_key
--
alter table app.votes drop constraint votes_value_check; alter table app.votes add constraint votes_value_check check (value in (-1, 0, 1))
--
alter table app.audit alter column what type jsonb
--
alter table app.audit alter column what type text
--
create or replace view app.topic_list as select t.topic_id, t.title, t.slug, u.login as author, t.views, (select count(*) from app.posts p where p.topic_id = t.topic_id) as posts, t.locked from app.topics t join app.users u on u.user_id = t.author_id
--
alter table app.topics alter column topic_id drop default
--
alter sequence app.topics_topic_id_seq as smallint
--
create schema elsewhere; alter function app.reputation(integer) set schema elsewhere
--
alter table app.badges alter column points drop default
--
alter table app.badges add column colour text not null default 'red'
--
create table public.posts (id integer)
