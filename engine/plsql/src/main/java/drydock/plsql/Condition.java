package drydock.plsql;

import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.antlr.v4.runtime.Token;

/** A condition of {@link Conditional}, as far as it can be decided without the database. */
final class Condition {
    enum Truth {
        YES, NO, UNKNOWN;

        static Truth of(boolean holds) {
            return holds ? YES : NO;
        }

        Truth not() {
            return this == UNKNOWN ? UNKNOWN : of(this == NO);
        }

        Truth and(Truth other) {
            if (this == NO || other == NO) return NO;
            return this == YES && other == YES ? YES : UNKNOWN;
        }
    }

    private static final Set<String> COMPARES = Set.of("=", "<", ">", "<=", ">=", "<>", "!=", "^=", "~=");
    private static final Pattern BEFORE = Pattern.compile("VER_LE_(\\d+)(_\\d)?");

    private final List<Token> words;
    private final int version;
    private int at;
    /** Something stands there that this does not know: nothing can be decided. */
    private boolean strange;

    private Condition(List<Token> words, int version) {
        this.words = words;
        this.version = version;
    }

    static Truth decide(List<Token> words, int version) {
        Condition condition = new Condition(words, version);
        Truth truth = condition.or(0);
        return condition.strange || condition.at < words.size() ? Truth.UNKNOWN : truth;
    }

    private String word() {
        return at < words.size() ? Conditional.upper(words.get(at)) : "";
    }

    private boolean take(String word) {
        if (!word().equals(word)) return false;
        at++;
        return true;
    }

    private Truth or(int depth) {
        Truth truth = and(depth);
        while (take("OR")) truth = truth.not().and(and(depth).not()).not();
        return truth;
    }

    private Truth and(int depth) {
        Truth truth = not(depth);
        while (take("AND")) truth = truth.and(not(depth));
        return truth;
    }

    private Truth not(int depth) {
        boolean not = false;
        while (take("NOT")) not = !not;
        Truth truth = term(depth);
        return not ? truth.not() : truth;
    }

    private Truth term(int depth) {
        if (depth < 100 && take("(")) {
            Truth truth = or(depth + 1);
            if (!take(")")) strange = true;
            return truth;
        }
        Object left = value();
        if (take("IS")) {
            take("NOT");
            take("NULL");
            return Truth.UNKNOWN;
        }
        // The grammar's operators of two characters are one word or two.
        String operator = "";
        while (COMPARES.contains(operator + word())) operator += words.get(at++).getText();
        if (operator.isEmpty()) return left instanceof Truth truth ? truth : Truth.UNKNOWN;
        Object right = value();
        if (!(left instanceof Integer a) || !(right instanceof Integer b)) return Truth.UNKNOWN;
        return switch (operator) {
            case "=" -> Truth.of(a.equals(b));
            case "<" -> Truth.of(a < b);
            case ">" -> Truth.of(a > b);
            case "<=" -> Truth.of(a <= b);
            case ">=" -> Truth.of(a >= b);
            default -> Truth.of(!a.equals(b));
        };
    }

    /** A number, a truth, or null where nobody knows. */
    private Object value() {
        String first = word();
        if (first.isEmpty() || first.equals(")")) {
            strange = true;
            return null;
        }
        at++;
        StringBuilder name = new StringBuilder(first);
        while (word().equals(".") && at + 1 < words.size()) {
            name.append('.').append(Conditional.upper(words.get(at + 1)));
            at += 2;
        }
        String full = name.toString().replaceFirst("^SYS\\.", "");
        if (full.equals("TRUE") || full.equals("FALSE")) return Truth.of(full.equals("TRUE"));
        if (full.matches("\\d{1,6}")) return Integer.valueOf(full);
        if (!full.startsWith("DBMS_DB_VERSION.")) return null;
        String constant = full.substring("DBMS_DB_VERSION.".length());
        if (constant.equals("VERSION")) return version;
        Matcher before = BEFORE.matcher(constant);
        if (!before.matches()) return null;
        // Releases within a version are not told apart, but none within an older one is meant.
        int limit = Integer.parseInt(before.group(1));
        if (before.group(2) != null && limit == version) return null;
        return Truth.of(version <= limit);
    }
}
