package drydock;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import liquibase.change.Change;
import liquibase.change.DbmsTargetedChange;
import liquibase.change.core.EmptyChange;
import liquibase.change.custom.CustomChangeWrapper;
import liquibase.changelog.ChangeSet;
import liquibase.database.Database;
import liquibase.database.DatabaseList;
import liquibase.exception.RollbackImpossibleException;
import liquibase.sql.Sql;
import liquibase.sql.visitor.SqlVisitor;
import liquibase.sqlgenerator.SqlGeneratorFactory;
import liquibase.statement.ExecutablePreparedStatement;
import liquibase.statement.SqlStatement;
import liquibase.statement.core.RuntimeStatement;

/**
 * The SQL of a changeset and of its inverse, as Liquibase would send it. Nothing is run for it: some changes do their work while
 * Liquibase asks them for statements, so that only changes that are known to generate SQL are asked.
 */
final class Rendering {
    private final Database database;

    Rendering(Database database) {
        this.database = database;
    }

    List<String> forward(ChangeSet changeSet) {
        List<String> sql = new ArrayList<>();
        for (Change change : changeSet.getChanges()) {
            if (!Code.runs(change) && isMeant(change)) sql.addAll(statements(changeSet, change, change.generateStatements(database), false));
        }
        return sql;
    }

    /** The inverse: {@code kind}, {@code sql}, whether its author has {@code written} it and, where there is none, {@code message}. */
    Map<String, Object> inverse(ChangeSet changeSet) throws Exception {
        List<String> sql = new ArrayList<>();
        List<Change> written = writtenInverse(changeSet);
        if (!written.isEmpty()) {
            for (Change change : written) {
                if (!(change instanceof EmptyChange) && !Code.runs(change) && isMeant(change)) sql.addAll(statements(changeSet, change, change.generateStatements(database), true));
            }
            return inverse(sql, true);
        }
        List<Change> changes = new ArrayList<>(changeSet.getChanges());
        Collections.reverse(changes);
        for (Change change : changes) {
            if (!isMeant(change)) continue;
            boolean code = Code.runs(change);
            // Liquibase's wrapper tells by the class of a custom change.
            if ((!code || change instanceof CustomChangeWrapper) && !change.supportsRollback(database)) return none(change);
            // What its inverse does, only its code knows; the changeset is told as one that runs code.
            if (code) continue;
            try {
                sql.addAll(statements(changeSet, change, change.generateRollbackStatements(database), true));
            } catch (RollbackImpossibleException e) {
                return none(change);
            }
        }
        return inverse(sql, false);
    }

    /** Whether it is for this kind of database. Liquibase passes over others as it runs a changeset. */
    private boolean isMeant(Change change) {
        return !(change instanceof DbmsTargetedChange of) || DatabaseList.definitionMatches(of.getDbms(), database, true);
    }

    /** The changes of the rollback that the changeset's author wrote. */
    static List<Change> writtenInverse(ChangeSet changeSet) {
        return changeSet.getRollback() == null ? List.of() : changeSet.getRollback().getChanges();
    }

    private static Map<String, Object> inverse(List<String> sql, boolean written) {
        return Json.map("kind", sql.isEmpty() ? "empty" : "inverse", "sql", sql, "written", written);
    }

    private static Map<String, Object> none(Change change) {
        return Json.map("kind", "none", "sql", List.of(), "message", "there is no rollback, and none can be derived from " + Code.name(change));
    }

    private List<String> statements(ChangeSet changeSet, Change change, SqlStatement[] statements, boolean inverse) {
        List<String> texts = new ArrayList<>();
        SqlGeneratorFactory generators = SqlGeneratorFactory.getInstance();
        for (SqlStatement statement : statements == null ? new SqlStatement[0] : statements) {
            // It does its work when its SQL is asked for.
            if (statement instanceof RuntimeStatement) continue;
            if (statement.skipOnUnsupported() && !generators.supports(statement, database)) continue;
            if (statement instanceof ExecutablePreparedStatement) {
                // Rows of a file are sent with bound values: there is no text to show.
                texts.add("-- " + Errors.oneLine(change.getConfirmationMessage()));
                continue;
            }
            for (Sql sql : generators.generateSql(statement, database)) {
                String text = sql.toSql();
                for (SqlVisitor visitor : changeSet.getSqlVisitors()) if (!inverse || visitor.isApplyToRollback()) text = visitor.modifySql(text, database);
                if (text != null && !text.isBlank()) texts.add(text);
            }
        }
        return texts;
    }
}
