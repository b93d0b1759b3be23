package drydock.plsql;

import drydock.plsql.grammar.PlSqlParser;
import drydock.plsql.grammar.PlSqlParser.*;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.antlr.v4.runtime.ParserRuleContext;

/** Sequences, synonyms, types, privileges and what goes by DROP. */
final class Objects {
    private final Reading reading;
    private final Facts facts;

    Objects(Reading reading, Facts facts) {
        this.reading = reading;
        this.facts = facts;
    }

    /** Whether it is one of these. */
    boolean read(ParserRuleContext node) {
        if (node instanceof Create_sequenceContext one) sequence(one.sequence_name(), one.sequence_spec());
        else if (node instanceof Alter_sequenceContext one) sequence(one.sequence_name(), one.sequence_spec());
        else if (node instanceof Create_synonymContext one) synonym(one);
        else if (node instanceof Drop_synonymContext one) dropSynonym(one);
        else if (node instanceof Grant_statementContext one) grant(one);
        else if (node instanceof Revoke_statementContext one) revoke(one);
        else if (node instanceof Rename_objectContext one) rename(one);
        else if (node instanceof Comment_on_tableContext one) comment(reading.mention(Names.parts(one.tableview_name())));
        else if (node instanceof Comment_on_materializedContext one) comment(reading.mention(Names.parts(one.tableview_name())));
        else if (node instanceof Comment_on_columnContext one) commentOnColumn(one);
        else if (node instanceof Alter_typeContext one) type(one);
        else return drop(node);
        return true;
    }

    private void sequence(Sequence_nameContext name, List<Sequence_specContext> specs) {
        Map<String, Object> sequence = new LinkedHashMap<>();
        sequence.put("name", reading.names.full(name));
        boolean restarts = false;
        for (Sequence_specContext spec : specs) {
            String words = Tree.words(spec).replace("- ", "-");
            String last = words.substring(words.lastIndexOf(' ') + 1);
            if (spec.CACHE() != null) sequence.put("cache", last);
            else if (spec.INCREMENT() != null) sequence.put("increment", last);
            else if (spec.sequence_start_clause() != null) sequence.put("start", last);
            else if (spec.RESTART() != null) restarts = true;
            else if (spec.MAXVALUE() != null) sequence.put("maxvalue", last);
            else if (spec.MINVALUE() != null) sequence.put("minvalue", last);
            else sequence.put(words.toLowerCase(Locale.ROOT).replace(' ', '_'), true);
        }
        facts.set("sequence", sequence);
        if (restarts) facts.act("restart_sequence");
        else facts.other();
    }

    private void synonym(Create_synonymContext node) {
        boolean everybody = node.PUBLIC() != null;
        int schemas = node.schema_name().size();
        // Before FOR, before the object, and before a link.
        boolean own = !everybody && node.children.indexOf(node.synonym_name()) > 0 && node.getChild(node.children.indexOf(node.synonym_name()) - 1).getText().equals(".");
        ParserRuleContext of = null;
        int object = node.children.indexOf(node.schema_object_name());
        if (node.getChild(object - 1).getText().equals(".")) of = (ParserRuleContext) node.getChild(object - 2);
        String name = everybody ? "PUBLIC." + Names.plain(node.synonym_name()) : reading.names.full(own && schemas > 0 ? node.schema_name(0) : null, node.synonym_name());
        String target = reading.names.full(of, node.schema_object_name());
        Map<String, Object> synonym = Facts.map("name", name, "for", target);
        if (node.link_name() != null) {
            synonym.put("link", Names.plain(node.link_name()));
            facts.set("link", Names.plain(node.link_name()));
        } else {
            reading.mentioned.add(target);
        }
        facts.set("synonym", synonym);
        facts.set("replace", node.REPLACE() != null);
        facts.other();
    }

    private void dropSynonym(Drop_synonymContext node) {
        String name = node.PUBLIC() != null ? "PUBLIC." + Names.plain(node.synonym_name()) : reading.names.full(node.schema_name(), node.synonym_name());
        facts.set("synonym", Facts.map("name", name));
        facts.set("force", node.FORCE() != null);
        facts.other();
    }

