package drydock;

import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import liquibase.changelog.ChangeSet;
import liquibase.changelog.DatabaseChangeLog;
import liquibase.changelog.visitor.ChangeExecListener;
import liquibase.database.Database;
import liquibase.exception.PreconditionErrorException;
import liquibase.exception.PreconditionFailedException;
import liquibase.exception.ValidationErrors;
import liquibase.exception.Warnings;
import liquibase.precondition.AbstractPrecondition;
import liquibase.precondition.Precondition;
import liquibase.precondition.PreconditionLogic;
import liquibase.precondition.core.DBMSPrecondition;
import liquibase.precondition.core.NotPrecondition;
import liquibase.precondition.core.OrPrecondition;
import liquibase.precondition.core.PreconditionContainer;
import liquibase.precondition.core.RowCountPrecondition;
import liquibase.precondition.core.SqlPrecondition;
import liquibase.precondition.core.TableIsEmptyPrecondition;

/**
 * Preconditions that may depend on rows. A copy of the schema has none, so that they are asked on the database that has the rows, and
 * the copy takes the answers.
 */
final class Preconditions {
    /** Liquibase's own. An extension's may do anything. */
    private static final String OWN = "liquibase.precondition.core.";

    private final Target target;
    private final Changelog changelog;
    private final Errors errors;

    Preconditions(Target target, Changelog changelog, Errors errors) {
        this.target = target;
        this.changelog = changelog;
        this.errors = errors;
    }

    // ---- which they are

    /** Those of a tree that may depend on rows, in its order. */
    static List<Precondition> askingRows(Precondition root) {
        List<Precondition> found = new ArrayList<>();
        collect(root, found);
        return found;
    }

    private static void collect(Precondition node, List<Precondition> found) {
        if (node instanceof PreconditionLogic logic) for (Precondition nested : logic.getNestedPreconditions()) collect(nested, found);
        else if (node != null && asksRows(node)) found.add(node);
    }

    private static boolean asksRows(Precondition leaf) {
        return leaf instanceof SqlPrecondition || leaf instanceof RowCountPrecondition || leaf instanceof TableIsEmptyPrecondition || runsCode(leaf);
    }

    private static boolean runsCode(Precondition leaf) {
        return !leaf.getClass().getName().startsWith(OWN);
    }

    /** What becomes of a changeset whose preconditions ask for another kind of database, whatever else they ask; null for any other. */
    static PreconditionContainer.FailOption forAnotherDatabase(Database database, ChangeSet changeSet) {
        PreconditionContainer all = changeSet.getPreconditions();
        return all != null && Boolean.FALSE.equals(holdsHere(database, all)) ? all.getOnFail() : null;
    }

    /** As far as the kind of database tells; null: it does not. */
    private static Boolean holdsHere(Database database, Precondition node) {
        if (node instanceof DBMSPrecondition) {
            try {
                node.check(database, null, null, null);
                return true;
            } catch (PreconditionFailedException e) {
                return false;
            } catch (PreconditionErrorException e) {
                return null;
            }
        }
        if (!(node instanceof PreconditionLogic logic)) return null;
        boolean any = node instanceof OrPrecondition;
        boolean told = true;
        for (Precondition nested : logic.getNestedPreconditions()) {
            Boolean holds = holdsHere(database, nested);
            if (holds == null) told = false;
            else if (node instanceof NotPrecondition) {
                if (holds) return false;
            } else if (holds == any) return any;
        }
        return told ? !any : null;
    }

    /** {@code name}, and {@code sql}: what it asks; null where it runs code. */
    static List<Object> described(Database database, ChangeSet changeSet) {
        List<Object> all = new ArrayList<>();
        for (Precondition leaf : askingRows(changeSet.getPreconditions())) all.add(Json.map("name", leaf.getName(), "sql", sql(database, leaf)));
        return all;
    }

    private static String sql(Database database, Precondition leaf) {
        if (leaf instanceof SqlPrecondition asked) return asked.getSql();
        if (leaf instanceof RowCountPrecondition of) return rows(database, of.getCatalogName(), of.getSchemaName(), of.getTableName());
        if (leaf instanceof TableIsEmptyPrecondition of) return rows(database, of.getCatalogName(), of.getSchemaName(), of.getTableName());
        return null;
    }

    private static String rows(Database database, String catalog, String schema, String table) {
        return "SELECT count(*) FROM " + database.escapeTableName(catalog, schema, table);
    }

    // ---- asked where the rows are

