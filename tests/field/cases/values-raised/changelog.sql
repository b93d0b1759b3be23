--liquibase formatted sql

--changeset shop:guard splitStatements:false
create function guard() returns trigger language plpgsql as $$ begin raise exception 'no change of % (pin %)', new.email, old.pin; end $$; create trigger guard before update on users for each row execute function guard();
--rollback drop trigger guard on users; drop function guard();

--changeset shop:read splitStatements:false
create function read() returns trigger language plpgsql as $$ begin perform to_date(new.day, 'YYYY'); return new; end $$; create trigger read before update on spelled for each row execute function read();
--rollback drop trigger read on spelled; drop function read();