    private void grant(Grant_statementContext node) {
        List<String> relations = new ArrayList<>();
        if (node.grant_object_name() != null && node.grant_object_name().tableview_name() != null) relations.add(reading.mention(Names.parts(node.grant_object_name().tableview_name())));
        if (node.grant_object_name() != null && Tree.has(node.grant_object_name(), PlSqlParser.SCHEMA)) facts.needs("23ai");
        facts.act("grant", "relations", relations);
        List<String> privileges = new ArrayList<>();
        for (ParserRuleContext one : node.getRuleContexts(ParserRuleContext.class)) {
            if (one instanceof Object_privilegeContext || one instanceof System_privilegeContext || one instanceof Role_nameContext) privileges.add(Tree.words(one));
        }
        facts.set("privileges", privileges);
        List<String> to = new ArrayList<>(node.grantee_name().stream().map(g -> Names.plain(g.id_expression())).toList());
        if (Tree.has(node, PlSqlParser.PUBLIC)) to.add("PUBLIC");
        facts.set("to", to);
        facts.set("grant_option", Tree.words(node).contains("WITH GRANT OPTION"));
    }

    private void revoke(Revoke_statementContext node) {
        List<String> relations = new ArrayList<>();
        On_object_clauseContext on = Tree.first(node, On_object_clauseContext.class);
        if (on != null && on.o != null) {
            relations.add(reading.mention(on.schema_name() == null ? List.of(Names.plain(on.o)) : List.of(Names.plain(on.schema_name()), Names.plain(on.o))));
        }
        facts.act("revoke", "relations", relations);
        List<String> privileges = new ArrayList<>();
        for (Object_privilegeContext one : Tree.all(node, Object_privilegeContext.class)) privileges.add(Tree.words(one));
        if (privileges.isEmpty() && Tree.says(Tree.words(node), "ALL")) privileges.add("ALL");
        facts.set("privileges", privileges);
        Revokee_clauseContext from = Tree.first(node, Revokee_clauseContext.class);
        if (from != null) {
            List<String> names = new ArrayList<>(from.id_expression().stream().map(Names::plain).toList());
            if (Tree.has(from, PlSqlParser.PUBLIC)) names.add("PUBLIC");
            facts.set("to", names);
        }
    }

    private void rename(Rename_objectContext node) {
        String from = reading.mention(Names.parts(node.object_name(0)));
        String to = reading.names.full(node.object_name(1));
        reading.mentioned.add(to);
        facts.act("rename_table", "table", from, "to", to);
    }

    private void comment(String on) {
        facts.set("comment_on", on);
        facts.other();
    }

    private void commentOnColumn(Comment_on_columnContext node) {
        List<String> parts = Names.parts(node.column_name());
        if (parts.size() > 1) {
            comment(reading.mention(parts.subList(0, parts.size() - 1)));
            facts.set("column", parts.get(parts.size() - 1));
        } else {
            facts.other();
        }
    }

    private void type(Alter_typeContext node) {
        facts.set("type", reading.names.full(node.type_name()));
        facts.set("cascade", node.dependent_handling_clause() != null && node.dependent_handling_clause().CASCADE() != null);
        facts.set("compile", node.compile_type_clause() != null);
        facts.other();
    }

    // ---- DROP

    private boolean drop(ParserRuleContext node) {
        if (node instanceof Drop_sequenceContext one) drop("sequence", reading.names.full(one.sequence_name()));
        else if (node instanceof Drop_triggerContext one) drop("trigger", reading.names.full(one.trigger_name()));
        else if (node instanceof Drop_functionContext one) drop("function", reading.names.full(one.function_name()));
        else if (node instanceof Drop_procedureContext one) drop("procedure", reading.names.full(one.procedure_name()));
        else if (node instanceof Drop_packageContext one) drop("routine", reading.names.full(one.schema_object_name(), one.package_name()));
        else if (node instanceof Drop_roleContext one) drop("role", Names.plain(one.role_name()));
        else if (node instanceof Drop_domainContext one) drop("domain", reading.names.full(one.type_name()));
        else if (node instanceof Drop_typeContext one) {
            drop("type", reading.names.full(one.type_name()));
            facts.set("force", one.FORCE() != null);
        } else if (node instanceof Drop_userContext one) {
            drop("schema", Names.plain(one.user_object_name()));
            facts.set("cascade", one.CASCADE() != null);
        } else {
            return false;
        }
        facts.set("body", Tree.has(node, PlSqlParser.BODY));
        return true;
    }

    private void drop(String kind, String name) {
        facts.act("drop_object", "kind", kind, "name", name);
    }
}
