package drydock.plsql;

import drydock.plsql.Scope.Relation;
import drydock.plsql.Usage.Column;
import drydock.plsql.Usage.Origin;
import drydock.plsql.grammar.PlSqlParser;
import drydock.plsql.grammar.PlSqlParser.*;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/** What stands in FROM: it becomes relations of a scope. */
final class Relations {
    private final Reading reading;

    Relations(Reading reading) {
        this.reading = reading;
    }

    void read(Table_refContext table, Scope scope) {
        int from = scope.relations.size();
        add(table.table_ref_aux(), scope);
        for (Join_clauseContext join : table.join_clause()) join(join, from, scope);
        if (table.pivot_clause() != null || table.unpivot_clause() != null) {
            // It is of the whole join.
            List<Column> all = new ArrayList<>();
            List<Relation> joined = new ArrayList<>(scope.relations.subList(from, scope.relations.size()));
            for (Relation relation : joined) all.addAll(reading.all(relation));
            scope.relations.removeAll(joined);
            Relation whole = new Relation(null, null, all);
            scope.relations.add(turned(whole, table.pivot_clause(), table.unpivot_clause(), scope));
        }
    }

    private void join(Join_clauseContext join, int from, Scope scope) {
        int right = scope.relations.size();
        add(join.table_ref_aux(), scope);
        for (Query_partition_clauseContext part : join.query_partition_clause()) reading.expressions.read(part, scope);
        for (Join_on_partContext on : join.join_on_part()) reading.expressions.read(on.condition(), scope);
        List<Relation> before = scope.relations.subList(from, right);
        List<Relation> after = scope.relations.subList(right, scope.relations.size());
        for (Join_using_partContext using : join.join_using_part()) {
            for (String column : reading.queries.columns(using.paren_column_list().column_list())) {
                both(before, after, column);
                scope.merged.add(column);
            }
        }
        if (join.NATURAL() == null) return;
        boolean open = scope.relations.subList(from, scope.relations.size()).stream().anyMatch(Relation::isOpen);
        scope.mergesAny |= open;
        for (Relation relation : List.copyOf(after)) {
            if (open) {
                scope.relations.subList(from, scope.relations.size()).forEach(reading::all);
            } else {
                for (Column column : relation.columns) if (before.stream().anyMatch(r -> r.column(column.name()) != null)) {
                    both(before, after, column.name());
                    scope.merged.add(column.name());
                }
            }
        }
    }

    /** A column by which two sides are joined is read in each that has it. */
    private void both(List<Relation> before, List<Relation> after, String column) {
        for (List<Relation> side : List.of(before, after)) {
            List<Relation> having = side.stream().filter(r -> r.column(column) != null).toList();
            if (having.isEmpty()) having = side.stream().filter(Relation::isOpen).toList();
            for (Relation relation : having) reading.read(relation, column);
        }
    }

    private void add(Table_ref_auxContext table, Scope scope) {
        String alias = table.table_alias() == null ? null : Names.plain(table.table_alias());
        Table_ref_aux_internalContext inner = table.table_ref_aux_internal();
        for (Flashback_query_clauseContext past : table.flashback_query_clause()) reading.expressions.read(past, scope);
        List<String> names = table.paren_column_list() == null ? null : reading.queries.columns(table.paren_column_list().column_list());
        if (inner instanceof Table_ref_aux_internal_twoContext two && two.subquery_operation_part().isEmpty()) {
            int from = scope.relations.size();
            read(two.table_ref(), scope);
            boolean one = scope.relations.size() == from + 1;
            if (one && alias != null) scope.relations.get(from).alias = alias;
            if (two.pivot_clause() != null || two.unpivot_clause() != null) {
                Relation whole = scope.relations.remove(scope.relations.size() - 1);
                scope.relations.add(turned(whole, two.pivot_clause(), two.unpivot_clause(), scope));
            }
            return;
        }
        if (inner instanceof Table_ref_aux_internal_twoContext two) {
            // The first part of a union looks like a relation.
            Scope first = new Scope(scope);
            read(two.table_ref(), first);
            List<Column> columns = new ArrayList<>();
            for (Relation relation : first.relations) columns.addAll(reading.all(relation));
            for (Subquery_operation_partContext part : two.subquery_operation_part()) {
                columns = Queries.joined(columns, reading.queries.basic(part.subquery_basic_elements(), scope, new ArrayList<>()));
            }
            scope.relations.add(new Relation(alias, null, columns));
            return;
        }
        Dml_table_expression_clauseContext source = inner instanceof Table_ref_aux_internal_oneContext one ? one.dml_table_expression_clause()
            : ((Table_ref_aux_internal_threContext) inner).dml_table_expression_clause();
        Relation relation = source(source, alias, scope);
        if (inner instanceof Table_ref_aux_internal_oneContext one) {
            if (one.pivot_clause() != null || one.unpivot_clause() != null) {
                relation = turned(relation, one.pivot_clause(), one.unpivot_clause(), scope);
                if (alias != null) relation.alias = alias;
            } else if (one.match_recognize_clause() != null) {
                relation = matched(relation, one.match_recognize_clause(), scope);
                if (alias != null) relation.alias = alias;
            }
        }
        if (names != null && relation.columns != null) relation.columns = Queries.renamed(relation.columns, names);
        scope.relations.add(relation);
    }