    /** Answers each of {@code checks} [{changeset, at}]: {@code holds} true, false or null, and a {@code message}. It only reads. */
    Map<String, Object> judge(Map<String, Object> request) throws Exception {
        target.runSession(Json.strings(request.get("session")));
        List<Object> answers = new ArrayList<>();
        List<?> checks = request.get("checks") instanceof List<?> list ? list : List.of();
        try {
            target.jdbc().setReadOnly(true);
        } catch (SQLException e) {
            for (Object ignored : checks) answers.add(Json.map("holds", null, "message", "this database has no sessions that only read"));
            return Json.map("answers", answers);
        }
        try {
            List<Precondition> whole = askingRows(changelog.parsed.getPreconditions());
            if (!whole.isEmpty() && whole.stream().noneMatch(Preconditions::runsCode)) changelog.checkPreconditions();
            target.endRead();
            for (Object check : checks) {
                Map<String, Object> asked = Json.object(check);
                ChangeSet changeSet = changelog.find(Json.object(asked.get("changeset")));
                List<Precondition> leaves = askingRows(changeSet.getPreconditions());
                answers.add(answer(leaves.get(Integer.parseInt(Json.text(asked.get("at")))), changeSet));
                target.endRead();
            }
        } finally {
            if (!target.jdbc().isClosed()) {
                target.endRead();
                target.jdbc().setReadOnly(false);
            }
        }
        return Json.map("answers", answers);
    }

    private Map<String, Object> answer(Precondition leaf, ChangeSet changeSet) {
        try {
            leaf.check(target.database, changelog.parsed, changeSet, null);
            return Json.map("holds", true, "message", null);
        } catch (PreconditionFailedException e) {
            return Json.map("holds", false, "message", Errors.oneLine(e.getFailedPreconditions().get(0).getMessage()));
        } catch (PreconditionErrorException e) {
            return Json.map("holds", null, "message", errors.innermost(e.getErrorPreconditions().get(0).getCause()));
        }
    }

    // ---- answered on a copy

    /**
     * What a changeset's preconditions come to with these answers {verdict: holds|fails|unknown|here, message}, in the order of those that
     * ask rows. Null: that cannot be told.
     */
    Boolean decide(ChangeSet changeSet, List<?> answers) throws Fault, PreconditionErrorException {
        return evaluate(changeSet.getPreconditions(), answers.iterator(), changeSet);
    }

    private Boolean evaluate(Precondition node, Iterator<?> answers, ChangeSet changeSet) throws Fault, PreconditionErrorException {
        if (node instanceof PreconditionLogic logic) {
            boolean any = logic instanceof OrPrecondition;
            boolean negated = logic instanceof NotPrecondition;
            Boolean all = !any;
            for (Precondition nested : logic.getNestedPreconditions()) {
                Boolean one = evaluate(nested, answers, changeSet);
                if (negated && one != null) one = !one;
                // What decides alone decides, whatever else cannot be told.
                if (one != null && one == any) all = any;
                else if (one == null && (all == null || all != any)) all = null;
            }
            return all;
        }
        if (asksRows(node)) {
            switch (Json.text(Json.object(answers.next()).get("verdict"))) {
                case "holds":
                    return true;
                case "fails":
                    return false;
                case "unknown":
                    return null;
                default:
            }
        }
        try {
            node.check(target.database, changelog.parsed, changeSet, null);
            return true;
        } catch (PreconditionFailedException e) {
            return false;
        }
    }

    /** Whether there is an answer that Liquibase would not find itself. */
    static boolean anyAnswered(List<?> answers) throws Fault {
        for (Object answer : answers) if (!"here".equals(Json.object(answer).get("verdict"))) return true;
        return false;
    }

    /** Preconditions that do not hold, with what the author wants to happen then. */
    static PreconditionContainer failing(PreconditionContainer written, List<?> answers) throws Fault {
        PreconditionContainer failing = new PreconditionContainer();
        failing.setOnFail(written.getOnFail());
        failing.setOnFailMessage(written.getOnFailMessage());
        String message = "not all of it holds";
        for (Object answer : answers) {
            Map<String, Object> one = Json.object(answer);
            if ("fails".equals(one.get("verdict")) && one.get("message") != null) message = Json.text(one.get("message"));
        }
        failing.addNestedPrecondition(new Failing(message));
        return failing;
    }

    /** One that does not hold. */
    private static final class Failing extends AbstractPrecondition {
        private final String message;

        Failing(String message) {
            this.message = message;
        }

        @Override
        public String getName() {
            return "judged";
        }

        @Override
        public Warnings warn(Database database) {
            return new Warnings();
        }

        @Override
        public ValidationErrors validate(Database database) {
            return new ValidationErrors();
        }

        @Override
        public void check(Database database, DatabaseChangeLog log, ChangeSet changeSet, ChangeExecListener listener) throws PreconditionFailedException {
            throw new PreconditionFailedException(message, log, this);
        }

        @Override
        public String getSerializedObjectNamespace() {
            return STANDARD_CHANGELOG_NAMESPACE;
        }
    }
}
