package drydock.plsql;

import drydock.plsql.Expressions.Value;
import drydock.plsql.Scope.Relation;
import drydock.plsql.Usage.Column;
import drydock.plsql.Usage.Origin;
import drydock.plsql.grammar.PlSqlParser;
import drydock.plsql.grammar.PlSqlParser.*;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.antlr.v4.runtime.ParserRuleContext;
import org.antlr.v4.runtime.tree.ParseTree;

/** Queries: what they read, and what they give. */
final class Queries {
    private final Reading reading;

    Queries(Reading reading) {
        this.reading = reading;
    }

    /** Any form of a query. */
    List<Column> read(ParserRuleContext node, Scope outer) {
        reading.usage.used = true;
        if (node instanceof Select_statementContext select) return select(select, outer);
        if (node instanceof Select_only_statementContext only) return only(only.with_clause(), only.subquery(), outer, new ArrayList<>());
        if (node instanceof SubqueryContext subquery) return subquery(subquery, outer, new ArrayList<>());
        if (node instanceof Query_blockContext block) return block(block, outer, new ArrayList<>());
        return List.of();
    }

    private List<Column> select(Select_statementContext select, Scope outer) {
        List<Scope> inside = new ArrayList<>();
        Select_only_statementContext only = select.select_only_statement();
        List<Column> result = only(only.with_clause(), only.subquery(), outer, inside);
        Scope scope = last(inside, outer, result);
        for (Order_by_clauseContext order : select.order_by_clause()) reading.expressions.read(order, scope);
        for (Offset_clauseContext offset : select.offset_clause()) reading.expressions.read(offset, scope);
        for (Fetch_clauseContext fetch : select.fetch_clause()) reading.expressions.read(fetch, scope);
        if (!select.for_update_clause().isEmpty()) {
            reading.usage.locks = true;
            for (For_update_clauseContext lock : select.for_update_clause()) reading.expressions.read(lock, scope);
        }
        return result;
    }

    /** Where ORDER BY finds its names: among the results first. Of a single block, then among its relations. */
    private Scope last(List<Scope> inside, Scope outer, List<Column> result) {
        Scope scope = new Scope(outer);
        if (inside.size() == 1) scope = inside.get(0);
        for (Column column : result) scope.aliases.putIfAbsent(column.name(), column.origins());
        scope.aliasesFirst = true;
        return scope;
    }

    List<Column> only(With_clauseContext with, SubqueryContext subquery, Scope outer, List<Scope> inside) {
        Scope scope = new Scope(outer);
        if (with != null) with(with, scope);
        return subquery(subquery, scope, inside);
    }

    private void with(With_clauseContext with, Scope scope) {
        for (Function_bodyContext function : with.function_body()) reading.code.local(function, Names.plain(function.identifier()), scope);
        for (Procedure_bodyContext procedure : with.procedure_body()) reading.code.local(procedure, Names.plain(procedure.identifier()), scope);
        for (With_factoring_clauseContext one : with.with_factoring_clause()) {
            Subquery_factoring_clauseContext named = one.subquery_factoring_clause();
            if (named == null) continue;
            String name = Names.plain(named.query_name());
            List<String> columns = named.paren_column_list() == null ? null : columns(named.paren_column_list().column_list());
            // It may read itself.
            List<Column> own = new ArrayList<>();
            if (columns != null) for (String column : columns) own.add(new Column(column, Set.of()));
            boolean recursive = columns != null;
            if (recursive) scope.named.put(name, own);
            List<Scope> inside = new ArrayList<>();
            List<Column> result = only(named.with_clause(), named.subquery(), scope, inside);
            if (named.order_by_clause() != null) reading.expressions.read(named.order_by_clause(), last(inside, scope, result));
            List<Column> made = new ArrayList<>(renamed(result, columns));
            if (named.search_clause() != null) {
                List<Column_nameContext> names = named.search_clause().column_name();
                made.add(new Column(Names.last(names.get(names.size() - 1)), Set.of()));
            }
            if (named.cycle_clause() != null) made.add(new Column(Names.last(named.cycle_clause().column_name()), Set.of()));
            scope.named.put(name, made);
        }
    }

    List<String> columns(Column_listContext list) {
        return list.column_name().stream().map(Names::last).toList();
    }

    /** The same columns under other names. */
    static List<Column> renamed(List<Column> columns, List<String> names) {
        if (names == null) return columns;
        List<Column> renamed = new ArrayList<>();
        boolean open = columns.stream().anyMatch(c -> c.name().equals("*"));
        for (int i = 0; i < names.size(); i++) {
            boolean known = i < columns.size() && !open;
            renamed.add(new Column(names.get(i), known ? columns.get(i).origins() : Set.of(), known && columns.get(i).plain()));
        }
        return renamed;
    }

