--liquibase formatted sql

--changeset customer-accounts:customer-preferences-copy
insert into customer_preferences (customer_id, locale, marketing_opt_in)
select c.id, c.locale, c.marketing_opt_in from customers c
on conflict (customer_id) do nothing;
--rollback delete from customer_preferences;
