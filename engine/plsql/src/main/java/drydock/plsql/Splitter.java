package drydock.plsql;

import drydock.plsql.grammar.PlSqlParser;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.antlr.v4.runtime.ParserRuleContext;
import org.antlr.v4.runtime.Token;

/**
 * Takes a text apart into statements. A plain statement ends at its first semicolon, which is not part of it; a unit of PL/SQL ends
 * where the grammar says, and its last semicolon belongs to it. A slash alone on a line ends either, as in SQL*Plus, unless what
 * follows can only be a divisor.
 */
final class Splitter {
    /** Deeper than any statement that people or programs write, and not too deep for the stack. */
    private static final int DEEPEST = 1_000;

    /** One statement: its words, and the tree or the complaint. {@code partial}: some of its words may belong to it, and are not in the tree. */
    record Piece(List<Token> words, ParserRuleContext tree, Complaint complaint, boolean unit, String existence, boolean partial) {
        Piece(List<Token> words, ParserRuleContext tree, Complaint complaint, boolean unit, String existence) {
            this(words, tree, complaint, unit, existence, false);
        }

        int start() {
            return words.get(0).getStartIndex();
        }

        int end() {
            return words.get(words.size() - 1).getStopIndex() + 1;
        }
    }

    private static final Set<Integer> BEGINNINGS = Set.of(PlSqlParser.SELECT, PlSqlParser.WITH, PlSqlParser.INSERT, PlSqlParser.UPDATE,
        PlSqlParser.DELETE, PlSqlParser.MERGE, PlSqlParser.CREATE, PlSqlParser.ALTER, PlSqlParser.DROP, PlSqlParser.TRUNCATE,
        PlSqlParser.GRANT, PlSqlParser.REVOKE, PlSqlParser.COMMENT, PlSqlParser.BEGIN, PlSqlParser.DECLARE, PlSqlParser.CALL,
        PlSqlParser.RENAME, PlSqlParser.LOCK, PlSqlParser.EXPLAIN, PlSqlParser.ANALYZE, PlSqlParser.PURGE, PlSqlParser.FLASHBACK,
        PlSqlParser.COMMIT, PlSqlParser.ROLLBACK, PlSqlParser.SAVEPOINT, PlSqlParser.SET, PlSqlParser.AUDIT, PlSqlParser.NOAUDIT);
    private static final Set<Integer> UNITS = Set.of(PlSqlParser.FUNCTION, PlSqlParser.PROCEDURE, PlSqlParser.PACKAGE, PlSqlParser.TRIGGER);

    private final Source source;
    private final String version;
    private final boolean conditional;
    private final List<Piece> pieces = new ArrayList<>();

    private Splitter(Source source, String version) {
        this.source = source;
        this.version = version;
        conditional = Conditional.isIn(source.words);
    }

    static List<Piece> split(Source source, String version) {
        Splitter splitter = new Splitter(source, version);
        List<Token> words = source.words;
        int from = 0;
        for (int i = 0; i <= words.size(); i++) {
            if (i < words.size() && !splitter.ends(i)) continue;
            splitter.section(words.subList(from, i));
            from = i + 1;
        }
        return splitter.pieces;
    }

    /** Whether a word is a slash that ends what stands before it. */
    private boolean ends(int at) {
        List<Token> words = source.words;
        if (words.get(at).getType() != PlSqlParser.SOLIDUS || !source.alone(words.get(at))) return false;
        if (at == 0 || at + 1 == words.size() || words.get(at - 1).getType() == PlSqlParser.SEMICOLON) return true;
        return BEGINNINGS.contains(words.get(at + 1).getType());
    }

    /** What stands between two slashes. */
    private void section(List<Token> words) {
        int at = 0;
        while (at < words.size()) {
            if (words.get(at).getType() == PlSqlParser.SEMICOLON) {
                at++;
            } else {
                at += statement(words.subList(at, words.size()));
            }
        }
    }

