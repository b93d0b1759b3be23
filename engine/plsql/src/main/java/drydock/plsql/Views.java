package drydock.plsql;

import drydock.plsql.grammar.PlSqlParser;
import drydock.plsql.grammar.PlSqlParser.*;
import java.util.List;

/** Views, materialized views and their logs. */
final class Views {
    private final Reading reading;
    private final Facts facts;

    Views(Reading reading, Facts facts) {
        this.reading = reading;
        this.facts = facts;
    }

    void created(Create_viewContext node) {
        String view = reading.names.full(node.schema_name(), node.v);
        facts.act("create_view", "view", view);
        facts.set("view", view);
        facts.set("replace", node.REPLACE() != null);
        facts.set("force", node.FORCE() != null && node.NO() == null);
        Editioning_clauseContext edition = node.editioning_clause();
        facts.set("editioning", edition != null && edition.EDITIONING() != null);
        editionable(edition != null && edition.EDITIONABLE() != null, edition != null && edition.NONEDITIONABLE() != null);
        facts.set("duality", edition != null && edition.DUALITY() != null);
        if (edition != null && edition.DUALITY() != null) facts.needs("23ai");
        Subquery_restriction_clauseContext restriction = node.subquery_restriction_clause();
        if (restriction != null) facts.set(restriction.READ() != null ? "read_only" : "check_option");
        if (node.graph_view() != null) {
            for (Graph_viewContext one : Tree.all(node, Graph_viewContext.class)) reading.base(reading.mention(Names.parts(one.tableview_name())), null);
            return;
        }
        List<String> names = null;
        if (node.view_options() != null && node.view_options().view_alias_constraint() != null) {
            names = node.view_options().view_alias_constraint().table_alias().stream().map(Names::plain).toList();
            if (names.isEmpty()) names = null;
        }
        reading.usage.result = Queries.renamed(reading.queries.read(node.select_only_statement(), new Scope(null)), names);
    }

    private void editionable(boolean yes, boolean no) {
        if (yes) facts.set("editionable", Boolean.TRUE);
        if (no) facts.set("editionable", Boolean.FALSE);
    }

    void altered(Alter_viewContext node) {
        String view = reading.mention(Names.parts(node.tableview_name()));
        Constraints constraints = new Constraints(reading, facts);
        facts.set("view", view);
        if (node.out_of_line_constraint() != null) constraints.outOfLine(view, node.out_of_line_constraint(), false);
        else if (node.DROP() != null && node.constraint_name() != null) facts.act("drop_constraint", "table", view, "name", Names.last(node.constraint_name()));
        else facts.other();
        facts.set("compile", node.COMPILE() != null);
    }

    void dropped(Drop_viewContext node) {
        facts.act("drop_view", "view", reading.mention(Names.parts(node.tableview_name())));
        facts.set("cascade_constraints", node.CASCADE() != null);
    }

    void created(Create_materialized_viewContext node) {
        String view = reading.names.full(Names.parts(node.tableview_name()));
        facts.act("create_view", "view", view);
        facts.set("view", view);
        facts.set("materialized");
        facts.set("prebuilt", Tree.has(node, PlSqlParser.PREBUILT));
        refresh(Tree.words(node.create_mv_refresh()));
        if (node.build_clause() != null) facts.set("build", node.build_clause().DEFERRED() != null ? "deferred" : "immediate");
        facts.set("query_rewrite", Tree.has(node, PlSqlParser.REWRITE) && Tree.has(node, PlSqlParser.ENABLE));
        Storage.read(node, facts);
        reading.usage.result = reading.queries.read(node.select_only_statement(), new Scope(null));
    }

    private void refresh(String words) {
        if (words.isEmpty()) return;
        for (String how : List.of("FAST", "COMPLETE", "FORCE", "NEVER")) if (Tree.says(words, how)) facts.set("refresh", how.toLowerCase());
        for (String when : List.of("COMMIT", "DEMAND", "STATEMENT")) if (Tree.says(words, "ON " + when)) facts.set("refresh_on", when.toLowerCase());
    }

    void altered(Alter_materialized_viewContext node) {
        facts.set("materialized");
        facts.set("view", reading.names.full(Names.parts(node.tableview_name())));
        facts.set("compile", node.COMPILE() != null);
        if (node.alter_mv_option1() != null) refresh(Tree.words(node.alter_mv_option1()));
        Storage.read(node, facts);
        facts.other();
    }

    void dropped(Drop_materialized_viewContext node) {
        facts.act("drop_view", "view", reading.names.full(Names.parts(node.tableview_name())));
        facts.set("materialized");
        facts.set("preserve_table", node.PRESERVE() != null);
    }
}