    List<Column> subquery(SubqueryContext subquery, Scope outer, List<Scope> inside) {
        List<Column> result = basic(subquery.subquery_basic_elements(), outer, inside);
        for (Subquery_operation_partContext part : subquery.subquery_operation_part()) result = joined(result, basic(part.subquery_basic_elements(), outer, inside));
        return result;
    }

    List<Column> basic(Subquery_basic_elementsContext basic, Scope outer, List<Scope> inside) {
        return basic.query_block() != null ? block(basic.query_block(), outer, inside) : subquery(basic.subquery(), outer, inside);
    }

    /** Columns of a union come from each of its parts. */
    static List<Column> joined(List<Column> one, List<Column> other) {
        List<Column> both = new ArrayList<>();
        for (int i = 0; i < one.size(); i++) {
            Column column = one.get(i);
            both.add(i < other.size() ? new Column(column.name(), Scope.union(column.origins(), other.get(i).origins()), column.plain() && other.get(i).plain()) : column);
        }
        return both;
    }

    private List<Column> block(Query_blockContext block, Scope outer, List<Scope> inside) {
        Scope scope = new Scope(outer);
        inside.add(scope);
        if (block.from_clause() != null) {
            for (Table_refContext table : block.from_clause().table_ref_list().table_ref()) reading.relations.read(table, scope);
        }
        List<Column> result = selected(block.selected_list(), scope);
        reading.expressions.read(block.where_clause(), scope);
        for (Hierarchical_query_clauseContext tree : block.hierarchical_query_clause()) reading.expressions.read(tree, scope);
        for (Column column : result) if (column.origins().stream().noneMatch(o -> o.column() != null && o.column().equals(column.name()))) scope.aliases.putIfAbsent(column.name(), column.origins());
        for (Group_by_clauseContext group : block.group_by_clause()) reading.expressions.read(group, scope);
        if (block.window_clause() != null) reading.expressions.read(block.window_clause(), scope);
        if (block.model_clause() != null) model(block.model_clause(), scope);
        if (block.order_by_clause() != null || block.offset_clause() != null || block.fetch_clause() != null) {
            Scope after = last(List.of(scope), outer, result);
            reading.expressions.read(block.order_by_clause(), after);
            reading.expressions.read(block.offset_clause(), after);
            reading.expressions.read(block.fetch_clause(), after);
        }
        return result;
    }

    private List<Column> selected(Selected_listContext list, Scope scope) {
        List<Column> result = new ArrayList<>();
        if (list.select_list_elements().isEmpty()) {
            for (Relation relation : scope.relations) result.addAll(reading.all(relation));
            return result;
        }
        for (Select_list_elementsContext one : list.select_list_elements()) {
            if (one.tableview_name() != null) {
                List<String> parts = Names.parts(one.tableview_name());
                Relation relation = parts.size() > 1 ? scope.relation(parts.get(0), parts.get(1)) : scope.relation(parts.get(0));
                if (relation != null) result.addAll(reading.all(relation));
                continue;
            }
            Value value = reading.expressions.read(one.expression(), scope);
            result.add(new Column(named(one), value.origins(), isName(one)));
        }
        return result;
    }

    /** Just the name of a column. Of a derived table, that may be an expression there. */
    private static boolean isName(Select_list_elementsContext one) {
        // Words stand beside one another in everything else but a number.
        return Tree.words(one.expression()).matches("([^\\W\\d][\\w$#]*|\"[^\"]+\")( \\. ([\\w$#]+|\"[^\"]+\"))*");
    }

    /** The alias; without one the last part of a name, or the expression without its spaces, as Oracle names it. */
    private static String named(Select_list_elementsContext one) {
        Column_aliasContext alias = one.column_alias();
        if (alias != null && alias.getChildCount() > 0 && !(alias.getChildCount() == 1 && Tree.has(alias, PlSqlParser.AS))) {
            return Names.plain(alias.getChild(alias.getChildCount() - 1).getText());
        }
        String text = one.expression().getText();
        if (text.matches("[\\w$#]+(\\.[\\w$#]+)*")) return Names.plain(text.substring(text.lastIndexOf('.') + 1));
        if (text.matches("(.*\\.)?\"[^\"]+\"")) return Names.plain(text.substring(text.indexOf('"')));
        return Tree.words(one.expression()).replace(" ", "");
    }

    /** Cells of a model are no columns; what they begin as is. */
    private void model(Model_clauseContext model, Scope scope) {
        for (Reference_modelContext reference : model.reference_model()) read(reference.subquery(), scope);
        Scope cells = new Scope(scope);
        for (Model_columnContext column : Tree.all(model.main_model().model_column_clauses(), Model_columnContext.class)) {
            Value value = reading.expressions.read(column.expression() != null ? column.expression() : column.query_block(), scope);
            if (column.column_alias() != null) cells.aliases.put(Names.plain(column.column_alias().getChild(column.column_alias().getChildCount() - 1).getText()), value.origins());
        }
        cells.aliasesFirst = true;
        reading.expressions.read(model.main_model().model_rules_clause(), cells);
    }
}