    /** Reads the first statement of the words, and says how many it takes. */
    private int statement(List<Token> words) {
        boolean unit = isUnit(words);
        boolean query = !unit && words.size() > 1 && words.get(0).getType() == PlSqlParser.WITH
            && (words.get(1).getType() == PlSqlParser.FUNCTION || words.get(1).getType() == PlSqlParser.PROCEDURE);
        boolean closed = isJava(words) || isWrapped(words);
        int end = 0;
        while (end < words.size() && (unit || query || closed || words.get(end).getType() != PlSqlParser.SEMICOLON)) end++;
        List<Token> own = words.subList(0, end);
        if (closed) {
            pieces.add(new Piece(own, null, null, true, null));
            return end;
        }
        // What is wrong behind the last word belongs to it.
        boolean last = own.get(end - 1) == source.words.get(source.words.size() - 1);
        Complaint flaw = source.flawed(own.get(0).getStartIndex(), last ? source.size() : own.get(end - 1).getStopIndex() + 1);
        if (flaw == null) flaw = tooDeep(own);
        if (flaw != null) {
            pieces.add(new Piece(own, null, flaw, unit, null));
            return end;
        }
        if (unit && conditional && Conditional.isIn(own)) return conditional(own);
        Existence existence = Existence.of(own);
        try {
            Grammar.Parsed<? extends ParserRuleContext> parsed = unit ? Grammar.parse(existence.words(), PlSqlParser::one_unit)
                : query ? Grammar.parse(existence.words(), PlSqlParser::one_query) : Grammar.parse(existence.words(), PlSqlParser::one_statement);
            if (unit || query) {
                // The words that were left out for the grammar count too.
                end = Math.min(end, parsed.words() + own.size() - existence.words().size());
                own = words.subList(0, end);
                if (query && own.get(end - 1).getType() == PlSqlParser.SEMICOLON) own = own.subList(0, end - 1);
            }
            pieces.add(new Piece(own, parsed.tree(), null, unit, existence.said()));
        } catch (Grammar.Stuck stuck) {
            pieces.add(new Piece(own, null, Words.complaint(existence.words(), stuck, unit), unit, null));
        } catch (StackOverflowError e) {
            pieces.add(new Piece(own, null, Words.nested(own.get(0)), unit, null));
        }
        return end;
    }

    /** The same of a unit with conditional compilation. */
    private int conditional(List<Token> own) {
        Complaint complaint = null;
        for (Conditional.Keep keep : Conditional.Keep.values()) {
            Existence existence = null;
            try {
                Conditional.Chosen chosen = Conditional.choose(own, version, keep);
                existence = Existence.of(chosen.words());
                Grammar.Parsed<? extends ParserRuleContext> parsed = Grammar.parse(existence.words(), PlSqlParser::one_unit);
                int taken = Math.min(chosen.words().size(), parsed.words() + chosen.words().size() - existence.words().size());
                int end = own.indexOf(chosen.words().get(taken - 1)) + 1;
                pieces.add(new Piece(own.subList(0, end), parsed.tree(), null, true, existence.said(), chosen.partial()));
                return end;
            } catch (Grammar.Stuck stuck) {
                // What is wrong where no setting is made says most.
                if (keep != Conditional.Keep.FIRST) complaint = Words.complaint(existence.words(), stuck, true);
            } catch (StackOverflowError e) {
                complaint = Words.nested(own.get(0));
            }
        }
        pieces.add(new Piece(own, null, complaint, true, null));
        return own.size();
    }

    private static Complaint tooDeep(List<Token> words) {
        int depth = 0;
        for (Token word : words) {
            if (word.getType() == PlSqlParser.LEFT_PAREN && ++depth > DEEPEST) return Words.nested(word);
            if (word.getType() == PlSqlParser.RIGHT_PAREN) depth--;
        }
        return null;
    }

    private static int type(List<Token> words, int at) {
        return at < words.size() ? words.get(at).getType() : Token.EOF;
    }

    /** Past CREATE OR REPLACE and what may stand before the kind of the object; 0: it is no CREATE. */
    private static int kindOfCreated(List<Token> words) {
        if (type(words, 0) != PlSqlParser.CREATE) return 0;
        int at = type(words, 1) == PlSqlParser.OR ? 3 : 1;
        while (type(words, at) == PlSqlParser.EDITIONABLE || type(words, at) == PlSqlParser.NONEDITIONABLE) at++;
        return at;
    }

    private static boolean isUnit(List<Token> words) {
        int first = type(words, 0);
        if (first == PlSqlParser.DECLARE || first == PlSqlParser.BEGIN) return true;
        if (first == PlSqlParser.LESS_THAN_OP && type(words, 1) == PlSqlParser.LESS_THAN_OP) return true;
        int at = kindOfCreated(words);
        if (at == 0) return false;
        return UNITS.contains(type(words, at)) || type(words, at) == PlSqlParser.TYPE && type(words, at + 1) == PlSqlParser.BODY;
    }

    /** Source of Java follows: no words of SQL. */
    private static boolean isJava(List<Token> words) {
        int at = kindOfCreated(words);
        if (at == 0) return false;
        while (at < Math.min(words.size(), 8) && type(words, at) != PlSqlParser.JAVA) at++;
        return type(words, at) == PlSqlParser.JAVA && at <= 6 && (type(words, at - 1) == PlSqlParser.COMPILE || type(words, at - 1) == PlSqlParser.RESOLVE
            || type(words, at - 1) == PlSqlParser.NOFORCE || at == kindOfCreated(words));
    }

    /** Source that {@code wrap} made follows: no words at all. */
    static boolean isWrapped(List<Token> words) {
        int at = kindOfCreated(words);
        if (at == 0 || !UNITS.contains(type(words, at)) && type(words, at) != PlSqlParser.TYPE) return false;
        at += type(words, at + 1) == PlSqlParser.BODY ? 3 : 2;
        while (type(words, at) == PlSqlParser.PERIOD) at += 2;
        return at < words.size() && Conditional.upper(words.get(at)).equals("WRAPPED");
    }
}
