package drydock.plsql;

import drydock.plsql.grammar.PlSqlLexer;
import drydock.plsql.grammar.PlSqlParser;
import java.util.List;
import java.util.function.Function;
import org.antlr.v4.runtime.BailErrorStrategy;
import org.antlr.v4.runtime.CommonTokenStream;
import org.antlr.v4.runtime.ListTokenSource;
import org.antlr.v4.runtime.Parser;
import org.antlr.v4.runtime.ParserRuleContext;
import org.antlr.v4.runtime.RecognitionException;
import org.antlr.v4.runtime.Token;
import org.antlr.v4.runtime.atn.PredictionMode;
import org.antlr.v4.runtime.misc.IntervalSet;
import org.antlr.v4.runtime.misc.ParseCancellationException;

/**
 * Runs the grammar over words. The quick way of deciding comes first; where it fails, the thorough one says whether it was right.
 */
final class Grammar {
    /** Looks at words, per word, after which a text counts as too tangled: no statement of sense comes near. */
    private static final long LOOKS_PER_WORD = 20_000;

    /** A tree, and how many words it took. */
    record Parsed<T>(T tree, int words) {}

    /** Where the grammar does not go on. */
    static final class Stuck extends Exception {
        private static final long serialVersionUID = 1L;
        /** Index among the words; their number: at the end. */
        final transient int at;
        final transient List<String> wanted;
        final transient boolean tangled;

        Stuck(int at, List<String> wanted, boolean tangled) {
            super(null, null, false, false);
            this.at = at;
            this.wanted = wanted;
            this.tangled = tangled;
        }
    }

    private static final class Tangled extends RuntimeException {
        private static final long serialVersionUID = 1L;

        Tangled() {
            super(null, null, false, false);
        }
    }

    /** Words that count how often they are looked at. */
    private static final class Counted extends CommonTokenStream {
        private long left;
        /** The last word that anybody looked at: there it goes wrong, wherever the decision that found out began. */
        int farthest;

        Counted(List<Token> words) {
            super(new ListTokenSource(words));
            left = LOOKS_PER_WORD * (words.size() + 100);
        }

        @Override
        public void consume() {
            if (--left < 0) throw new Tangled();
            super.consume();
            farthest = Math.max(farthest, index());
        }
    }

    /** Gives up at the first thing that does not fit, and remembers it. */
    private static final class GiveUp extends BailErrorStrategy {
        Token at;
        IntervalSet wanted;

        @Override
        public void recover(Parser parser, RecognitionException e) {
            at = e.getOffendingToken();
            wanted = e instanceof org.antlr.v4.runtime.NoViableAltException ? null : e.getExpectedTokens();
            throw new ParseCancellationException(e);
        }

        @Override
        public Token recoverInline(Parser parser) {
            at = parser.getCurrentToken();
            wanted = parser.getExpectedTokens();
            throw new ParseCancellationException();
        }
    }

    /** More of what was learnt than this is forgotten. It grows with each new form of a statement; a state takes about 10 KB. */
    private static final int MOST_LEARNT = 10_000;

    private Grammar() {}

    /** Keeps the memory in bounds that the grammar takes to decide faster the next time. */
    static void forget() {
        PlSqlParser parser = new PlSqlParser(new CommonTokenStream(new ListTokenSource(List.of())));
        if (learnt(parser) > MOST_LEARNT) parser.getInterpreter().clearDFA();
    }

    static int learnt() {
        return learnt(new PlSqlParser(new CommonTokenStream(new ListTokenSource(List.of()))));
    }

    private static int learnt(PlSqlParser parser) {
        int states = 0;
        for (org.antlr.v4.runtime.dfa.DFA decision : parser.getInterpreter().decisionToDFA) states += decision.states.size();
        return states;
    }

    static <T extends ParserRuleContext> Parsed<T> parse(List<Token> words, Function<PlSqlParser, T> rule) throws Stuck {
        PlSqlParser parser = new PlSqlParser(new Counted(words));
        parser.removeErrorListeners();
        parser.setErrorHandler(new BailErrorStrategy());
        parser.getInterpreter().setPredictionMode(PredictionMode.SLL);
        try {
            T tree = rule.apply(parser);
            return new Parsed<>(tree, parser.getCurrentToken().getTokenIndex());
        } catch (ParseCancellationException e) {
            return thorough(words, rule);
        } catch (Tangled e) {
            throw new Stuck(0, List.of(), true);
        }
    }

    private static <T extends ParserRuleContext> Parsed<T> thorough(List<Token> words, Function<PlSqlParser, T> rule) throws Stuck {
        Counted stream = new Counted(words);
        PlSqlParser parser = new PlSqlParser(stream);
        GiveUp strategy = new GiveUp();
        parser.removeErrorListeners();
        parser.setErrorHandler(strategy);
        parser.getInterpreter().setPredictionMode(PredictionMode.LL);
        try {
            T tree = rule.apply(parser);
            return new Parsed<>(tree, parser.getCurrentToken().getTokenIndex());
        } catch (ParseCancellationException e) {
            int at = strategy.at == null || strategy.at.getType() == Token.EOF ? words.size() : strategy.at.getTokenIndex();
            boolean there = stream.farthest <= at;
            throw new Stuck(Math.min(there ? at : stream.farthest, words.size()), there ? wanted(parser, strategy.wanted) : List.of(), false);
        } catch (Tangled e) {
            throw new Stuck(0, List.of(), true);
        }
    }

    /** What would have fitted, as people write it; empty where it is too much to be of use. */
    private static List<String> wanted(PlSqlParser parser, IntervalSet set) {
        if (set == null || set.size() > 4) return List.of();
        return set.toList().stream().filter(t -> t > 0).map(t -> {
            if (t == PlSqlLexer.REGULAR_ID || t == PlSqlLexer.DELIMITED_ID) return "a name";
            if (t == PlSqlLexer.CHAR_STRING) return "a string";
            if (t == PlSqlLexer.UNSIGNED_INTEGER) return "a number";
            String literal = parser.getVocabulary().getLiteralName(t);
            return literal == null ? parser.getVocabulary().getSymbolicName(t) : literal.substring(1, literal.length() - 1);
        }).distinct().toList();
    }
}
