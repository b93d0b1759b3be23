package drydock.plsql;

import drydock.plsql.Splitter.Piece;
import drydock.plsql.grammar.PlSqlParser.*;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.antlr.v4.runtime.ParserRuleContext;
import org.antlr.v4.runtime.Token;
import org.antlr.v4.runtime.tree.ParseTree;

/** What one statement is and does. */
final class Statement {
    /** Of these, the whole server knows. */
    private static final Set<String> SERVER = Set.of("alter_system", "alter_database", "create_tablespace", "alter_tablespace", "drop_tablespace", "create_user", "alter_user",
        "create_role", "alter_role", "create_profile", "create_directory", "drop_directory", "create_edition", "drop_edition", "create_database_link", "drop_database_link",
        "administer_key_management", "create_pluggable_database", "alter_pluggable_database", "drop_pluggable_database", "create_restore_point", "drop_restore_point", "set_role");

    private final Reading reading;
    private final Facts facts = new Facts();

    Statement(Names names, Catalog catalog) {
        reading = new Reading(names, catalog);
    }

    Map<String, Object> read(Piece piece) {
        if (piece.tree() == null && Splitter.isWrapped(piece.words())) {
            new Units(reading, facts).wrapped(piece.words());
        } else if (piece.tree() == null) {
            facts.kind = "create_java";
            facts.other();
        } else {
            if (piece.existence() != null) {
                facts.set("if_" + piece.existence());
                facts.needs("23ai");
            }
            ParserRuleContext node = (ParserRuleContext) piece.tree().getChild(0);
            if (node instanceof Unit_statementContext) node = (ParserRuleContext) node.getChild(0);
            while (node instanceof Data_manipulation_language_statementsContext || node instanceof Transaction_control_statementsContext) node = (ParserRuleContext) node.getChild(0);
            if (node instanceof Sql_callContext call) node = call.call_statement();
            facts.kind = kind(node);
            dispatch(node);
            literals(piece);
            if (piece.partial()) {
                facts.set("branches_left_out");
                reading.usage.opaque = true;
            }
            Versions.read(piece.tree(), facts);
        }
        return described();
    }

    /** The rule's name: {@code alter_table}, {@code select}. */
    private static String kind(ParserRuleContext node) {
        String name = node.getClass().getSimpleName().replace("Context", "").toLowerCase(Locale.ROOT);
        return name.replaceAll("_(statement|command|body)$", "");
    }

    private void dispatch(ParserRuleContext node) {
        Scope none = new Scope(null);
        Tables tables = new Tables(reading, facts);
        Views views = new Views(reading, facts);
        Indexes indexes = new Indexes(reading, facts);
        if (node instanceof Select_statementContext) query(node);
        else if (reading.writes.read(node, none)) written(node);
        else if (node instanceof Explain_statementContext explain) explained(explain);
        else if (node instanceof Alter_tableContext one) tables.altered(one);
        else if (node instanceof Create_tableContext one) tables.created(one);
        else if (node instanceof Drop_tableContext one) tables.dropped(one);
        else if (node instanceof Truncate_tableContext one) tables.truncated(one);
        else if (node instanceof Flashback_tableContext one) tables.flashback(one);
        else if (node instanceof Create_indexContext one) indexes.created(one);
        else if (node instanceof Alter_indexContext one) indexes.altered(one);
        else if (node instanceof Drop_indexContext one) indexes.dropped(one);
        else if (node instanceof Create_viewContext one) views.created(one);
        else if (node instanceof Alter_viewContext one) views.altered(one);
        else if (node instanceof Drop_viewContext one) views.dropped(one);
        else if (node instanceof Create_materialized_viewContext one) views.created(one);
        else if (node instanceof Alter_materialized_viewContext one) views.altered(one);
        else if (node instanceof Drop_materialized_viewContext one) views.dropped(one);
        else if (!new Units(reading, facts).read(node) && !new Objects(reading, facts).read(node)) rest(node);
        outside();
    }

    private void query(ParserRuleContext node) {
        reading.usage.result = reading.queries.read(node, new Scope(null));
        For_update_clauseContext lock = Tree.first(node, For_update_clauseContext.class);
        if (lock != null) {
            String words = Tree.words(lock);
            facts.set("for_update", words.contains("SKIP LOCKED") ? "skip_locked" : Tree.says(words, "NOWAIT") ? "nowait" : Tree.says(words, "WAIT") ? "wait_limited" : "wait");
        }
        if (!reading.usage.calls.isEmpty()) facts.act("runs_code");
        else facts.other();
    }

