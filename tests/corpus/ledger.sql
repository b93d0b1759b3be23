-- A ledger: partitions, exact numbers, exclusion, deferred constraints, sequences, composite keys, a procedure.
create extension if not exists btree_gist;
create sequence voucher_no;
create table accounts (
  number varchar(12) primary key,
  name text not null,
  kind char(1) not null check (kind in ('A', 'L', 'E', 'R')),
  currency char(3) not null default 'EUR',
  opened date not null default '2025-01-01',
  closed date,
  check (closed is null or closed >= opened)
);
create table periods (
  period integer primary key check (period between 202001 and 203012),
  locked boolean not null default false,
  during daterange not null,
  exclude using gist (during with &&)
);
create table vouchers (
  voucher bigint primary key default nextval('voucher_no'),
  booked date not null,
  period integer not null references periods,
  text varchar(140),
  reversal_of bigint references vouchers deferrable initially deferred
);
create table entries (
  booked date not null,
  voucher bigint not null references vouchers,
  line smallint not null,
  account varchar(12) not null references accounts,
  amount numeric(15,2) not null check (amount <> 0),
  memo varchar(60),
  primary key (booked, voucher, line)
) partition by range (booked);
create table entries_2025 partition of entries for values from ('2025-01-01') to ('2026-01-01');
create table entries_2026 partition of entries for values from ('2026-01-01') to ('2027-01-01');
create index entries_account on entries (account, booked);
create table rates (currency char(3) not null, day date not null, rate numeric(12,6) not null check (rate > 0), primary key (currency, day));
create table attachments (id integer generated always as identity primary key, voucher bigint not null references vouchers, name varchar(255) not null, content bytea, checksum varchar(64) unique);
create view balances as select account, sum(amount) as balance, max(booked) as last from entries group by account;
create view open_accounts as select number, name, kind, currency from accounts where closed is null with check option;
create function balance(a varchar, until date default '2099-12-31') returns numeric language sql stable as
  $$ select coalesce(sum(amount), 0) from entries where account = a and booked <= until $$;
create function period_open() returns trigger language plpgsql as
  $$ begin if (select locked from periods where period = new.period) then raise exception 'period % is locked', new.period; end if; return new; end $$;
create procedure lock_period(p integer) language sql as $$ update periods set locked = true where period = p $$;

insert into accounts (number, name, kind, closed)
  select (1000 + n)::text, 'Account ' || n, (array['A','L','E','R'])[1 + n % 4], case when n % 9 = 0 then date '2025-12-31' end from generate_series(1, 30) n;
insert into periods (period, locked, during)
  select to_char(d, 'YYYYMM')::integer, d < '2025-06-01', daterange(d::date, (d + interval '1 month')::date)
  from generate_series(date '2025-01-01', date '2026-12-01', interval '1 month') d;
insert into vouchers (booked, period, text)
  select d, to_char(d, 'YYYYMM')::integer, case when n % 3 > 0 then 'Voucher ' || n end
  from generate_series(1, 60) n, lateral (select date '2025-01-05' + n * 11 as d) x;
insert into entries (booked, voucher, line, account, amount, memo)
  select booked, voucher, l, (1001 + (voucher * l) % 30)::text, case when l = 1 then 100 + voucher else -(100 + voucher) end,
    case when voucher % 2 = 0 then 'memo' end from vouchers, generate_series(1, 2) l;
insert into rates select c, date '2026-01-01' + n, 1 + n / 100.0 from unnest(array['USD','CHF']) c, generate_series(0, 20) n;
insert into attachments (voucher, name, content, checksum) select voucher, 'file' || voucher || '.pdf', '\x00ff', md5(voucher::text) from vouchers where voucher % 5 = 0;
set constraints all immediate;
create trigger vouchers_period before insert on vouchers for each row execute function period_open();
