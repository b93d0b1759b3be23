package drydock;

import java.sql.Connection;
import java.sql.Driver;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.ServiceLoader;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;
import liquibase.Scope;
import liquibase.change.AbstractSQLChange;
import liquibase.change.Change;
import liquibase.changelog.ChangeLogHistoryServiceFactory;
import liquibase.changelog.ChangeSet;
import liquibase.database.Database;
import liquibase.database.DatabaseConnection;
import liquibase.database.DatabaseFactory;
import liquibase.database.OfflineConnection;
import liquibase.database.core.DatabaseUtils;
import liquibase.database.jvm.JdbcConnection;
import liquibase.exception.DatabaseException;
import liquibase.lockservice.LockServiceFactory;
import liquibase.resource.ClassLoaderResourceAccessor;

/** The database that Liquibase works on, and the one connection to it. */
final class Target {
    /** A connection that can keep a transaction open past Liquibase's own commits. */
    private static final class DeferringConnection extends JdbcConnection {
        boolean defersCommit;
        /** Each statement commits itself. Liquibase's own table of databases may say otherwise; the product's adapter decides. */
        private final boolean commitsEach;

        DeferringConnection(Connection connection, boolean commitsEach) {
            super(connection);
            this.commitsEach = commitsEach;
        }

        @Override
        public void setAutoCommit(boolean autoCommit) throws DatabaseException {
            super.setAutoCommit(autoCommit || commitsEach);
        }

        @Override
        public void commit() throws DatabaseException {
            if (!defersCommit) super.commit();
        }
    }

    interface Listener {
        void connected() throws Exception;
    }

    /** Begins the URL of a database that nobody connects to: Liquibase renders for it, and its history is a file. */
    private static final String OFFLINE = "offline:";

    /** Null while there is no connection. */
    Database database;
    /** Called after each new connection. */
    Listener listener = () -> {};
    private final Errors errors;
    /** Whether the connection broke during the request under way and was replaced. */
    private boolean replaced;
    private Map<String, Object> request;
    private String liquibaseSchema;
    private String historyTable;
    private String lockTable;
    private String defaultSchema;
    private boolean transactionalDdl;
    /** SQL that switches the role for the rest of a transaction, or null. */
    private Pattern roleSwitch;

    Target(Errors errors) {
        this.errors = errors;
    }

    /** Connects to another database, in place of the one before. */
    void connectTo(Map<String, Object> wanted) throws Exception {
        request = wanted;
        transactionalDdl = Boolean.TRUE.equals(wanted.get("transactional_ddl"));
        try {
            roleSwitch = wanted.get("role_switch") == null ? null : Pattern.compile(Json.text(wanted.get("role_switch")), Pattern.CASE_INSENSITIVE);
        } catch (PatternSyntaxException e) {
            throw new Fault(Fault.Kind.INTERNAL, "role_switch is not a regular expression: " + e.getDescription(), e);
        }
        errors.connectedWith(Json.text(wanted.get("password")), Json.strings(wanted.get("message_prefixes")), Json.strings(wanted.get("message_ends")), Json.strings(wanted.get("value_states")));
        connect();
    }

    /** Connects to the same database again unless the connection works. */
    void ensure() throws Exception {
        if (request == null) throw new Fault(Fault.Kind.INTERNAL, "connect comes first");
        if (database == null || !isOffline() && !jdbc().isValid(5)) connect();
    }

    /** Connects to the same database again. */
    void connect() throws Exception {
        disconnect();
        Properties properties = new Properties();
        if (request.get("properties") != null) Json.object(request.get("properties")).forEach((key, value) -> properties.put(key, String.valueOf(value)));
        if (request.get("user") != null) properties.put("user", request.get("user"));
        if (request.get("password") != null) properties.put("password", request.get("password"));
        String url = Json.text(request.get("url"));
        try {
            DatabaseConnection connection;
            if (url.startsWith(OFFLINE)) {
                connection = new OfflineConnection(url, new ClassLoaderResourceAccessor());
            } else {
                connection = new DeferringConnection(open(url, properties), !transactionalDdl);
                sessionBegins(connection);
            }
            database = DatabaseFactory.getInstance().findCorrectDatabaseImplementation(connection);
            giveNames();
        } catch (SQLException | DatabaseException e) {
            throw new Fault(Fault.Kind.CONNECTION, "Liquibase cannot connect: " + errors.innermost(e), e);
        }
        commit();
        listener.connected();
    }

    /**
     * Keeps {@code DriverManager} from loading every driver on the class path, as Liquibase would have it do: that takes longer than to
     * connect. To be called before anything asks it for drivers.
     */
    static void loadNoDrivers() {
        Thread thread = Thread.currentThread();
        ClassLoader own = thread.getContextClassLoader();
        thread.setContextClassLoader(ClassLoader.getPlatformClassLoader());
        DriverManager.getDrivers();
        thread.setContextClassLoader(own);
    }

    /** Connects by the driver that Liquibase knows for such a URL, or by the first one on the class path that takes it. */
    private static Connection open(String url, Properties properties) throws SQLException {
        String name = DatabaseFactory.getInstance().findDefaultDriver(url);
        try {
            if (name != null) {
                Class.forName(name);
                return DriverManager.getConnection(url, properties);
            }
        } catch (ClassNotFoundException | LinkageError absent) {
            // Another one may take it.
        }
        for (Driver driver : ServiceLoader.load(Driver.class)) if (driver.acceptsURL(url)) return driver.connect(url, properties);
        return DriverManager.getConnection(url, properties);
    }

