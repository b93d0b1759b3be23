package drydock;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import liquibase.ChecksumVersion;
import liquibase.Scope;
import liquibase.change.Change;
import liquibase.change.CheckSum;
import liquibase.changelog.ChangeLogIterator;
import liquibase.changelog.ChangeSet;
import liquibase.changelog.DatabaseChangeLog;
import liquibase.changelog.filter.ChangeSetFilter;
import liquibase.changelog.filter.ShouldRunChangeSetFilter;
import liquibase.changelog.visitor.AbstractChangeExecListener;
import liquibase.changelog.visitor.ChangeExecListener;
import liquibase.changelog.visitor.RollbackVisitor;
import liquibase.changelog.visitor.UpdateVisitor;
import liquibase.database.Database;
import liquibase.database.ObjectQuotingStrategy;
import liquibase.exception.UnexpectedLiquibaseException;
import liquibase.precondition.core.PreconditionContainer;

/** Applies changesets and undoes them. */
final class Acts {
    private final Target target;
    private final Changelog changelog;
    private final Errors errors;
    private final Lock lock;
    private final Preconditions preconditions;
    /** How the changesets of the act under way ended. */
    private final Map<String, ChangeSet.ExecType> ended = new HashMap<>();

    Acts(Target target, Changelog changelog, Errors errors) {
        this.target = target;
        this.changelog = changelog;
        this.errors = errors;
        this.lock = new Lock(target);
        this.preconditions = new Preconditions(target, changelog, errors);
    }

    // ---- forward

    Map<String, Object> apply(Map<String, Object> request) throws Exception {
        ChangeSet changeSet = fresh(Json.object(request.get("changeset")));
        target.runSession(Json.strings(request.get("session")));
        return apply(changeSet, true);
    }

    /** On a copy without rows: what asks rows is answered, and what nobody can answer is taken to hold. */
    Map<String, Object> applyToCopy(Map<String, Object> request) throws Exception {
        ChangeSet changeSet = fresh(Json.object(request.get("changeset")));
        List<?> answers = request.get("answers") instanceof List<?> list ? list : List.of();
        PreconditionContainer written = changeSet.getPreconditions();
        Boolean holds = Boolean.TRUE;
        if (Preconditions.anyAnswered(answers)) {
            holds = preconditions.decide(changeSet, answers);
            target.endRead();
            changeSet.setPreconditions(Boolean.FALSE.equals(holds) ? Preconditions.failing(written, answers) : null);
        }
        try {
            Map<String, Object> state = apply(changeSet, false);
            state.put("unknown", holds == null);
            return state;
        } finally {
            changeSet.setPreconditions(written);
        }
    }

    /** {@code hasRows}: the database has rows, so that all preconditions can be asked here. */
    private Map<String, Object> apply(ChangeSet changeSet, boolean hasRows) throws Exception {
        List<Map<String, Object>> rows = new History(target).rows(Identity.of(changeSet));
        Map<String, Object> row = rows.isEmpty() ? null : rows.get(0);
        if (row != null && !changeSet.shouldAlwaysRun()) {
            CheckSum recorded = row.get("checksum") == null ? null : CheckSum.parse((String) row.get("checksum"));
            if (recorded == null || changeSet.isCheckSumValid(recorded)) return Json.map("state", "already");
            if (!changeSet.shouldRunOnChange()) {
                CheckSum now = changeSet.generateCheckSum(ChecksumVersion.enumFromChecksumVersion(recorded.getVersion()));
                throw new Fault(Fault.Kind.CHECKSUM, "it was edited after it was applied: its checksum was " + recorded + " and is now " + now);
            }
        }
        String filterReason = changelog.filterReason(changeSet);
        if (filterReason != null) return filtered(filterReason);
        changelog.validateWhole(hasRows);
        ended.clear();
        if (hasRows) lock.during(() -> update(Set.of(Identity.key(changeSet))));
        else lock.alone(() -> run(changeSet, row != null));
        ChangeSet.ExecType type = ended.get(Identity.key(changeSet));
        if (type == null) {
            // Nothing ended: somebody else was faster, or its precondition says to go on without it.
            if (changeSet.getExecType() != ChangeSet.ExecType.SKIPPED) return Json.map("state", "already");
            return filtered("its precondition does not hold and says to continue");
        }
        if (type == ChangeSet.ExecType.FAILED) {
            return filtered("it failed, and its failOnError is false: " + errors.shortened(Json.text(changeSet.getErrorMsg())));
        }
        boolean marked = type == ChangeSet.ExecType.MARK_RAN || changeSet.getExecType() == ChangeSet.ExecType.MARK_RAN;
        return Json.map("state", marked ? "marked_ran" : "applied");
    }

