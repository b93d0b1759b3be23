package drydock.plsql;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.Predicate;
import org.antlr.v4.runtime.ParserRuleContext;
import org.antlr.v4.runtime.Token;
import org.antlr.v4.runtime.misc.Interval;
import org.antlr.v4.runtime.tree.ParseTree;
import org.antlr.v4.runtime.tree.TerminalNode;

/** Looks around in trees of the grammar. */
final class Tree {
    private Tree() {}

    /** Whether one of these words stands directly in a node. */
    static boolean has(ParserRuleContext node, int... types) {
        if (node == null) return false;
        for (int i = 0; i < node.getChildCount(); i++) {
            if (node.getChild(i) instanceof TerminalNode leaf) {
                for (int type : types) if (leaf.getSymbol().getType() == type) return true;
            }
        }
        return false;
    }

    /** All nodes of a kind, the outer before the inner. */
    static <T> List<T> all(ParseTree node, Class<T> kind) {
        List<T> found = new ArrayList<>();
        collect(node, kind, found, n -> false);
        return found;
    }

    /** The same, without what lies inside of nodes that are not to be entered. */
    static <T> List<T> all(ParseTree node, Class<T> kind, Predicate<ParseTree> closed) {
        List<T> found = new ArrayList<>();
        collect(node, kind, found, closed);
        return found;
    }

    static <T> T first(ParseTree node, Class<T> kind) {
        List<T> found = all(node, kind);
        return found.isEmpty() ? null : found.get(0);
    }

    private static <T> void collect(ParseTree node, Class<T> kind, List<T> found, Predicate<ParseTree> closed) {
        if (node == null || closed.test(node)) return;
        if (kind.isInstance(node)) found.add(kind.cast(node));
        for (int i = 0; i < node.getChildCount(); i++) collect(node.getChild(i), kind, found, closed);
    }

    /** The words of a node, upper case where they are not quoted, with one space between them. */
    static String words(ParseTree node) {
        StringBuilder to = new StringBuilder();
        words(node, to);
        return to.toString();
    }

    private static void words(ParseTree node, StringBuilder to) {
        if (node instanceof TerminalNode leaf) {
            if (leaf.getSymbol().getType() == Token.EOF) return;
            if (to.length() > 0) to.append(' ');
            String text = leaf.getText();
            to.append(text.startsWith("'") || text.startsWith("\"") ? text : text.toUpperCase(Locale.ROOT));
            return;
        }
        for (int i = 0; node != null && i < node.getChildCount(); i++) words(node.getChild(i), to);
    }

    /** The text of a node as it was written. */
    static String text(ParserRuleContext node) {
        if (node.getStart() == null || node.getStop() == null || node.getStop().getStopIndex() < node.getStart().getStartIndex()) return "";
        return node.getStart().getInputStream().getText(Interval.of(node.getStart().getStartIndex(), node.getStop().getStopIndex()));
    }

    /** Whether these words follow each other somewhere in a text of {@code words}. */
    static boolean says(String words, String wanted) {
        return (" " + words + " ").contains(" " + wanted + " ");
    }

    /** The only way down from a node, as far as there is one. */
    static ParseTree core(ParseTree node) {
        while (node != null && node.getChildCount() == 1) node = node.getChild(0);
        return node;
    }
}
