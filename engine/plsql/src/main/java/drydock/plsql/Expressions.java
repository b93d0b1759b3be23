package drydock.plsql;

import drydock.plsql.Usage.Column;
import drydock.plsql.Usage.Origin;
import drydock.plsql.Usage.Role;
import drydock.plsql.grammar.PlSqlParser;
import drydock.plsql.grammar.PlSqlParser.*;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.antlr.v4.runtime.ParserRuleContext;
import org.antlr.v4.runtime.tree.ParseTree;
import org.antlr.v4.runtime.tree.TerminalNode;

/** Values: which columns they read, where they come from, and which binds are compared with which columns. */
final class Expressions {
    /** What a value comes from; a list of values has parts. */
    record Value(Set<Origin> origins, List<Value> parts) {
        static final Value NONE = new Value(Set.of(), List.of());

        static Value of(Set<Origin> origins) {
            return origins.isEmpty() ? NONE : new Value(origins, List.of());
        }

        Value and(Value other) {
            return of(Scope.union(origins, other.origins));
        }
    }

    private final Reading reading;

    Expressions(Reading reading) {
        this.reading = reading;
    }

    Value read(ParseTree node, Scope scope) {
        if (node == null || node instanceof TerminalNode) return Value.NONE;
        if (node instanceof Bind_variableContext bind) return bind(bind, scope);
        if (node instanceof General_elementContext element) return reading.code.names().element(element, scope);
        if (node instanceof Table_elementContext element) return reading.code.names().dotted(Names.parts(element), scope, false);
        if (node instanceof Column_nameContext column) return reading.code.names().dotted(Names.parts(column), scope, false);
        if (node instanceof Select_only_statementContext || node instanceof Select_statementContext || node instanceof SubqueryContext || node instanceof Query_blockContext) {
            return row(reading.queries.read((ParserRuleContext) node, scope));
        }
        // A cursor is no column.
        if (node instanceof Where_clauseContext where && where.CURRENT() != null) return read(where.cursor_name().bind_variable(), scope);
        if (node instanceof Relational_expressionContext r && r.relational_operator() != null) {
            compare(read(r.relational_expression(0), scope), read(r.relational_expression(1), scope));
            return Value.NONE;
        }
        if (node instanceof Compound_expressionContext c && c.getChildCount() > 1) return compound(c, scope);
        if (node instanceof AtomContext atom && atom.with_clause() != null) {
            return row(reading.queries.only(atom.with_clause(), atom.subquery(), scope, new ArrayList<>()));
        }
        if (node instanceof AtomContext atom && atom.expressions_() != null) return list(atom.expressions_(), scope);
        if (node instanceof String_functionContext f) return arguments(f, scope, true, 0);
        if (node instanceof Numeric_functionContext f) {
            return arguments(f, scope, Tree.has(f, PlSqlParser.MIN, PlSqlParser.MAX, PlSqlParser.LEAST, PlSqlParser.GREATEST), 0);
        }
        if (node instanceof Other_functionContext f) return arguments(f, scope, false, 0);
        if (node instanceof Case_expressionContext c) return choice(c, scope);
        if (node instanceof ArgumentContext argument) {
            Value value = read(argument.expression(0), scope);
            // What a conversion gives that fails.
            if (argument.expression().size() > 1) read(argument.expression(1), scope);
            return value;
        }
        if (node instanceof Cell_assignmentContext || node instanceof Single_column_for_loopContext) return inner(node, scope);
        if (node instanceof Fetch_clauseContext || node instanceof Offset_clauseContext) {
            counted(read(((ParserRuleContext) node).getRuleContext(ExpressionContext.class, 0), scope));
            return Value.NONE;
        }
        if (node instanceof Order_by_clauseContext) reading.usage.ordered = true;
        if (node instanceof Column_aliasContext || node instanceof Table_aliasContext) return Value.NONE;
        if (node.getChildCount() == 1) return read(node.getChild(0), scope);
        if (node instanceof AtomContext atom && atom.general_element() != null) return read(atom.general_element(), scope);
        Value only = inner(node, scope);
        // A prefix leaves what a value is.
        return node instanceof Unary_expressionContext u && (u.PRIOR() != null || u.CONNECT_BY_ROOT() != null || u.DISTINCT() != null) || node instanceof AtomContext ? only : Value.NONE;
    }

    /** All that is inside; of what comes from anywhere, everything. */
    private Value inner(ParseTree node, Scope scope) {
        Value all = Value.NONE;
        for (int i = 0; i < node.getChildCount(); i++) all = all.and(read(node.getChild(i), scope));
        return all;
    }

