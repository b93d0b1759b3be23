--liquibase formatted sql

--changeset customer-accounts:customer-preferences
--comment Preferences leave the customers table; a trigger keeps both in step until nobody reads the old columns.
create table customer_preferences (
  customer_id bigint primary key references customers (id),
  locale text not null,
  marketing_opt_in boolean not null
);
--rollback drop table customer_preferences;

--changeset customer-accounts:customer-preferences-function splitStatements:false
create function split_customer_preferences() returns trigger language plpgsql as $$
begin
  insert into customer_preferences (customer_id, locale, marketing_opt_in)
  values (new.id, new.locale, new.marketing_opt_in)
  on conflict (customer_id) do update set locale = excluded.locale, marketing_opt_in = excluded.marketing_opt_in;
  return null;
end
$$;
--rollback drop function split_customer_preferences();

--changeset customer-accounts:customer-preferences-trigger
create trigger customers_preferences after insert or update of locale, marketing_opt_in on customers for each row execute function split_customer_preferences();
--rollback drop trigger customers_preferences on customers;
