package drydock.plsql;

import drydock.plsql.grammar.PlSqlParser;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.antlr.v4.runtime.Token;

/**
 * Conditional compilation: {@code $IF condition $THEN ... $ELSIF ... $ELSE ... $END} and {@code $ERROR ... $END}. The directives may stand
 * between any two words of a unit, so that no grammar has them: they are taken out before it, and all words keep their places.
 *
 * <p>A condition can be decided where it is made of TRUE, FALSE and the constants of DBMS_DB_VERSION. Values of the compiler
 * ({@code $$name}) and constants of packages are not known here. A branch that cannot be compiled, since it is false or comes after one
 * that is true, is left out; so is one that is only an {@code $ERROR} where there are others. Of those that remain all are kept, if they make
 * sense together; otherwise the last of them, which holds where no setting is made; otherwise the first.
 */
final class Conditional {
    /** Which of the branches stay that cannot be decided. */
    enum Keep { ALL, LAST, FIRST }

    private final List<Token> words;
    private final int version;
    private final Keep keep;
    private final List<Token> kept = new ArrayList<>();
    private boolean partial;
    /** A directive has no end: then all words stay as they are. */
    private boolean open;
    private int at;

    private Conditional(List<Token> words, int version, Keep keep) {
        this.words = words;
        this.version = version;
        this.keep = keep;
    }

    /**
     * @param words those of the unit that the compiler gets
     * @param partial whether a branch is left out that may be compiled
     */
    record Chosen(List<Token> words, boolean partial) {}

    static boolean isIn(List<Token> words) {
        return words.stream().anyMatch(w -> w.getType() == PlSqlParser.DOLLAR_IF || w.getType() == PlSqlParser.DOLLAR_ERROR);
    }

    /** What is left of words. A directive that is not closed stays, and makes no sense to the grammar. */
    static Chosen choose(List<Token> words, String version, Keep keep) {
        String number = version.replaceAll("\\D.*", "");
        Conditional reader = new Conditional(words, number.isEmpty() ? 23 : Integer.parseInt(number), keep);
        while (reader.at < words.size()) reader.one(reader.kept);
        return reader.open ? new Chosen(words, false) : new Chosen(reader.kept, reader.partial);
    }

    private int type() {
        return at < words.size() ? words.get(at).getType() : Token.EOF;
    }

    /** A word, or a directive with all that is in it. */
    private void one(List<Token> to) {
        if (type() == PlSqlParser.DOLLAR_IF) {
            if (!choice(to)) stop();
        } else if (type() == PlSqlParser.DOLLAR_ERROR) {
            while (type() != Token.EOF && type() != PlSqlParser.DOLLAR_END) at++;
            if (type() == Token.EOF) stop();
            else at++;
        } else {
            to.add(words.get(at++));
        }
    }

    private void stop() {
        open = true;
        at = words.size();
    }

    private record Branch(Condition.Truth holds, List<Token> words, boolean error) {}

    /** false: it has no end. */
    private boolean choice(List<Token> to) {
        List<Branch> branches = new ArrayList<>();
        while (type() != PlSqlParser.DOLLAR_END) {
            Condition.Truth holds = Condition.Truth.YES;
            if (type() != PlSqlParser.DOLLAR_ELSE) {
                int from = at + 1;
                while (type() != Token.EOF && type() != PlSqlParser.DOLLAR_THEN) at++;
                if (type() == Token.EOF) return false;
                holds = Condition.decide(words.subList(Math.min(from, at), at), version);
            }
            at++;
            boolean error = type() == PlSqlParser.DOLLAR_ERROR;
            List<Token> inner = new ArrayList<>();
            while (type() != PlSqlParser.DOLLAR_ELSIF && type() != PlSqlParser.DOLLAR_ELSE && type() != PlSqlParser.DOLLAR_END) {
                if (type() == Token.EOF) return false;
                one(inner);
            }
            branches.add(new Branch(holds, inner, error && inner.isEmpty()));
        }
        at++;
        List<Branch> possible = possible(branches);
        for (int i = 0; i < possible.size(); i++) {
            boolean stays = keep == Keep.ALL || i == (keep == Keep.FIRST ? 0 : possible.size() - 1);
            if (stays) to.addAll(possible.get(i).words);
            else partial |= !possible.get(i).words.isEmpty();
        }
        return true;
    }

    /** Those that may be compiled. Where all conditions are unknown, none may be, which is a choice of its own. */
    private static List<Branch> possible(List<Branch> branches) {
        List<Branch> possible = new ArrayList<>();
        boolean decided = false;
        for (Branch branch : branches) {
            if (decided || branch.holds == Condition.Truth.NO) continue;
            possible.add(branch);
            decided = branch.holds == Condition.Truth.YES;
        }
        if (!decided && !possible.isEmpty()) possible.add(new Branch(Condition.Truth.YES, List.of(), false));
        if (possible.stream().anyMatch(b -> !b.error)) possible.removeIf(Branch::error);
        return possible;
    }

    static String upper(Token word) {
        return word.getText().toUpperCase(Locale.ROOT);
    }
}
