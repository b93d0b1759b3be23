// Drydock's other half of `liquibase.rs`: Liquibase's Java API behind JSON lines.
//
// Started as `java -cp 'lib/*' Driver.java`, without a build step. It lives for a run: one JSON object a line on standard
// input is a request, one a line on standard output an answer or an event, and nothing else is ever written there. When
// standard input ends, the parent is gone and so is this process, at once, whatever is under way.
//
//   request   {"id":1,"op":"apply", ...}
//   answer    {"id":1,"ok":true,"result":{...}}
//             {"id":1,"ok":false,"error":{"kind","message","sql_state","changeset","file","line","sql"}}
//   event     {"event":"will_run|ran|failed|rolled_back","changeset":{...}}
//
//   hello                                          -> {liquibase, java}
//   connect   {url, user, password, properties}    -> {product, version}; replaces the connection before
//   changelog {root, file, contexts, labels}       reads it; identities are as Liquibase's own command line writes them
//   status                                         -> {changesets, unknown, history}; reads only, makes no table
//   history                                        -> {history}
//   apply     {changeset, session}                 -> {state: applied|already|marked_ran|filtered}
//   apply_all {changesets|null, session}           one update of the named ones, or of all that should run
//   undo      {changeset, session}                 -> {state: undone|unmarked|not_applied}; at any position of the history
//   lock                                           -> {held, by, since}
//   release_lock                                   releases Liquibase's lock, whoever holds it
//
// `session` statements run and are committed on Liquibase's connection first, so that they outlive a rollback.
// Error kinds: parse, duplicate, validation, precondition, sql, lock, connection, unknown_changeset, no_inverse, internal.

import java.io.*;
import java.nio.charset.StandardCharsets;
import java.nio.file.*;
import java.sql.*;
import java.util.*;
import java.util.concurrent.*;
import java.util.logging.*;
import java.util.regex.*;
import liquibase.*;
import liquibase.change.*;
import liquibase.change.core.EmptyChange;
import liquibase.changelog.*;
import liquibase.changelog.filter.*;
import liquibase.changelog.visitor.*;
import liquibase.database.Database;
import liquibase.database.DatabaseConnection;
import liquibase.database.DatabaseFactory;
import liquibase.database.jvm.JdbcConnection;
import liquibase.exception.*;
import liquibase.lockservice.*;
import liquibase.parser.ChangeLogParserFactory;
import liquibase.precondition.core.PreconditionContainer;
import liquibase.resource.*;
import liquibase.sql.Sql;
import liquibase.sql.visitor.SqlVisitor;
import liquibase.sqlgenerator.SqlGeneratorFactory;
import liquibase.statement.SqlStatement;
import liquibase.ui.LoggerUIService;
import liquibase.util.LiquibaseUtil;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.SafeConstructor;

public class Driver {
    static final class Fault extends Exception {
        final String kind;
        Map<String, Object> changeset;
        String file;
        Integer line;

        Fault(String kind, String message) {
            super(message);
            this.kind = kind;
        }
        Fault(String kind, String message, Throwable cause) {
            super(message, cause);
            this.kind = kind;
        }
    }

    final PrintStream out;
    Database database;
    Map<String, Object> connection;
    Path root;
    String file;
    Contexts contexts = new Contexts();
    LabelExpression labels = new LabelExpression();
    Map<String, Object> parameters = Map.of();
    DatabaseChangeLog changelog;
    DirectoryResourceAccessor accessor;

    Driver(PrintStream out) {
        this.out = out;
    }