    /** Where Liquibase's own tables are and what they are called, and where names without a schema go; empty: as the session and Liquibase say. */
    void names(Map<String, Object> wanted) throws DatabaseException, SQLException {
        liquibaseSchema = named(wanted, "liquibase_schema");
        historyTable = named(wanted, "liquibase_table");
        lockTable = named(wanted, "liquibase_lock_table");
        defaultSchema = named(wanted, "default_schema");
        if (database == null) return;
        giveNames();
        commit();
    }

    private static String named(Map<String, Object> wanted, String setting) {
        String name = Json.text(wanted.get(setting));
        return name.isEmpty() ? null : name;
    }

    private void giveNames() throws DatabaseException {
        // As Liquibase's command line does it: the session's search path begins with the default schema.
        if (defaultSchema != null) {
            database.setDefaultSchemaName(defaultSchema);
            DatabaseUtils.initializeDatabase(null, defaultSchema, database);
        }
        if (liquibaseSchema != null) database.setLiquibaseSchemaName(liquibaseSchema);
        if (historyTable != null) database.setDatabaseChangeLogTableName(historyTable);
        if (lockTable != null) database.setDatabaseChangeLogLockTableName(lockTable);
        errors.historyIs(database.getDatabaseChangeLogTableName());
    }

    /** Settings are made before Liquibase sees the connection, and committed, so that they outlive a rollback. */
    private void sessionBegins(DatabaseConnection connection) throws SQLException {
        Connection jdbc = ((JdbcConnection) connection).getUnderlyingConnection();
        try (Statement statement = jdbc.createStatement()) {
            for (String sql : Json.strings(request.get("session"))) statement.execute(sql);
        }
        if (!jdbc.getAutoCommit()) jdbc.commit();
    }

    /** Connects to the same database again, because the connection broke during an act. */
    void replace() throws Exception {
        replaced = true;
        connect();
    }

    /** A new request begins: what broke before is not its failure. */
    void forgetReplacement() {
        replaced = false;
    }

    void disconnect() {
        if (database == null) return;
        try {
            database.close();
        } catch (Exception ignored) {
            // The connection is given up because it is broken or no longer wanted.
        }
        database = null;
        Scope.getCurrentScope().getSingleton(ChangeLogHistoryServiceFactory.class).resetAll();
        LockServiceFactory.getInstance().resetAll();
    }

    /** What marks the rows of the history as written for this run; null before the first connection. */
    String deployment() {
        return request == null || request.get("deployment") == null ? null : Json.text(request.get("deployment"));
    }

    /** There is no server, and nothing is run. */
    boolean isOffline() {
        return database != null && database.getConnection() instanceof OfflineConnection;
    }

    Connection jdbc() throws SQLException {
        if (isOffline()) throw new SQLException("there is no connection: the database is offline");
        return ((JdbcConnection) database.getConnection()).getUnderlyingConnection();
    }

    /** Runs statements and commits them, so that the settings they make outlive a rollback. */
    void runSession(List<String> statements) throws SQLException {
        run(statements);
        commit();
    }

    /** Runs statements in the transaction that is open. */
    void run(List<String> statements) throws SQLException {
        if (statements.isEmpty()) return;
        try (Statement statement = jdbc().createStatement()) {
            for (String sql : statements) statement.execute(sql);
        }
    }

    private void commit() throws SQLException {
        if (isOffline()) return;
        if (!jdbc().getAutoCommit()) jdbc().commit();
    }

    /** Ends a transaction that only read. */
    void endRead() throws SQLException {
        if (isOffline()) return;
        if (!jdbc().isClosed() && !jdbc().getAutoCommit()) jdbc().rollback();
    }

    // ---- a changeset and its record as one transaction

    /** Keeps the transaction of a changeset open for its record where both can be one transaction. */
    void deferCommit(ChangeSet changeSet, List<Change> changes) {
        setDeferring(transactionalDdl && changeSet.isRunInTransaction() && changeSet.getRunWith() == null && !switchesRole(changes));
    }

    void stopDeferring() {
        setDeferring(false);
    }

    private void setDeferring(boolean defers) {
        if (database != null && database.getConnection() instanceof DeferringConnection connection) connection.defersCommit = defers;
    }

    /** Whether the record would be written as another role, which need not be allowed to write it. */
    private boolean switchesRole(List<Change> changes) {
        if (roleSwitch == null) return false;
        for (Change change : changes) {
            String sql = change instanceof AbstractSQLChange written ? written.getSql() : null;
            if (sql != null && roleSwitch.matcher(sql).find()) return true;
        }
        return false;
    }

    // ---- after a failure

    /** Whether the connection broke during the request under way. */
    boolean lost() {
        if (isOffline()) return replaced;
        try {
            return replaced || database != null && (database.getConnection().isClosed() || !jdbc().isValid(2));
        } catch (Exception e) {
            return true;
        }
    }

    /** Gives the connection back the state that the next request expects. */
    void recover() {
        try {
            if (database == null || isOffline()) return;
            stopDeferring();
            if (!replaced && lost()) {
                connect();
                return;
            }
            if (!jdbc().getAutoCommit()) database.rollback();
            // A changeset outside a transaction that failed leaves the other mode behind.
            database.setAutoCommit(database.getAutoCommitMode());
        } catch (Exception e) {
            // The next request connects again, and reports it if that fails.
            disconnect();
        }
    }
}
