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
//   hello                                                 -> {liquibase, java}
//   connect   {url, user, password, properties,           -> {product, version}; replaces the connection before. `session`
//              default_schema, session}                      runs on every connection made. `offline:` URLs can only be asked
//   changelog {root, file, contexts, labels, parameters}  -> {changesets}; reads and validates it; identities are as Liquibase's
//                                                            own command line writes them, with `root` as its search path
//   status                                                -> {changesets, unknown, history}; reads only, makes no table, takes
//                                                            no lock. Changesets come in the changelog's order, see below
//   history                                               -> {history}
//   apply     {changeset, session}                        -> {state: applied|already|marked_ran|filtered, reason, millis}
//   apply_all {changesets|null, session}                  -> {state: applied, applied, millis}: one update of the named ones, or
//                                                            of all that should run
//   undo      {changeset, session}                        -> {state: undone|unmarked|not_applied, millis}; at any position of the
//                                                            history. `unmarked`: a precondition had kept it from running
//   lock                                                  -> {held, by, since}
//   release_lock                                          -> {state: released}; whoever holds Liquibase's lock
//   clear                                                 -> {}; never needed: the history is read anew for every act
//   disconnect                                            -> {}; what comes next connects again
//   close                                                 -> {}; and the process ends
//
// A changeset's status: {id, author, path, line, comment, remarks, contexts, labels, description, run_in_transaction, run_on_change,
// run_always, fail_on_error, checksum, recorded_checksum, state, filter_reason}, `state` being `ran`, `pending`, `filtered` or
// `ran_changed` (edited after it was applied). Pending ones also have `sql` (the statements as Liquibase would send them, without
// its bookkeeping), `rollback` {kind: inverse|empty|none, sql, message} and `preconditions` {on_fail, holds, message} or null, as
// they hold now, before the changesets in front of it.
//
// `session` statements run and are committed on Liquibase's connection first, so that they outlive a rollback.
//
// Error kinds: parse, duplicate, validation, checksum, unknown_changeset (the changelog is wrong, or not what was applied),
// precondition, no_inverse, sql, lock (held by someone else: waiting is the caller's decision), connection, internal.
//
// Differences from `liquibase update`, all on purpose:
// - A changeset and its record are one transaction. Liquibase commits the changeset first and its record after it, and dying in
//   between leaves a change that history knows nothing of. Changesets with `runInTransaction:false`, those that switch roles
//   for their transaction, and databases that commit DDL by themselves still work Liquibase's way.
// - A lock held by someone else is reported at once instead of waited for.
// - A run has one deployment id, as if it were one update.