    /** What has rows, of FROM or of a statement that writes. */
    Relation source(Dml_table_expression_clauseContext source, String alias, Scope scope) {
        if (source.json_table_clause() != null) {
            reading.expressions.read(source.json_table_clause().expression(), scope);
            String name = source.identifier() == null ? alias : Names.plain(source.identifier());
            List<Column> columns = new ArrayList<>();
            for (Json_column_definitionContext column : Tree.all(source.json_table_clause(), Json_column_definitionContext.class)) {
                if (column.NESTED() == null) columns.add(new Column(Names.plain(column.expression()), Set.of()));
            }
            return new Relation(name, null, columns);
        }
        if (source.values_rows() != null) return rows(source.values_rows(), alias, scope);
        if (source.select_statement() != null) return new Relation(alias, null, reading.queries.read(source.select_statement(), scope));
        if (source.subquery() != null) {
            return new Relation(alias, null, reading.queries.only(source.with_clause(), source.subquery(), scope, new ArrayList<>()));
        }
        if (source.table_collection_expression() != null) return collection(source.table_collection_expression(), alias, scope);
        if (source.routine_name() != null) {
            List<String> parts = Names.parts(source.routine_name());
            reading.expressions.read(source.function_argument(), scope);
            if (!scope.knows(parts.get(0)) && !(parts.size() == 1 && Builtins.has(parts.get(0)))) reading.usage.calls.add(reading.code.names().routine(parts));
            return new Relation(alias, null, null);
        }
        reading.expressions.read(source.sample_clause(), scope);
        return table(source.tableview_name(), alias, scope);
    }

    Relation collection(Table_collection_expressionContext node, String alias, Scope scope) {
        if (node.subquery() != null) {
            reading.queries.read(node.subquery(), scope);
        } else {
            reading.expressions.read(node.expression(), scope);
        }
        return new Relation(alias, null, null);
    }

    Relation rows(Values_rowsContext node, String alias, Scope scope) {
        List<Column> columns = new ArrayList<>();
        for (Expressions_Context row : node.expressions_()) {
            for (int i = 0; i < row.expression().size(); i++) {
                Set<Origin> origins = reading.expressions.read(row.expression(i), scope).origins();
                if (i < columns.size()) columns.set(i, new Column(columns.get(i).name(), Scope.union(columns.get(i).origins(), origins)));
                else columns.add(new Column("COLUMN" + (i + 1), origins));
            }
        }
        return new Relation(alias, null, columns);
    }

    Relation table(Tableview_nameContext node, String alias, Scope scope) {
        if (node.xmltable() != null) {
            XmltableContext xml = node.xmltable();
            reading.expressions.read(xml.concatenation(), scope);
            reading.expressions.read(xml.xml_passing_clause(), scope);
            List<Column> columns = new ArrayList<>();
            for (Xml_table_columnContext column : xml.xml_table_column()) columns.add(new Column(Names.plain(column.xml_column_name()), Set.of()));
            if (columns.isEmpty()) columns.add(new Column("COLUMN_VALUE", Set.of()));
            return new Relation(alias, null, columns);
        }
        List<String> parts = Names.parts(node);
        String own = alias == null ? parts.get(parts.size() - 1) : alias;
        if (node.link_name() != null) {
            reading.usage.links.add(Names.plain(node.link_name()));
            String far = String.join(".", parts) + "@" + Names.plain(node.link_name());
            reading.mentioned.add(far);
            reading.usage.read(far);
            return new Relation(own, far, null);
        }
        List<Column> named = parts.size() == 1 ? scope.named(parts.get(0)) : null;
        if (named != null) return new Relation(own, null, named);
        if (parts.size() == 1 && scope.knows(parts.get(0))) return new Relation(own, null, null);
        if (node.partition_extension_clause() != null) {
            // PARTITION (p1) has names, PARTITION FOR (value) has values.
            if (node.partition_extension_clause().FOR() != null) reading.expressions.read(node.partition_extension_clause().expressions_(), scope);
        }
        return reading.base(reading.mention(parts), own);
    }

