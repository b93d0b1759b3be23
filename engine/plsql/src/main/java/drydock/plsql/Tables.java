package drydock.plsql;

import drydock.plsql.grammar.PlSqlParser;
import drydock.plsql.grammar.PlSqlParser.*;
import java.util.List;
import org.antlr.v4.runtime.ParserRuleContext;
import org.antlr.v4.runtime.tree.ParseTree;

/** Tables: how they are made, and how they change. */
final class Tables {
    private final Reading reading;
    private final Facts facts;
    private final Constraints constraints;
    private final Columns columns;

    Tables(Reading reading, Facts facts) {
        this.reading = reading;
        this.facts = facts;
        constraints = new Constraints(reading, facts);
        columns = new Columns(reading, facts, constraints);
    }

    // ---- CREATE TABLE

    void created(Create_tableContext node) {
        String table = reading.names.full(node.schema_name(), node.table_name());
        reading.mentioned.add(table);
        joined(node);
        facts.act("create_table", "table", table);
        facts.set("temporary", node.TEMPORARY() != null);
        facts.set("private", node.PRIVATE() != null);
        facts.set("blockchain", node.BLOCKCHAIN() != null);
        facts.set("immutable", node.IMMUTABLE() != null);
        if (node.relational_table() != null) {
            for (Relational_propertyContext one : node.relational_table().relational_property()) property(table, one.getChild(0), true);
        }
        Storage.read(node, facts);
        facts.set("partitioned", Tree.first(node, Table_partitioning_clausesContext.class) != null);
        if (Tree.first(node, External_table_clauseContext.class) != null) {
            facts.set("external");
            facts.act("reaches_out", "to", "server_file");
        }
        for (Reference_partitioningContext one : Tree.all(node, Reference_partitioningContext.class)) facts.set("reference_partitioned", Names.last(one.constraint_name()));
        for (Table_propertiesContext one : Tree.all(node, Table_propertiesContext.class)) {
            if (one.select_only_statement() == null) continue;
            facts.set("as_select");
            reading.usage.result = reading.queries.read(one.select_only_statement(), new Scope(null));
        }
        facts.set("lob_storage", Tree.first(node, Lob_storage_clauseContext.class) != null);
    }

    private void property(String table, ParseTree one, boolean fresh) {
        if (one instanceof Column_definitionContext column) columns.defined(table, column, !fresh);
        else if (one instanceof Virtual_column_definitionContext column) columns.virtual(table, column, !fresh);
        else if (one instanceof Out_of_line_constraintContext constraint) constraints.outOfLine(table, constraint, fresh);
        else if (one instanceof Out_of_line_ref_constraintContext constraint && constraint.references_clause() != null) constraints.references(constraint.references_clause());
        else if (one instanceof Period_definitionContext period) facts.set("period", Names.last(period.column_name()));
    }

    // ---- ALTER TABLE

    /** Tables whose columns say which rows lie together. */
    private void joined(ParserRuleContext node) {
        for (Clustering_join_itemContext one : Tree.all(node, Clustering_join_itemContext.class)) {
            String name = Names.plain(one.table_name());
            reading.mention(one.schema_name() == null ? List.of(name) : List.of(Names.plain(one.schema_name()), name));
        }
    }

    void altered(Alter_tableContext node) {
        String table = reading.mention(Names.parts(node.tableview_name()));
        joined(node);
        if (node.alter_table_properties() != null) properties(table, node.alter_table_properties());
        if (node.constraint_clauses() != null) constraint(table, node.constraint_clauses());
        if (node.column_clauses() != null) column(table, node.column_clauses());
        if (node.alter_table_partitioning() != null) new Partitions(reading, facts).read(table, node.alter_table_partitioning());
        if (node.move_table_clause() != null) {
            facts.other();
            facts.set("move");
            facts.set("online", !node.move_table_clause().ONLINE().isEmpty());
            facts.set("updates_indexes", !node.move_table_clause().update_index_clauses().isEmpty() || !node.move_table_clause().ONLINE().isEmpty());
            Storage.read(node, facts);
        }
        for (Enable_disable_clauseContext one : node.enable_disable_clause()) {
            String kind = one.PRIMARY() != null ? "primary_key" : one.UNIQUE() != null ? "unique" : null;
            constraints.changed(table, constraints.nameOf(one.constraint_name()), kind, one);
            facts.set("cascade", one.CASCADE() != null);
        }
        if (Tree.has(node, PlSqlParser.LOCK)) facts.set("table_lock", Tree.words(node).contains("ENABLE TABLE LOCK") ? "enable" : "disable");
        if (Tree.has(node, PlSqlParser.TRIGGERS)) facts.set("all_triggers", Tree.words(node).contains("ENABLE ALL TRIGGERS") ? "enable" : "disable");
        if (facts.actions.isEmpty()) facts.other();
    }

    private void properties(String table, Alter_table_propertiesContext node) {
        if (node.tableview_name() != null) {
            List<String> to = Names.parts(node.tableview_name());
            String renamed = to.size() > 1 ? reading.names.full(to) : table.substring(0, table.indexOf('.') + 1) + to.get(0);
            reading.mentioned.add(renamed);
            facts.act("rename_table", "table", table, "to", renamed);
            return;
        }
        facts.other();
        if (node.shrink_clause() != null) {
            facts.set("shrink");
            facts.set("cascade", node.shrink_clause().CASCADE() != null);
            facts.set("compact", node.shrink_clause().COMPACT() != null);
        }
        if (node.READ() != null) facts.set("read_only", node.ONLY() != null ? Boolean.TRUE : Boolean.FALSE);
        if (node.annotations_clause() != null) facts.needs("23ai");
        Storage.read(node, facts);
        Row_movement_clauseContext movement = Tree.first(node, Row_movement_clauseContext.class);
        if (movement != null) facts.set("row_movement", movement.DISABLE() == null);
        facts.set("supplemental_logging", Tree.first(node, Supplemental_table_loggingContext.class) != null);
        facts.set("flashback_archive", Tree.first(node, Flashback_archive_clauseContext.class) != null);
    }

