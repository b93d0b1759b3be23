package drydock.plsql.grammar;

import org.antlr.v4.runtime.Parser;
import org.antlr.v4.runtime.TokenStream;

/** What the grammar asks while it decides. */
public abstract class PlSqlParserBase extends Parser {
    protected PlSqlParserBase(TokenStream input) {
        super(input);
    }

    // The newest syntax always: what a version does not have is told from what was read, in words of its own.

    boolean isVersion10() {
        return true;
    }

    boolean isVersion11() {
        return true;
    }

    boolean isVersion12() {
        return true;
    }

    /** Whether a name here is an alias, and not the word that begins a join: most of those words may be names. */
    boolean isNotStartOfJoin() {
        int next = _input.LA(2);
        switch (_input.LA(1)) {
            case PlSqlParser.CROSS:
                return next != PlSqlParser.JOIN && next != PlSqlParser.APPLY;
            case PlSqlParser.OUTER:
                return next != PlSqlParser.JOIN && next != PlSqlParser.APPLY;
            case PlSqlParser.FULL:
            case PlSqlParser.LEFT:
            case PlSqlParser.RIGHT:
            case PlSqlParser.INNER:
            case PlSqlParser.NATURAL:
                return next != PlSqlParser.JOIN && next != PlSqlParser.OUTER && next != PlSqlParser.INNER
                    && next != PlSqlParser.LEFT && next != PlSqlParser.RIGHT && next != PlSqlParser.FULL;
            case PlSqlParser.JOIN:
                return false;
            case PlSqlParser.PARTITION:
                return next != PlSqlParser.BY;
            case PlSqlParser.WINDOW:
                return _input.LA(3) != PlSqlParser.AS;
            default:
                return true;
        }
    }
}
