-- a comment
create table filed(id int primary key, t text default 'a;b');
/* block; */
insert into filed values (1, '--x');