    private void written(ParserRuleContext node) {
        rows(node instanceof Merge_statementContext);
        if (node instanceof Update_statementContext one) facts.set("where", one.where_clause() != null);
        if (node instanceof Delete_statementContext one) facts.set("where", one.where_clause() != null);
        if (node instanceof Insert_statementContext one) facts.set("as_select", one.multi_table_insert() != null || one.single_table_insert().select_statement() != null);
        if (Tree.first(node, Error_logging_clauseContext.class) != null) facts.set("log_errors");
    }

    /** A move of rows for each table that is written. */
    private void rows(boolean merge) {
        for (Usage.Write write : reading.usage.writes) facts.act("move_rows", "table", write.table, "kind", merge ? "merge" : write.kind);
        if (facts.actions.isEmpty()) facts.other();
    }

    private void explained(Explain_statementContext node) {
        for (ParseTree child : node.children) {
            if (child instanceof Select_statementContext select) reading.usage.result = reading.queries.read(select, new Scope(null));
            else if (child instanceof ParserRuleContext rule) reading.writes.read(rule, new Scope(null));
        }
        // It writes its plan only.
        reading.usage.writes.clear();
        facts.other();
    }

    private void rest(ParserRuleContext node) {
        if (SERVER.contains(facts.kind)) facts.act("server");
        else facts.other();
        Storage.read(node, facts);
        for (Tableview_nameContext table : Tree.all(node, Tableview_nameContext.class)) if (table.xmltable() == null) reading.mention(Names.parts(table));
        if (node instanceof Lock_table_statementContext lock) facts.set("lock_mode", Tree.words(lock.lock_mode()).toLowerCase(Locale.ROOT));
        if (node instanceof Alter_sessionContext session) facts.set("session", Tree.words(session).substring("ALTER SESSION ".length()));
        if (node instanceof Alter_triggerContext trigger) {
            facts.set("trigger", Facts.map("name", reading.names.full(trigger.alter_trigger_name)));
            if (trigger.ENABLE() != null) facts.set("enable");
            if (trigger.DISABLE() != null) facts.set("disable");
        }
        if (node instanceof Create_domainContext || node instanceof Drop_domainContext) facts.needs("23ai");
        if (node instanceof Purge_statementContext purge) {
            facts.set("purge");
            List<Id_expressionContext> names = purge.id_expression();
            if (purge.TABLE() != null && !names.isEmpty()) {
                reading.mention(purge.schema_name() == null ? List.of(Names.plain(names.get(0))) : List.of(Names.plain(purge.schema_name()), Names.plain(names.get(0))));
            }
        }
        if (facts.kind.equals("create_database_link")) facts.set("link", Names.plain(Tree.first(node, Link_nameContext.class)));
    }

    /** What lies beyond the database. */
    private void outside() {
        boolean code = facts.actions.stream().anyMatch(a -> a.get("action").equals("runs_code"));
        if (code && !facts.kind.equals("select")) {
            for (Usage.Write write : reading.usage.writes) facts.act("move_rows", "table", write.table, "kind", write.kind);
        }
        if (!reading.usage.links.isEmpty()) facts.act("reaches_out", "to", "other_server");
        for (String call : reading.usage.calls) {
            String to = Builtins.reaches(call);
            if (to != null) facts.act("reaches_out", "to", to);
        }
        if (facts.actions.size() > 1) facts.actions.removeIf(a -> a.get("action").equals("other"));
    }

    /** The longest string, where it is more than SQL takes. */
    private void literals(Piece piece) {
        int longest = 0;
        for (Token word : piece.words()) if (word.getType() == CHAR_STRING) longest = Math.max(longest, word.getText().length() - 2);
        if (longest > 4000) facts.set("literal_length", (Object) longest);
    }

    private static final int CHAR_STRING = drydock.plsql.grammar.PlSqlParser.CHAR_STRING;

    private Map<String, Object> described() {
        Map<String, Object> map = new LinkedHashMap<>();
        map.put("kind", facts.kind);
        map.put("actions", facts.actions);
        map.put("relations", new ArrayList<>(reading.mentioned));
        map.put("facts", facts.more);
        if (facts.needs != null) map.put("needs", facts.needs);
        if (reading.usage.used) map.put("query", reading.usage.describe());
        return map;
    }
}