    private void constraint(String table, Constraint_clausesContext node) {
        for (Out_of_line_constraintContext one : node.out_of_line_constraint()) constraints.outOfLine(table, one, false);
        if (node.out_of_line_ref_constraint() != null) {
            property(table, node.out_of_line_ref_constraint(), false);
            facts.other();
        }
        if (node.MODIFY() != null) {
            String kind = node.PRIMARY() != null ? "primary_key" : node.UNIQUE() != null ? "unique" : null;
            constraints.changed(table, constraints.nameOf(node.constraint_name()), kind, node.constraint_state());
            facts.set("cascade", node.CASCADE() != null);
        }
        if (node.RENAME() != null) {
            facts.other();
            facts.set("rename_constraint", Facts.map("from", Names.last(node.old_constraint_name().constraint_name()), "to", Names.last(node.new_constraint_name().constraint_name())));
        }
        for (Drop_constraint_clauseContext one : node.drop_constraint_clause()) {
            if (one.constraint_name() != null) {
                facts.act("drop_constraint", "table", table, "name", Names.last(one.constraint_name()));
            } else {
                // Which one that is, only the database knows.
                facts.act("drop_constraint", "table", table, "name", one.PRIMARY() != null ? "PRIMARY KEY" : "UNIQUE (" + String.join(", ", one.column_name().stream().map(Names::last).toList()) + ")");
                facts.set("unnamed_constraint");
            }
            facts.set("cascade", one.CASCADE() != null);
            facts.set("online", one.ONLINE() != null);
            facts.set("keep_index", one.KEEP() != null);
        }
    }

    private void column(String table, Column_clausesContext node) {
        if (node.rename_column_clause() != null) {
            facts.act("rename_column", "table", table, "column", Names.last(node.rename_column_clause().old_column_name().column_name()),
                "to", Names.last(node.rename_column_clause().new_column_name().column_name()));
        }
        if (node.modify_lob_storage_clause() != null) {
            facts.other();
            facts.set("lob_storage");
        }
        if (node.modify_collection_retrieval() != null) facts.other();
        if (node.add_modify_drop_column_clauses() == null) return;
        for (ParseTree child : node.add_modify_drop_column_clauses().children) {
            if (child instanceof Constraint_clausesContext one) constraint(table, one);
            else if (child instanceof Add_column_clauseContext one) added(table, one);
            else if (child instanceof Modify_column_clausesContext one) modified(table, one);
            else if (child instanceof Drop_column_clauseContext one) dropped(table, one);
        }
    }

    private void added(String table, Add_column_clauseContext node) {
        for (ParseTree child : node.children) property(table, child, false);
        facts.set("lob_storage", Tree.first(node, Lob_storage_clauseContext.class) != null);
        if (facts.actions.isEmpty()) facts.other();
    }

    private void modified(String table, Modify_column_clausesContext node) {
        for (Modify_col_propertiesContext one : node.modify_col_properties()) columns.modified(table, one);
        if (node.modify_col_substitutable() != null) facts.other();
        if (node.column_domain() != null) facts.needs("23ai");
    }

    private void dropped(String table, Drop_column_clauseContext node) {
        for (Column_nameContext one : node.column_name()) facts.act("drop_column", "table", table, "column", Names.last(one));
        boolean unused = node.SET() != null;
        facts.set("set_unused", unused);
        facts.set("online", Tree.has(node, PlSqlParser.ONLINE));
        facts.set("cascade_constraints", Tree.has(node, PlSqlParser.CASCADE));
        if (node.UNSIGNED_INTEGER() != null) facts.set("checkpoint", Long.parseLong(node.UNSIGNED_INTEGER().getText()));
        if (node.column_name().isEmpty()) {
            facts.other();
            facts.set(node.CONTINUE() != null ? "continue_drop" : "drop_unused_columns");
        }
    }

    // ---- the rest

    void dropped(Drop_tableContext node) {
        facts.act("drop_table", "table", reading.mention(Names.parts(node.tableview_name(0))));
        facts.set("cascade_constraints", node.CASCADE() != null);
        facts.set("purge", node.PURGE() != null);
    }

    void truncated(Truncate_tableContext node) {
        facts.act("truncate_table", "table", reading.mention(Names.parts(node.tableview_name())));
        facts.set("cascade", node.CASCADE() != null);
        facts.set("reuse_storage", node.REUSE() != null);
    }

    void flashback(Flashback_tableContext node) {
        facts.set("flashback", node.BEFORE() != null ? "before_drop" : node.RESTORE() != null ? "restore_point" : node.SCN() != null ? "scn" : "timestamp");
        int tables = node.RENAME() == null ? node.tableview_name().size() : node.tableview_name().size() - 1;
        for (int i = 0; i < tables; i++) {
            String table = reading.mention(Names.parts(node.tableview_name(i)));
            if (node.BEFORE() != null) facts.act("create_table", "table", node.RENAME() == null ? table : reading.names.full(node.tableview_name(tables)));
            else facts.act("move_rows", "table", table, "kind", "merge");
        }
        for (ParserRuleContext one : node.getRuleContexts(ExpressionContext.class)) reading.expressions.read(one, new Scope(null));
    }
}
