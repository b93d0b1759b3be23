package drydock;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import liquibase.Scope;
import liquibase.change.Change;
import liquibase.change.ChangeFactory;
import liquibase.change.core.EmptyChange;
import liquibase.changelog.ChangeSet;
import liquibase.database.Database;
import liquibase.exception.RollbackImpossibleException;
import liquibase.sql.Sql;
import liquibase.sql.visitor.SqlVisitor;
import liquibase.sqlgenerator.SqlGeneratorFactory;
import liquibase.statement.ExecutablePreparedStatement;
import liquibase.statement.SqlStatement;

/** The SQL of a changeset and of its inverse, as Liquibase would send it. */
final class Rendering {
    private final Database database;

    Rendering(Database database) {
        this.database = database;
    }

    List<String> forward(ChangeSet changeSet) {
        List<String> sql = new ArrayList<>();
        for (Change change : changeSet.getChanges()) sql.addAll(statements(changeSet, change, change.generateStatements(database), false));
        return sql;
    }

    /** The inverse: {@code kind}, {@code sql} and, where there is none, {@code message}. */
    Map<String, Object> inverse(ChangeSet changeSet) throws Exception {
        List<String> sql = new ArrayList<>();
        List<Change> written = writtenInverse(changeSet);
        if (!written.isEmpty()) {
            for (Change change : written) {
                if (!(change instanceof EmptyChange)) sql.addAll(statements(changeSet, change, change.generateStatements(database), true));
            }
            return inverse(sql);
        }
        List<Change> changes = new ArrayList<>(changeSet.getChanges());
        Collections.reverse(changes);
        for (Change change : changes) {
            if (!change.supportsRollback(database)) return none(change);
            try {
                sql.addAll(statements(changeSet, change, change.generateRollbackStatements(database), true));
            } catch (RollbackImpossibleException e) {
                return none(change);
            }
        }
        return inverse(sql);
    }

    /** The changes of the rollback that the changeset's author wrote. */
    static List<Change> writtenInverse(ChangeSet changeSet) {
        return changeSet.getRollback() == null ? List.of() : changeSet.getRollback().getChanges();
    }

    private static Map<String, Object> inverse(List<String> sql) {
        return Json.map("kind", sql.isEmpty() ? "empty" : "inverse", "sql", sql);
    }

    private static Map<String, Object> none(Change change) {
        String name = Scope.getCurrentScope().getSingleton(ChangeFactory.class).getChangeMetaData(change).getName();
        return Json.map("kind", "none", "sql", List.of(), "message", "there is no rollback, and none can be derived from " + name);
    }

    private List<String> statements(ChangeSet changeSet, Change change, SqlStatement[] statements, boolean inverse) {
        List<String> texts = new ArrayList<>();
        SqlGeneratorFactory generators = SqlGeneratorFactory.getInstance();
        for (SqlStatement statement : statements == null ? new SqlStatement[0] : statements) {
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
