package drydock.plsql;

import drydock.plsql.grammar.PlSqlParser.Column_nameContext;
import drydock.plsql.grammar.PlSqlParser.Partition_extension_clauseContext;
import drydock.plsql.grammar.PlSqlParser.Tableview_nameContext;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.antlr.v4.runtime.ParserRuleContext;
import org.antlr.v4.runtime.tree.ParseTree;
import org.antlr.v4.runtime.tree.TerminalNode;

/** Names as the catalog writes them: {@code SCHEMA.NAME}, upper case where they were not quoted. */
final class Names {
    final String schema;

    Names(String schema) {
        this.schema = schema;
    }

    /** One part of a name. */
    static String plain(String text) {
        if (text.length() > 1 && text.startsWith("\"")) return text.substring(1, text.length() - 1).replace("\"\"", "\"");
        return text.toUpperCase(Locale.ROOT);
    }

    static String plain(ParserRuleContext node) {
        return plain(node.getText());
    }

    /** What a string says, whatever its delimiters; null: it is none. */
    static String string(String text) {
        String upper = text.toUpperCase(Locale.ROOT);
        int quote = upper.indexOf('\'');
        if (quote < 0 || quote > 2 || text.length() < quote + 2) return null;
        String prefix = upper.substring(0, quote);
        if (prefix.isEmpty() || prefix.equals("N")) return text.substring(quote + 1, text.length() - 1).replace("''", "'");
        boolean own = (prefix.equals("Q") || prefix.equals("NQ")) && text.length() >= quote + 4;
        return own ? text.substring(quote + 2, text.length() - 2) : null;
    }

    /** The parts of a name with dots; what comes from a link, a call or a partition on is left out. */
    static List<String> parts(ParserRuleContext node) {
        List<String> parts = new ArrayList<>();
        for (int i = 0; i < node.getChildCount(); i++) {
            ParseTree child = node.getChild(i);
            if (child instanceof TerminalNode leaf) {
                if (leaf.getText().equals(".")) continue;
                break;
            }
            if (child instanceof Partition_extension_clauseContext) break;
            if (child instanceof Tableview_nameContext || child instanceof Column_nameContext) parts.addAll(parts((ParserRuleContext) child));
            else parts.add(plain(child.getText()));
        }
        return parts;
    }

    /** The last part: what a column or a constraint is called. */
    static String last(ParserRuleContext node) {
        List<String> parts = parts(node);
        return parts.isEmpty() ? plain(node) : parts.get(parts.size() - 1);
    }

    /** With the schema that holds where none is written. */
    String full(List<String> parts) {
        if (parts.size() > 1) return parts.get(parts.size() - 2) + "." + parts.get(parts.size() - 1);
        return schema + "." + parts.get(0);
    }

    String full(ParserRuleContext node) {
        return full(parts(node));
    }

    /** Of a schema that may be missing, and a name. */
    String full(ParserRuleContext schemaNode, ParserRuleContext name) {
        return (schemaNode == null ? schema : plain(schemaNode)) + "." + plain(name);
    }
}
