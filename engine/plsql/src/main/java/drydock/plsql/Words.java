package drydock.plsql;

import drydock.plsql.grammar.PlSqlParser;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.antlr.v4.runtime.Token;

/** Says in plain words why a statement cannot be read. */
final class Words {
    private static final String SPLIT = "if this is a piece of a longer text, it was cut at a semicolon: use splitStatements:false, or an endDelimiter like /";

    private static final Set<String> SQL_PLUS = Set.of("PROMPT", "REM", "REMARK", "SPOOL", "WHENEVER", "DEFINE", "UNDEFINE", "VARIABLE", "PRINT", "SHOW", "COLUMN",
        "ACCEPT", "PAUSE", "CONNECT", "DISCONNECT", "EXIT", "QUIT", "HOST", "START", "@", "@@", "CLEAR", "TTITLE", "BTITLE", "DESCRIBE", "DESC", "SET");
    private static final Set<String> INNER = Set.of("END", "EXCEPTION", "ELSE", "ELSIF", "LOOP", "IF", "FOR", "WHILE", "RETURN", "RAISE", "FUNCTION", "PROCEDURE");
    private static final Map<String, String> FOREIGN = Map.of(
        "LIMIT", "Oracle has no LIMIT: write FETCH FIRST n ROWS ONLY",
        "SERIAL", "Oracle has no SERIAL: write NUMBER GENERATED AS IDENTITY",
        "AUTO_INCREMENT", "Oracle has no AUTO_INCREMENT: write GENERATED AS IDENTITY",
        "ILIKE", "Oracle has no ILIKE: compare UPPER(column)",
        "CONFLICT", "Oracle has no ON CONFLICT: write MERGE",
        "CONCURRENTLY", "Oracle has no CONCURRENTLY: write ONLINE at the end",
        "REPLACE", "CREATE OR REPLACE is not possible for this kind of object");

    private Words() {}

    static Complaint nested(Token at) {
        return new Complaint(at.getStartIndex(), at.getLine(), at.getCharPositionInLine() + 1, "this is nested too deeply to be read", "break it into several statements");
    }

    static Complaint complaint(List<Token> words, Grammar.Stuck stuck, boolean unit) {
        boolean atEnd = stuck.at >= words.size();
        Token at = words.get(Math.min(stuck.at, words.size() - 1));
        String word = at.getText().toUpperCase(Locale.ROOT);
        String first = words.get(0).getText().toUpperCase(Locale.ROOT);
        int line = at.getLine();
        int column = at.getCharPositionInLine() + 1 + (atEnd ? at.getText().length() : 0);
        String message;
        if (stuck.tangled) message = "this statement is too tangled to be read";
        else if (atEnd) message = (unit ? "the block of PL/SQL" : "the statement") + " ends before it is complete";
        else message = "the statement makes no sense from " + shortened(at.getText()) + " on";
        if (!stuck.wanted.isEmpty()) message += ": " + String.join(" or ", stuck.wanted) + " would fit";
        return new Complaint(atEnd ? at.getStopIndex() + 1 : at.getStartIndex(), line, column, message, hint(words, stuck, unit, atEnd, first, word));
    }

    private static String hint(List<Token> words, Grammar.Stuck stuck, boolean unit, boolean atEnd, String first, String word) {
        if (stuck.at <= 1 && (first.equals("EXEC") || first.equals("EXECUTE"))) return first + " is a command of SQL*Plus: write BEGIN ...; END;";
        if (stuck.at <= 2 && SQL_PLUS.contains(first)) return first + " is a command of SQL*Plus, which the database does not know: leave it out";
        if (isVariable(words, stuck.at)) return "&name is a variable of SQL*Plus, which the database does not know: write its value in its place";
        if (unit && atEnd && words.get(words.size() - 1).getType() != PlSqlParser.SEMICOLON) return "a unit of PL/SQL ends with END and a semicolon; " + SPLIT;
        if (unit && atEnd || INNER.contains(first)) return SPLIT;
        if (!atEnd && FOREIGN.containsKey(word)) return FOREIGN.get(word);
        if (unit && word.equals("/")) return "a slash that ends a unit stands on a line of its own";
        return null;
    }

    /** Whether a name of SQL*Plus begins here, or right before. */
    private static boolean isVariable(List<Token> words, int at) {
        for (int i = Math.max(0, at - 2); i <= Math.min(at, words.size() - 1); i++) if (words.get(i).getText().equals("&")) return true;
        return false;
    }

    private static String shortened(String text) {
        String line = text.replaceAll("\\s+", " ");
        return line.length() <= 40 ? line : line.substring(0, 37) + "...";
    }
}
