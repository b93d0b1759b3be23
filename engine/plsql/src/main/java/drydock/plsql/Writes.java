package drydock.plsql;

import drydock.plsql.Expressions.Value;
import drydock.plsql.Scope.Relation;
import drydock.plsql.Usage.Column;
import drydock.plsql.Usage.Origin;
import drydock.plsql.Usage.Role;
import drydock.plsql.Usage.Write;
import drydock.plsql.grammar.PlSqlParser;
import drydock.plsql.grammar.PlSqlParser.*;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.antlr.v4.runtime.ParserRuleContext;
import org.antlr.v4.runtime.tree.ParseTree;
import org.antlr.v4.runtime.tree.TerminalNode;

/** INSERT, UPDATE, DELETE and MERGE: which tables and columns they write, and what they read for it. */
final class Writes {
    private final Reading reading;

    Writes(Reading reading) {
        this.reading = reading;
    }

    /** Whether the statement is one that writes. */
    boolean read(ParserRuleContext node, Scope outer) {
        if (node instanceof Insert_statementContext insert) insert(insert, outer);
        else if (node instanceof Update_statementContext update) update(update, outer);
        else if (node instanceof Delete_statementContext delete) delete(delete, outer);
        else if (node instanceof Merge_statementContext merge) merge(merge, outer);
        else return false;
        reading.usage.used = true;
        return true;
    }

    private Dml_table_expression_clauseContext source(General_table_refContext target) {
        return target.dml_table_expression_clause();
    }

    private static String alias(General_table_refContext target) {
        return target.table_alias() == null ? null : Names.plain(target.table_alias());
    }

    /** A table that is only written to is not read by that. */
    private Relation target(General_table_refContext node, Scope scope) {
        Set<String> before = Set.copyOf(reading.usage.reads.keySet());
        Relation relation = reading.relations.source(source(node), alias(node), scope);
        if (relation.name != null && !before.contains(relation.name)) reading.usage.reads.remove(relation.name);
        scope.relations.add(relation);
        return relation;
    }

    private Write write(String table, String kind) {
        Write write = new Write(table, kind);
        reading.usage.writes.add(write);
        return write;
    }

    // ---- INSERT

    private void insert(Insert_statementContext node, Scope outer) {
        if (node.single_table_insert() != null) {
            Single_table_insertContext single = node.single_table_insert();
            Scope scope = new Scope(outer);
            Relation target = target(single.insert_into_clause().general_table_ref(), scope);
            List<String> columns = into(single.insert_into_clause(), target);
            Write write = target.name == null ? null : reading.usage.writes.get(reading.usage.writes.size() - 1);
            if (single.select_statement() != null) {
                List<Column> rows = reading.queries.read(single.select_statement(), outer);
                given(target, columns, rows);
                if (write != null && rows.stream().noneMatch(c -> c.name().equals("*"))) write.values = rows.size();
            } else {
                values(target, columns, single.values_clause(), new Scope(outer));
                if (write != null && single.values_clause().collection_expression() == null) {
                    for (Expressions_Context row : single.values_clause().expressions_()) write.values = row.expression().size();
                }
            }
            returning(single.static_returning_clause(), scope);
            log(single.error_logging_clause());
            return;
        }
        Multi_table_insertContext many = node.multi_table_insert();
        List<Column> rows = reading.queries.read(many.select_statement(), outer);
        Scope source = new Scope(outer);
        source.relations.add(new Relation(null, null, rows));
        for (Multi_table_elementContext one : Tree.all(many, Multi_table_elementContext.class, n -> n instanceof Select_statementContext)) {
            Relation target = target(one.insert_into_clause().general_table_ref(), new Scope(outer));
            List<String> columns = into(one.insert_into_clause(), target);
            if (one.values_clause() != null) values(target, columns, one.values_clause(), source);
            else given(target, columns, rows);
        }
        for (Conditional_insert_when_partContext when : Tree.all(many, Conditional_insert_when_partContext.class)) reading.expressions.read(when.condition(), source);
    }

    /** The columns that values go to: those that are written, or all. */
    private List<String> into(Insert_into_clauseContext node, Relation target) {
        List<String> columns = node.paren_column_list() == null ? List.of() : reading.queries.columns(node.paren_column_list().column_list());
        String table = tableOf(target, columns);
        if (table != null) write(table, "insert").columns.addAll(columns);
        if (!columns.isEmpty() || target.columns == null) return columns;
        return target.columns.stream().map(Column::name).filter(c -> target.name == null || !reading.catalog.hides(target.name, c)).toList();
    }

