//! Every way a statement can hurt, as one table: a rule has a name, the lock under which it hurts, a weight and a sentence.
//! To add a hazard, add a row here, one `builder.hurt(…)` where the statement is read, and its page in `docs/hazards`.
//!
//! Locks are those of the PostgreSQL manual: "Explicit Locking" (table-level locks) and the notes of each command.

pub mod alter;
pub mod analyse;
pub mod backfill;
mod columns;
mod constraints;
pub mod create;
mod cross_statement;
pub(in crate::product::postgres) mod dml;
mod drops;
mod dynamic_sql;
mod outside;
mod self_limiting_predicate;
mod settings;
mod squawk;
pub mod statement_builder;
pub mod type_change;

use std::collections::BTreeSet;
use std::fmt;

use crate::model::changeset::{Hazard, Severity};
use crate::product::postgres::grammar::names::Names;
use crate::product::weight::{Weight, rules};

/// Table-level locks that statements of a changelog take, weakest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lock {
    None,
    AccessShare,
    RowShare,
    RowExclusive,
    ShareUpdateExclusive,
    Share,
    ShareRowExclusive,
    Exclusive,
    AccessExclusive,
}

impl Lock {
    /// From the number of a lock in the grammar (LOCK TABLE).
    pub fn from_number(number: i32) -> Self {
        match number {
            1 => Lock::AccessShare,
            2 => Lock::RowShare,
            3 => Lock::RowExclusive,
            4 => Lock::ShareUpdateExclusive,
            5 => Lock::Share,
            6 => Lock::ShareRowExclusive,
            7 => Lock::Exclusive,
            _ => Lock::AccessExclusive,
        }
    }
    const ALL: [Lock; 8] = [
        Lock::AccessShare,
        Lock::RowShare,
        Lock::RowExclusive,
        Lock::ShareUpdateExclusive,
        Lock::Share,
        Lock::ShareRowExclusive,
        Lock::Exclusive,
        Lock::AccessExclusive,
    ];
    /// From the engine's words.
    pub fn from_words(words: &str) -> Self {
        Self::ALL.into_iter().find(|lock| lock.to_string() == words).unwrap_or(Lock::None)
    }
    /// What waits for it.
    fn blocks(self) -> &'static str {
        match self {
            Lock::AccessExclusive => "reads and writes",
            Lock::Share | Lock::ShareRowExclusive | Lock::Exclusive => "writes",
            _ => "other schema changes",
        }
    }
}

impl fmt::Display for Lock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Lock::None => "none",
            Lock::AccessShare => "ACCESS SHARE",
            Lock::RowShare => "ROW SHARE",
            Lock::RowExclusive => "ROW EXCLUSIVE",
            Lock::ShareUpdateExclusive => "SHARE UPDATE EXCLUSIVE",
            Lock::Share => "SHARE",
            Lock::ShareRowExclusive => "SHARE ROW EXCLUSIVE",
            Lock::Exclusive => "EXCLUSIVE",
            Lock::AccessExclusive => "ACCESS EXCLUSIVE",
        })
    }
}

/// One row of the table of hazards.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    pub name: &'static str,
    /// The lock held while it hurts, where it is the same for every statement; `Lock::None`: the statement's own.
    pub lock: Lock,
    pub weight: Weight,
    /// `{table}`, `{lock}`, `{blocks}` and `{what}` are filled in.
    pub says: &'static str,
}

impl Rule {
    pub fn severity(&self, size: Option<(u64, u64)>) -> Severity {
        self.weight.severity(size)
    }

    /// Whether it is about a table that is written anew as a whole.
    pub fn rewrites(&self) -> bool {
        [ADD_COLUMN_REWRITE, TYPE_REWRITE, STORAGE_REWRITE, VACUUM_FULL].contains(self)
    }

