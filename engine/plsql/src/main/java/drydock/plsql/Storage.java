package drydock.plsql;

import drydock.plsql.grammar.PlSqlParser.*;
import org.antlr.v4.runtime.ParserRuleContext;

/** How something is stored and made: facts that tables, indexes and materialized views have in common. */
final class Storage {
    private Storage() {}

    static void read(ParserRuleContext node, Facts facts) {
        for (Parallel_clauseContext one : Tree.all(node, Parallel_clauseContext.class)) {
            facts.set("parallel", one.NOPARALLEL() != null ? "1" : one.parallel_count != null ? one.parallel_count.getText() : "default");
        }
        for (Logging_clauseContext one : Tree.all(node, Logging_clauseContext.class)) facts.set(one.NOLOGGING() != null ? "nologging" : "logging");
        for (Table_compressionContext one : Tree.all(node, Table_compressionContext.class)) facts.set("compress", Tree.words(one));
        for (Key_compressionContext one : Tree.all(node, Key_compressionContext.class)) facts.set("compress", Tree.words(one));
        for (Segment_attributes_clauseContext one : Tree.all(node, Segment_attributes_clauseContext.class)) {
            if (one.tablespace_name != null) facts.set("tablespace", Names.plain(one.tablespace_name));
        }
        for (TablespaceContext one : Tree.all(node, TablespaceContext.class)) facts.set("tablespace", Names.plain(one));
        Deferred_segment_creationContext segment = Tree.first(node, Deferred_segment_creationContext.class);
        facts.set("deferred_segment", segment != null && segment.DEFERRED() != null);
    }
}
