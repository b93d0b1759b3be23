package drydock;

import java.io.BufferedReader;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.logging.Level;
import java.util.logging.LogManager;
import javax.management.ObjectName;
import liquibase.Scope;
import liquibase.ui.LoggerUIService;
import liquibase.util.LiquibaseUtil;

/**
 * Liquibase's Java API behind JSON lines, for {@code liquibase.rs}.
 *
 * <p>The process lives for a run. One JSON object a line on standard input is a request; each gets one line on standard output,
 * and nothing else is written there. When standard input ends, the parent is gone and this process ends at once, whatever is
 * under way. {@code protocol.rs} has the same requests and answers as types.
 *
 * <pre>
 * request   {"id":1,"op":"apply", ...}
 * answer    {"id":1,"result":{...}}
 *           {"id":1,"error":{kind, message, sql_state, vendor_code, changeset, file, line, sql, of_history}}
 *
 * hello                                             -> {liquibase}: its version
 * connect   {url, user, password, properties,       -> {}; replaces the connection before, reads the changelog again
 *            transactional_ddl, role_switch, message_prefixes,  and validates it for this database
 *            message_ends, value_states, session, deployment}
 * disconnect                                        -> {}; the next request that needs the database connects again
 * changelog {root, file, contexts, labels,           -> {}; reads and validates it. `root` and `more_roots` are Liquibase's search
 *            more_roots, parameters,                    path, so that identities are those that its command line writes.
 *            liquibase_schema, liquibase_table,         The names hold for each connection; null: the session's schema,
 *            liquibase_lock_table, default_schema}      Liquibase's own tables
 * status                                            -> {changesets, unknown, history}; changesets in the changelog's order
 * history                                           -> {history}
 * recorded  {changeset}                             -> {history}: the rows of one changeset
 * apply     {changeset, session}                    -> {state: applied|already|marked_ran|filtered, reason}
 * judge     {checks [{changeset, at}], session}     -> {answers [{holds, message}]}; asks preconditions that may depend on rows, `at` being
 *                                                      their place in the status, in a session that only reads. `holds`: true,
 *                                                      false, or null where it cannot be asked
 * apply_to_copy {changeset, answers}                -> {state, reason, unknown}; on a database without rows. `answers` [{verdict:
 *                                                      holds|fails|unknown|here, message}] stand for the preconditions that may
 *                                                      depend on rows. `unknown`: they were taken to hold
 * apply_all {changesets|null, copy}                 -> {}; one update of the named changesets, or of all that should run. `copy`: the
 *                                                      database has no rows
 * undo      {changeset, session, restore, within}   -> {state: undone|unmarked|not_applied}; at any position of the history.
 *                                                      `unmarked`: a precondition had kept it from running. `restore`: the rows
 *                                                      that the history had before the changeset ran again; they are put back.
 *                                                      `within`: statements that come first in the transaction of the inverse
 * record    {changeset}                             -> {}; puts it into the history as applied, without running it
 * lock                                              -> {held, by, since}
 * release_lock                                      -> {}; whoever holds Liquibase's lock
 * archive   {file}                                  -> {}; writes the classes that are loaded to a file for class data sharing
 * </pre>
 *
 * <p>What a product's adapter says of its database in {@code connect}: {@code transactional_ddl}, whether DDL can be rolled back
 * (each statement commits itself where it cannot);
 * {@code role_switch}, a regular expression for SQL that switches the role for the rest of a transaction, or null;
 * {@code message_prefixes}, what its JDBC driver puts in front of messages; {@code message_ends}, expressions for what it puts
 * behind them; {@code value_states}, beginnings of the SQL states whose
 * messages quote values (what is in double quotes is left out); {@code session}, statements that every new session
 * begins with.
 *
 * <p>A changeset of the status: {id, author, path, line, comment, remarks, run_in_transaction, checksum, recorded_checksum, state,
 * filter_reason}, {@code state} being ran, pending, filtered or ran_changed (edited after it was applied). Pending ones also have
 * {@code code} [{change, class}] (what runs code, and is not asked for SQL: asking may run it), {@code sql} (the statements as Liquibase would send them, without its bookkeeping) {@code rollback} {kind:
 * inverse|empty|none, sql, written, message} and {@code preconditions} [{name, sql}] (those that may depend on rows; no {@code sql}: it runs code). A row of the history: the columns of Liquibase's table, as {@code History.java} names them.
 *
 * <p>{@code session} statements run and are committed first, so that they outlive a rollback.
 *
 * <p>Error kinds: parse, missing_file, duplicate, validation, checksum, unknown_changeset (the changelog is wrong, or not what was applied),
 * precondition, no_inverse, sql, lock (somebody else holds Liquibase's lock: waiting is the caller's decision), connection (there
 * is none, or it is lost), internal. {@code sql_state} and {@code vendor_code} are the database's own codes, where it gave any.
 * {@code of_history}: the statement that failed is about the history's table.
 *
 * <p>Differences from {@code liquibase update}, all on purpose:
 * <ul>
 * <li>A changeset and its record are one transaction where DDL is transactional. Liquibase commits the changeset first and its
 *     record after it; dying in between leaves a change that the history does not know. Liquibase's own order stays where DDL
 *     commits by itself, for changesets with {@code runInTransaction:false}, and for those that switch the role.
 * <li>A lock held by somebody else is reported at once instead of waited for.
 * <li>The deployment id is that of {@code connect}, so that a run has one of its own, whichever process acts for it.
 * </ul>
 */