    /** PIVOT and UNPIVOT read all that they do not name too: they group by it, or pass it on. */
    private Relation turned(Relation from, Pivot_clauseContext pivot, Unpivot_clauseContext unpivot, Scope outer) {
        Scope scope = new Scope(outer);
        scope.relations.add(from);
        List<Column> before = reading.all(from);
        Set<String> used = new LinkedHashSet<>();
        List<Column> made = new ArrayList<>();
        Table_aliasContext alias = pivot != null ? pivot.table_alias() : unpivot.table_alias();
        if (pivot != null) {
            List<String> functions = new ArrayList<>();
            for (Pivot_elementContext element : pivot.pivot_element()) {
                Set<String> read = new LinkedHashSet<>();
                for (General_elementContext name : Tree.all(element, General_elementContext.class)) read.add(Names.plain(name));
                used.addAll(read);
                reading.expressions.read(element, scope);
                functions.add(element.column_alias() == null ? null : alias(element.column_alias()));
            }
            used.addAll(of(pivot.pivot_for_clause(), scope));
            for (Pivot_in_clause_elementContext value : pivot.pivot_in_clause().pivot_in_clause_element()) {
                String name = value.column_alias() != null ? alias(value.column_alias()) : Tree.words(value);
                for (String function : functions) made.add(new Column(function == null ? name : name + "_" + function, Set.of()));
            }
            if (pivot.pivot_in_clause().subquery() != null) reading.queries.read(pivot.pivot_in_clause().subquery(), outer);
            if (pivot.pivot_in_clause().pivot_in_clause_element().isEmpty()) made.add(new Column("*", Set.of()));
        } else {
            for (Unpivot_in_elementsContext value : unpivot.unpivot_in_clause().unpivot_in_elements()) {
                for (Column_nameContext column : Tree.all(value, Column_nameContext.class)) {
                    used.add(Names.last(column));
                    reading.expressions.read(column, scope);
                }
            }
            if (unpivot.column_name() != null) made.add(new Column(Names.last(unpivot.column_name()), Set.of()));
            else reading.queries.columns(unpivot.paren_column_list().column_list()).forEach(c -> made.add(new Column(c, Set.of())));
            for (Column_nameContext column : Tree.all(unpivot.pivot_for_clause(), Column_nameContext.class)) made.add(new Column(Names.last(column), Set.of()));
        }
        List<Column> after = new ArrayList<>();
        for (Column column : before) if (!used.contains(column.name())) after.add(column);
        after.addAll(made);
        return new Relation(alias == null ? from.alias : Names.plain(alias), null, after);
    }

    private Set<String> of(Pivot_for_clauseContext node, Scope scope) {
        Set<String> names = new LinkedHashSet<>();
        for (Column_nameContext column : Tree.all(node, Column_nameContext.class)) {
            names.add(Names.last(column));
            reading.expressions.read(column, scope);
        }
        return names;
    }

    private static String alias(Column_aliasContext node) {
        return Names.plain(node.getChild(node.getChildCount() - 1).getText());
    }

    /** MATCH_RECOGNIZE: variables of its pattern are rows of what it reads. */
    private Relation matched(Relation from, Match_recognize_clauseContext match, Scope outer) {
        Scope scope = new Scope(outer);
        scope.relations.add(from);
        List<Column> made = new ArrayList<>();
        boolean all = Tree.has(match, PlSqlParser.ALL);
        if (match.expressions_() != null) {
            for (ExpressionContext one : match.expressions_().expression()) {
                Set<Origin> origins = reading.expressions.read(one, scope).origins();
                if (!all) made.add(new Column(Names.plain(one.getText().substring(one.getText().lastIndexOf('.') + 1)), origins));
            }
        }
        reading.expressions.read(match.order_by_clause(), scope);
        scope.pattern = from;
        if (all) made.addAll(reading.all(from));
        for (Match_measureContext measure : match.match_measure()) made.add(new Column(Names.plain(measure.identifier()), reading.expressions.read(measure.expression(), scope).origins()));
        for (Match_definitionContext definition : match.match_definition()) reading.expressions.read(definition.condition(), scope);
        return new Relation(match.table_alias() == null ? from.alias : Names.plain(match.table_alias()), null, made);
    }
}
