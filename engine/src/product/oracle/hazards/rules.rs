//! The table of hazards.

use super::{Lock, Rule};
use crate::model::changeset::Severity::{Danger, Note, Warning};
use crate::product::weight::Weight::{Always, AnyRow, AnyRowMild, Size, SizeMild};
use crate::product::weight::rules;

rules! {
    // Brief locks
    BRIEF = "brief-lock", Exclusive, Always(Note), "EXCLUSIVE on {table} for a moment: the statement fails with ORA-00054 while a transaction has changed the table, and writes queue behind it as long as it waits, so it needs a short DDL_LOCK_TIMEOUT with retries";
    LOCK_TABLE = "explicit-lock", None, Always(Warning), "{table} stays locked {what} until the transaction ends: keep the transaction short, or leave the lock to the statement that needs it";
    FOR_UPDATE = "waits-for-rows", RowExclusive, Always(Warning), "SELECT … FOR UPDATE waits without limit for who has locked a row of {table}, and DDL_LOCK_TIMEOUT does not end that: say NOWAIT, WAIT n or SKIP LOCKED";
    // Indexes
    INDEX_OFFLINE = "blocks-writes", Share, Size, "writes to {table} wait until the index is built: CREATE INDEX … ONLINE";
    REBUILD_OFFLINE = "blocks-writes", Share, Size, "writes to {table} wait until {what} is built anew: ALTER INDEX … REBUILD ONLINE";
    INDEX_ONLINE = "long-running", RowShare, SizeMild, "the index on {table} is built while reads and writes go on; it waits for transactions that began before it";
    REBUILD_ONLINE = "long-running", RowShare, SizeMild, "{what} of {table} is built anew while reads and writes go on; it waits for transactions that began before it";
    DROP_INDEX = "drop-index", Exclusive, Always(Warning), "{table} is locked EXCLUSIVE for a moment and queries that used the index get slower: make it INVISIBLE first and watch, then DROP INDEX … ONLINE";
    DROP_INDEX_ONLINE = "drop-index", None, Always(Note), "queries on {table} that used the index get slower: make it INVISIBLE first and watch";
    KEY_INDEX = "drop-index", Exclusive, Always(Warning), "the index of {what} goes with it, and queries on {table} that used the index get slower: say KEEP INDEX";
    INDEX_HIDDEN = "index-hidden", None, Always(Note), "the optimizer leaves {what} of {table} out from now on, and queries that used it get slower; ALTER INDEX … VISIBLE brings it back at once";
    INDEX_UNUSABLE = "indexes-unusable", None, AnyRow, "no query uses {what} any more, and writes to {table} fail with ORA-01502 if it is unique, until it is built anew: make it INVISIBLE if only queries are to leave it alone";
    ALREADY_INDEXED = "already-indexed", None, Always(Warning), "{table} has an index on {what}, and a second one of the same kind fails with ORA-01408: leave it out, or drop the old one in an earlier changeset";
    BITMAP = "bitmap-index", None, Always(Warning), "an entry of a bitmap index on {table} locks many rows, so that sessions that write wait for each other or deadlock: use a B-tree index on a table that is written";
    FUNCTION_INDEX = "function-index", None, Always(Note), "each write to {table} computes {what}, and if a function in it is replaced, the index is disabled and writes fail with ORA-30554: index a virtual column made of built-in functions only";
    INDEX_MISSING = "index-missing", None, SizeMild, "no index begins with {what}: each DELETE and each change of the key on the other side of the foreign key reads all of {table} and keeps writes to it waiting; make the index first, ONLINE where the table has rows";
    DUPLICATES = "fails-on-duplicates", None, AnyRowMild, "it fails with ORA-01452 or ORA-02299 if rows of {table} are equal in {what}, and later writes of equal rows fail: look for duplicates first, and see that no service writes any";
    // Columns
    ADD_COLUMN_REWRITE = "table-rewrite", Exclusive, Size, "every row of {table} is written under EXCLUSIVE because {what}: add the column without a default, set the default with MODIFY, then fill the old rows in batches";
    ADD_COLUMN_TIME = "may-rewrite", Exclusive, SizeMild, "{what} is no constant, and the manual does not say whether it is kept once for all rows or written to each row of {table} under EXCLUSIVE: watch it in the shadow stage, or add the column without a default";
    ADD_IDENTITY = "table-rewrite", Exclusive, Size, "every row of {table} is numbered and written under EXCLUSIVE because {what} is an identity column: add a plain column with a sequence as its default by MODIFY, then fill the old rows in batches";
    ADD_NOT_NULL = "fails-on-rows", Exclusive, AnyRow, "{what} is NOT NULL without a default, which fails with ORA-01758 as soon as {table} has a row, and INSERTs that do not know it fail after: give it a constant default, which is kept in the dictionary only";
    ADD_COLUMN_CHECK = "full-scan", Share, Size, "all of {table} is read while writes wait because {what} comes with a constraint: add the column first, then the constraint ENABLE NOVALIDATE, then validate it";
    DROP_COLUMN = "data-loss", Exclusive, AnyRow, "the values of {what} are gone and only the backup has them: stop reading it everywhere first, keep a copy if the inverse must bring them back";
    DROP_COLUMN_REWRITE = "table-rewrite", Exclusive, Size, "every row of {table} is written anew under EXCLUSIVE to take {what} out: SET UNUSED … ONLINE now, and DROP UNUSED COLUMNS CHECKPOINT in a window without traffic";
    SET_UNUSED = "data-loss", None, AnyRow, "nobody can read the values of {what} any more, and only the backup has them: stop reading it everywhere first, keep a copy if the inverse must bring them back";
    SET_UNUSED_FINAL = "no-inverse", None, Always(Warning), "no statement brings {what} back once it is UNUSED: make it INVISIBLE first, which can be taken back";
    DROP_UNUSED = "table-rewrite", Exclusive, Size, "every row of {table} is written anew under EXCLUSIVE to take the unused columns out: do it in a window without traffic; one that is interrupted leaves the table unusable until DROP COLUMNS CONTINUE is through (ORA-12986)";
    UNDO = "undo-space", None, Size, "the undo of all rows of {table} is kept until the end, because {what} without CHECKPOINT is one transaction: say CHECKPOINT 1000";
    RENAME = "rename", Exclusive, Always(Warning), "whoever uses the old name of {what} fails at once: add the new one beside it (a view, a synonym, a second column), move the readers, then drop the old one";
    SET_NOT_NULL = "full-scan", Share, Size, "all of {table} is read while writes wait to prove that {what} is never NULL: MODIFY … NOT NULL ENABLE NOVALIDATE, then MODIFY CONSTRAINT … VALIDATE in a changeset of its own";
    STAR = "star-changes", None, Always(Note), "SELECT * and INSERT without a list of columns mean other columns of {table} from now on, because {what}: have the queries name their columns first";
    REWRITE = "table-rewrite", Exclusive, Size, "{what} writes {table} anew under EXCLUSIVE: DBMS_REDEFINITION does it while the table is used, or add a second column and copy in batches";
    TYPE_NARROWS = "narrows", Exclusive, AnyRow, "{what} fails with ORA-01441 if a value is longer, and writes of longer values fail after: add a second column and move the writers first";
    TYPE_REFUSED = "fails-on-rows", Exclusive, AnyRow, "{what} as soon as a row of {table} has a value there: add a second column, copy in batches, switch the readers, then drop the old one";
    TYPE_UNKNOWN = "may-rewrite", Exclusive, SizeMild, "{what} may write each row of {table} anew under EXCLUSIVE: watch it in the shadow stage, or add a second column and copy in batches";
    IDENTITY_GOES = "numbers-change", None, Always(Warning), "rows of {table} get no number for {what} any more, and INSERTs without one fail or leave it NULL: move the writers to a sequence first";
    IDENTITY_CHANGES = "numbers-change", None, Always(Warning), "rows of {table} get other numbers for {what} from now on, and a number that is there already fails where it is unique: say START WITH LIMIT VALUE";
    // Constraints
    ADD_KEY = "index-build", Share, Size, "an index on {table} is built while writes wait: CREATE UNIQUE INDEX … ONLINE first, then ADD CONSTRAINT … USING INDEX";
    ADD_VALID = "full-scan", Share, Size, "all of {table} is read while writes wait to prove {what}: add it ENABLE NOVALIDATE, then MODIFY CONSTRAINT … VALIDATE in a changeset of its own";
    ENABLE = "full-scan", Share, Size, "if {what} is disabled now, all of {table} is read while writes wait: ENABLE NOVALIDATE it first, then MODIFY CONSTRAINT … VALIDATE in a changeset of its own";
    VALIDATE = "long-running", None, SizeMild, "all of {table} is read, while reads, writes and other schema changes go on: nothing else is needed than a changeset of its own";
    CONSTRAINT_DROPPED = "constraint-dropped", None, Always(Note), "nothing keeps {what} true on {table} from now on, and rows that come meanwhile can keep the inverse from enabling it again: be sure that no reader relies on it";
    RELY = "relied-on-unchecked", None, Always(Warning), "the optimizer takes {what} for true (RELY) though rows of {table} need not keep it, and query rewrite may then answer wrongly: validate it, or say NORELY";
    WRITES_REFUSED = "writes-refused", Exclusive, Always(Danger), "every write to {table} fails from now on because {what}: stop the writers first";
    CASCADE = "cascade", None, Always(Warning), "CASCADE also takes away whatever depends on {what}: name the objects one by one";
    REFERENCED = "still-referenced", None, Always(Warning), "the statement fails with {what} unless an earlier changeset drops the foreign key of {table} that refers to it: drop that key first, by its name";
    // Tables and rows that go
    DROP_TABLE = "data-loss", Exclusive, AnyRow, "the rows of {table} are gone from all queries, and the recycle bin has them only while there is space: rename it first and drop it later";
    DROP_TABLE_PURGE = "data-loss", Exclusive, AnyRow, "the rows of {table} are gone and only the backup has them, because PURGE goes past the recycle bin: rename it first, drop it later, and without PURGE";
    TRUNCATE = "data-loss", Exclusive, AnyRow, "all rows of {table} are gone and only the backup has them, because TRUNCATE writes no undo: DELETE in batches, or rename the table away";
    PURGE = "data-loss", None, Always(Warning), "{what} is gone from the recycle bin, and FLASHBACK TABLE … TO BEFORE DROP does not bring it back: let the bin empty itself";
    FLASHBACK = "data-loss", Exclusive, AnyRow, "what was written to {table} since then is lost, by all services: copy the rows that are wanted from SELECT … AS OF instead";
    DROP_USER = "data-loss", None, Always(Danger), "all tables of {what} are gone and only the backup has them: drop them one by one, in changesets that can be looked at";
    DELETE_ALL = "data-loss", RowExclusive, AnyRow, "DELETE without WHERE empties {table}, and only the backup has the rows: keep a copy if the inverse must bring them back";
    DELETE_ROWS = "data-loss", RowExclusive, Always(Note), "the deleted rows of {table} do not come back by themselves: keep a copy if the inverse must bring them back";
    // Data
    UPDATE_ALL = "bulk-change", RowExclusive, Size, "{what} without WHERE locks every row of {table} in one transaction and fills the undo (ORA-30036, ORA-01555 for long queries): change the rows in batches along the key, as DBMS_PARALLEL_EXECUTE does";
    BULK = "bulk-change", RowExclusive, Size, "one transaction changes rows of {table}, keeps them locked to its end and fills the undo (ORA-30036, ORA-01555 for long queries): change them in batches along the key, as DBMS_PARALLEL_EXECUTE does";
    INSERT_ROWS = "bulk-change", RowExclusive, Size, "one transaction copies the rows of {what} to {table} and fills the undo: copy them in batches along the key, as DBMS_PARALLEL_EXECUTE does";
    DIRECT_PATH = "direct-path", Exclusive, Always(Warning), "{table} is locked EXCLUSIVE until the commit because {what} writes by direct path, and whoever reads it before in this transaction fails with ORA-12838: leave the hint out";
    LITERAL = "long-literal", None, Always(Warning), "a literal of {what} characters fails with ORA-01704 where MAX_STRING_SIZE is STANDARD, which ends at 4,000 bytes: load it with Liquibase's valueClobFile, or join shorter ones with TO_CLOB";
    // Partitions
    PARTITION_INDEXES = "indexes-unusable", None, AnyRow, "indexes of {table} are UNUSABLE after {what}: queries that need them get slow, and writes fail with ORA-01502 where they are unique; say UPDATE INDEXES";
    PARTITION_REWRITE = "table-rewrite", Exclusive, Size, "{what} of {table} writes rows anew while writes to them wait: say ONLINE";
    PARTITION_ONLINE = "long-running", None, SizeMild, "{what} of {table} writes rows anew while reads and writes go on; it waits for transactions that began before it";
    PARTITION_LOSS = "data-loss", Exclusive, AnyRow, "the rows of {what} of {table} are gone and only the backup has them: EXCHANGE the partition with an empty table first, which keeps them";
    EXCHANGE = "rows-hidden", Exclusive, Always(Warning), "the rows of {what} vanish from {table} and those of the other table come in their place: be sure that no reader needs them";
    EXCHANGE_SCAN = "full-scan", Exclusive, Size, "all of {table} is read under EXCLUSIVE to prove that its rows belong to {what}: prove it first with a validated CHECK that says the same, then exchange WITHOUT VALIDATION";
    EXCHANGE_UNCHECKED = "rows-unchecked", None, Always(Warning), "nothing proves that the rows of {table} belong to {what}, and queries miss those that do not: keep them right with a validated CHECK that says the same";
    // Storage
    MOVE = "table-rewrite", Exclusive, Size, "MOVE writes {table} anew under EXCLUSIVE: say ONLINE";
    MOVE_ONLINE = "long-running", None, SizeMild, "{table} and its indexes are written anew while reads and writes go on, and need as much space again until the end";
    MOVE_INDEXES = "indexes-unusable", None, AnyRow, "all indexes of {table} are UNUSABLE after MOVE: queries get slow, and writes fail with ORA-01502 where they are unique; say ONLINE, or UPDATE INDEXES";
    SHRINK = "long-running", RowExclusive, SizeMild, "rows of {table} are moved while reads and writes go on, and {table} is locked EXCLUSIVE for a moment at the end: SHRINK SPACE COMPACT first, and the rest when it is quiet";
    ROW_MOVEMENT = "row-movement", None, Always(Note), "rows of {table} may get another ROWID from now on, and services that keep ROWIDs find other rows or none: see that none does";
    PARALLEL = "parallel-stays", None, Always(Warning), "PARALLEL stays with {what}, and its queries run in parallel from now on and get other plans: ALTER … NOPARALLEL in the same changeset";
    UNLOGGED = "unlogged", None, Always(Warning), "what NOLOGGING writes to {what} is not in the redo: a standby does not have it, and a restored backup has corrupt blocks there; keep it logged, or back up right after";
    SUPPLEMENTAL = "supplemental-logging", Exclusive, Always(Warning), "each change of {table} writes more redo from now on, and up to 21c statements that blocked nobody lock the table (ADD column, NOVALIDATE, SET UNUSED ONLINE): do schema changes first";
    ONLINE_REFUSED = "online-refused", None, Always(Warning), "{table} does not take ONLINE here, and the statement fails with {what}: leave it out and do it in a quiet moment, or move the partitions one by one";
    // Code
    COMPILES = "compiles-with-errors", None, Always(Note), "{what} is stored even if it does not compile, and the statement succeeds: raise an error in the same changeset where USER_ERRORS has a row";
    FORCE_VIEW = "compiles-with-errors", None, Always(Warning), "FORCE stores {what} even if its query is wrong, and the statement succeeds: leave FORCE out";
    PACKAGE_STATE = "package-state-lost", None, Always(Warning), "if {what} has variables, sessions that have used it lose them, and their next call fails with ORA-04068: keep variables out of packages, or make it in a new edition";
    BODY_STATE = "package-state-lost", None, Always(Note), "callers of {what} stay valid; if the package has variables, sessions that have used it lose them, and their next call fails with ORA-04068: keep variables out of packages";
    INVALIDATES = "invalidates-dependents", None, Always(Warning), "{what} may become invalid, are compiled anew when they are next used, and fail if they no longer fit: compile them in the same changeset, and compare USER_OBJECTS before and after";
    TRIGGER = "write-path", None, Always(Warning), "every matching write to {table} runs the trigger from now on, and all of them fail with ORA-04098 if it does not compile: create it DISABLE, look at USER_ERRORS, then enable it";
    TRIGGER_ON = "write-path", None, Always(Note), "every matching write to {table} runs the trigger from now on: watch p99 in the shadow stage";
    VIEW_LOG = "write-path", None, Always(Note), "every write to {table} writes its log too from now on: watch p99 in the shadow stage";
    CROSSEDITION = "crossedition-trigger", None, Always(Warning), "{what} runs for what the other edition writes to {table}, for as long as it is enabled: create it DISABLE, enable it once it compiles, and drop it when no session uses the old edition";
    TRIGGERS_OFF = "triggers-off", None, Always(Warning), "what triggers of {table} keep true is not kept while they are off, for all sessions: leave them on, or let them skip the changelog's sessions";
    OPAQUE = "cannot-be-inspected", None, Always(Note), "{what} is only known when it runs: the shadow stage shows which locks it takes and what it changes";
    DYNAMIC = "cannot-be-inspected", None, Always(Warning), "{what} runs SQL that it makes of strings, which nobody sees before it runs: write the statement itself, and guard it with a precondition of Liquibase";
    TRANSACTION_CONTROL = "transaction-control", None, Always(Warning), "{what} ends the transaction that Liquibase keeps its history in, and what was done stays when a later statement fails: take it out, or write the changeset so that it can run twice";
    AUTONOMOUS = "autonomous-transaction", None, Always(Note), "{what} commits by itself: its rows stay when the caller rolls back, and it deadlocks with rows that the caller has locked; use it for logs only";
    // Views, sequences, names and rights
    REPLACED_VIEW = "view-replaced", None, Always(Note), "{table} means the new query at once for all sessions, and what is made on it is compiled anew: add columns at the end, and keep those that there are";
    EDITIONING_VIEW = "edition-in-use", None, Always(Warning), "{table} is an editioning view, and replacing it changes the edition that services use now: make the new one in a new edition, and let the services move there one by one";
    DROP_VIEW = "drop-view", None, Always(Warning), "queries on {table} fail from now on: move the readers first";
    REFRESH_ON_COMMIT = "refresh-on-commit", None, Always(Warning), "each commit that has written to {what} refreshes {table} first and waits for other such commits: refresh ON DEMAND by a job";
    VIEW_BUILD = "long-running", None, SizeMild, "all of {table} is read to fill {what}: BUILD DEFERRED, and refresh when it is quiet";
    COMPLETE_REFRESH = "complete-refresh", None, Always(Note), "each refresh of {what} deletes and inserts all rows again: a materialized view log and REFRESH FAST touch only what has changed";
    SLOW_SEQUENCE = "slow-sequence", None, Always(Warning), "sessions wait for each other at {what}, which has to keep them in order or write each number: say CACHE 100 or more, and NOORDER";
    NUMBERS_CHANGE = "numbers-change", None, Always(Warning), "{what} gives other numbers from now on, and a number that is there already fails where it is unique: begin above the greatest that is in use";
    REDIRECTED = "name-redirected", None, Always(Warning), "{what} means another object at once, for all sessions and whatever is compiled on it: make a new synonym, and move the readers";
    SYNONYM_DROPPED = "name-redirected", None, Always(Warning), "whoever uses {what} fails from now on, or finds another object of that name: move the readers first";
    RIGHTS = "rights-taken", None, Always(Warning), "services that rely on these rights fail from now on: move them first";
    PUBLIC_RIGHTS = "public-rights", None, Always(Warning), "every user of the database gets {what}, those to come too: grant it to the roles that need it";
    INSTANCE_WIDE = "instance-wide", None, Always(Warning), "{what} reaches beyond the schema and is in no clone's inverse: do it outside the changelog";
    ENABLE_EDITIONS = "no-inverse", None, Always(Warning), "ENABLE EDITIONS cannot be taken back: rehearse it on a clone of its own first";
    REACHES_OUT = "reaches-out", None, Always(Warning), "{what}, and a copy of the database reaches the same place: do it outside the changelog, with another target on each copy";
    SESSION = "session-setting", None, Always(Note), "{what} stays set for the changesets that follow on the same connection: set it back at the end, or say it in the connection's settings";
    QUOTED_NAME = "quoted-name", None, Always(Warning), "{what} must be quoted wherever it is used, because it has small letters or signs or is a reserved word: use capitals, digits and underscores";
    LONG_NAME = "long-name", None, Always(Note), "{what} has more than 30 bytes, which older tools and databases with COMPATIBLE below 12.2 refuse (ORA-00972): shorten it";
    // Several statements of one changeset
    COMMITS = "commits-by-itself", None, Always(Warning), "each statement of this changeset commits by itself: when a later one fails, the earlier ones stay; write a changeset for each";
    MIXED = "mixed-statements", None, Always(Warning), "{what} commits the rows that this changeset wrote before, and Liquibase's record comes later: when it fails in between, the rows stay and are written again; put rows and schema into changesets of their own";
}