public final class Driver {
    private final Errors errors = new Errors();
    private final Target target = new Target(errors);
    private final Changelog changelog = new Changelog(target, errors);
    private final Acts acts = new Acts(target, changelog, errors);

    private Driver() {
        target.listener = changelog::parseAgain;
    }

    public static void main(String[] arguments) throws Exception {
        PrintStream out = new PrintStream(new FileOutputStream(FileDescriptor.out), true, StandardCharsets.UTF_8);
        prepare();
        serve(System.in, out);
        Runtime.getRuntime().halt(3);
    }

    /** What holds for the whole process. */
    public static void prepare() {
        // Whatever else writes to standard output must not get between the answers.
        System.setOut(System.err);
        System.setProperty("liquibase.analytics.enabled", "false");
        System.setProperty("liquibase.showBanner", "false");
        LogManager.getLogManager().getLogger("").setLevel(Level.WARNING);
        Target.loadNoDrivers();
    }

    /** Answers requests until the input ends. If it ends while one of them is under way, so does the process. */
    public static void serve(InputStream in, PrintStream out) throws Exception {
        BlockingQueue<Optional<String>> requests = new LinkedBlockingQueue<>();
        AtomicInteger unanswered = new AtomicInteger();
        Thread reader = new Thread(() -> {
            try (BufferedReader lines = new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8))) {
                for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                    unanswered.incrementAndGet();
                    requests.add(Optional.of(line));
                }
            } catch (IOException ignored) {
                // A broken input is an ended one.
            }
            if (unanswered.get() > 0) Runtime.getRuntime().halt(3);
            requests.add(Optional.empty());
        }, "requests");
        reader.setDaemon(true);
        reader.start();
        Driver driver = new Driver();
        Scope.child(Map.of(Scope.Attr.ui.name(), new LoggerUIService()), () -> {
            for (Optional<String> line = requests.take(); line.isPresent(); line = requests.take()) {
                String answer = Json.write(driver.answer(line.get()));
                // First: who has the answer may end the input at once.
                unanswered.decrementAndGet();
                out.println(answer);
            }
        });
        driver.target.disconnect();
    }

    private Map<String, Object> answer(String line) {
        Object id = null;
        errors.subject = null;
        target.forgetReplacement();
        try {
            Map<String, Object> request = Json.object(Json.read(line));
            id = request.get("id");
            Object result = Scope.child(scope(), () -> perform(request));
            return Json.map("id", id, "result", result);
        } catch (Throwable problem) {
            Map<String, Object> answer = Json.map("id", id, "error", errors.describe(problem, target::lost));
            target.recover();
            return answer;
        }
    }

    /** What Liquibase looks up while it works. */
    private Map<String, Object> scope() {
        Map<String, Object> values = new HashMap<>();
        if (changelog.accessor != null) values.put(Scope.Attr.resourceAccessor.name(), changelog.accessor);
        if (target.deployment() != null) values.put(Scope.Attr.deploymentId.name(), target.deployment());
        return values;
    }

    private Map<String, Object> perform(Map<String, Object> request) throws Exception {
        String op = Json.text(request.get("op"));
        switch (op) {
            case "hello":
                return Json.map("liquibase", LiquibaseUtil.getBuildVersion());
            case "connect":
                target.connectTo(request);
                changelog.validateForTarget();
                return Json.map();
            case "disconnect":
                target.disconnect();
                return Json.map();
            case "changelog":
                changelog.open(request);
                return Json.map();
            case "archive":
                archive(Json.text(request.get("file")));
                return Json.map();
            default:
        }
        target.ensure();
        // Checksums depend on it, where a change is for some kinds of databases only.
        return Scope.child(Map.of(Scope.Attr.database.name(), target.database), () -> performConnected(op, request));
    }

    private Map<String, Object> performConnected(String op, Map<String, Object> request) throws Exception {
        switch (op) {
            case "history":
                return Json.map("history", new History(target).rows());
            case "recorded":
                return Json.map("history", new History(target).rows(Json.object(request.get("changeset"))));
            case "lock":
                return new Lock(target).holder();
            case "release_lock":
                new Lock(target).release();
                return Json.map();
            default:
        }
        if (changelog.parsed == null) throw new Fault(Fault.Kind.INTERNAL, "changelog comes first");
        switch (op) {
            case "status":
                return new Status(target, changelog, errors).read();
            case "apply":
                return acts.apply(request);
            case "judge":
                return new Preconditions(target, changelog, errors).judge(request);
            case "apply_to_copy":
                return acts.applyToCopy(request);
            case "apply_all":
                return acts.applyAll(request);
            case "undo":
                return acts.undo(request);
            case "record":
                acts.record(request);
                return Json.map();
            default:
                throw new Fault(Fault.Kind.INTERNAL, "no such op: " + op);
        }
    }

    /** Needs {@code -XX:+RecordDynamicDumpInfo}. Java has no API for it but the one behind {@code jcmd VM.cds}. */
    private static void archive(String file) throws Exception {
        Object[] arguments = {new String[] {"dynamic_dump", file}};
        String[] signature = {String[].class.getName()};
        ManagementFactory.getPlatformMBeanServer().invoke(new ObjectName("com.sun.management:type=DiagnosticCommand"), "vmCds", arguments, signature);
    }
}
