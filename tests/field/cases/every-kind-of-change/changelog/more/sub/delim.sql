create table sf(a int)
/
insert into sf values (1)
/