    private static Map<String, Object> filtered(String reason) {
        return Json.map("state", "filtered", "reason", reason);
    }

    Map<String, Object> applyAll(Map<String, Object> request) throws Exception {
        Set<String> only = null;
        if (request.get("changesets") instanceof List<?> named) {
            only = new HashSet<>();
            for (Object identity : named) only.add(Identity.key(fresh(Json.object(identity))));
            errors.subject = null;
        }
        List<Map<String, Object>> history = new History(target).rows();
        for (ChangeSet changeSet : changelog.parsed.getChangeSets()) {
            Map<String, Object> row = History.row(history, changeSet);
            if (row == null || row.get("checksum") == null || only != null && !only.contains(Identity.key(changeSet))) continue;
            if (changeSet.shouldRunOnChange() || changeSet.shouldAlwaysRun() || changelog.filterReason(changeSet) != null) continue;
            if (changeSet.isCheckSumValid(CheckSum.parse((String) row.get("checksum")))) continue;
            errors.subject = changeSet;
            throw new Fault(Fault.Kind.CHECKSUM, "it was edited after it was applied");
        }
        changelog.validateWhole(!Boolean.TRUE.equals(request.get("copy")));
        Set<String> chosen = only;
        ended.clear();
        lock.during(() -> update(chosen));
        return Json.map();
    }

    /** Runs the changesets with these keys, or all that should run if {@code only} is null. */
    private void update(Set<String> only) throws Exception {
        ShouldRunChangeSetFilter shouldRun = new ShouldRunChangeSetFilter(target.database);
        List<ChangeSetFilter> filters = new ArrayList<>(List.of(shouldRun));
        filters.addAll(changelog.filters());
        ChangeLogIterator iterator = new ChangeLogIterator(changelog.only(only), filters.toArray(new ChangeSetFilter[0]));
        iterator.run(new UpdateVisitor(target.database, listener(() -> {}, () -> {}), shouldRun), changelog.environment());
        target.stopDeferring();
        target.database.commit();
    }

    /**
     * Runs one changeset as {@code UpdateVisitor} does, without a look at every changeset that ran before: with many of them the looks take
     * longer than the changeset.
     */
    private void run(ChangeSet changeSet, boolean again) throws Exception {
        Database database = target.database;
        ObjectQuotingStrategy quoting = database.getObjectQuotingStrategy();
        Scope.child(Scope.Attr.database, database, () -> {
            begin(changeSet, changeSet.getChanges());
            ChangeSet.ExecType type = changeSet.execute(changelog.parsed, listener(() -> {}, () -> {}), database);
            if (again && type == ChangeSet.ExecType.EXECUTED) type = ChangeSet.ExecType.RERAN;
            database.setObjectQuotingStrategy(quoting);
            database.markChangeSetExecStatus(changeSet, type);
            ended.put(Identity.key(changeSet), type);
        });
        target.stopDeferring();
        database.commit();
    }

    /** The changeset to apply. Liquibase keeps how a changeset ended in its object and carries that into the next act. */
    private ChangeSet fresh(Map<String, Object> identity) throws Exception {
        ChangeSet changeSet = changelog.find(identity);
        errors.subject = changeSet;
        if (changeSet.getExecType() == null || changeSet.getExecType() == ChangeSet.ExecType.EXECUTED) return changeSet;
        CheckSum before = changeSet.generateCheckSum(ChecksumVersion.latest());
        changelog.parseAgain();
        changeSet = changelog.find(identity);
        errors.subject = changeSet;
        if (before.equals(changeSet.generateCheckSum(ChecksumVersion.latest()))) return changeSet;
        throw new Fault(Fault.Kind.CHECKSUM, "it was edited while the run was under way");
    }

