create table contacts (id bigint primary key, mail text);
