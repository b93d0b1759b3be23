package drydock.plsql;

import drydock.plsql.grammar.PlSqlParser;
import drydock.plsql.grammar.PlSqlParser.*;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.antlr.v4.runtime.ParserRuleContext;

/** Constraints, and the states that Oracle has them in. */
final class Constraints {
    private final Reading reading;
    private final Facts facts;

    Constraints(Reading reading, Facts facts) {
        this.reading = reading;
        this.facts = facts;
    }

    /** One with a new column or table, which is part of that. Says whether the column takes no NULL. */
    boolean inline(String table, String column, Inline_constraintContext node) {
        String kind = kind(node);
        if (node.references_clause() != null) references(node.references_clause());
        boolean plain = kind.equals("not_null") || kind.equals("null");
        if (!plain) {
            Map<String, Object> constraint = described(nameOf(node.constraint_name()), kind, List.of(column), node.constraint_state());
            referring(constraint, node.references_clause());
            checking(constraint, node.check_constraint());
            facts.add("constraints", constraint);
        }
        state(table, node.constraint_state());
        return kind.equals("not_null") || kind.equals("primary_key");
    }

    /** NOT NULL may have a name of its own, by which it goes and changes. */
    void named(Map<String, Object> column, Inline_constraintContext node) {
        if (kind(node).equals("not_null") && node.constraint_name() != null) column.put("not_null_name", nameOf(node.constraint_name()));
    }

    /** One that MODIFY gives a column that is there. */
    void modified(String table, String column, Map<String, Object> described, Inline_constraintContext node) {
        String kind = kind(node);
        switch (kind) {
            case "not_null":
                facts.act("set_not_null", "table", table, "column", column);
                described.put("not_null", true);
                if (!valid(node.constraint_state())) described.put("novalidate", true);
                named(described, node);
                break;
            case "null":
                facts.act("drop_not_null", "table", table, "column", column);
                break;
            default:
                added(table, nameOf(node.constraint_name()), kind, List.of(column), node.references_clause(), node.check_constraint(), node.constraint_state());
        }
    }

    /** One that stands by itself. {@code fresh}: the table is new, so that it is part of that. */
    void outOfLine(String table, Out_of_line_constraintContext node, boolean fresh) {
        String kind = node.UNIQUE() != null ? "unique" : node.PRIMARY() != null ? "primary_key" : node.foreign_key_clause() != null ? "foreign_key" : "check";
        List<String> columns = node.foreign_key_clause() != null ? reading.queries.columns(node.foreign_key_clause().paren_column_list().column_list())
            : node.column_name().stream().map(Names::last).toList();
        References_clauseContext references = node.foreign_key_clause() == null ? null : node.foreign_key_clause().references_clause();
        if (!fresh) {
            added(table, nameOf(node.constraint_name()), kind, columns, references, node.condition(), node.constraint_state());
            return;
        }
        if (references != null) references(references);
        Map<String, Object> constraint = described(nameOf(node.constraint_name()), kind, columns, node.constraint_state());
        referring(constraint, references);
        checking(constraint, node.condition());
        facts.add("constraints", constraint);
        state(table, node.constraint_state());
    }

    private void added(String table, String name, String kind, List<String> columns, References_clauseContext references, ParserRuleContext check, Constraint_stateContext state) {
        if (references != null) references(references);
        boolean primary = kind.equals("primary_key") && enabled(state);
        if (primary) facts.act("add_constraint", "table", table, "name", name, "kind", kind, "valid", valid(state), "not_null", columns);
        else facts.act("add_constraint", "table", table, "name", name, "kind", kind, "valid", valid(state));
        Map<String, Object> constraint = described(name, kind, columns, state);
        referring(constraint, references);
        checking(constraint, check);
        facts.add("constraints", constraint);
        state(table, state);
    }

    /** What a foreign key refers to; without columns, to the primary key there. */
    private void referring(Map<String, Object> constraint, References_clauseContext node) {
        if (node == null) return;
        constraint.put("references", reading.catalog.relation(Names.parts(node.tableview_name())));
        if (node.paren_column_list() != null) constraint.put("references_columns", reading.queries.columns(node.paren_column_list().column_list()));
        if (Tree.has(node, PlSqlParser.DELETE)) constraint.put("on_delete", node.CASCADE() != null ? "cascade" : "set_null");
    }