    // ---- back

    Map<String, Object> undo(Map<String, Object> request) throws Exception {
        ChangeSet changeSet = changelog.find(Json.object(request.get("changeset")));
        errors.subject = changeSet;
        target.runSession(Json.strings(request.get("session")));
        History history = new History(target);
        List<Map<String, Object>> rows = history.rows(Identity.of(changeSet));
        List<?> restored = request.get("restore") instanceof List<?> list ? list : List.of();
        List<String> within = Json.strings(request.get("within"));
        if (rows.isEmpty()) {
            if (restored.isEmpty()) return Json.map("state", "not_applied");
            // Cut off between the two where they are not one transaction: the inverse has run.
            lock.during(() -> {
                restore(history, restored);
                target.database.commit();
            });
            return Json.map("state", "undone");
        }
        Map<String, Object> row = rows.get(rows.size() - 1);
        changeSet.setStoredFilePath(Json.text(row.getOrDefault("stored_path", row.get("path"))));
        if ("MARK_RAN".equals(row.get("exec_type"))) {
            // A precondition kept it from running: its inverse would take away what somebody else made.
            lock.during(() -> {
                target.database.removeRanStatus(changeSet);
                restore(history, restored);
                target.database.commit();
            });
            return Json.map("state", "unmarked");
        }
        Map<String, Object> inverse = new Rendering(target.database).inverse(changeSet);
        if (inverse.get("kind").equals("none")) throw new Fault(Fault.Kind.NO_INVERSE, Json.text(inverse.get("message")));
        lock.during(() -> {
            ChangeLogIterator iterator = new ChangeLogIterator(changelog.only(Set.of(Identity.key(changeSet))));
            iterator.run(new RollbackVisitor(target.database, listener(() -> target.run(within), () -> restore(history, restored))), changelog.environment());
            target.stopDeferring();
            target.database.commit();
        });
        return Json.map("state", "undone");
    }

    void record(Map<String, Object> request) throws Exception {
        ChangeSet changeSet = changelog.find(Json.object(request.get("changeset")));
        errors.subject = changeSet;
        boolean again = !new History(target).rows(Identity.of(changeSet)).isEmpty();
        lock.during(() -> {
            target.database.markChangeSetExecStatus(changeSet, again ? ChangeSet.ExecType.RERAN : ChangeSet.ExecType.EXECUTED);
            target.database.commit();
        });
    }

    /** Puts back the rows that the history had before the changeset ran again. */
    private static void restore(History history, List<?> rows) throws Exception {
        for (Object row : rows) history.insert(Json.object(row));
    }

    // ---- both

    /** Both belong to the transaction of the inverse and of its record. */
    private ChangeExecListener listener(Lock.Act beforeInverse, Lock.Act afterInverse) {
        return new AbstractChangeExecListener() {
            @Override
            public void willRun(ChangeSet changeSet, DatabaseChangeLog log, Database database, ChangeSet.RunStatus status) {
                begin(changeSet, changeSet.getChanges());
            }

            @Override
            public void ran(ChangeSet changeSet, DatabaseChangeLog log, Database database, ChangeSet.ExecType type) {
                // Its record is written: Liquibase's next commit ends both.
                target.stopDeferring();
                ended.put(Identity.key(changeSet), type);
            }

            @Override
            public void willRollback(ChangeSet changeSet, DatabaseChangeLog log, Database database) {
                List<Change> written = Rendering.writtenInverse(changeSet);
                begin(changeSet, written.isEmpty() ? changeSet.getChanges() : written);
                act(beforeInverse);
            }

            @Override
            public void rolledBack(ChangeSet changeSet, DatabaseChangeLog log, Database database) {
                act(afterInverse);
                target.stopDeferring();
            }
        };
    }

    /** What a listener may throw says nothing of what went wrong; its cause does. */
    private static void act(Lock.Act act) {
        try {
            act.run();
        } catch (Exception e) {
            throw new UnexpectedLiquibaseException(e);
        }
    }

    private void begin(ChangeSet changeSet, List<Change> changes) {
        errors.subject = changeSet;
        Code.letSetUp(changeSet);
        target.deferCommit(changeSet, changes);
    }
}
