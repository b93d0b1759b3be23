--liquibase formatted sql
--property name:cols value:text
--changeset c:s1 labels:rel1 stripComments:false
create table s1(a int, b ${cols}); -- keep
--rollback drop table s1;
--changeset c:s2 splitStatements:false
create function f() returns trigger language plpgsql as $$ begin new.b := 'x;y'; return new; end $$;
create trigger t before insert on s1 for each row execute function f();
--rollback drop trigger t on s1; drop function f();
--changeset c:s3 runOnChange:true
--comment a view
create or replace view v1 as select a from s1;
--rollback drop view v1;
--changeset c:s4 context:prod
--precondition-sql-check expectedResult:0 select count(*) from s1 where a = 99
insert into s1 values (1,'q'),(2,'r');
/* liquibase rollback
delete from s1;
*/
--changeset c:s5 context:!prod
drop table s1;
--rollback not required
--changeset c:s6 endDelimiter:/
create table s6(a int)
/
insert into s6 values (1)
/
--rollback drop table s6