    public static void main(String[] arguments) throws Exception {
        PrintStream out = new PrintStream(new FileOutputStream(FileDescriptor.out), true, StandardCharsets.UTF_8);
        System.setOut(System.err);
        System.setProperty("liquibase.analytics.enabled", "false");
        System.setProperty("liquibase.showBanner", "false");
        // Ran changesets of a database are recorded by us alone while the claim is held: no second changelog service.
        Logger logging = LogManager.getLogManager().getLogger("");
        logging.setLevel(Level.WARNING);
        Driver driver = new Driver(out);
        BlockingQueue<String> requests = new LinkedBlockingQueue<>();
        Thread reader = new Thread(() -> {
            try (BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8))) {
                for (String line = in.readLine(); line != null; line = in.readLine()) requests.add(line);
            } catch (IOException ignored) {
                // The same as its end.
            }
            Runtime.getRuntime().halt(3);
        }, "requests");
        reader.setDaemon(true);
        reader.start();
        Map<String, Object> scope = new HashMap<>();
        scope.put(Scope.Attr.ui.name(), new LoggerUIService());
        Scope.child(scope, () -> {
            while (true) driver.serve(requests.take());
        });
    }

    @SuppressWarnings("unchecked")
    void serve(String line) {
        Object id = null;
        Map<String, Object> answer = new LinkedHashMap<>();
        try {
            LoaderOptions options = new LoaderOptions();
            options.setCodePointLimit(64 * 1024 * 1024);
            Map<String, Object> request = (Map<String, Object>) new Yaml(new SafeConstructor(options)).load(line);
            id = request.get("id");
            answer.put("id", id);
            Object result = perform((String) request.get("op"), request);
            answer.put("ok", true);
            answer.put("result", result);
        } catch (Throwable problem) {
            answer.put("id", id);
            answer.put("ok", false);
            answer.put("error", describe(problem));
            recover();
        }
        say(answer);
    }

    Object perform(String op, Map<String, Object> request) throws Exception {
        switch (op) {
            case "hello":
                return map("liquibase", LiquibaseUtil.getBuildVersion(), "java", System.getProperty("java.version"));
            case "connect":
                connection = request;
                return connect();
            case "changelog":
                return open(request);
            default:
        }
        if (database == null || changelog == null) throw new Fault("internal", "connect and changelog come first");
        if (database.getConnection().isClosed()) connect();
        switch (op) {
            case "status":
                return status();
            case "history":
                return map("history", history());
            case "apply":
                return apply(request);
            case "apply_all":
                return applyAll(request);
            case "undo":
                return undo(request);
            case "lock":
                return lock();
            case "release_lock":
                LockServiceFactory.getInstance().getLockService(database).forceReleaseLock();
                database.commit();
                return map("state", "released");
            default:
                throw new Fault("internal", "no such op: " + op);
        }
    }

    // ---- connection and changelog

    @SuppressWarnings("unchecked")
    Map<String, Object> connect() throws Exception {
        if (database != null) {
            try {
                database.close();
            } catch (DatabaseException ignored) {
                // It is being replaced because it is no longer wanted.
            }
            database = null;
        }
        Properties properties = new Properties();
        Object extra = connection.get("properties");
        if (extra instanceof Map) ((Map<String, Object>) extra).forEach((k, v) -> properties.put(k, String.valueOf(v)));
        if (connection.get("user") != null) properties.put("user", connection.get("user"));
        if (connection.get("password") != null) properties.put("password", connection.get("password"));
        try {
            Connection jdbc = DriverManager.getConnection((String) connection.get("url"), properties);
            database = DatabaseFactory.getInstance().findCorrectDatabaseImplementation(new JdbcConnection(jdbc));
        } catch (SQLException | DatabaseException e) {
            throw new Fault("connection", "Liquibase cannot connect: " + innermost(e), e);
        }
        if (file != null) parse();
        return map("product", database.getDatabaseProductName(), "version", database.getDatabaseProductVersion());
    }

    @SuppressWarnings("unchecked")
    Object open(Map<String, Object> request) throws Exception {
        root = Paths.get((String) request.get("root"));
        file = (String) request.get("file");
        contexts = new Contexts(text(request.get("contexts")));
        labels = new LabelExpression(text(request.get("labels")));
        if (request.get("parameters") instanceof Map) parameters = (Map<String, Object>) request.get("parameters");
        parse();
        return map("changesets", changelog.getChangeSets().size());
    }

    void parse() throws Exception {
        accessor = new DirectoryResourceAccessor(root.toFile());
        Database dialect = database != null ? database : new liquibase.database.core.MockDatabase();
        ChangeLogParameters values = new ChangeLogParameters(dialect);
        values.setContexts(contexts);
        values.setLabels(labels);
        for (Map.Entry<String, Object> value : parameters.entrySet()) values.set(value.getKey(), value.getValue());
        try {
            Scope.child(Scope.Attr.resourceAccessor, accessor, () ->
                changelog = ChangeLogParserFactory.getInstance().getParser(file, accessor).parse(file, values, accessor));
        } catch (Exception e) {
            throw unreadable(e);
        }
        Map<String, ChangeSet> seen = new HashMap<>();
        for (ChangeSet changeSet : changelog.getChangeSets()) {
            ChangeSet first = seen.putIfAbsent(changeSet.getFilePath() + "\0" + changeSet.getId() + "\0" + changeSet.getAuthor(), changeSet);
            if (first != null) {
                Fault fault = new Fault("duplicate", "changeset \"" + changeSet.getId() + "\" by " + changeSet.getAuthor() + " is there twice");
                fault.file = changeSet.getFilePath();
                fault.line = lastLineOf(changeSet);
                throw fault;
            }
        }
    }

    static final Pattern LINE = Pattern.compile("\\bline:? (\\d+)", Pattern.CASE_INSENSITIVE);
    static final Pattern NAMED = Pattern.compile("([\\w./-]+\\.(?:sql|ya?ml|xml|json))");

    Fault unreadable(Exception e) {
        String message = innermost(e);
        Fault fault = new Fault("parse", message, e);
        for (Throwable t = e; t != null; t = t.getCause()) {
            String text = String.valueOf(t.getMessage());
            Matcher line = LINE.matcher(text);
            if (fault.line == null && line.find()) fault.line = Integer.valueOf(line.group(1));
            Matcher named = NAMED.matcher(text);
            // The innermost file named is the one that could not be read.
            while (named.find()) fault.file = named.group(1).startsWith(root.toString()) ? root.relativize(Paths.get(named.group(1))).toString() : named.group(1);
        }
        if (fault.file == null) fault.file = file;
        return fault;
    }

    // ---- looking

    List<Map<String, Object>> history() throws Exception {
        List<Map<String, Object>> rows = new ArrayList<>();
        Connection jdbc = jdbc();
        if (!exists(jdbc, database.getDatabaseChangeLogTableName())) return rows;
        String table = database.escapeTableName(database.getLiquibaseCatalogName(), database.getLiquibaseSchemaName(), database.getDatabaseChangeLogTableName());
        try (Statement statement = jdbc.createStatement();
             ResultSet set = statement.executeQuery("SELECT ID, AUTHOR, FILENAME, MD5SUM, EXECTYPE, DATEEXECUTED, ORDEREXECUTED, DEPLOYMENT_ID FROM " + table + " ORDER BY DATEEXECUTED, ORDEREXECUTED")) {
            while (set.next()) {
                rows.add(map("id", set.getString(1), "author", set.getString(2), "path", DatabaseChangeLog.normalizePath(set.getString(3)),
                    "checksum", set.getString(4), "exec_type", set.getString(5), "date_executed", String.valueOf(set.getTimestamp(6)),
                    "order_executed", set.getInt(7), "deployment_id", set.getString(8)));
            }
        } finally {
            jdbc.commit();
        }
        return rows;
    }

    boolean exists(Connection jdbc, String table) throws SQLException {
        String schema = database.getLiquibaseSchemaName();
        for (String name : new String[] {table, table.toLowerCase(Locale.ROOT), table.toUpperCase(Locale.ROOT)}) {
            try (ResultSet set = jdbc.getMetaData().getTables(null, schema, name, null)) {
                if (set.next()) return true;
            }
        }
        return false;
    }

    static String key(String path, String id, String author) {
        return DatabaseChangeLog.normalizePath(path) + "\0" + id + "\0" + author;
    }

    static String key(ChangeSet changeSet) {
        return key(changeSet.getFilePath(), changeSet.getId(), changeSet.getAuthor());
    }

    Map<String, Object> status() throws Exception {
        List<Map<String, Object>> history = history();
        Map<String, Map<String, Object>> ran = new LinkedHashMap<>();
        for (Map<String, Object> row : history) ran.put(key((String) row.get("path"), (String) row.get("id"), (String) row.get("author")), row);
        List<Object> all = new ArrayList<>();
        Set<String> known = new HashSet<>();
        Map<String, List<String>> texts = new HashMap<>();
        for (ChangeSet changeSet : changelog.getChangeSets()) {
            known.add(key(changeSet));
            all.add(one(changeSet, ran.get(key(changeSet)), texts));
        }
        List<Object> unknown = new ArrayList<>();
        ran.forEach((key, row) -> {
            if (!known.contains(key)) unknown.add(row);
        });
        jdbc().rollback();
        return map("changesets", all, "unknown", unknown, "history", history);
    }

    Map<String, Object> one(ChangeSet changeSet, Map<String, Object> row, Map<String, List<String>> texts) throws Exception {
        Map<String, Object> it = identity(changeSet);
        it.put("comment", changeSet.getComments());
        it.put("contexts", String.valueOf(changeSet.getContextFilter()));
        it.put("labels", String.valueOf(changeSet.getLabels()));
        it.put("description", changeSet.getDescription());
        it.put("run_in_transaction", changeSet.isRunInTransaction());
        it.put("run_on_change", changeSet.shouldRunOnChange());
        it.put("run_always", changeSet.shouldAlwaysRun());
        it.put("fail_on_error", changeSet.getFailOnError());
        it.put("checksum", String.valueOf(changeSet.generateCheckSum(ChecksumVersion.latest())));
        it.put("line", line(changeSet, texts));
        String refused = refused(changeSet);
        String state = "pending";
        if (row != null) {
            String recorded = (String) row.get("checksum");
            it.put("recorded_checksum", recorded);
            boolean valid = recorded == null || changeSet.isCheckSumValid(CheckSum.parse(recorded));
            state = valid ? (changeSet.shouldAlwaysRun() ? "pending" : "ran") : (changeSet.shouldRunOnChange() ? "pending" : "ran_changed");
        }
        if (state.equals("pending") && refused != null) {
            state = "filtered";
            it.put("filter_reason", refused);
        }
        it.put("state", state);
        if (!state.equals("pending")) return it;
        List<String> sql = new ArrayList<>();
        for (Change change : changeSet.getChanges()) sql.addAll(render(changeSet, change.generateStatements(database)));
        it.put("sql", sql);
        it.put("rollback", rollback(changeSet));
        it.put("preconditions", preconditions(changeSet));
        return it;
    }

    /** Why Liquibase's own filters leave it out, or null. */
    String refused(ChangeSet changeSet) {
        List<ChangeSetFilter> filters = List.of(new ContextChangeSetFilter(contexts), new LabelChangeSetFilter(labels), new DbmsChangeSetFilter(database), new IgnoreChangeSetFilter());
        for (ChangeSetFilter filter : filters) {
            ChangeSetFilterResult result = filter.accepts(changeSet);
            if (!result.isAccepted()) return result.getMessage();
        }
        return null;
    }

    List<String> render(ChangeSet changeSet, SqlStatement[] statements) {
        List<String> texts = new ArrayList<>();
        for (SqlStatement statement : statements) {
            for (Sql sql : SqlGeneratorFactory.getInstance().generateSql(statement, database)) {
                String text = sql.toSql();
                for (SqlVisitor visitor : changeSet.getSqlVisitors()) text = visitor.modifySql(text, database);
                if (text != null && !text.isBlank()) texts.add(text);
            }
        }
        return texts;
    }

    Map<String, Object> rollback(ChangeSet changeSet) throws Exception {
        List<String> sql = new ArrayList<>();
        List<Change> written = changeSet.getRollback() == null ? List.of() : changeSet.getRollback().getChanges();
        if (!written.isEmpty()) {
            boolean empty = true;
            for (Change change : written) {
                if (change instanceof EmptyChange) continue;
                empty = false;
                sql.addAll(render(changeSet, change.generateStatements(database)));
            }
            return map("kind", empty || sql.isEmpty() ? "empty" : "inverse", "sql", sql);
        }
        List<Change> changes = new ArrayList<>(changeSet.getChanges());
        Collections.reverse(changes);
        for (Change change : changes) {
            if (!change.supportsRollback(database)) return map("kind", "none", "sql", List.of(), "message", change.getClass().getSimpleName() + " has no rollback");
            try {
                sql.addAll(render(changeSet, change.generateRollbackStatements(database)));
            } catch (RollbackImpossibleException e) {
                return map("kind", "none", "sql", List.of(), "message", innermost(e));
            }
        }
        return map("kind", sql.isEmpty() ? "none" : "inverse", "sql", sql);
    }

    Map<String, Object> preconditions(ChangeSet changeSet) {
        PreconditionContainer container = changeSet.getPreconditions();
        if (container == null || container.getNestedPreconditions().isEmpty()) return null;
        try {
            container.check(database, changelog, changeSet, null);
            return map("on_fail", String.valueOf(container.getOnFail()), "holds", true);
        } catch (Exception e) {
            return map("on_fail", String.valueOf(container.getOnFail()), "holds", false, "message", innermost(e));
        }
    }

    Integer line(ChangeSet changeSet, Map<String, List<String>> texts) {
        List<String> lines = texts.computeIfAbsent(changeSet.getFilePath(), path -> {
            try {
                return Files.readAllLines(root.resolve(path));
            } catch (IOException | RuntimeException e) {
                return List.of();
            }
        });
        Pattern head = Pattern.compile("^\\s*--\\s*changeset\\s+[\"']?" + Pattern.quote(changeSet.getAuthor()) + "[\"']?\\s*:\\s*[\"']?" + Pattern.quote(changeSet.getId()) + "[\"']?(\\s|$).*", Pattern.CASE_INSENSITIVE);
        for (int i = 0; i < lines.size(); i++) if (head.matcher(lines.get(i)).matches()) return i + 1;
        Pattern other = Pattern.compile(".*\\bid\\s*[:=]\\s*[\"']?" + Pattern.quote(changeSet.getId()) + "[\"']?(\\s|>|,|$).*");
        for (int i = 0; i < lines.size(); i++) if (other.matcher(lines.get(i)).matches()) return i + 1;
        return null;
    }

    Integer lastLineOf(ChangeSet changeSet) {
        try {
            List<String> lines = Files.readAllLines(root.resolve(changeSet.getFilePath()));
            for (int i = lines.size() - 1; i >= 0; i--) if (lines.get(i).contains(changeSet.getId())) return i + 1;
        } catch (IOException | RuntimeException ignored) {
            // Without a line then.
        }
        return null;
    }

    // ---- acting

    @SuppressWarnings("unchecked")
    ChangeSet find(Map<String, Object> request) throws Fault {
        Map<String, Object> named = (Map<String, Object>) request.get("changeset");
        String wanted = key(text(named.get("path")), text(named.get("id")), text(named.get("author")));
        for (ChangeSet changeSet : changelog.getChangeSets()) if (key(changeSet).equals(wanted)) return changeSet;
        throw new Fault("unknown_changeset", "changeset \"" + named.get("id") + "\" of " + named.get("path") + " is not in the changelog");
    }

    @SuppressWarnings("unchecked")
    void session(Map<String, Object> request) throws Exception {
        Object statements = request.get("session");
        Connection jdbc = jdbc();
        if (statements instanceof List) {
            try (Statement statement = jdbc.createStatement()) {
                for (String sql : (List<String>) statements) statement.execute(sql);
            }
        }
        if (!jdbc.getAutoCommit()) jdbc.commit();
    }

    /** Liquibase's own tables, and a history that is read anew. */
    ChangeLogHistoryService prepare() throws Exception {
        ChangeLogHistoryService service = Scope.getCurrentScope().getSingleton(ChangeLogHistoryServiceFactory.class).getChangeLogService(database);
        service.reset();
        service.init();
        service.generateDeploymentId();
        LockServiceFactory.getInstance().getLockService(database).init();
        return service;
    }

    interface Locked {
        void run() throws Exception;
    }

    /** Liquibase's lock for the time of one act. Whoever holds it is named at once: waiting is the caller's decision. */
    void locked(Locked act) throws Exception {
        LockService locks = LockServiceFactory.getInstance().getLockService(database);
        locks.reset();
        boolean taken;
        try {
            taken = locks.acquireLock();
        } catch (LockException e) {
            if (state(e) != null) throw e;
            taken = false;
        }
        if (!taken) {
            Map<String, Object> holder = lock();
            throw new Fault("lock", "Liquibase's lock is held by " + holder.get("by") + " since " + holder.get("since"));
        }
        try {
            act.run();
        } finally {
            if (database.getConnection().isClosed()) connect();
            else if (!jdbc().getAutoCommit()) database.rollback();
            LockServiceFactory.getInstance().getLockService(database).forceReleaseLock();
            database.commit();
        }
    }

    Object apply(Map<String, Object> request) throws Exception {
        ChangeSet changeSet = find(request);
        session(request);
        prepare();
        Map<String, Object> before = recorded(changeSet);
        if (before != null && !changeSet.shouldAlwaysRun() && !changeSet.shouldRunOnChange()) return map("state", "already");
        if (refused(changeSet) != null) return map("state", "filtered");
        long begun = System.nanoTime();
        locked(() -> update(Set.of(key(changeSet))));
        Map<String, Object> row = recorded(changeSet);
        String type = row == null ? "" : String.valueOf(row.get("exec_type"));
        String state = row == null ? "skipped" : type.equals("MARK_RAN") ? "marked_ran" : "applied";
        return map("state", state, "millis", (System.nanoTime() - begun) / 1_000_000);
    }

    @SuppressWarnings("unchecked")
    Object applyAll(Map<String, Object> request) throws Exception {
        session(request);
        prepare();
        Set<String> chosen = null;
        if (request.get("changesets") instanceof List) {
            chosen = new HashSet<>();
            for (Object named : (List<Object>) request.get("changesets")) chosen.add(key(find(map("changeset", named))));
        }
        Set<String> only = chosen;
        locked(() -> update(only));
        return map("state", "applied");
    }

    void update(Set<String> only) throws Exception {
        ShouldRunChangeSetFilter shouldRun = new ShouldRunChangeSetFilter(database);
        ChangeSetFilter exactly = new ChangeSetFilter() {
            public ChangeSetFilterResult accepts(ChangeSet changeSet) {
                return new ChangeSetFilterResult(only == null || only.contains(key(changeSet)), "not chosen", getClass());
            }
        };
        ChangeLogIterator iterator = new ChangeLogIterator(changelog, shouldRun, new ContextChangeSetFilter(contexts), new LabelChangeSetFilter(labels), new DbmsChangeSetFilter(database), new IgnoreChangeSetFilter(), exactly);
        Scope.child(Scope.Attr.resourceAccessor, accessor, () ->
            iterator.run(new UpdateVisitor(database, listener(), shouldRun), new RuntimeEnvironment(database, contexts, labels)));
    }

    Object undo(Map<String, Object> request) throws Exception {
        ChangeSet changeSet = find(request);
        session(request);
        prepare();
        Map<String, Object> row = recorded(changeSet);
        if (row == null) return map("state", "not_applied");
        if ("MARK_RAN".equals(row.get("exec_type"))) {
            // Its precondition kept it from running: its inverse would take away what somebody else made.
            database.removeRanStatus(changeSet);
            database.commit();
            return map("state", "unmarked");
        }
        if (rollback(changeSet).get("kind").equals("none")) throw new Fault("no_inverse", "changeset \"" + changeSet.getId() + "\" has no inverse");
        long begun = System.nanoTime();
        locked(() -> Scope.child(Scope.Attr.resourceAccessor, accessor, () -> {
            changeSet.rollback(database, listener());
            database.removeRanStatus(changeSet);
            database.commit();
        }));
        return map("state", "undone", "millis", (System.nanoTime() - begun) / 1_000_000);
    }

    Map<String, Object> recorded(ChangeSet changeSet) throws Exception {
        for (Map<String, Object> row : history()) {
            if (key((String) row.get("path"), (String) row.get("id"), (String) row.get("author")).equals(key(changeSet))) return row;
        }
        return null;
    }

    Map<String, Object> lock() throws Exception {
        Connection jdbc = jdbc();
        if (!exists(jdbc, database.getDatabaseChangeLogLockTableName())) return map("held", false);
        String table = database.escapeTableName(database.getLiquibaseCatalogName(), database.getLiquibaseSchemaName(), database.getDatabaseChangeLogLockTableName());
        try (Statement statement = jdbc.createStatement();
             ResultSet set = statement.executeQuery("SELECT LOCKEDBY, LOCKGRANTED FROM " + table + " WHERE LOCKED")) {
            if (set.next()) return map("held", true, "by", set.getString(1), "since", String.valueOf(set.getTimestamp(2)));
        } finally {
            jdbc.rollback();
        }
        return map("held", false);
    }

    ChangeExecListener listener() {
        return new AbstractChangeExecListener() {
            @Override
            public void willRun(ChangeSet changeSet, DatabaseChangeLog log, Database db, ChangeSet.RunStatus status) {
                say(map("event", "will_run", "changeset", identity(changeSet)));
            }
            @Override
            public void ran(ChangeSet changeSet, DatabaseChangeLog log, Database db, ChangeSet.ExecType type) {
                say(map("event", "ran", "changeset", identity(changeSet)));
            }
            @Override
            public void rolledBack(ChangeSet changeSet, DatabaseChangeLog log, Database db) {
                say(map("event", "rolled_back", "changeset", identity(changeSet)));
            }
            @Override
            public void runFailed(ChangeSet changeSet, DatabaseChangeLog log, Database db, Exception e) {
                say(map("event", "failed", "changeset", identity(changeSet)));
            }
        };
    }

    // ---- errors

    void recover() {
        try {
            if (database == null) return;
            DatabaseConnection held = database.getConnection();
            if (held == null || held.isClosed() || !jdbc().isValid(2)) connect();
            else if (!jdbc().getAutoCommit()) database.rollback();
            else database.setAutoCommit(false);
        } catch (Exception e) {
            // The next request says so.
            System.err.println("the connection could not be restored: " + innermost(e));
        }
    }

    Map<String, Object> describe(Throwable problem) {
        Fault fault = null;
        for (Throwable t = problem; t != null && fault == null; t = t.getCause()) if (t instanceof Fault) fault = (Fault) t;
        String state = state(problem);
        String kind = fault != null ? fault.kind : state != null ? "sql" : "internal";
        String sql = null;
        ChangeSet failed = null;
        for (Throwable t = problem; t != null; t = t.getCause()) {
            if (t instanceof PreconditionFailedException || t instanceof PreconditionErrorException) kind = "precondition";
            if (t instanceof ChangeLogParseException) kind = "parse";
            Matcher quoted = Pattern.compile("\\[Failed SQL: (?:\\(\\d+\\) )?(.*)]", Pattern.DOTALL).matcher(String.valueOf(t.getMessage()));
            if (sql == null && quoted.find()) sql = quoted.group(1);
        }
        return map("kind", kind, "message", fault != null ? fault.getMessage() : innermost(problem), "sql_state", state,
            "changeset", fault != null ? fault.changeset : null, "file", fault != null ? fault.file : null,
            "line", fault != null ? fault.line : null, "sql", sql);
    }

    static String state(Throwable problem) {
        for (Throwable t = problem; t != null; t = t.getCause()) {
            if (t instanceof SQLException && ((SQLException) t).getSQLState() != null) return ((SQLException) t).getSQLState();
        }
        return null;
    }

    /** The innermost message that says something, on one line and without the statement. */
    static String innermost(Throwable problem) {
        String message = null;
        for (Throwable t = problem; t != null; t = t.getCause()) {
            if (t.getMessage() != null && !t.getMessage().isBlank()) message = t.getMessage();
        }
        if (message == null) message = problem.getClass().getSimpleName();
        int sql = message.indexOf("[Failed SQL:");
        if (sql > 0) message = message.substring(0, sql);
        return message.replaceAll("\\s+", " ").replaceFirst("^ERROR: ", "").trim();
    }

    // ---- small things

    Connection jdbc() {
        return ((JdbcConnection) database.getConnection()).getUnderlyingConnection();
    }

    static Map<String, Object> identity(ChangeSet changeSet) {
        return map("id", changeSet.getId(), "author", changeSet.getAuthor(), "path", DatabaseChangeLog.normalizePath(changeSet.getFilePath()));
    }

    static String text(Object value) {
        return value == null ? "" : String.valueOf(value);
    }

    static Map<String, Object> map(Object... pairs) {
        Map<String, Object> map = new LinkedHashMap<>();
        for (int i = 0; i < pairs.length; i += 2) map.put((String) pairs[i], pairs[i + 1]);
        return map;
    }

    void say(Object message) {
        StringBuilder text = new StringBuilder();
        write(text, message);
        synchronized (out) {
            out.println(text);
            out.flush();
        }
    }

    static void write(StringBuilder to, Object value) {
        if (value == null || value instanceof Boolean || value instanceof Number) {
            to.append(value);
        } else if (value instanceof Map) {
            to.append('{');
            String comma = "";
            for (Map.Entry<?, ?> entry : ((Map<?, ?>) value).entrySet()) {
                to.append(comma);
                write(to, String.valueOf(entry.getKey()));
                to.append(':');
                write(to, entry.getValue());
                comma = ",";
            }
            to.append('}');
        } else if (value instanceof Collection) {
            to.append('[');
            String comma = "";
            for (Object element : (Collection<?>) value) {
                to.append(comma);
                write(to, element);
                comma = ",";
            }
            to.append(']');
        } else {
            to.append('"');
            for (char c : String.valueOf(value).toCharArray()) {
                if (c == '"' || c == '\\') to.append('\\').append(c);
                else if (c < 0x20 || Character.isSurrogate(c)) to.append(String.format("\\u%04x", (int) c));
                else to.append(c);
            }
            to.append('"');
        }
    }
}
