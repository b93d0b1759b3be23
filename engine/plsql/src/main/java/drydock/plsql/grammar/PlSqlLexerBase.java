package drydock.plsql.grammar;

import org.antlr.v4.runtime.CharStream;
import org.antlr.v4.runtime.CommonToken;
import org.antlr.v4.runtime.Lexer;
import org.antlr.v4.runtime.Token;

/**
 * What the grammar leaves to code: strings whose delimiter the author chose, which no grammar can say, and what has no end.
 */
public abstract class PlSqlLexerBase extends Lexer {
    /** What is not closed: where it begins, and what it is. */
    public interface Unclosed {
        void at(int offset, String what);
    }

    public Unclosed unclosed = (offset, what) -> {};

    protected PlSqlLexerBase(CharStream input) {
        super(input);
    }

    /** REM and PROMPT are commands of SQL*Plus. A column of that name at the beginning of a line would vanish with all that follows. */
    protected boolean IsNewlineAtPos(int position) {
        return false;
    }

    @Override
    public Token nextToken() {
        int first = _input.LA(1);
        int second = _input.LA(2);
        int prefix = is(first, 'N') && is(second, 'Q') ? 2 : is(first, 'Q') ? 1 : 0;
        if (prefix > 0 && _input.LA(prefix + 1) == '\'') return quoted(prefix);
        if (first == '\'') return closed("'", 1, "string", PlSqlLexer.CHAR_STRING);
        if (is(first, 'N') && second == '\'') return closed("'", 2, "string", PlSqlLexer.NATIONAL_CHAR_STRING_LIT);
        if (first == '"') return closed("\"", 1, "name in double quotes", PlSqlLexer.DELIMITED_ID);
        if (first == '/' && second == '*') return comment();
        return super.nextToken();
    }

    private static boolean is(int character, char upper) {
        return character == upper || character == Character.toLowerCase(upper);
    }

    /** A string between delimiters of the author's choice. */
    private Token quoted(int prefix) {
        int open = _input.LA(prefix + 2);
        int at = "[{(<".indexOf(open);
        int close = at >= 0 ? "]})>".charAt(at) : open;
        int length = prefix + 3;
        while (_input.LA(length) != Token.EOF && !(_input.LA(length) == close && _input.LA(length + 1) == '\'')) length++;
        boolean whole = _input.LA(length) != Token.EOF;
        if (!whole) unclosed.at(_input.index(), "string");
        return take(whole ? length + 1 : length - 1, PlSqlLexer.CHAR_STRING, Token.DEFAULT_CHANNEL);
    }

    /** What ends at its quote, where two of them are one of the text. */
    private Token closed(String quote, int from, String what, int type) {
        int length = from + 1;
        while (true) {
            int character = _input.LA(length);
            if (character == Token.EOF) {
                unclosed.at(_input.index(), what);
                return take(length - 1, type, Token.DEFAULT_CHANNEL);
            }
            if (character == quote.charAt(0)) {
                if (_input.LA(length + 1) != character) return take(length, type, Token.DEFAULT_CHANNEL);
                length++;
            }
            length++;
        }
    }

    private Token comment() {
        int length = 3;
        while (_input.LA(length) != Token.EOF && !(_input.LA(length) == '*' && _input.LA(length + 1) == '/')) length++;
        boolean whole = _input.LA(length) != Token.EOF;
        if (!whole) unclosed.at(_input.index(), "comment");
        return take(whole ? length + 1 : length - 1, PlSqlLexer.MULTI_LINE_COMMENT, Token.HIDDEN_CHANNEL);
    }

    private Token take(int length, int type, int channel) {
        int start = _input.index();
        int line = getLine();
        int column = getCharPositionInLine();
        for (int i = 0; i < length; i++) getInterpreter().consume(_input);
        CommonToken token = new CommonToken(new org.antlr.v4.runtime.misc.Pair<>(this, _input), type, channel, start, start + length - 1);
        token.setLine(line);
        token.setCharPositionInLine(column);
        return token;
    }
}