import java.io.*;
import java.nio.charset.StandardCharsets;
import java.nio.file.*;
import java.sql.*;
import java.util.*;
import java.util.concurrent.*;
import java.util.logging.*;
import java.util.regex.*;
import java.util.stream.Stream;
import liquibase.*;
import liquibase.change.*;
import liquibase.change.core.EmptyChange;
import liquibase.changelog.*;
import liquibase.changelog.filter.*;
import liquibase.changelog.visitor.*;
import liquibase.database.Database;
import liquibase.database.DatabaseConnection;
import liquibase.database.DatabaseFactory;
import liquibase.database.ObjectQuotingStrategy;
import liquibase.database.OfflineConnection;
import liquibase.database.jvm.JdbcConnection;
import liquibase.exception.*;
import liquibase.lockservice.*;
import liquibase.parser.ChangeLogParserFactory;
import liquibase.precondition.core.PreconditionContainer;
import liquibase.resource.*;
import liquibase.sql.Sql;
import liquibase.sql.visitor.SqlVisitor;
import liquibase.sqlgenerator.SqlGeneratorFactory;
import liquibase.statement.ExecutablePreparedStatement;
import liquibase.statement.SqlStatement;
import liquibase.ui.LoggerUIService;
import liquibase.util.LiquibaseUtil;
import org.yaml.snakeyaml.error.MarkedYAMLException;

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

    /** Can keep a transaction open past Liquibase's own commits. */
    static final class Held extends JdbcConnection {
        boolean held;

        Held(Connection connection) {
            super(connection);
        }

        @Override
        public void commit() throws DatabaseException {
            if (!held) super.commit();
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
    ResourceAccessor accessor;
    /** How the changesets of the act under way ended. */
    final Map<String, ChangeSet.ExecType> ended = new HashMap<>();
    /** The changeset whose statements run. */
    ChangeSet running;
    long runningSince;

    Driver(PrintStream out) {
        this.out = out;
    }

    public static void main(String[] arguments) throws Exception {
        PrintStream out = new PrintStream(new FileOutputStream(FileDescriptor.out), true, StandardCharsets.UTF_8);
        System.setOut(System.err);
        System.setProperty("liquibase.analytics.enabled", "false");
        System.setProperty("liquibase.showBanner", "false");
        LogManager.getLogManager().getLogger("").setLevel(Level.WARNING);
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
        boolean last = false;
        ended.clear();
        running = null;
        try {
            if (line.isBlank()) return;
            Map<String, Object> request = (Map<String, Object>) new Json(line).read();
            id = request.get("id");
            answer.put("id", id);
            String op = text(request.get("op"));
            last = op.equals("close");
            Object result = accessor == null ? perform(op, request) : Scope.child(Map.of(Scope.Attr.resourceAccessor.name(), accessor), () -> perform(op, request));
            answer.put("ok", true);
            answer.put("result", result);
        } catch (Throwable problem) {
            answer.put("id", id);
            answer.put("ok", false);
            answer.put("error", describe(problem));
            recover();
        }
        say(answer);
        if (last) Runtime.getRuntime().halt(0);
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
            case "clear":
                return map();
            case "disconnect":
            case "close":
                disconnect();
                return map();
            default:
        }
        if (connection == null) throw new Fault("internal", "connect comes first");
        if (database == null || !offline() && !jdbc().isValid(5)) connect();
        switch (op) {
            case "history":
                return map("history", history());
            case "lock":
                return lock();
            case "release_lock":
                online();
                if (!exists(jdbc(), database.getDatabaseChangeLogLockTableName())) return map("state", "released");
                locks().forceReleaseLock();
                database.commit();
                return map("state", "released");
            default:
        }
        if (changelog == null) throw new Fault("internal", "changelog comes first");
        switch (op) {
            case "status":
                return status();
            case "apply":
                return apply(request);
            case "apply_all":
                return applyAll(request);
            case "undo":
                return undo(request);
            default:
                throw new Fault("internal", "no such op: " + op);
        }
    }

    // ---- connection and changelog

    void disconnect() {
        if (database == null) return;
        try {
            database.close();
        } catch (Exception ignored) {
            // It is given up because it is broken or no longer wanted.
        }
        database = null;
        Scope.getCurrentScope().getSingleton(ChangeLogHistoryServiceFactory.class).resetAll();
        LockServiceFactory.getInstance().resetAll();
    }

    @SuppressWarnings("unchecked")
    Map<String, Object> connect() throws Exception {
        disconnect();
        Properties properties = new Properties();
        Object extra = connection.get("properties");
        if (extra instanceof Map) ((Map<String, Object>) extra).forEach((k, v) -> properties.put(k, String.valueOf(v)));
        if (connection.get("user") != null) properties.put("user", connection.get("user"));
        if (connection.get("password") != null) properties.put("password", connection.get("password"));
        String url = text(connection.get("url"));
        Database fresh = null;
        try {
            DatabaseConnection link = url.startsWith("offline:")
                ? new OfflineConnection(url, accessor != null ? accessor : new ClassLoaderResourceAccessor())
                : new Held(DriverManager.getConnection(url, properties));
            fresh = DatabaseFactory.getInstance().findCorrectDatabaseImplementation(link);
            String schema = text(connection.get("default_schema"));
            if (!schema.isEmpty()) fresh.setDefaultSchemaName(schema);
        } catch (SQLException | DatabaseException e) {
            throw new Fault("connection", "Liquibase cannot connect: " + innermost(e), e);
        }
        database = fresh;
        if (!offline()) session(connection);
        if (file != null) parse();
        return map("product", database.getDatabaseProductName(), "version", offline() ? null : database.getDatabaseProductVersion());
    }

    boolean offline() {
        return database.getConnection() instanceof OfflineConnection;
    }

    void online() throws Fault {
        if (offline()) throw new Fault("internal", "an offline database cannot be changed");
    }

    @SuppressWarnings("unchecked")
    Object open(Map<String, Object> request) throws Exception {
        root = Paths.get(text(request.get("root"))).toAbsolutePath().normalize();
        file = text(request.get("file"));
        contexts = new Contexts(text(request.get("contexts")));
        labels = new LabelExpression(text(request.get("labels")));
        parameters = request.get("parameters") instanceof Map ? (Map<String, Object>) request.get("parameters") : Map.of();
        changelog = null;
        parse();
        if (database != null) validate(history());
        return map("changesets", changelog.getChangeSets().size());
    }

    void parse() throws Exception {
        try {
            accessor = new DirectoryResourceAccessor(root.toFile());
        } catch (FileNotFoundException e) {
            throw new Fault("parse", "the folder " + root + " does not exist", e);
        }
        Database dialect = database != null ? database : new liquibase.database.core.MockDatabase();
        ChangeLogParameters values = new ChangeLogParameters(dialect);
        values.setContexts(contexts);
        values.setLabels(labels);
        for (Map.Entry<String, Object> value : parameters.entrySet()) values.set(value.getKey(), value.getValue());
        try {
            Scope.child(Scope.Attr.resourceAccessor, accessor, () ->
                changelog = ChangeLogParserFactory.getInstance().getParser(file, accessor).parse(file, values, accessor));
        } catch (Exception | LinkageError e) {
            throw unreadable(e);
        }
        Map<String, ChangeSet> seen = new HashMap<>();
        for (ChangeSet changeSet : changelog.getChangeSets()) {
            ChangeSet first = seen.putIfAbsent(key(changeSet), changeSet);
            if (first != null) {
                Fault fault = new Fault("duplicate", "changeset \"" + changeSet.getId() + "\" by " + changeSet.getAuthor() + " is there twice");
                fault.file = DatabaseChangeLog.normalizePath(changeSet.getFilePath());
                List<Integer> lines = lines(changeSet, new HashMap<>());
                if (!lines.isEmpty()) fault.line = lines.get(lines.size() - 1);
                throw fault;
            }
        }
    }

    static final Pattern LINE = Pattern.compile("\\bline:? (\\d+)", Pattern.CASE_INSENSITIVE);
    static final Pattern NAMED = Pattern.compile("([\\w./-]+\\.(?:sql|ya?ml|xml|json|csv))\\b");
    static final Pattern MISSING = Pattern.compile("(?:The file |Could not find )?'?([^\\s']+)'? (?:was not found|does not exist)", Pattern.CASE_INSENSITIVE);

    Fault unreadable(Throwable e) {
        Fault fault = new Fault("parse", innermost(e), e);
        String missing = null;
        for (Throwable t = e; t != null; t = t.getCause()) {
            String text = String.valueOf(t.getMessage()).replace(root + "/", "");
            Matcher line = LINE.matcher(text);
            if (fault.line == null && line.find()) fault.line = Integer.valueOf(line.group(1));
            // The innermost file named is the one that could not be read; a message names it before anything it quotes.
            Matcher named = NAMED.matcher(text);
            if (named.find()) fault.file = named.group(1);
            Matcher absent = MISSING.matcher(text);
            if (absent.find()) missing = absent.group(1);
            if (!(t instanceof MarkedYAMLException) || ((MarkedYAMLException) t).getProblemMark() == null) continue;
            MarkedYAMLException yaml = (MarkedYAMLException) t;
            String already = fault.file;
            fault = new Fault("parse", oneLine("not YAML: " + (yaml.getContext() == null ? "" : yaml.getContext() + ", ") + yaml.getProblem()), e);
            fault.file = already;
            fault.line = yaml.getProblemMark().getLine() + 1;
        }
        if (fault.file == null) fault.file = file;
        if (missing != null && !missing.equals(file)) {
            Fault where = new Fault("parse", "it includes " + missing + ", which does not exist", e);
            where.file = file;
            included(missing, where);
            return where;
        }
        return fault;
    }

    /** Where a file is included: Liquibase only says that it is not there. */
    void included(String missing, Fault fault) {
        String name = missing.substring(missing.lastIndexOf('/') + 1);
        try (Stream<Path> files = Files.find(root, 8, (path, attributes) -> attributes.isRegularFile() && path.toString().matches(".*\\.(ya?ml|xml|json)"))) {
            for (Path path : (Iterable<Path>) files.sorted().limit(2000)::iterator) {
                List<String> lines = Files.readAllLines(path);
                for (int i = 0; i < lines.size(); i++) {
                    if (!lines.get(i).contains(name)) continue;
                    fault.file = root.relativize(path).toString();
                    fault.line = i + 1;
                    return;
                }
            }
        } catch (IOException | UncheckedIOException ignored) {
            // The root changelog is named then.
        }
    }

    /**
     * What Liquibase validates before an update: changes that lack what they need, and preconditions of the changelog as a whole
     * when `whole`. Checksums are left to the caller, for whom an edited changeset is a finding like others.
     */
    void validate(List<Map<String, Object>> history, boolean whole) throws Exception {
        Set<String> recorded = new HashSet<>();
        for (Map<String, Object> row : history) recorded.add(key(row));
        ChangeSetFilter unrecorded = new ChangeSetFilter() {
            public ChangeSetFilterResult accepts(ChangeSet changeSet) {
                return new ChangeSetFilterResult(!recorded.contains(key(changeSet)), "recorded", getClass());
            }
        };
        ValidatingVisitor visitor = new ValidatingVisitor(List.of());
        if (whole) visitor.validate(database, changelog);
        ChangeLogIterator iterator = new ChangeLogIterator(changelog, new DbmsChangeSetFilter(database), new ContextChangeSetFilter(contexts), new LabelChangeSetFilter(labels), new IgnoreChangeSetFilter(), unrecorded);
        Scope.child(Scope.Attr.resourceAccessor, accessor, () -> iterator.run(visitor, new RuntimeEnvironment(database, contexts, labels)));
        if (!visitor.getFailedPreconditions().isEmpty()) throw new Fault("precondition", "the changelog's precondition does not hold: " + oneLine(visitor.getFailedPreconditions().get(0).getMessage()));
        if (!visitor.getErrorPreconditions().isEmpty()) throw new Fault("precondition", "the changelog's precondition cannot be checked: " + innermost(visitor.getErrorPreconditions().get(0).getCause()));
        if (!visitor.getSetupExceptions().isEmpty()) throw unusable(visitor.getSetupExceptions().get(0));
        if (!visitor.getChangeValidationExceptions().isEmpty()) throw unusable(visitor.getChangeValidationExceptions().get(0));
        if (visitor.getValidationErrors().hasErrors()) throw invalid(oneLine(visitor.getValidationErrors().getErrorMessages().get(0)));
    }

    void validate(List<Map<String, Object>> history) throws Exception {
        validate(history, false);
    }

    Fault unusable(Throwable e) {
        return new Fault("validation", innermost(e), e);
    }

    /** Liquibase puts the changeset behind the message: "..., path::id::author". */
    Fault invalid(String message) {
        for (ChangeSet changeSet : changelog.getChangeSets()) {
            String tail = ", " + changeSet.toString(false);
            if (!message.endsWith(tail)) continue;
            Fault fault = new Fault("validation", message.substring(0, message.length() - tail.length()));
            fault.changeset = identity(changeSet);
            fault.file = DatabaseChangeLog.normalizePath(changeSet.getFilePath());
            List<Integer> lines = lines(changeSet, new HashMap<>());
            if (!lines.isEmpty()) fault.line = lines.get(0);
            return fault;
        }
        return new Fault("validation", message);
    }

    // ---- looking

    List<Map<String, Object>> history() throws Exception {
        List<Map<String, Object>> rows = new ArrayList<>();
        if (offline()) return rows;
        Connection jdbc = jdbc();
        try {
            if (!exists(jdbc, database.getDatabaseChangeLogTableName())) return rows;
            String table = database.escapeTableName(database.getLiquibaseCatalogName(), database.getLiquibaseSchemaName(), database.getDatabaseChangeLogTableName());
            try (Statement statement = jdbc.createStatement();
                 ResultSet set = statement.executeQuery("SELECT ID, AUTHOR, FILENAME, MD5SUM, EXECTYPE, DATEEXECUTED, ORDEREXECUTED, DEPLOYMENT_ID FROM " + table + " ORDER BY DATEEXECUTED, ORDEREXECUTED")) {
                while (set.next()) {
                    Map<String, Object> row = map("id", set.getString(1), "author", set.getString(2), "path", DatabaseChangeLog.normalizePath(set.getString(3)),
                        "checksum", set.getString(4), "exec_type", set.getString(5), "date_executed", String.valueOf(set.getTimestamp(6)),
                        "order_executed", set.getInt(7), "deployment_id", set.getString(8));
                    if (!set.getString(3).equals(row.get("path"))) row.put("stored_path", set.getString(3));
                    rows.add(row);
                }
            }
        } finally {
            end(jdbc);
        }
        return rows;
    }

    /** Ends a transaction that only read. */
    static void end(Connection jdbc) throws SQLException {
        if (!jdbc.isClosed() && !jdbc.getAutoCommit()) jdbc.rollback();
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

    static String key(Map<String, Object> identity) {
        return key(text(identity.get("path")), text(identity.get("id")), text(identity.get("author")));
    }

    static String key(ChangeSet changeSet) {
        return key(changeSet.getFilePath(), changeSet.getId(), changeSet.getAuthor());
    }

    Map<String, Object> status() throws Exception {
        List<Map<String, Object>> history = history();
        Map<String, Map<String, Object>> ran = new LinkedHashMap<>();
        for (Map<String, Object> row : history) ran.put(key(row), row);
        validate(history);
        List<Object> all = new ArrayList<>();
        Set<String> known = new HashSet<>();
        Map<String, List<String>> texts = new HashMap<>();
        for (ChangeSet changeSet : changelog.getChangeSets()) {
            known.add(key(changeSet));
            // Whatever fails here is about this changeset.
            running = changeSet;
            all.add(one(changeSet, ran.get(key(changeSet)), texts));
            running = null;
        }
        List<Object> unknown = new ArrayList<>();
        ran.forEach((key, row) -> {
            if (!known.contains(key)) unknown.add(row);
        });
        return map("changesets", all, "unknown", unknown, "history", history);
    }

    Map<String, Object> one(ChangeSet changeSet, Map<String, Object> row, Map<String, List<String>> texts) throws Exception {
        Map<String, Object> it = identity(changeSet);
        it.put("comment", changeSet.getComments());
        it.put("remarks", remarks(changeSet));
        it.put("contexts", String.valueOf(changeSet.getContextFilter()));
        it.put("labels", String.valueOf(changeSet.getLabels()));
        it.put("description", changeSet.getDescription());
        it.put("run_in_transaction", changeSet.isRunInTransaction());
        it.put("run_on_change", changeSet.shouldRunOnChange());
        it.put("run_always", changeSet.shouldAlwaysRun());
        it.put("fail_on_error", changeSet.getFailOnError());
        it.put("checksum", String.valueOf(changeSet.generateCheckSum(ChecksumVersion.latest())));
        List<Integer> lines = lines(changeSet, texts);
        it.put("line", lines.isEmpty() ? null : lines.get(0));
        String refused = refused(changeSet);
        String state = "pending";
        if (row != null) {
            String recorded = (String) row.get("checksum");
            it.put("recorded_checksum", recorded);
            boolean valid = recorded == null || changeSet.isCheckSumValid(CheckSum.parse(recorded));
            state = valid || changeSet.shouldAlwaysRun() ? (changeSet.shouldAlwaysRun() ? "pending" : "ran") : (changeSet.shouldRunOnChange() ? "pending" : "ran_changed");
        }
        if (state.equals("pending") && refused != null) {
            state = "filtered";
            it.put("filter_reason", refused);
        }
        it.put("state", state);
        if (!state.equals("pending")) return it;
        ObjectQuotingStrategy quoting = database.getObjectQuotingStrategy();
        database.setObjectQuotingStrategy(changeSet.getObjectQuotingStrategy());
        try {
            List<String> sql = new ArrayList<>();
            for (Change change : changeSet.getChanges()) sql.addAll(render(changeSet, change, change.generateStatements(database), false));
            it.put("sql", sql);
            it.put("rollback", rollback(changeSet));
            it.put("preconditions", preconditions(changeSet));
        } finally {
            database.setObjectQuotingStrategy(quoting);
            if (!offline()) end(jdbc());
        }
        return it;
    }

    static final Pattern REMARK = Pattern.compile("^\\s*--\\s*drydock:.*$", Pattern.MULTILINE);

    /** Lines of its SQL that speak to Drydock. Liquibase takes comments out of what it runs, so they are read from what was written. */
    static List<String> remarks(ChangeSet changeSet) {
        List<String> found = new ArrayList<>();
        for (Change change : changeSet.getChanges()) {
            String sql = change instanceof AbstractSQLChange ? ((AbstractSQLChange) change).getSql() : null;
            Matcher remark = REMARK.matcher(sql == null ? "" : sql);
            while (remark.find()) found.add(remark.group().trim());
        }
        return found;
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

    List<String> render(ChangeSet changeSet, Change change, SqlStatement[] statements, boolean back) {
        List<String> texts = new ArrayList<>();
        SqlGeneratorFactory generators = SqlGeneratorFactory.getInstance();
        for (SqlStatement statement : statements == null ? new SqlStatement[0] : statements) {
            if (statement.skipOnUnsupported() && !generators.supports(statement, database)) continue;
            if (statement instanceof ExecutablePreparedStatement) {
                // Rows of a file, sent with bound values: there is no text to show.
                texts.add("-- " + oneLine(change.getConfirmationMessage()));
                continue;
            }
            for (Sql sql : generators.generateSql(statement, database)) {
                String text = sql.toSql();
                for (SqlVisitor visitor : changeSet.getSqlVisitors()) if (!back || visitor.isApplyToRollback()) text = visitor.modifySql(text, database);
                if (text != null && !text.isBlank()) texts.add(text);
            }
        }
        return texts;
    }

    Map<String, Object> rollback(ChangeSet changeSet) throws Exception {
        List<String> sql = new ArrayList<>();
        List<Change> written = changeSet.getRollback() == null ? List.of() : changeSet.getRollback().getChanges();
        if (!written.isEmpty()) {
            for (Change change : written) {
                if (!(change instanceof EmptyChange)) sql.addAll(render(changeSet, change, change.generateStatements(database), true));
            }
            return map("kind", sql.isEmpty() ? "empty" : "inverse", "sql", sql);
        }
        List<Change> changes = new ArrayList<>(changeSet.getChanges());
        Collections.reverse(changes);
        for (Change change : changes) {
            if (!change.supportsRollback(database)) return none("there is no rollback, and none can be derived from " + nameOf(change));
            try {
                sql.addAll(render(changeSet, change, change.generateRollbackStatements(database), true));
            } catch (RollbackImpossibleException e) {
                return none("there is no rollback, and none can be derived from " + nameOf(change));
            }
        }
        return map("kind", sql.isEmpty() ? "empty" : "inverse", "sql", sql);
    }

    static Map<String, Object> none(String message) {
        return map("kind", "none", "sql", List.of(), "message", message);
    }

    static String nameOf(Change change) {
        return Scope.getCurrentScope().getSingleton(ChangeFactory.class).getChangeMetaData(change).getName();
    }

    Map<String, Object> preconditions(ChangeSet changeSet) {
        PreconditionContainer container = changeSet.getPreconditions();
        if (container == null || container.getNestedPreconditions().isEmpty() || offline()) return null;
        String onFail = String.valueOf(container.getOnFail());
        try {
            container.check(database, changelog, changeSet, null);
            return map("on_fail", onFail, "holds", true, "message", null);
        } catch (PreconditionFailedException e) {
            return map("on_fail", onFail, "holds", false, "message", oneLine(e.getFailedPreconditions().get(0).getMessage()));
        } catch (PreconditionErrorException e) {
            return map("on_fail", String.valueOf(container.getOnError()), "holds", false, "message", innermost(e.getErrorPreconditions().get(0).getCause()));
        } catch (Exception e) {
            return map("on_fail", onFail, "holds", false, "message", innermost(e));
        }
    }

    /** The lines its changelog file begins it at: several when it is there twice. */
    List<Integer> lines(ChangeSet changeSet, Map<String, List<String>> texts) {
        // A logical path names no file; the changelog it was read from does.
        String physical = changeSet.getChangeLog() == null ? null : changeSet.getChangeLog().getPhysicalFilePath();
        List<String> lines = texts.computeIfAbsent(physical == null ? changeSet.getFilePath() : physical, path -> {
            try {
                return Files.readAllLines(root.resolve(DatabaseChangeLog.normalizePath(path)));
            } catch (IOException | RuntimeException e) {
                return List.of();
            }
        });
        String id = Pattern.quote(changeSet.getId());
        List<Integer> found = new ArrayList<>();
        for (String form : new String[] {
            "\\s*--\\s*changeset\\s+[\"']?" + Pattern.quote(changeSet.getAuthor()) + "[\"']?\\s*:\\s*[\"']?" + id + "[\"']?(\\s.*)?",
            ".*\\bid[\"']?\\s*[:=]\\s*[\"']?" + id + "[\"']?([\\s>,}].*)?",
        }) {
            Pattern head = Pattern.compile(form, Pattern.CASE_INSENSITIVE);
            for (int i = 0; i < lines.size(); i++) if (head.matcher(lines.get(i)).matches()) found.add(i + 1);
            if (!found.isEmpty()) break;
        }
        return found;
    }

    // ---- acting

    @SuppressWarnings("unchecked")
    ChangeSet find(Map<String, Object> request) throws Fault {
        Map<String, Object> named = (Map<String, Object>) request.get("changeset");
        if (named == null) throw new Fault("internal", "which changeset is not said");
        for (ChangeSet changeSet : changelog.getChangeSets()) if (key(changeSet).equals(key(named))) return changeSet;
        Fault fault = new Fault("unknown_changeset", "changeset \"" + named.get("id") + "\" by " + named.get("author") + " of " + named.get("path") + " is not in the changelog");
        fault.changeset = named;
        throw fault;
    }

    /** The changeset to act on. Liquibase keeps how a changeset ended in its object and takes it into the next act. */
    ChangeSet fresh(Map<String, Object> request) throws Exception {
        ChangeSet changeSet = find(request);
        if (changeSet.getExecType() == null || changeSet.getExecType() == ChangeSet.ExecType.EXECUTED) return running = changeSet;
        CheckSum before = changeSet.generateCheckSum(ChecksumVersion.latest());
        parse();
        changeSet = find(request);
        running = changeSet;
        if (!before.equals(changeSet.generateCheckSum(ChecksumVersion.latest()))) throw new Fault("checksum", "it was edited while the run was under way");
        return changeSet;
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

    LockService locks() {
        return LockServiceFactory.getInstance().getLockService(database);
    }

    ChangeLogHistoryService service() {
        return Scope.getCurrentScope().getSingleton(ChangeLogHistoryServiceFactory.class).getChangeLogService(database);
    }

    interface Act {
        void run() throws Exception;
    }

    /** Liquibase's lock and tables for the time of one act, and a history that is read anew. */
    void locked(Act act) throws Exception {
        LockService locks = locks();
        locks.reset();
        // Asked first, because Liquibase makes its tables before it looks at the lock.
        Map<String, Object> holder = lock();
        boolean taken = false;
        if (!Boolean.TRUE.equals(holder.get("held"))) {
            service().init();
            taken = locks.acquireLock();
            if (!taken) holder = lock();
        }
        if (!taken) throw new Fault("lock", "Liquibase's lock is held by " + holder.get("by") + " since " + holder.get("since"));
        Throwable problem = null;
        try {
            act.run();
        } catch (Throwable e) {
            problem = e;
            throw e;
        } finally {
            release(problem);
        }
    }

    /** Gives the lock back on whatever connection there is, without hiding why the act failed. */
    void release(Throwable problem) throws Exception {
        hold(false);
        Exception last = null;
        for (int attempt = 0; attempt < 3; attempt++) {
            try {
                if (database == null || database.getConnection().isClosed() || attempt > 0 && !jdbc().isValid(2)) connect();
                if (!jdbc().getAutoCommit()) database.rollback();
                locks().forceReleaseLock();
                database.commit();
                return;
            } catch (Exception e) {
                last = e;
            }
        }
        if (problem == null) throw last;
        problem.addSuppressed(last);
    }

    void hold(boolean held) {
        if (database != null && database.getConnection() instanceof Held) ((Held) database.getConnection()).held = held;
    }

    static final Pattern SWITCHES = Pattern.compile("\\bset\\s+(local\\s+)?(role|session\\s+authorization)\\b|\\bset_config\\s*\\(\\s*'(role|session_authorization)'", Pattern.CASE_INSENSITIVE);

    /** Whether a changeset and its record can be one transaction. */
    boolean holdable(ChangeSet changeSet, List<Change> changes) {
        if (!changeSet.isRunInTransaction() || changeSet.getRunWith() != null) return false;
        for (Change change : changes) {
            if (change instanceof AbstractSQLChange) {
                String sql = ((AbstractSQLChange) change).getSql();
                // The record would be written as the other role, which need not be allowed to.
                if (sql != null && SWITCHES.matcher(sql).find()) return false;
            }
        }
        return true;
    }

    Object apply(Map<String, Object> request) throws Exception {
        online();
        ChangeSet changeSet = fresh(request);
        session(request);
        List<Map<String, Object>> history = history();
        Map<String, Object> row = recorded(history, key(changeSet));
        String refused = refused(changeSet);
        if (row != null) {
            CheckSum recorded = row.get("checksum") == null ? null : CheckSum.parse((String) row.get("checksum"));
            boolean same = recorded == null || changeSet.isCheckSumValid(recorded);
            if (!same && !changeSet.shouldRunOnChange() && !changeSet.shouldAlwaysRun()) {
                throw new Fault("checksum", "it was edited after it was applied: its checksum was " + recorded + " and is now " + changeSet.generateCheckSum(ChecksumVersion.enumFromChecksumVersion(recorded.getVersion())));
            }
            if (!changeSet.shouldAlwaysRun() && same) return map("state", "already", "millis", 0);
        }
        if (refused != null) return map("state", "filtered", "reason", refused, "millis", 0);
        validate(history, true);
        long begun = System.nanoTime();
        locked(() -> update(Set.of(key(changeSet))));
        ChangeSet.ExecType type = ended.get(key(changeSet));
        long millis = (System.nanoTime() - begun) / 1_000_000;
        if (type == null) {
            // Nothing ended: someone else was faster, or its precondition says to go on without it.
            boolean already = changeSet.getExecType() != ChangeSet.ExecType.SKIPPED;
            return already ? map("state", "already", "millis", millis)
                : map("state", "filtered", "reason", "its precondition does not hold and says to continue", "millis", millis);
        }
        if (type == ChangeSet.ExecType.FAILED) return map("state", "filtered", "reason", "it failed, and its failOnError is false: " + oneLine(text(changeSet.getErrorMsg()).replaceFirst("(?s)\\[Failed SQL:.*", "").replaceFirst("^ERROR: ", "")), "millis", millis);
        boolean marked = type == ChangeSet.ExecType.MARK_RAN || changeSet.getExecType() == ChangeSet.ExecType.MARK_RAN;
        return map("state", marked ? "marked_ran" : "applied", "millis", millis);
    }

    @SuppressWarnings("unchecked")
    Object applyAll(Map<String, Object> request) throws Exception {
        online();
        session(request);
        Set<String> only = null;
        if (request.get("changesets") instanceof List) {
            only = new HashSet<>();
            for (Object named : (List<Object>) request.get("changesets")) only.add(key(fresh(map("changeset", named))));
            running = null;
        }
        List<Map<String, Object>> history = history();
        for (ChangeSet changeSet : changelog.getChangeSets()) {
            Map<String, Object> row = recorded(history, key(changeSet));
            if (row == null || row.get("checksum") == null || only != null && !only.contains(key(changeSet))) continue;
            if (changeSet.shouldRunOnChange() || changeSet.shouldAlwaysRun() || refused(changeSet) != null) continue;
            if (changeSet.isCheckSumValid(CheckSum.parse((String) row.get("checksum")))) continue;
            running = changeSet;
            throw new Fault("checksum", "it was edited after it was applied");
        }
        validate(history, true);
        long begun = System.nanoTime();
        Set<String> chosen = only;
        locked(() -> update(chosen));
        return map("state", "applied", "applied", ended.values().stream().filter(type -> type != ChangeSet.ExecType.FAILED).count(), "millis", (System.nanoTime() - begun) / 1_000_000);
    }

    void update(Set<String> only) throws Exception {
        ShouldRunChangeSetFilter shouldRun = new ShouldRunChangeSetFilter(database);
        ChangeLogIterator iterator = new ChangeLogIterator(changelog, shouldRun, new ContextChangeSetFilter(contexts), new LabelChangeSetFilter(labels), new DbmsChangeSetFilter(database), new IgnoreChangeSetFilter(), exactly(only));
        iterator.run(new UpdateVisitor(database, listener(), shouldRun), new RuntimeEnvironment(database, contexts, labels));
        hold(false);
        database.commit();
    }

    static ChangeSetFilter exactly(Set<String> only) {
        return new ChangeSetFilter() {
            public ChangeSetFilterResult accepts(ChangeSet changeSet) {
                return new ChangeSetFilterResult(only == null || only.contains(key(changeSet)), "not chosen", getClass());
            }
        };
    }

    Object undo(Map<String, Object> request) throws Exception {
        online();
        ChangeSet changeSet = find(request);
        running = changeSet;
        session(request);
        Map<String, Object> row = recorded(history(), key(changeSet));
        if (row == null) return map("state", "not_applied", "millis", 0);
        changeSet.setStoredFilePath(text(row.getOrDefault("stored_path", row.get("path"))));
        if ("MARK_RAN".equals(row.get("exec_type"))) {
            // Its precondition kept it from running: its inverse would take away what somebody else made.
            locked(() -> {
                database.removeRanStatus(changeSet);
                database.commit();
            });
            return map("state", "unmarked", "millis", 0);
        }
        Map<String, Object> inverse = rollback(changeSet);
        if (inverse.get("kind").equals("none")) throw new Fault("no_inverse", text(inverse.get("message")));
        long begun = System.nanoTime();
        locked(() -> {
            ChangeLogIterator iterator = new ChangeLogIterator(changelog, exactly(Set.of(key(changeSet))));
            iterator.run(new RollbackVisitor(database, listener()), new RuntimeEnvironment(database, contexts, labels));
            hold(false);
            database.commit();
        });
        return map("state", "undone", "millis", (System.nanoTime() - begun) / 1_000_000);
    }

    static Map<String, Object> recorded(List<Map<String, Object>> history, String key) {
        for (Map<String, Object> row : history) if (key(row).equals(key)) return row;
        return null;
    }

    Map<String, Object> lock() throws Exception {
        Map<String, Object> free = map("held", false, "by", null, "since", null);
        if (offline()) return free;
        Connection jdbc = jdbc();
        try {
            if (!exists(jdbc, database.getDatabaseChangeLogLockTableName())) return free;
            String table = database.escapeTableName(database.getLiquibaseCatalogName(), database.getLiquibaseSchemaName(), database.getDatabaseChangeLogLockTableName());
            try (Statement statement = jdbc.createStatement();
                 ResultSet set = statement.executeQuery("SELECT LOCKED, LOCKEDBY, LOCKGRANTED FROM " + table + " WHERE ID = 1")) {
                if (set.next() && set.getBoolean(1)) return map("held", true, "by", set.getString(2), "since", String.valueOf(set.getTimestamp(3)));
            }
        } finally {
            end(jdbc);
        }
        return free;
    }

    ChangeExecListener listener() {
        return new AbstractChangeExecListener() {
            @Override
            public void willRun(ChangeSet changeSet, DatabaseChangeLog log, Database db, ChangeSet.RunStatus status) {
                begin(changeSet, changeSet.getChanges());
                tell("will_run", changeSet);
            }
            @Override
            public void ran(ChangeSet changeSet, DatabaseChangeLog log, Database db, ChangeSet.ExecType type) {
                // Its record is written: Liquibase's next commit ends both.
                hold(false);
                ended.put(key(changeSet), type);
                tell(type == ChangeSet.ExecType.FAILED ? "failed" : "ran", changeSet);
            }
            @Override
            public void willRollback(ChangeSet changeSet, DatabaseChangeLog log, Database db) {
                List<Change> written = changeSet.getRollback() == null ? List.of() : changeSet.getRollback().getChanges();
                begin(changeSet, written.isEmpty() ? changeSet.getChanges() : written);
            }
            @Override
            public void rolledBack(ChangeSet changeSet, DatabaseChangeLog log, Database db) {
                hold(false);
                tell("rolled_back", changeSet);
            }
            @Override
            public void runFailed(ChangeSet changeSet, DatabaseChangeLog log, Database db, Exception e) {
                tell("failed", changeSet);
            }
            @Override
            public void rollbackFailed(ChangeSet changeSet, DatabaseChangeLog log, Database db, Exception e) {
                tell("failed", changeSet);
            }
        };
    }

    void begin(ChangeSet changeSet, List<Change> changes) {
        running = changeSet;
        runningSince = System.nanoTime();
        hold(holdable(changeSet, changes));
    }

    void tell(String event, ChangeSet changeSet) {
        say(map("event", event, "changeset", identity(changeSet), "millis", (System.nanoTime() - runningSince) / 1_000_000));
    }

    // ---- errors

    void recover() {
        try {
            if (database == null || offline()) return;
            hold(false);
            DatabaseConnection link = database.getConnection();
            if (link == null || link.isClosed() || !jdbc().isValid(2)) {
                connect();
                return;
            }
            if (!jdbc().getAutoCommit()) database.rollback();
            else database.setAutoCommit(false);
        } catch (Exception e) {
            // The next request tries again, and says so if it cannot.
            disconnect();
        }
    }

    static final Pattern FAILED = Pattern.compile("\\[Failed SQL: (?:\\(\\d+\\) )?(.*)]", Pattern.DOTALL);

    Map<String, Object> describe(Throwable problem) {
        Fault fault = null;
        for (Throwable t = problem; t != null && fault == null; t = t.getCause()) if (t instanceof Fault) fault = (Fault) t;
        String state = state(problem);
        boolean gone = state != null && (state.startsWith("08") || state.startsWith("57P"));
        String kind = fault != null ? fault.kind : gone ? "connection" : state != null ? "sql" : "internal";
        String message = fault != null ? fault.getMessage() : innermost(problem);
        String sql = null;
        for (Throwable t = problem; t != null; t = t.getCause()) {
            Matcher quoted = FAILED.matcher(String.valueOf(t.getMessage()));
            if (sql == null && quoted.find()) sql = quoted.group(1);
            if (fault != null) continue;
            if (t instanceof PreconditionFailedException) {
                kind = "precondition";
                message = "its precondition does not hold: " + oneLine(((PreconditionFailedException) t).getFailedPreconditions().get(0).getMessage());
            } else if (t instanceof PreconditionErrorException && !gone) {
                kind = "precondition";
                Throwable cause = ((PreconditionErrorException) t).getErrorPreconditions().get(0).getCause();
                message = "its precondition cannot be checked: " + innermost(cause);
                if (state == null) state = state(cause);
            } else if (kind.equals("internal") && t instanceof ChangeLogParseException) {
                kind = "parse";
            } else if (kind.equals("internal") && running != null && (t instanceof ValidationFailedException || t instanceof SetupException || t instanceof UnexpectedLiquibaseException)) {
                kind = "validation";
            }
        }
        Map<String, Object> changeset = fault != null && fault.changeset != null ? fault.changeset : running != null ? identity(running) : null;
        return map("kind", kind, "message", discreet(message), "sql_state", state, "changeset", changeset,
            "file", fault != null ? fault.file : null, "line", fault != null ? fault.line : null, "sql", sql);
    }

    /** Drivers quote what they were given. */
    String discreet(String message) {
        String secret = connection == null ? "" : text(connection.get("password"));
        if (secret.length() > 2) message = message.replace(secret, "***");
        return message.replaceAll("(?i)(password=)[^&;\\s]*", "$1***").replaceAll("(//[^:/@\\s]+:)[^@/\\s]+@", "$1***@");
    }

    static String state(Throwable problem) {
        for (Throwable t = problem; t != null; t = t.getCause()) {
            if (t instanceof SQLException && ((SQLException) t).getSQLState() != null) return ((SQLException) t).getSQLState();
        }
        return null;
    }

    /** The innermost message that says something, on one line and without the statement; the database's own where it spoke. */
    static String innermost(Throwable problem) {
        String message = null;
        for (Throwable t = problem; t != null; t = t.getCause()) {
            if (t.getMessage() != null && !t.getMessage().isBlank()) message = t.getMessage();
            if (t instanceof SQLException && ((SQLException) t).getSQLState() != null && message != null) {
                SQLException next = ((SQLException) t).getNextException();
                if (t instanceof BatchUpdateException && next != null && next.getMessage() != null) message = next.getMessage();
                break;
            }
        }
        if (message == null) message = problem == null ? "unknown" : problem.getClass().getSimpleName();
        int sql = message.indexOf("[Failed SQL:");
        if (sql > 0) message = message.substring(0, sql);
        return oneLine(message).replaceFirst("^ERROR: ", "").replaceFirst(" Learn all the options at .*", "").replaceFirst(":? More locations can be added with the 'searchPath' parameter\\.?", "");
    }

    static String oneLine(String text) {
        return text == null ? "" : text.replaceAll("\\s+", " ").trim();
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

    /** Reads one JSON value. */
    static final class Json {
        final String text;
        int at;

        Json(String text) {
            this.text = text;
        }

        Object read() throws Fault {
            Object value = value();
            if (peek() != 0) throw wrong();
            return value;
        }

        char peek() {
            while (at < text.length() && text.charAt(at) <= ' ') at++;
            return at < text.length() ? text.charAt(at) : 0;
        }

        boolean skip(char wanted) {
            if (peek() != wanted) return false;
            at++;
            return true;
        }

        void expect(char wanted) throws Fault {
            if (!skip(wanted)) throw wrong();
        }

        Fault wrong() {
            return new Fault("internal", "the request is not JSON at character " + at);
        }

        Object value() throws Fault {
            switch (peek()) {
                case '{': {
                    Map<String, Object> map = new LinkedHashMap<>();
                    at++;
                    if (skip('}')) return map;
                    do {
                        if (peek() != '"') throw wrong();
                        String key = string();
                        expect(':');
                        map.put(key, value());
                    } while (skip(','));
                    expect('}');
                    return map;
                }
                case '[': {
                    List<Object> list = new ArrayList<>();
                    at++;
                    if (skip(']')) return list;
                    do list.add(value()); while (skip(','));
                    expect(']');
                    return list;
                }
                case '"':
                    return string();
                default:
                    int from = at;
                    while (at < text.length() && ",]} \t".indexOf(text.charAt(at)) < 0) at++;
                    return scalar(text.substring(from, at));
            }
        }

        Object scalar(String word) throws Fault {
            switch (word) {
                case "null":
                    return null;
                case "true":
                    return true;
                case "false":
                    return false;
                default:
                    try {
                        return new java.math.BigDecimal(word);
                    } catch (NumberFormatException e) {
                        throw wrong();
                    }
            }
        }

        String string() throws Fault {
            StringBuilder to = new StringBuilder();
            try {
                for (at++; text.charAt(at) != '"'; at++) {
                    char c = text.charAt(at);
                    if (c != '\\') {
                        to.append(c);
                        continue;
                    }
                    c = text.charAt(++at);
                    int short_ = "bfnrt".indexOf(c);
                    if (c == 'u') {
                        to.append((char) Integer.parseInt(text.substring(at + 1, at + 5), 16));
                        at += 4;
                    } else {
                        to.append(short_ < 0 ? c : "\b\f\n\r\t".charAt(short_));
                    }
                }
            } catch (IndexOutOfBoundsException | NumberFormatException e) {
                throw wrong();
            }
            at++;
            return to.toString();
        }
    }
}
