-- name: Account :one
select number, name, kind, currency, opened, closed from accounts where number = $1;
-- name: OpenAccount :exec
insert into accounts (number, name, kind) values ($1, $2, $3);
-- name: CloseAccount :execrows
update accounts set closed = $2 where number = $1;
-- name: AddThroughView :exec
insert into open_accounts (number, name, kind, currency) values ($1, $2, $3, $4);
-- name: OpenOnes :many
select * from open_accounts order by number;
-- name: Book :one
insert into vouchers (booked, period, text) values ($1, $2, $3) returning voucher;
-- name: Reverse :one
insert into vouchers (booked, period, text, reversal_of) values (date '2026-05-05', 202605, 'reversal', $1) returning voucher;
-- name: Enter :exec
insert into entries (booked, voucher, line, account, amount, memo) values (date '2026-03-03', $1, $2, $3, $4, $5);
-- name: EntryOfAnyDay :exec
insert into entries (booked, voucher, line, account, amount) values ($1, $2, $3, $4, $5);
-- name: Correct :execrows
update entries set memo = $3 where voucher = $1 and line = $2;
-- name: EntriesOf :many
select line, account, amount, memo from entries where voucher = $1 order by line;
-- name: Statement :many
select e.booked, e.voucher, v.text, e.amount from entries e join vouchers v on v.voucher = e.voucher
where e.account = $1 and e.booked >= $2 order by e.booked, e.voucher, e.line;
-- name: Balances :many
select account, balance from balances where account = $1;
-- name: BalanceAt :one
select balance($1, $2) as balance;
-- name: Balance :one
select balance($1) as balance;
-- name: ByKind :many
select a.kind, sum(e.amount) from entries e join accounts a on a.number = e.account group by a.kind order by a.kind;
-- name: Period :one
select period, locked, lower(during) as starts from periods where during @> $1::date;
-- name: AddPeriod :exec
insert into periods (period, during) values ($1, daterange($2, $3));
-- name: LockPeriod :exec
call lock_period($1);
-- name: Rate :one
select rate from rates where currency = $1 and day <= $2 order by day desc limit 1;
-- name: SetRate :exec
insert into rates (currency, day, rate) values ($1, $2, $3) on conflict (currency, day) do update set rate = excluded.rate;
-- name: Attach :one
insert into attachments (voucher, name, checksum) values ($1, $2, $3) returning id;
-- name: Attachments :many
select id, name, octet_length(content) as size from attachments where voucher = $1 order by id;
-- name: ByChecksum :one
select id, voucher from attachments where checksum = $1;
-- name: Journal :many
select * from entries where booked = $1 order by voucher, line;
-- name: Unreversed :many
select v.voucher from vouchers v where not exists (select from vouchers r where r.reversal_of = v.voucher) and v.period = $1 order by v.voucher;
-- name: Months :many
select period, count(*) from vouchers group by period order by period;
