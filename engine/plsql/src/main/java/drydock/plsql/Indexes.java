package drydock.plsql;

import drydock.plsql.grammar.PlSqlParser;
import drydock.plsql.grammar.PlSqlParser.*;
import java.util.ArrayList;
import java.util.List;
import org.antlr.v4.runtime.ParserRuleContext;

/** Indexes. */
final class Indexes {
    private final Reading reading;
    private final Facts facts;

    Indexes(Reading reading, Facts facts) {
        this.reading = reading;
        this.facts = facts;
    }

    void created(Create_indexContext node) {
        String index = reading.names.full(node.index_name());
        String table = null;
        List<String> columns = new ArrayList<>();
        if (node.table_index_clause() != null) {
            Table_index_clauseContext on = node.table_index_clause();
            table = reading.mention(Names.parts(on.tableview_name()));
            for (Index_exprContext one : on.index_expr()) columns.add(column(one));
        } else if (node.bitmap_join_index_clause() != null) {
            Bitmap_join_index_clauseContext on = node.bitmap_join_index_clause();
            table = reading.mention(Names.parts(on.tableview_name(0)));
            // The last names are those of its FROM; between them stand qualifiers of columns.
            int tables = on.table_alias().size();
            for (int i = Math.max(1, on.tableview_name().size() - tables); i < on.tableview_name().size(); i++) reading.mention(Names.parts(on.tableview_name(i)));
        } else {
            table = reading.names.full(Names.parts(node.cluster_index_clause().cluster_name()));
            facts.set("cluster", true);
        }
        facts.act("create_index", "table", table, "index", index, "unique", node.UNIQUE() != null);
        facts.set("index_columns", columns);
        facts.set("bitmap", node.BITMAP() != null);
        if (node.MULTIVALUE() != null) facts.needs("21c");
        if (node.SEARCH() != null) facts.set("indextype", "SEARCH");
        if (node.VECTOR() != null) facts.needs("23ai");
        facts.set("unusable", Tree.has(node, PlSqlParser.UNUSABLE));
        facts.set("deferred_invalidation", Tree.has(node, PlSqlParser.DEFERRED));
        Domain_index_clauseContext domain = Tree.first(node, Domain_index_clauseContext.class);
        if (domain != null) facts.set("indextype", reading.names.full(Names.parts(domain.indextype())));
        facts.set("local", Tree.first(node, Local_partitioned_indexContext.class) != null);
        facts.set("global", Tree.first(node, Global_partitioned_indexContext.class) != null);
        attributes(node);
    }

    /** A column's name, or an expression as it was written. */
    private static String column(Index_exprContext node) {
        return node.getStart() == node.getStop() ? Names.plain(node.getText()) : Tree.words(node);
    }

    private void attributes(ParserRuleContext node) {
        for (Index_attributesContext one : Tree.all(node, Index_attributesContext.class)) {
            facts.set("online", one.ONLINE() != null && !one.ONLINE().isEmpty());
            facts.set("reverse", Tree.has(one, PlSqlParser.REVERSE));
        }
        if (Tree.first(node, Visible_or_invisibleContext.class) != null) {
            boolean hidden = Tree.all(node, Visible_or_invisibleContext.class).stream().anyMatch(v -> v.INVISIBLE() != null);
            facts.set(hidden ? "invisible" : "visible");
        }
        Storage.read(node, facts);
    }

    void altered(Alter_indexContext node) {
        facts.set("index", reading.names.full(node.index_name()));
        facts.other();
        Storage.read(node, facts);
        Alter_index_ops_set2Context op = node.alter_index_ops_set2();
        if (op == null) return;
        if (op.rebuild_clause() != null) {
            facts.set("rebuild");
            facts.set("online", Tree.has(op.rebuild_clause(), PlSqlParser.ONLINE));
            facts.set("partition_only", Tree.has(op.rebuild_clause(), PlSqlParser.PARTITION, PlSqlParser.SUBPARTITION));
        }
        if (op.UNUSABLE() != null) {
            facts.set("unusable");
            facts.set("online", op.ONLINE() != null);
        }
        if (op.visible_or_invisible() != null) facts.set(op.visible_or_invisible().INVISIBLE() != null ? "invisible" : "visible");
        if (op.new_index_name() != null) facts.set("rename_to", reading.names.full(List.of(facts.more.get("index").toString().split("\\.")[0], Names.last(op.new_index_name().index_name()))));
        facts.set("coalesce", op.COALESCE() != null);
        if (op.enable_or_disable() != null) facts.set(op.enable_or_disable().ENABLE() != null ? "enable" : "disable");
        if (op.alter_index_partitioning() != null) {
            String words = Tree.words(op.alter_index_partitioning());
            facts.set("partition", Facts.map("kind", words.split(" ")[0].toLowerCase(), "of", "index"));
            facts.set("unusable", Tree.says(words, "UNUSABLE"));
        }
    }

    void dropped(Drop_indexContext node) {
        facts.act("drop_index", "index", reading.names.full(node.index_name()), "table", null);
        facts.set("online", !node.ONLINE().isEmpty());
        facts.set("force", !node.FORCE().isEmpty());
        facts.set("deferred_invalidation", !node.DEFERRED().isEmpty());
    }
}