    private Value arguments(ParseTree node, Scope scope, boolean passes, int from) {
        Value all = Value.NONE;
        for (int i = from; i < node.getChildCount(); i++) {
            Value one = read(node.getChild(i), scope);
            for (Value part : one.parts.isEmpty() ? List.of(one) : one.parts) all = all.and(part);
        }
        if (!passes) return Value.NONE;
        // NVL(column, :value): the bind stands for the column.
        reading.usage.relate(all.origins, all.origins, Role.COLUMN);
        return all;
    }

    Value list(Expressions_Context list, Scope scope) {
        List<Value> parts = new ArrayList<>();
        for (ExpressionContext one : list.expression()) parts.add(read(one, scope));
        if (parts.size() == 1) return parts.get(0);
        return new Value(Set.of(), parts);
    }

    /** The columns of a query as values. */
    Value row(List<Column> columns) {
        if (columns.size() == 1) return Value.of(columns.get(0).origins());
        List<Value> parts = new ArrayList<>();
        for (Column column : columns) parts.add(Value.of(column.origins()));
        return new Value(Set.of(), parts);
    }

    void compare(Value left, Value right) {
        relate(left, right, Role.COLUMN);
        relate(right, left, Role.COLUMN);
    }

    /** Binds in the first stand for columns in the second; lists go by their places. */
    void relate(Value binds, Value columns, Role role) {
        if (binds.parts.size() > 1 && columns.parts.size() == binds.parts.size()) {
            for (int i = 0; i < binds.parts.size(); i++) relate(binds.parts.get(i), columns.parts.get(i), role);
        } else {
            reading.usage.relate(binds.origins, columns.origins, role);
        }
    }

    private void counted(Value value) {
        for (Origin origin : value.origins) if (origin.bind() >= 0) reading.usage.give(origin.bind(), Role.COUNT, null);
    }

    private Value compound(Compound_expressionContext node, Scope scope) {
        Value left = read(node.concatenation(0), scope);
        if (node.in_elements() != null) {
            in(left, node.in_elements(), scope);
        } else if (node.between_elements() != null) {
            for (ConcatenationContext bound : node.between_elements().concatenation()) compare(left, read(bound, scope));
        } else {
            for (int i = 1; i < node.concatenation().size(); i++) compare(left, read(node.concatenation(i), scope));
        }
        return Value.NONE;
    }

    private void in(Value left, In_elementsContext node, Scope scope) {
        if (node.concatenation().isEmpty()) {
            compare(left, inner(node, scope));
            if (node.subquery() != null) return;
        }
        for (ConcatenationContext one : node.concatenation()) compare(left, read(one, scope));
    }

    /** What a CASE gives is one of its results; what it is asked about is compared. */
    private Value choice(Case_expressionContext node, Scope scope) {
        Value all = Value.NONE;
        Value asked = null;
        ParserRuleContext form = (ParserRuleContext) node.getChild(0);
        for (int i = 0; i < form.getChildCount(); i++) {
            ParseTree child = form.getChild(i);
            if (child instanceof ExpressionContext) {
                asked = read(child, scope);
            } else if (child instanceof Case_when_part_expressionContext when) {
                Value condition = read(when.expression(0), scope);
                if (asked != null) compare(asked, condition);
                all = all.and(read(when.expression(1), scope));
            } else if (child instanceof Case_else_part_expressionContext otherwise) {
                all = all.and(read(otherwise.expression(), scope));
            }
        }
        return all;
    }

    private Value bind(Bind_variableContext node, Scope scope) {
        String name = node.getChild(0).getText();
        String plain = name.substring(name.startsWith(":") ? 1 : 0);
        if (reading.triggerTable != null && (plain.equalsIgnoreCase("NEW") || plain.equalsIgnoreCase("OLD") || plain.equalsIgnoreCase("PARENT") || scope.knows(":" + Names.plain(plain)))) {
            if (node.general_element_part().isEmpty()) return Value.NONE;
            String column = Names.plain(node.general_element_part(0).id_expression());
            reading.usage.read(reading.triggerTable).columns.add(column);
            return Value.of(Set.of(Origin.of(reading.triggerTable, column)));
        }
        reading.usage.binds.add(new Usage.Bind(name, node.getStart().getStartIndex()));
        return Value.of(Set.of(new Origin(null, null, reading.usage.binds.size() - 1)));
    }
}
