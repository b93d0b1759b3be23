package drydock;

import java.sql.BatchUpdateException;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;
import java.util.function.BooleanSupplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import liquibase.changelog.ChangeSet;
import liquibase.exception.ChangeLogParseException;
import liquibase.exception.PreconditionErrorException;
import liquibase.exception.PreconditionFailedException;
import liquibase.exception.SetupException;
import liquibase.exception.UnexpectedLiquibaseException;
import liquibase.exception.ValidationFailedException;

/** Turns exceptions of Liquibase and of JDBC into the errors of the protocol. */
final class Errors {
    private static final Pattern FAILED_SQL = Pattern.compile("\\[Failed SQL: (?:\\(\\d+\\) )?(.*)]", Pattern.DOTALL);

    /** The changeset that a failure is about, while one is looked at or acted on. */
    ChangeSet subject;
    private String password = "";
    /** The name of the history's table, as a word of a statement. */
    private Pattern history = Pattern.compile("\\bDATABASECHANGELOG\\b", Pattern.CASE_INSENSITIVE);
    private List<String> messagePrefixes = List.of();
    private List<String> messageEnds = List.of();
    private List<String> valueStates = List.of();

    /** What the messages of a database must not show, and what its JDBC driver puts in front of each and behind it. */
    void connectedWith(String password, List<String> messagePrefixes, List<String> messageEnds, List<String> valueStates) {
        this.password = password;
        this.valueStates = valueStates;
        this.messagePrefixes = messagePrefixes;
        this.messageEnds = messageEnds;
    }

    /** What the table of the history is called. */
    void historyIs(String table) {
        history = Pattern.compile("\\b" + Pattern.quote(table) + "\\b", Pattern.CASE_INSENSITIVE);
    }

    Map<String, Object> describe(Throwable problem, BooleanSupplier connectionLost) {
        Fault fault = null;
        for (Throwable t = problem; t != null && fault == null; t = t.getCause()) if (t instanceof Fault found) fault = found;
        SQLException refusal = refusal(problem);
        boolean lost = refusal != null && connectionLost.getAsBoolean();
        Fault.Kind kind = fault != null ? fault.kind : lost ? Fault.Kind.CONNECTION : refusal != null ? Fault.Kind.SQL : Fault.Kind.INTERNAL;
        String message = fault != null ? fault.getMessage() : innermost(problem);
        String sql = null;
        for (Throwable t = problem; t != null; t = t.getCause()) {
            Matcher quoted = FAILED_SQL.matcher(String.valueOf(t.getMessage()));
            if (sql == null && quoted.find()) sql = quoted.group(1);
            if (fault != null) continue;
            if (t instanceof PreconditionFailedException failed) {
                kind = Fault.Kind.PRECONDITION;
                message = "its precondition does not hold: " + oneLine(failed.getFailedPreconditions().get(0).getMessage());
            } else if (t instanceof PreconditionErrorException unchecked && !lost) {
                kind = Fault.Kind.PRECONDITION;
                Throwable cause = unchecked.getErrorPreconditions().get(0).getCause();
                message = "its precondition cannot be checked: " + innermost(cause);
                if (refusal == null) refusal = refusal(cause);
            } else if (kind == Fault.Kind.INTERNAL && t instanceof ChangeLogParseException) {
                kind = Fault.Kind.PARSE;
            } else if (kind == Fault.Kind.INTERNAL && subject != null
                && (t instanceof ValidationFailedException || t instanceof SetupException || t instanceof UnexpectedLiquibaseException)) {
                kind = Fault.Kind.VALIDATION;
            }
        }
        Map<String, Object> changeset = fault != null && fault.changeset != null ? fault.changeset : subject != null ? Identity.of(subject) : null;
        return Json.map("kind", kind, "message", withoutSecrets(message),
            "sql_state", refusal == null ? null : refusal.getSQLState(),
            "vendor_code", refusal == null || refusal.getErrorCode() == 0 ? null : refusal.getErrorCode(),
            "changeset", changeset, "file", fault != null ? fault.file : null, "line", fault != null ? fault.line : null, "sql", sql,
            "of_history", sql != null && history.matcher(sql).find());
    }

    /** JDBC drivers quote what they were given. */
    private String withoutSecrets(String message) {
        if (password.length() > 2) message = message.replace(password, "***");
        return message.replaceAll("(?i)(password=)[^&;\\s]*", "$1***").replaceAll("(//[^:/@\\s]+:)[^@/\\s]+@", "$1***@");
    }

    /** What the database or its JDBC driver threw: the outermost exception that has a code, or else the outermost one. */
    private static SQLException refusal(Throwable problem) {
        SQLException first = null;
        for (Throwable t = problem; t != null; t = t.getCause()) {
            if (!(t instanceof SQLException e)) continue;
            if (e.getSQLState() != null || e.getErrorCode() != 0) return e;
            if (first == null) first = e;
        }
        return first;
    }

    /** The innermost message that says something, on one line and without the statement; the database's own where it answered. */
    String innermost(Throwable problem) {
        String message = null;
        for (Throwable t = problem; t != null; t = t.getCause()) {
            if (t.getMessage() != null && !t.getMessage().isBlank()) message = t.getMessage();
            if (t instanceof SQLException e && e.getSQLState() != null && message != null) {
                SQLException next = e.getNextException();
                if (t instanceof BatchUpdateException && next != null && next.getMessage() != null) message = next.getMessage();
                if (valueStates.stream().anyMatch(e.getSQLState()::startsWith)) return shortened(message).replaceAll("\"[^\"]*\"", "\"\u2026\"");
                break;
            }
        }
        if (message == null) message = problem == null ? "unknown" : problem.getClass().getSimpleName();
        return shortened(message);
    }

    /** A message on one line, without the statement that Liquibase appends and the advice that it gives for its own command line. */
    String shortened(String message) {
        int sql = message.indexOf("[Failed SQL:");
        if (sql > 0) message = message.substring(0, sql);
        message = oneLine(message);
        for (String prefix : messagePrefixes) {
            if (!message.startsWith(prefix)) continue;
            message = message.substring(prefix.length());
            break;
        }
        for (String end : messageEnds) message = message.replaceFirst(end, "");
        return message.replaceFirst(" Learn all the options at .*", "").replaceFirst(":? More locations can be added with the 'searchPath' parameter\\.?", "");
    }

    static String oneLine(String text) {
        return text == null ? "" : text.replaceAll("\\s+", " ").trim();
    }
}
