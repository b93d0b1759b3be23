package drydock.plsql;

import drydock.plsql.grammar.PlSqlLexer;
import java.util.ArrayList;
import java.util.List;
import org.antlr.v4.runtime.BaseErrorListener;
import org.antlr.v4.runtime.CharStream;
import org.antlr.v4.runtime.CharStreams;
import org.antlr.v4.runtime.RecognitionException;
import org.antlr.v4.runtime.Recognizer;
import org.antlr.v4.runtime.Token;

/** A text as words. Offsets count code points. */
final class Source {
    /** What is wrong with the characters at a place. */
    record Flaw(int offset, int line, int column, String message, String hint) {}

    final CharStream characters;
    /** Without white space and comments. */
    final List<Token> words = new ArrayList<>();
    final List<Token> hints = new ArrayList<>();
    final List<Flaw> flaws = new ArrayList<>();

    Source(String text) {
        characters = CharStreams.fromString(text);
        PlSqlLexer lexer = new PlSqlLexer(characters);
        lexer.removeErrorListeners();
        lexer.addErrorListener(new BaseErrorListener() {
            @Override
            public void syntaxError(Recognizer<?, ?> recognizer, Object symbol, int line, int column, String message, RecognitionException e) {
                flaws.add(new Flaw(lexer._tokenStartCharIndex, line, column + 1, "this character means nothing in SQL", null));
            }
        });
        lexer.unclosed = (offset, what) -> flaws.add(new Flaw(offset, lexer.getLine(), lexer.getCharPositionInLine() + 1,
            "a " + what + " begins here and is not closed", what.equals("string") ? "close it; if the text was cut at a semicolon inside of it, use splitStatements:false" : "close it"));
        for (Token token = lexer.nextToken(); token.getType() != Token.EOF; token = lexer.nextToken()) {
            if (token.getChannel() == Token.DEFAULT_CHANNEL) words.add(token);
            else if (token.getType() == PlSqlLexer.MULTI_LINE_COMMENT && character(token.getStartIndex() + 2) == '+') hints.add(token);
        }
    }

    int size() {
        return characters.size();
    }

    /** The text between two offsets, the second excluded. */
    String text(int from, int to) {
        return from >= to ? "" : characters.getText(org.antlr.v4.runtime.misc.Interval.of(from, to - 1));
    }

    /** 0 where there is none. */
    int character(int offset) {
        if (offset < 0 || offset >= characters.size()) return 0;
        return characters.getText(org.antlr.v4.runtime.misc.Interval.of(offset, offset)).codePointAt(0);
    }

    /** Whether a word stands on a line by itself. */
    boolean alone(Token token) {
        int before = token.getStartIndex() - 1;
        while (character(before) == ' ' || character(before) == '\t' || character(before) == '\r') before--;
        int after = token.getStopIndex() + 1;
        while (character(after) == ' ' || character(after) == '\t' || character(after) == '\r') after++;
        return (before < 0 || character(before) == '\n') && (after >= size() || character(after) == '\n');
    }

    /** The first flaw between two offsets, as a complaint; null: there is none. */
    Complaint flawed(int from, int to) {
        for (Flaw flaw : flaws) {
            if (flaw.offset >= from && flaw.offset < to) return new Complaint(flaw.offset, flaw.line, flaw.column, flaw.message, flaw.hint);
        }
        return null;
    }
}
