package drydock;

import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import liquibase.changelog.ChangeSet;
import liquibase.changelog.DatabaseChangeLog;
import liquibase.database.Database;

/** Liquibase's table of applied changesets. It is only read here, and never made. */
final class History {
    private final Target target;

    History(Target target) {
        this.target = target;
    }

    /** All rows, oldest first. */
    List<Map<String, Object>> rows() throws Exception {
        List<Map<String, Object>> rows = new ArrayList<>();
        try {
            String name = target.database.getDatabaseChangeLogTableName();
            if (!exists(target, name)) return rows;
            String sql = "SELECT ID, AUTHOR, FILENAME, MD5SUM, EXECTYPE FROM " + escaped(target.database, name) + " ORDER BY DATEEXECUTED, ORDEREXECUTED";
            try (Statement statement = target.jdbc().createStatement(); ResultSet set = statement.executeQuery(sql)) {
                while (set.next()) {
                    String stored = set.getString(3);
                    String path = DatabaseChangeLog.normalizePath(stored);
                    Map<String, Object> row = Json.map("id", set.getString(1), "author", set.getString(2), "path", path,
                        "checksum", set.getString(4), "exec_type", set.getString(5));
                    if (!stored.equals(path)) row.put("stored_path", stored);
                    rows.add(row);
                }
            }
        } finally {
            target.endRead();
        }
        return rows;
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
            try (ResultSet set = target.jdbc().getMetaData().getTables(null, schema, name, null)) {
                if (set.next()) return true;
            }
        }
        return false;
    }

    static String escaped(Database database, String table) {
        return database.escapeTableName(database.getLiquibaseCatalogName(), database.getLiquibaseSchemaName(), table);
    }
}