    /** Of an inline view: the table whose columns are written. */
    private static String tableOf(Relation target, List<String> columns) {
        if (target.name != null || target.columns == null) return target.name;
        for (Column column : target.columns) {
            if (columns.isEmpty() || columns.contains(column.name())) for (Origin origin : column.origins()) if (origin.isColumn()) return origin.relation();
        }
        return null;
    }

    private void values(Relation target, List<String> columns, Values_clauseContext node, Scope scope) {
        for (Expressions_Context row : node.expressions_()) {
            for (int i = 0; i < row.expression().size(); i++) {
                Value value = reading.expressions.read(row.expression(i), scope);
                if (i < columns.size()) constant(target, columns.get(i), row.expression(i));
                assign(target, i < columns.size() ? columns.get(i) : null, value, Role.INSERT);
            }
        }
        if (node.collection_expression() != null) reading.expressions.read(node.collection_expression(), scope);
    }

    private void given(Relation target, List<String> columns, List<Column> rows) {
        if (rows.stream().anyMatch(c -> c.name().equals("*"))) return;
        for (int i = 0; i < Math.min(columns.size(), rows.size()); i++) assign(target, columns.get(i), Value.of(rows.get(i).origins()), Role.INSERT);
    }

    private void assign(Relation target, String column, Value value, Role role) {
        String table = tableOf(target, column == null ? List.of() : List.of(column));
        if (column == null || table == null) return;
        reading.usage.relate(value.origins(), Set.of(Origin.of(table, real(target, column))), role);
    }

    /** A string that stands there by itself. */
    private void constant(Relation target, String column, ExpressionContext expression) {
        String table = tableOf(target, List.of(column));
        ParseTree core = Tree.core(expression);
        if (table == null || !(core instanceof TerminalNode leaf) || leaf.getSymbol().getType() != PlSqlParser.CHAR_STRING) return;
        String plain = Names.string(core.getText());
        if (plain == null) return;
        reading.usage.constants.add(new Usage.Constant(table, real(target, column), plain.codePointCount(0, plain.length())));
    }

    /** What the column of an inline view is in its table. */
    private static String real(Relation target, String column) {
        Column found = target.name == null ? target.column(column) : null;
        if (found != null) for (Origin origin : found.origins()) if (origin.isColumn()) return origin.column();
        return column;
    }

    // ---- UPDATE and DELETE

    private void update(Update_statementContext node, Scope outer) {
        Scope scope = new Scope(outer);
        Relation target = target(node.general_table_ref(), scope);
        if (node.from_clause() != null) for (Table_refContext table : node.from_clause().table_ref_list().table_ref()) reading.relations.read(table, scope);
        Update_set_clauseContext set = node.update_set_clause();
        List<String> columns = new ArrayList<>();
        for (Column_based_update_set_clauseContext one : set.column_based_update_set_clause()) {
            if (one.column_name() != null) columns.add(Names.last(one.column_name()));
            else columns.addAll(reading.queries.columns(one.paren_column_list().column_list()));
        }
        String table = tableOf(target, columns);
        Write write = table == null ? null : write(table, "update");
        if (write != null) {
            for (String column : columns) write.columns.add(real(target, column));
            write.where = node.where_clause() != null;
        }
        for (Column_based_update_set_clauseContext one : set.column_based_update_set_clause()) {
            if (one.column_name() != null) {
                constant(target, Names.last(one.column_name()), one.expression());
                assign(target, Names.last(one.column_name()), reading.expressions.read(one.expression(), scope), Role.COLUMN);
                continue;
            }
            List<Column> rows = reading.queries.only(one.with_clause(), one.subquery(), scope, new ArrayList<>());
            List<String> names = reading.queries.columns(one.paren_column_list().column_list());
            for (int i = 0; i < Math.min(names.size(), rows.size()); i++) assign(target, names.get(i), Value.of(rows.get(i).origins()), Role.COLUMN);
        }
        reading.expressions.read(set.expression(), scope);
        reading.expressions.read(node.where_clause(), scope);
        returning(node.static_returning_clause(), scope);
        log(node.error_logging_clause());
    }

