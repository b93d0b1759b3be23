package drydock.plsql;

import drydock.plsql.grammar.PlSqlParser;
import drydock.plsql.grammar.PlSqlParser.*;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.antlr.v4.runtime.ParserRuleContext;
import org.antlr.v4.runtime.Token;

/** Blocks, routines, packages, triggers and types. */
final class Units {
    private final Reading reading;
    private final Facts facts;

    Units(Reading reading, Facts facts) {
        this.reading = reading;
        this.facts = facts;
    }

    /** Whether it is one of these. */
    boolean read(ParserRuleContext node) {
        if (node instanceof Anonymous_blockContext || node instanceof Call_statementContext) {
            facts.act("runs_code");
            body(node);
            return true;
        }
        if (node instanceof Create_function_bodyContext one) made("function", reading.names.full(one.function_name()), node);
        else if (node instanceof Create_procedure_bodyContext one) made("procedure", reading.names.full(one.procedure_name()), node);
        else if (node instanceof Create_packageContext one) made("package", reading.names.full(one.schema_object_name(), one.package_name(0)), node);
        else if (node instanceof Create_package_bodyContext one) made("package_body", reading.names.full(one.schema_object_name(), one.package_name(0)), node);
        else if (node instanceof Create_triggerContext one) trigger(one);
        else if (node instanceof Create_typeContext one) type(one);
        else return false;
        facts.set("replace", Tree.has(node, PlSqlParser.REPLACE));
        if (Tree.has(node, PlSqlParser.EDITIONABLE)) facts.set("editionable", Boolean.TRUE);
        if (Tree.has(node, PlSqlParser.NONEDITIONABLE)) facts.set("editionable", Boolean.FALSE);
        return true;
    }

    /** What {@code wrap} has made unreadable: only its head can be read. */
    void wrapped(List<Token> words) {
        int at = 1;
        while (words.get(at).getType() != PlSqlParser.FUNCTION && words.get(at).getType() != PlSqlParser.PROCEDURE && words.get(at).getType() != PlSqlParser.PACKAGE
            && words.get(at).getType() != PlSqlParser.TRIGGER && words.get(at).getType() != PlSqlParser.TYPE) at++;
        String kind = words.get(at).getText().toLowerCase(Locale.ROOT);
        facts.kind = "create_" + kind;
        at++;
        boolean isBody = words.get(at).getType() == PlSqlParser.BODY;
        if (isBody) at++;
        List<String> parts = new ArrayList<>(List.of(Names.plain(words.get(at).getText())));
        while (words.get(at + 1).getType() == PlSqlParser.PERIOD) {
            at += 2;
            parts.add(Names.plain(words.get(at).getText()));
        }
        String name = reading.names.full(parts);
        if (kind.equals("type")) {
            facts.set("type", name);
            facts.set("body", isBody);
        } else {
            facts.set("routine", Facts.map("kind", isBody ? kind + "_body" : kind, "name", name));
            reading.usage.defines.add(name);
        }
        facts.set("replace", words.get(1).getType() == PlSqlParser.OR);
        facts.set("wrapped");
        facts.other();
        reading.usage.used = true;
        reading.usage.opaque = true;
    }

    private void made(String kind, String name, ParserRuleContext node) {
        facts.set("routine", Facts.map("kind", kind, "name", name));
        facts.other();
        reading.specified = kind.equals("package_body");
        reading.code.defines(reading.usage, name, node);
        body(node);
    }

    private void body(ParserRuleContext node) {
        Scope scope = new Scope(null);
        if (node instanceof Type_bodyContext) scope.known.add("SELF");
        reading.usage.used = true;
        reading.code.declare(node, scope);
        reading.code.read(node, scope);
        if (!reading.strings.isEmpty()) facts.set("dynamic", reading.strings);
    }

    private void type(Create_typeContext node) {
        Type_nameContext name = node.type_definition() != null ? node.type_definition().type_name() : node.type_body().type_name(0);
        facts.set("type", reading.names.full(name));
        facts.set("body", node.type_body() != null);
        facts.set("force", node.type_definition() != null && node.type_definition().FORCE() != null);
        facts.other();
        if (node.type_body() == null) return;
        reading.specified = true;
        body(node.type_body());
    }

    private void trigger(Create_triggerContext node) {
        Dml_event_clauseContext event = Tree.first(node, Dml_event_clauseContext.class);
        String table = event == null ? null : reading.mention(Names.parts(event.tableview_name()));
        List<String> events = new ArrayList<>();
        if (event != null) for (Dml_event_elementContext one : event.dml_event_element()) events.add(one.getChild(0).getText().toLowerCase());
        boolean crossed = !node.trigger_edition_clause().isEmpty();
        List<String> columns = new ArrayList<>();
        if (event != null) for (Column_listContext list : Tree.all(event, Column_listContext.class)) columns.addAll(reading.queries.columns(list));
        facts.set("trigger", Facts.map("columns", columns, "name", reading.names.full(node.trigger_name()), "table", table, "events", events,
            "compound", node.compound_dml_trigger() != null, "instead", Tree.has(node.simple_dml_trigger(), PlSqlParser.INSTEAD),
            "each_row", Tree.first(node.simple_dml_trigger(), For_each_rowContext.class) != null,
            "enabled", !Tree.has(node, PlSqlParser.DISABLE)));
        if (crossed) {
            String words = Tree.words(node.trigger_edition_clause(0));
            facts.set("crossedition", words.startsWith("REVERSE") ? "reverse" : "forward");
        }
        facts.other();
        reading.triggerTable = table;
        if (event != null && table != null) {
            for (Column_listContext list : Tree.all(event, Column_listContext.class)) for (String column : reading.queries.columns(list)) reading.usage.read(table).columns.add(column);
        }
        body(node);
    }
}