    /// The hazard on a table (or on none), under the lock the statement holds.
    pub fn on(&self, names: &Names, table: Option<&str>, lock: Lock, what: &str) -> Hazard {
        let lock = if self.lock == Lock::None { lock } else { self.lock };
        let size = table.and_then(|t| names.size(t));
        let message = self
            .says
            .replace("{table}", table.unwrap_or("it"))
            .replace("{lock}", &lock.to_string())
            .replace("{blocks}", lock.blocks())
            .replace("{what}", what);
        Hazard {
            name: self.name.to_string(),
            severity: self.severity(size),
            lock: (lock != Lock::None).then(|| lock.to_string()),
            table: table.map(str::to_string),
            rows: size.map(|s| s.0),
            message,
            allowed: None,
        }
    }
}

/// The names of all hazards, those of squawk too.
pub fn names() -> BTreeSet<String> {
    ALL.iter().map(|rule| rule.name.to_string()).chain(squawk::names()).collect()
}

use Severity::{Danger, Note, Warning};
use Weight::{Always, AnyRow, AnyRowMild, Size, SizeMild};

rules! {
    // Rewrites
    ADD_COLUMN_REWRITE = "table-rewrite", AccessExclusive, Size, "every row of {table} is written anew under ACCESS EXCLUSIVE because {what}: add the column without it, set the default afterwards, then fill the old rows in batches";
    ADD_COLUMN_TYPE = "may-rewrite", AccessExclusive, SizeMild, "{what} is not a built-in type: were it a domain with constraints, {table} would be written anew under ACCESS EXCLUSIVE; watch the rewrite in the shadow stage";
    TYPE_REWRITE = "table-rewrite", AccessExclusive, Size, "{what} writes {table} and its indexes anew under ACCESS EXCLUSIVE: add a second column, copy in batches, switch the readers, then drop the old one";
    TYPE_REINDEX = "index-rebuild", AccessExclusive, Size, "{what} builds the indexes on the column anew under ACCESS EXCLUSIVE: build a second index concurrently first";
    STORAGE_REWRITE = "table-rewrite", AccessExclusive, Size, "{what} copies all of {table} under ACCESS EXCLUSIVE: make a second table, copy in batches and switch, or do it in a window without traffic";
    VACUUM_FULL = "table-rewrite", AccessExclusive, Size, "{what} copies all of {table} under ACCESS EXCLUSIVE: plain VACUUM holds nobody up; pg_repack compacts online";
    MATVIEW_REFRESH = "blocks-reads", AccessExclusive, Size, "{table} cannot be read while it is computed anew: refresh CONCURRENTLY, which needs a unique index on it";
    MATVIEW_REFRESH_CONCURRENTLY = "long-running", Exclusive, SizeMild, "{table} stays readable while it is computed anew, but cannot be locked for update";
    // Scans under a lock
    KEY_AGAIN = "full-scan", AccessExclusive, Size, "the foreign key of {table} is checked anew under ACCESS EXCLUSIVE because of {what}: drop the key first, add it again NOT VALID, then validate it";
    SET_NOT_NULL = "full-scan", AccessExclusive, Size, "all of {table} is read under ACCESS EXCLUSIVE, unless a valid CHECK ({what} IS NOT NULL) exists: add that check NOT VALID, validate it, then set NOT NULL, then drop the check";
    ADD_CHECK = "full-scan", AccessExclusive, Size, "all of {table} is read under ACCESS EXCLUSIVE to prove the check: add it NOT VALID, then VALIDATE CONSTRAINT in a changeset of its own";
    ADD_FOREIGN_KEY = "full-scan", ShareRowExclusive, Size, "writes to {table} wait while all its rows are looked up in {what}: add the key NOT VALID, then VALIDATE CONSTRAINT in a changeset of its own";
    VALIDATE = "long-running", ShareUpdateExclusive, SizeMild, "all of {table} is read under SHARE UPDATE EXCLUSIVE: reads and writes go on, other schema changes of the table wait";
    ATTACH_SCAN = "full-scan", AccessExclusive, Size, "all of {table} is read under ACCESS EXCLUSIVE to prove that it fits the partition bound: first add and validate a CHECK that says the same";
    ADD_COLUMN_CHECK = "full-scan", AccessExclusive, Size, "all of {table} is read under ACCESS EXCLUSIVE because {what}: add the column first, then the constraint NOT VALID, then validate it";
    DOMAIN_CHECK = "full-scan", Share, Size, "writes to {table} wait while its column of the domain {what} is checked: add the constraint NOT VALID, then validate it";
    // Index builds
    ADD_UNIQUE = "index-build", AccessExclusive, Size, "an index on {table} is built under ACCESS EXCLUSIVE: CREATE UNIQUE INDEX CONCURRENTLY first, then ADD CONSTRAINT … USING INDEX";
    ADD_PRIMARY_USING = "full-scan", AccessExclusive, Size, "the columns of a new primary key become NOT NULL, for which all of {table} is read under ACCESS EXCLUSIVE if they are not so yet: set them NOT NULL by way of a validated check first";
    ADD_EXCLUDE = "index-build", AccessExclusive, Size, "an index on {table} is built under ACCESS EXCLUSIVE; an exclusion constraint cannot be built concurrently: make a second table, or do it in a window without traffic";
    CREATE_INDEX = "blocks-writes", Share, Size, "writes to {table} wait until the index is built: CREATE INDEX CONCURRENTLY in a changeset of its own with runInTransaction:false";
    CREATE_INDEX_PARTITIONED = "blocks-writes", Share, Size, "writes to {table} and its partitions wait until the indexes are built: CREATE INDEX ON ONLY the parent, build each partition's CONCURRENTLY, then ATTACH PARTITION";
    CREATE_INDEX_CONCURRENTLY = "long-running", ShareUpdateExclusive, SizeMild, "the index on {table} is built while reads and writes go on; it waits for older transactions, and a failed try leaves an invalid index behind";
    INDEX_IF_NOT_EXISTS = "invalid-index-taken", ShareUpdateExclusive, Always(Note), "IF NOT EXISTS takes an invalid index that a failed try left as good: drop that one before the next try";
    REINDEX = "blocks-reads", AccessExclusive, Size, "writes to {table} wait, and reads too as the planner asks for every index: REINDEX CONCURRENTLY";
    REINDEX_CONCURRENTLY = "long-running", ShareUpdateExclusive, SizeMild, "indexes of {table} are built anew while reads and writes go on; a failed try leaves an invalid index behind";
    DROP_INDEX = "drop-index", AccessExclusive, Always(Warning), "{table} is locked ACCESS EXCLUSIVE for a moment and queries that used the index get slower: DROP INDEX CONCURRENTLY, after looking at its use in pg_stat_user_indexes";
    DROP_INDEX_CONCURRENTLY = "drop-index", ShareUpdateExclusive, Always(Note), "queries on {table} that used the index get slower: look at its use in pg_stat_user_indexes first";
    // Brief locks
    BRIEF = "brief-lock", None, Always(Note), "{lock} on {table} for a moment: {blocks} queue behind it as long as it waits, so it needs a short lock timeout with retries";
    FOREIGN_KEY_LOCK = "brief-lock", ShareRowExclusive, Always(Note), "the foreign key also locks {table} SHARE ROW EXCLUSIVE: writes to it queue meanwhile, so it needs a short lock timeout with retries";
    LOCK_TABLE = "explicit-lock", None, Always(Warning), "{table} stays locked {lock} until the transaction ends, and {blocks} wait: keep the transaction short or leave the lock to the statement that needs it";
    // Losses and refusals
    DROP_TABLE = "data-loss", AccessExclusive, AnyRow, "the rows of {table} are gone and only the backup has them: rename it first and drop it later";
    DROP_COLUMN = "data-loss", AccessExclusive, AnyRow, "the values of {what} are gone and only the backup has them: stop reading it everywhere first, keep a copy if the inverse must bring them back";
    TRUNCATE = "data-loss", AccessExclusive, AnyRow, "all rows of {table} are gone and only the backup has them: DELETE in batches, or rename the table away";
    DELETE_ALL = "data-loss", RowExclusive, AnyRow, "DELETE without WHERE empties {table}, and only the backup has the rows: keep a copy if the inverse must bring them back";
    DELETE_ROWS = "data-loss", RowExclusive, Always(Note), "the deleted rows of {table} do not come back by themselves: keep a copy if the inverse must bring them back";
    CASCADE = "cascade", None, Always(Warning), "CASCADE also drops whatever depends on {what}: name the objects one by one";
    TYPE_NARROWS = "narrows", AccessExclusive, AnyRow, "{what} may refuse or change values that are stored or written today: add a second column and move the writers first";
    ADD_NOT_NULL = "fails-on-rows", AccessExclusive, AnyRow, "{what} is NOT NULL without a default, which fails as soon as {table} has a row, and INSERTs that do not know it fail after: add it nullable or with a constant default";
    NO_INVERSE = "no-inverse", None, Always(Note), "a label cannot be taken out of an enum again: the inverse must build the type anew, or leave the label";
    ENUM_IN_TRANSACTION = "new-label-unusable", None, Always(Note), "the new label cannot be used in the transaction that adds it: use it in a later changeset";
    RENAME = "rename", None, Always(Warning), "whoever uses the old name of {what} fails at once: add the new one beside it (a view, a second column), move the readers, then drop the old one";
    REPLACED_VIEW = "view-replaced", AccessExclusive, Always(Note), "CREATE OR REPLACE VIEW locks {table} ACCESS EXCLUSIVE for a moment and takes only columns added at the end";
    DROP_VIEW = "drop-view", AccessExclusive, Always(Warning), "queries on {table} fail from now on: move the readers first";
    // Data
    UPDATE_ALL = "bulk-change", RowExclusive, Size, "UPDATE without WHERE locks and rewrites every row of {table} in one transaction: give it a predicate that turns false for rows that are done, and it can go in batches";
    BULK = "bulk-change", RowExclusive, Size, "one transaction changes rows of {table} and keeps them locked to its end: give it a predicate that turns false for rows that are done, and it can go in batches";
    IN_BATCHES = "bulk-change", RowExclusive, SizeMild, "rows of {table} change in one transaction; its predicate turns false for rows that are done, so it can go in batches along the key first";
    // Partitions
    CREATE_PARTITION = "brief-lock", AccessExclusive, Always(Note), "CREATE TABLE … PARTITION OF locks {table} ACCESS EXCLUSIVE: create the table alone and ATTACH PARTITION, which takes SHARE UPDATE EXCLUSIVE";
    DETACH = "rows-hidden", AccessExclusive, Always(Warning), "rows of {what} vanish from {table}, which is locked ACCESS EXCLUSIVE: DETACH PARTITION … CONCURRENTLY locks less";
    DETACH_CONCURRENTLY = "rows-hidden", ShareUpdateExclusive, Always(Warning), "rows of {what} vanish from {table}; it waits for older transactions, and a failed try must be ended with DETACH PARTITION … FINALIZE";
    DEFAULT_PARTITION = "full-scan", AccessExclusive, Size, "the default partition {table} is read under ACCESS EXCLUSIVE to prove that no row belongs to the new partition: first add and validate a CHECK that says so";
    // Triggers, rules, rights
    TRIGGER = "write-path", ShareRowExclusive, Always(Note), "every matching write to {table} runs the trigger from now on: watch p99 in the shadow stage";
    TRIGGERS_OFF = "triggers-off", ShareRowExclusive, Always(Warning), "what the triggers of {table} keep true is not kept while they are off: work under session_replication_role or leave them on";
    RIGHTS = "rights-taken", None, Always(Warning), "services that rely on these rights fail from now on: move them first";
    ROW_SECURITY = "rows-hidden", None, Always(Warning), "rows of {table} are hidden from roles that no policy lets see them: create the policies first";
    // Ways to run
    OWN_TRANSACTION = "needs-own-transaction", None, Always(Note), "{what} cannot run inside a transaction: a changeset of its own with runInTransaction:false";
    TRANSACTION_CONTROL = "transaction-control", None, Always(Danger), "{what} ends or opens the transaction that Liquibase keeps its history in: take it out, use runInTransaction:false where it is needed";
    OPAQUE = "cannot-be-inspected", None, Always(Note), "{what} is only known when it runs: the shadow stage shows which locks it takes and what it changes";
    TOO_DEEP = "cannot-be-inspected", None, Always(Warning), "the statement is nested too deeply to be read: the shadow stage shows which locks it takes and what it changes";
    UNREAD = "cannot-be-inspected", None, Always(Warning), "the statement is newer than the grammar that reads it, and the server takes it: the shadow stage shows which locks it takes and what it changes";
    INSTANCE_WIDE = "instance-wide", None, Always(Warning), "{what} reaches beyond this database's schema and is in no clone's inverse: do it outside the changelog";
    // Definitions to think twice about
    JSON_COLUMN = "json-column", None, Always(Warning), "{what} is json, which has no equality: SELECT DISTINCT, GROUP BY and UNION over its table fail; make it jsonb";
    UNLOGGED = "unlogged", None, Always(Warning), "the rows of {table} are not in the log: a crash empties it, and neither replica nor restored backup has them; keep it logged unless they can be made anew";
    REPLICA_IDENTITY = "replica-identity", AccessExclusive, Always(Warning), "who follows {table} by logical replication gets other old values from now on, FULL writes whole rows to the log, and NOTHING makes UPDATE and DELETE fail where it is published: tell the subscribers first";
    AUTOVACUUM_OFF = "autovacuum-off", None, Always(Warning), "{table} is neither cleaned nor analysed by itself from now on: it grows and its plans go stale; set its thresholds instead of switching it off";
    CONSTRAINT_DROPPED = "constraint-dropped", None, Always(Note), "nothing keeps {what} true on {table} from now on, and rows that come meanwhile can keep the inverse from adding it again: be sure that no reader relies on it";
    DUPLICATES = "fails-on-duplicates", None, AnyRowMild, "it fails if rows of {table} are equal in {what}, and later writes of equal rows fail: look for duplicates first, and see that no service writes any";
    ENUM_MADE = "new-enum", None, Always(Note), "labels of {what} can be added and renamed, never taken away or put in another order: a table of its own with a foreign key, or text with a CHECK, can change both ways";
    LABEL_AT_END = "label-at-end", None, Always(Note), "the new label of {what} sorts after all others, and its place cannot be changed later: say BEFORE or AFTER which one it comes";
    NAME_CUT = "name-cut", None, Always(Warning), "{what} is longer than 63 bytes: the server cuts it off there, and two long names may become one; shorten it";
    EXTENSION = "extension-upgrade", None, Always(Warning), "the update script of {what} changes its functions, types and views for everybody, and there is mostly none that leads back: rehearse it on a copy of its own, in a changeset of its own";
    INJECTION = "injection", None, Always(Warning), "{what} runs SQL put together from values as they come, which lets whoever gives them run theirs: use format() with %I and %L, or EXECUTE … USING";
    // Indexes
    WIDE_INDEX = "wide-index", None, Always(Note), "the index on {table} has {what} columns: each write keeps all of them up to date, and few queries can use those after the third; leave out what does not narrow the rows";
    INDEX_MISSING = "index-missing", None, SizeMild, "no index begins with {what}: each DELETE and each change of the key on the other side of the foreign key reads the whole table; make the index first, CONCURRENTLY where the table has rows";
    // Of several statements of one changeset
    LOCK_HELD = "lock-held", None, Size, "the {lock} lock on {table} that this changeset took before is kept while {what}, and {blocks} wait all that time: give the slow statement a changeset of its own";
    SEVERAL_LOCKS = "several-locks", None, Always(Note), "{table} is locked ACCESS EXCLUSIVE while {what} is locked already: whoever takes them the other way round deadlocks with it, and one lock that has to wait keeps the other; give each table a changeset of its own";
    MERGEABLE = "mergeable-alters", None, SizeMild, "{table} is altered twice in one changeset: one ALTER TABLE with both parts takes the lock once and goes over the rows once";
}

#[cfg(test)]
#[path = "hazards/advice_tests.rs"]
mod advice;
#[cfg(test)]
#[path = "hazards/pages_tests.rs"]
mod pages;
