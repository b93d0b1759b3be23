--liquibase formatted sql

--changeset shop:status-open
update products set status = 'open' where status = 'live';
--rollback update products set status = 'live' where status = 'open';

--changeset shop:moods
create type mood as enum ('good', 'bad');
create table "Moods" (product text not null references products, day date not null, mood mood not null, seen timestamptz not null, shown text generated always as (product || '!') stored, unique (product, day));
--rollback drop table "Moods";
--rollback drop type mood;

--changeset shop:outlet
insert into products (sku, price) values ('outlet', 1);
--rollback delete from products where sku like 'outlet%';

--changeset shop:note
update products set "Note" = 'n' where sku = 's100';
--rollback update products set "Note" = null from visits v where sku = 's100' and v.page like 'p%';

--changeset shop:visits-referrer
alter table visits add column referrer text;
--rollback alter table visits drop column referrer;