    /** What a check says, as it is written. */
    private static void checking(Map<String, Object> constraint, ParserRuleContext node) {
        if (node == null) return;
        ParserRuleContext condition = node instanceof Check_constraintContext check ? check.condition() : node;
        constraint.put("condition", Tree.text(condition));
        if (constraint.containsKey("columns")) return;
        Set<String> named = new LinkedHashSet<>();
        for (General_elementContext one : Tree.all(condition, General_elementContext.class)) {
            // Functions take their arguments in parentheses, and have no columns of their name.
            boolean call = one.general_element_part().stream().anyMatch(p -> !p.function_argument().isEmpty());
            if (!call && one.general_element() == null) named.add(Names.plain(one.general_element_part(0).id_expression()));
        }
        if (!named.isEmpty()) constraint.put("columns", new ArrayList<>(named));
    }

    void references(References_clauseContext node) {
        reading.mention(Names.parts(node.tableview_name()));
    }

    /** MODIFY CONSTRAINT, ENABLE and DISABLE: only the state changes. */
    void changed(String table, String name, String kind, ParserRuleContext node) {
        boolean disable = Tree.has(node, PlSqlParser.DISABLE);
        boolean enable = Tree.has(node, PlSqlParser.ENABLE);
        boolean novalidate = Tree.has(node, PlSqlParser.NOVALIDATE);
        boolean validate = Tree.has(node, PlSqlParser.VALIDATE) || enable && !novalidate;
        Map<String, Object> constraint = new LinkedHashMap<>();
        constraint.put("name", name);
        if (kind != null) constraint.put("kind", kind);
        if (enable || disable) constraint.put("enabled", enable);
        if (validate || novalidate) constraint.put("validated", validate);
        if (Tree.has(node, PlSqlParser.RELY)) constraint.put("rely", true);
        if (Tree.has(node, PlSqlParser.NORELY)) constraint.put("rely", false);
        facts.add("constraint_states", constraint);
        if (validate && !disable && name != null) facts.act("validate_constraint", "table", table, "name", name);
        else facts.other();
    }

    private Map<String, Object> described(String name, String kind, List<String> columns, Constraint_stateContext state) {
        Map<String, Object> constraint = new LinkedHashMap<>();
        constraint.put("name", name);
        constraint.put("kind", kind);
        if (!columns.isEmpty()) constraint.put("columns", columns);
        if (!enabled(state)) constraint.put("disabled", true);
        if (!valid(state)) constraint.put("novalidate", true);
        if (Tree.has(state, PlSqlParser.RELY)) constraint.put("rely", true);
        if (Tree.has(state, PlSqlParser.DEFERRABLE) && !Tree.has(state, PlSqlParser.NOT)) constraint.put("deferrable", true);
        return constraint;
    }

    private static boolean enabled(Constraint_stateContext state) {
        return !Tree.has(state, PlSqlParser.DISABLE);
    }

    private static boolean valid(Constraint_stateContext state) {
        return !Tree.has(state, PlSqlParser.NOVALIDATE) && (enabled(state) || Tree.has(state, PlSqlParser.VALIDATE));
    }

    /** An index that comes with a constraint, or that it uses. */
    private void state(String table, Constraint_stateContext state) {
        if (state == null) return;
        for (Using_index_clauseContext using : state.using_index_clause()) {
            if (using.index_name() != null) facts.set("using_index", reading.names.full(using.index_name()));
            if (using.create_index() != null) new Indexes(reading, facts).created(using.create_index());
        }
    }

    String nameOf(Constraint_nameContext node) {
        return node == null ? null : Names.last(node);
    }

    private static String kind(Inline_constraintContext node) {
        if (node.UNIQUE() != null) return "unique";
        if (node.PRIMARY() != null) return "primary_key";
        if (node.references_clause() != null) return "foreign_key";
        if (node.check_constraint() != null) return "check";
        return node.NOT() != null ? "not_null" : "null";
    }
}
