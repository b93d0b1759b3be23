package drydock;

import java.io.FileNotFoundException;
import java.nio.file.NoSuchFileException;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.ResultSetMetaData;
import java.sql.SQLException;
import java.sql.Timestamp;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import liquibase.Scope;
import liquibase.changelog.ChangeLogHistoryServiceFactory;
import liquibase.changelog.ChangeSet;
import liquibase.changelog.DatabaseChangeLog;
import liquibase.changelog.RanChangeSet;
import liquibase.database.Database;
import liquibase.executor.ExecutorService;
import liquibase.statement.core.InsertStatement;

/** Liquibase's table of applied changesets. It is never made here. */
final class History {
    /** The columns of Liquibase's table, and what they are called in JSON. */
    private static final String[][] COLUMNS = {
        {"ID", "id"}, {"AUTHOR", "author"}, {"FILENAME", "path"}, {"DATEEXECUTED", "executed_at"}, {"ORDEREXECUTED", "order"},
        {"EXECTYPE", "exec_type"}, {"MD5SUM", "checksum"}, {"DESCRIPTION", "description"}, {"COMMENTS", "comments"}, {"TAG", "tag"},
        {"LIQUIBASE", "liquibase"}, {"CONTEXTS", "contexts"}, {"LABELS", "labels"}, {"DEPLOYMENT_ID", "deployment"},
    };

    private final Target target;

    History(Target target) {
        this.target = target;
    }

    /** All rows, oldest first. */
    List<Map<String, Object>> rows() throws Exception {
        if (target.isOffline()) return offline();
        return read("");
    }

    /** The rows of one changeset, oldest first. Liquibase adds a second one where a precondition keeps it from running again. */
    List<Map<String, Object>> rows(Map<String, Object> identity) throws Exception {
        List<Map<String, Object>> rows = read(" WHERE ID = ? AND AUTHOR = ?", Json.text(identity.get("id")), Json.text(identity.get("author")));
        rows.removeIf(row -> !Identity.key(row).equals(Identity.key(identity)));
        return rows;
    }

    /** What the file of a database that is offline says. */
    private List<Map<String, Object>> offline() throws Exception {
        List<Map<String, Object>> rows = new ArrayList<>();
        List<RanChangeSet> recorded;
        try {
            recorded = Scope.getCurrentScope().getSingleton(ChangeLogHistoryServiceFactory.class).getChangeLogService(target.database).getRanChangeSets();
        } catch (Exception e) {
            for (Throwable cause = e; cause != null; cause = cause.getCause()) if (cause instanceof FileNotFoundException || cause instanceof NoSuchFileException) return rows;
            throw e;
        }
        for (RanChangeSet ran : recorded) {
            String checksum = ran.getLastCheckSum() == null ? null : ran.getLastCheckSum().toString();
            rows.add(Json.map("id", ran.getId(), "author", ran.getAuthor(), "path", DatabaseChangeLog.normalizePath(ran.getChangeLog()),
                "executed_at", ran.getDateExecuted() == null ? null : new Timestamp(ran.getDateExecuted().getTime()).toString(), "order", ran.getOrderExecuted(),
                "exec_type", ran.getExecType() == null ? "EXECUTED" : ran.getExecType().value, "checksum", checksum, "description", ran.getDescription(), "comments", ran.getComments(),
                "tag", ran.getTag(), "liquibase", ran.getLiquibaseVersion(), "contexts", null, "labels", null, "deployment", ran.getDeploymentId()));
        }
        return rows;
    }

    private List<Map<String, Object>> read(String where, String... values) throws Exception {
        List<Map<String, Object>> rows = new ArrayList<>();
        try {
            String name = target.database.getDatabaseChangeLogTableName();
            if (!exists(target, name)) return rows;
            // An older Liquibase made the table with fewer columns.
            String sql = "SELECT * FROM " + escaped(target.database, name) + where + " ORDER BY DATEEXECUTED, ORDEREXECUTED";
            try (PreparedStatement statement = target.jdbc().prepareStatement(sql)) {
                for (int i = 0; i < values.length; i++) statement.setString(i + 1, values[i]);
                try (ResultSet set = statement.executeQuery()) {
                    Map<String, Integer> places = places(set.getMetaData());
                    while (set.next()) rows.add(row(set, places));
                }
            }
        } finally {
            target.endRead();
        }
        return rows;
    }

    private static Map<String, Integer> places(ResultSetMetaData columns) throws SQLException {
        Map<String, Integer> places = new HashMap<>();
        for (int i = 1; i <= columns.getColumnCount(); i++) places.put(columns.getColumnName(i).toUpperCase(Locale.ROOT), i);
        return places;
    }

    private static Map<String, Object> row(ResultSet set, Map<String, Integer> places) throws SQLException {
        Map<String, Object> row = Json.map();
        for (String[] column : COLUMNS) {
            Integer place = places.get(column[0]);
            // Times stay text, because not every JDBC driver reads back what Liquibase wrote.
            row.put(column[1], place == null ? null : set.getString(place));
        }
        Object order = row.get("order");
        row.put("order", order == null ? null : Long.valueOf(Json.text(order)));
        String stored = Json.text(row.get("path"));
        String path = DatabaseChangeLog.normalizePath(stored);
        row.put("path", path);
        if (!Objects.equals(stored, path)) row.put("stored_path", stored);
        return row;
    }

    /** Writes a row as it was read. Its transaction is the caller's. */
    void insert(Map<String, Object> row) throws Exception {
        Database database = target.database;
        InsertStatement insert = new InsertStatement(database.getLiquibaseCatalogName(), database.getLiquibaseSchemaName(), database.getDatabaseChangeLogTableName());
        for (String[] column : COLUMNS) {
            Object value = row.get(column[1]);
            if (column[0].equals("FILENAME") && row.get("stored_path") != null) value = row.get("stored_path");
            if (column[0].equals("DATEEXECUTED")) value = time(Json.text(value));
            insert.addColumnValue(column[0], value);
        }
        Scope.getCurrentScope().getSingleton(ExecutorService.class).getExecutor("jdbc", database).execute(insert);
    }

    private static Object time(String text) {
        try {
            return Timestamp.valueOf(text);
        } catch (IllegalArgumentException e) {
            return text;
        }
    }

    /** The row of a changeset, or null. */
    static Map<String, Object> row(List<Map<String, Object>> rows, ChangeSet changeSet) {
        String key = Identity.key(changeSet);
        for (Map<String, Object> row : rows) if (Identity.key(row).equals(key)) return row;
        return null;
    }

    /** Whether one of Liquibase's own tables is there, however the database spells names. */
    static boolean exists(Target target, String table) throws SQLException {
        String schema = target.database.getLiquibaseSchemaName();
        for (String name : new String[] {table, table.toLowerCase(Locale.ROOT), table.toUpperCase(Locale.ROOT)}) {
            // The names are patterns, in which "_" stands for any character.
            try (ResultSet set = target.jdbc().getMetaData().getTables(null, schema, name, null)) {
                while (set.next()) if (table.equalsIgnoreCase(set.getString("TABLE_NAME"))) return true;
            }
        }
        return false;
    }

    static String escaped(Database database, String table) {
        return database.escapeTableName(database.getLiquibaseCatalogName(), database.getLiquibaseSchemaName(), table);
    }
}
