package drydock.plsql;

import drydock.plsql.grammar.PlSqlParser;
import drydock.plsql.grammar.PlSqlParser.*;
import java.util.List;
import org.antlr.v4.runtime.ParserRuleContext;

/** Which version of Oracle has a form first. The grammar takes the newest; an older server would refuse it. */
final class Versions {
    private static final List<String> KNOWN = List.of("11g", "12c", "18c", "19c", "21c", "23ai");

    private Versions() {}

    static boolean has(String version, String needed) {
        return needed == null || KNOWN.indexOf(version) < 0 || KNOWN.indexOf(version) >= KNOWN.indexOf(needed);
    }

    static void read(ParserRuleContext tree, Facts facts) {
        for (Query_blockContext block : Tree.all(tree, Query_blockContext.class)) {
            if (block.from_clause() == null) facts.needs("23ai");
            if (block.window_clause() != null) facts.needs("21c");
        }
        for (Values_rowsContext ignored : Tree.all(tree, Values_rowsContext.class)) facts.needs("23ai");
        for (Values_clauseContext one : Tree.all(tree, Values_clauseContext.class)) if (one.expressions_().size() > 1) facts.needs("23ai");
        for (Update_statementContext one : Tree.all(tree, Update_statementContext.class)) if (one.from_clause() != null) facts.needs("23ai");
        for (Delete_statementContext one : Tree.all(tree, Delete_statementContext.class)) {
            // DELETE t FROM s, but not DELETE FROM t.
            if (one.from_clause() != null) facts.needs("23ai");
        }
        for (Returned_valueContext one : Tree.all(tree, Returned_valueContext.class)) if (one.OLD() != null || one.NEW() != null) facts.needs("23ai");
        for (Json_constructorContext ignored : Tree.all(tree, Json_constructorContext.class)) facts.needs("21c");
        for (Fetch_clauseContext one : Tree.all(tree, Fetch_clauseContext.class)) if (one.APPROX() != null || one.regular_id() != null) facts.needs("23ai");
        for (Subquery_operation_partContext one : Tree.all(tree, Subquery_operation_partContext.class)) {
            if (one.EXCEPT() != null || one.ALL() != null && one.UNION() == null) facts.needs("21c");
        }
        for (ConstantContext one : Tree.all(tree, ConstantContext.class)) {
            if (Tree.has(one, PlSqlParser.TRUE, PlSqlParser.FALSE) && facts.kind.equals("create_table")) facts.needs("23ai");
        }
    }
}
