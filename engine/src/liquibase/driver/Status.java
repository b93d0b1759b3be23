package drydock;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import liquibase.ChecksumVersion;
import liquibase.change.AbstractSQLChange;
import liquibase.change.Change;
import liquibase.change.CheckSum;
import liquibase.changelog.ChangeSet;
import liquibase.database.ObjectQuotingStrategy;
import liquibase.precondition.core.PreconditionContainer.FailOption;

/** Compares the changelog with the history. It only reads, makes no table and takes no lock. */
final class Status {
    private static final Pattern REMARK = Pattern.compile("^\\s*--\\s*drydock:.*$", Pattern.MULTILINE);

    private final Target target;
    private final Changelog changelog;
    private final Errors errors;

    Status(Target target, Changelog changelog, Errors errors) {
        this.target = target;
        this.changelog = changelog;
        this.errors = errors;
    }

    Map<String, Object> read() throws Exception {
        List<Map<String, Object>> history = new History(target).rows();
        Map<String, Map<String, Object>> recorded = new LinkedHashMap<>();
        for (Map<String, Object> row : history) recorded.put(Identity.key(row), row);
        changelog.validate(history);
        List<Object> changesets = new ArrayList<>();
        Set<String> known = new HashSet<>();
        Places places = changelog.places();
        for (ChangeSet changeSet : changelog.changeSets()) {
            known.add(Identity.key(changeSet));
            errors.subject = changeSet;
            changesets.add(changeset(changeSet, recorded.get(Identity.key(changeSet)), places));
            errors.subject = null;
        }
        List<Object> unknown = new ArrayList<>();
        recorded.forEach((key, row) -> {
            if (!known.contains(key)) unknown.add(row);
        });
        return Json.map("changesets", changesets, "unknown", unknown, "history", history);
    }

    private Map<String, Object> changeset(ChangeSet changeSet, Map<String, Object> row, Places places) throws Exception {
        Map<String, Object> it = Identity.of(changeSet);
        it.put("comment", changeSet.getComments());
        it.put("remarks", remarks(changeSet));
        it.put("run_in_transaction", changeSet.isRunInTransaction());
        Object recorded = row == null ? null : row.get("checksum");
        // Only its code knows, and what is recorded is taken to hold.
        it.put("checksum", Code.makesChecksum(changeSet) ? recorded : String.valueOf(changeSet.generateCheckSum(ChecksumVersion.latest())));
        it.put("recorded_checksum", recorded);
        it.put("line", places.first(changeSet));
        String state = state(changeSet, row);
        // What asks for another kind of database is marked as ran or left out, whatever it says.
        FailOption elsewhere = Preconditions.forAnotherDatabase(target.database, changeSet);
        if (state.equals("pending")) {
            String reason = changelog.filterReason(changeSet);
            if (reason == null && elsewhere == FailOption.CONTINUE) reason = "its precondition asks for another kind of database";
            if (reason != null) state = "filtered";
            it.put("filter_reason", reason);
        }
        it.put("state", state);
        if (!state.equals("pending")) return it;
        if (elsewhere == FailOption.MARK_RAN) {
            it.put("sql", List.of());
            it.put("rollback", Json.map("kind", "empty", "sql", List.of(), "written", false));
            return it;
        }
        ObjectQuotingStrategy quoting = target.database.getObjectQuotingStrategy();
        target.database.setObjectQuotingStrategy(changeSet.getObjectQuotingStrategy());
        try {
            Rendering rendering = new Rendering(target.database);
            it.put("code", Code.of(changeSet));
            it.put("preconditions", Preconditions.described(target.database, changeSet));
            it.put("sql", rendering.forward(changeSet));
            it.put("rollback", rendering.inverse(changeSet));
        } finally {
            target.database.setObjectQuotingStrategy(quoting);
            target.endRead();
        }
        return it;
    }

    /** The state by history and checksum alone. */
    private static String state(ChangeSet changeSet, Map<String, Object> row) {
        if (row == null || changeSet.shouldAlwaysRun()) return "pending";
        String recorded = (String) row.get("checksum");
        if (recorded == null || Code.makesChecksum(changeSet) || changeSet.isCheckSumValid(CheckSum.parse(recorded))) return "ran";
        return changeSet.shouldRunOnChange() ? "pending" : "ran_changed";
    }

    /** The comments in its SQL that are meant for Drydock. Liquibase drops comments from what it runs, so the written text is read. */
    private static List<String> remarks(ChangeSet changeSet) {
        List<String> found = new ArrayList<>();
        for (Change change : changeSet.getChanges()) {
            String sql = change instanceof AbstractSQLChange written ? written.getSql() : null;
            Matcher remark = REMARK.matcher(sql == null ? "" : sql);
            while (remark.find()) found.add(remark.group().trim());
        }
        return found;
    }
}
