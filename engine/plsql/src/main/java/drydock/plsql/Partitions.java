package drydock.plsql;

import drydock.plsql.grammar.PlSqlParser;
import drydock.plsql.grammar.PlSqlParser.*;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
import org.antlr.v4.runtime.ParserRuleContext;

/** Maintenance of partitions, and what becomes of global indexes by it. */
final class Partitions {
    private final Reading reading;
    private final Facts facts;

    Partitions(Reading reading, Facts facts) {
        this.reading = reading;
        this.facts = facts;
    }

    void read(String table, Alter_table_partitioningContext node) {
        ParserRuleContext form = (ParserRuleContext) node.getChild(0);
        Map<String, Object> partition = new LinkedHashMap<>();
        partition.put("kind", kind(form));
        partition.put("of", "table");
        Set<String> names = new LinkedHashSet<>();
        for (Partition_nameContext name : Tree.all(form, Partition_nameContext.class)) names.add(Names.plain(name));
        partition.put("names", new java.util.ArrayList<>(names));
        boolean sub = Tree.first(form, Subpartition_extended_namesContext.class) != null || Tree.has(form, PlSqlParser.SUBPARTITION, PlSqlParser.SUBPARTITIONS);
        if (sub) partition.put("subpartition", true);
        facts.other();
        boolean updated = false;
        boolean invalidated = false;
        for (Update_index_clausesContext one : Tree.all(form, Update_index_clausesContext.class)) {
            updated |= !Tree.says(Tree.words(one), "INVALIDATE");
            invalidated |= Tree.says(Tree.words(one), "INVALIDATE");
        }
        partition.put("updates_indexes", updated);
        if (invalidated) partition.put("invalidates_indexes", true);
        boolean online = Tree.has(form, PlSqlParser.ONLINE);
        for (Online_and_indexesContext one : Tree.all(form, Online_and_indexesContext.class)) online |= Tree.has(one, PlSqlParser.ONLINE);
        facts.set("online", online);
        if (form instanceof Exchange_table_partitionContext exchange) {
            String with = reading.mention(Names.parts(exchange.tableview_name()));
            partition.put("with", with);
            partition.put("validates", exchange.WITHOUT() == null);
            partition.put("including_indexes", exchange.INCLUDING() != null);
            // Rows of each go to the other.
            facts.actions.clear();
            facts.act("detach_partition", "table", table, "partition", names.isEmpty() ? "?" : names.iterator().next());
            facts.act("attach_partition", "table", table, "partition", with);
        }
        if (form instanceof Truncate_table_partitionContext || form instanceof Drop_table_partitionContext) partition.put("loses_rows", true);
        facts.set("cascade", form instanceof Truncate_table_partitionContext && Tree.has(form, PlSqlParser.CASCADE));
        Storage.read(form, facts);
        facts.set("partition", partition);
    }

    private static String kind(ParserRuleContext form) {
        if (form instanceof Add_table_partitionContext) return "add";
        if (form instanceof Drop_table_partitionContext) return "drop";
        if (form instanceof Merge_table_partitionContext) return "merge";
        if (form instanceof Modify_table_partitionContext modify) return modify.table_partitioning_clauses() != null ? "repartition" : "modify";
        if (form instanceof Split_table_partitionContext) return "split";
        if (form instanceof Truncate_table_partitionContext) return "truncate";
        if (form instanceof Exchange_table_partitionContext) return "exchange";
        if (form instanceof Coalesce_table_partitionContext) return "coalesce";
        if (form instanceof Move_table_partitionContext) return "move";
        if (form instanceof Rename_table_partitionContext) return "rename";
        if (form instanceof Alter_interval_partitionContext) return "interval";
        return "attributes";
    }
}