    private void delete(Delete_statementContext node, Scope outer) {
        Scope scope = new Scope(outer);
        Relation target = target(node.general_table_ref(), scope);
        if (node.from_clause() != null) for (Table_refContext table : node.from_clause().table_ref_list().table_ref()) reading.relations.read(table, scope);
        String table = tableOf(target, List.of());
        if (table != null) write(table, "delete").where = node.where_clause() != null;
        reading.expressions.read(node.where_clause(), scope);
        returning(node.static_returning_clause(), scope);
        log(node.error_logging_clause());
    }

    // ---- MERGE

    private void merge(Merge_statementContext node, Scope outer) {
        Scope scope = new Scope(outer);
        Set<String> before = Set.copyOf(reading.usage.reads.keySet());
        Relation target = merged(node.selected_tableview(0), scope);
        Relation source = merged(node.selected_tableview(1), outer);
        if (target.name != null && !before.contains(target.name) && !target.name.equals(source.name)) {
            if (reading.usage.reads.containsKey(target.name) && reading.usage.read(target.name).columns.isEmpty()) reading.usage.reads.remove(target.name);
        }
        scope.relations.add(target);
        scope.relations.add(source);
        reading.expressions.read(node.condition(), scope);
        String table = tableOf(target, List.of());
        Merge_update_clauseContext update = node.merge_update_clause();
        if (update != null && table != null) {
            Write write = write(table, "update");
            write.where = true;
            for (Merge_elementContext one : update.merge_element()) {
                write.columns.add(real(target, Names.last(one.column_name())));
                constant(target, Names.last(one.column_name()), one.expression());
                assign(target, Names.last(one.column_name()), reading.expressions.read(one.expression(), scope), Role.COLUMN);
            }
            reading.expressions.read(update.where_clause(), scope);
            if (update.merge_update_delete_part() != null) {
                write(table, "delete").where = true;
                reading.expressions.read(update.merge_update_delete_part().where_clause(), scope);
            }
        }
        Merge_insert_clauseContext insert = node.merge_insert_clause();
        if (insert != null && table != null) {
            List<String> columns = insert.paren_column_list() == null ? List.of() : reading.queries.columns(insert.paren_column_list().column_list());
            Write write = write(table, "insert");
            write.columns.addAll(columns);
            write.handlesConflicts = true;
            if (columns.isEmpty() && target.columns != null) columns = target.columns.stream().map(Column::name).toList();
            Scope values = new Scope(outer);
            values.relations.add(source);
            values(target, columns, insert.values_clause(), values);
            reading.expressions.read(insert.where_clause(), values);
        }
        log(node.error_logging_clause());
    }

    private Relation merged(Selected_tableviewContext node, Scope scope) {
        String alias = node.table_alias() == null ? null : Names.plain(node.table_alias());
        Relation relation;
        if (node.tableview_name() != null) relation = reading.relations.table(node.tableview_name(), alias, scope);
        else if (node.values_rows() != null) relation = reading.relations.rows(node.values_rows(), alias, scope);
        else if (node.table_collection_expression() != null) relation = reading.relations.collection(node.table_collection_expression(), alias, scope);
        else relation = new Relation(alias, null, reading.queries.read(node.select_statement(), scope));
        if (node.paren_column_list() != null && relation.columns != null) {
            relation.columns = Queries.renamed(relation.columns, reading.queries.columns(node.paren_column_list().column_list()));
        }
        return relation;
    }

    // ---- what they have in common

    /** Where values go to that come back is a bind of no column. */
    private void returning(Static_returning_clauseContext node, Scope scope) {
        if (node == null) return;
        List<Column> given = new ArrayList<>();
        for (Returned_valueContext one : node.returned_value()) {
            Value value = reading.expressions.read(one.expression(), scope);
            String text = one.expression().getText();
            given.add(new Column(Names.plain(text.substring(text.lastIndexOf('.') + 1)), value.origins()));
        }
        if (reading.usage.result.isEmpty()) reading.usage.result = given;
        reading.expressions.read(node.into_clause(), scope);
    }

    private void log(Error_logging_clauseContext node) {
        if (node == null || node.error_logging_into_part() == null) return;
        write(reading.mention(Names.parts(node.error_logging_into_part().tableview_name())), "insert");
    }
}
