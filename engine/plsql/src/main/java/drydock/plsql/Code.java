package drydock.plsql;

import drydock.plsql.grammar.PlSqlParser;
import drydock.plsql.grammar.PlSqlParser.*;
import java.util.List;
import java.util.Set;
import org.antlr.v4.runtime.ParserRuleContext;
import org.antlr.v4.runtime.tree.ParseTree;
import org.antlr.v4.runtime.tree.TerminalNode;

/** PL/SQL: the static SQL in it, what it calls, and whether it runs SQL that it makes of strings. */
final class Code {
    private final Reading reading;
    private final Resolver resolver;

    Code(Reading reading) {
        this.reading = reading;
        resolver = new Resolver(reading);
    }

    Resolver names() {
        return resolver;
    }

    /** A routine that belongs to the statement and is nobody else's. */
    void local(ParserRuleContext routine, String name, Scope scope) {
        scope.known.add(name);
        Scope inside = new Scope(scope);
        declare(routine, inside);
        read(routine, inside);
    }

    /** All names that a unit declares, wherever in it: a name that is declared twice is a variable in either place. */
    void declare(ParseTree unit, Scope scope) {
        for (Variable_declarationContext one : Tree.all(unit, Variable_declarationContext.class)) scope.known.add(Names.plain(one.declared_name()));
        for (ParameterContext one : Tree.all(unit, ParameterContext.class)) scope.known.add(Names.plain(one.parameter_name()));
        for (Parameter_specContext one : Tree.all(unit, Parameter_specContext.class)) scope.known.add(Names.plain(one.parameter_name()));
        for (Type_elements_parameterContext one : Tree.all(unit, Type_elements_parameterContext.class)) scope.known.add(Names.plain(one.parameter_name()));
        for (Cursor_declarationContext one : Tree.all(unit, Cursor_declarationContext.class)) scope.known.add(Names.plain(one.identifier()));
        for (Type_declarationContext one : Tree.all(unit, Type_declarationContext.class)) scope.known.add(Names.plain(one.identifier()));
        for (Subtype_declarationContext one : Tree.all(unit, Subtype_declarationContext.class)) scope.known.add(Names.plain(one.identifier()));
        for (Exception_declarationContext one : Tree.all(unit, Exception_declarationContext.class)) scope.known.add(Names.plain(one.declared_name()));
        for (Procedure_bodyContext one : Tree.all(unit, Procedure_bodyContext.class)) scope.known.add(Names.plain(one.identifier()));
        for (Function_bodyContext one : Tree.all(unit, Function_bodyContext.class)) scope.known.add(Names.plain(one.identifier()));
        for (Procedure_specContext one : Tree.all(unit, Procedure_specContext.class)) scope.known.add(Names.plain(one.identifier()));
        for (Function_specContext one : Tree.all(unit, Function_specContext.class)) scope.known.add(Names.plain(one.identifier()));
        for (Proc_decl_in_typeContext one : Tree.all(unit, Proc_decl_in_typeContext.class)) scope.known.add(Names.plain(one.procedure_name()));
        for (Func_decl_in_typeContext one : Tree.all(unit, Func_decl_in_typeContext.class)) scope.known.add(Names.plain(one.function_name()));
        for (Label_declarationContext one : Tree.all(unit, Label_declarationContext.class)) scope.known.add(Names.plain(one.label_name()));
        for (Forall_statementContext one : Tree.all(unit, Forall_statementContext.class)) scope.known.add(Names.plain(one.index_name()));
        for (Cursor_loop_paramContext one : Tree.all(unit, Cursor_loop_paramContext.class)) {
            scope.known.add(Names.plain(one.index_name() != null ? one.index_name() : one.record_name()));
        }
        for (Referencing_elementContext one : Tree.all(unit, Referencing_elementContext.class)) {
            scope.known.add(":" + Names.plain(one.column_alias().getChild(one.column_alias().getChildCount() - 1).getText()));
        }
    }

    /** Everything of a unit, in a scope that knows its names. */
    void read(ParseTree node, Scope scope) {
        if (node instanceof Select_statementContext || node instanceof Select_only_statementContext) {
            reading.queries.read((ParserRuleContext) node, scope);
            return;
        }
        if (node instanceof ParserRuleContext rule && reading.writes.read(rule, scope)) return;
        if (node instanceof Execute_immediateContext execute) {
            reading.usage.opaque = true;
            constant(execute.expression());
        }
        if (node instanceof Open_for_statementContext open && open.select_statement() == null) reading.usage.opaque = true;
        if (node instanceof Pragma_declarationContext pragma && Tree.has(pragma, PlSqlParser.AUTONOMOUS_TRANSACTION)) reading.usage.autonomous = true;
        if (node instanceof Commit_statementContext || node instanceof Rollback_statementContext) reading.usage.commits = true;
        if (node instanceof Lock_table_statementContext lock) {
            reading.usage.locks = true;
            for (Lock_table_elementContext one : lock.lock_table_element()) reading.mention(Names.parts(one.tableview_name()));
            return;
        }
        if (node instanceof Call_statementContext call) {
            call(call, scope);
            return;
        }
        if (node instanceof Method_statementContext method) {
            method(method, scope);
            return;
        }
        if (node instanceof Type_specContext type) {
            typed(type, scope);
            return;
        }
        if (node instanceof ExpressionContext || node instanceof ConcatenationContext || node instanceof General_elementContext || node instanceof Bind_variableContext) {
            reading.expressions.read(node, scope);
            return;
        }
        for (int i = 0; i < node.getChildCount(); i++) read(node.getChild(i), scope);
    }

    /** {@code routine(arguments)} as a statement. */
    void call(Call_statementContext call, Scope scope) {
        java.util.ArrayList<String> parts = new java.util.ArrayList<>();
        Function_argumentContext given = null;
        for (ParseTree child : call.children) {
            if (child instanceof Routine_nameContext name) {
                // What comes after arguments is a method of what the routine gives.
                if (given == null) parts.addAll(Names.parts(name));
                if (name.link_name() != null) reading.usage.links.add(Names.plain(name.link_name()));
            } else if (child instanceof Function_argumentContext arguments && given == null) {
                given = arguments;
            }
        }
        boolean own = scope.knows(parts.get(0));
        if (!own && !(parts.size() == 1 && Builtins.has(parts.get(0)))) {
            reading.usage.calls.add(resolver.routine(parts));
            if (Builtins.runsStrings(resolver.routine(parts))) reading.usage.opaque = true;
        }
        resolver.given(parts, given == null ? 0 : given.argument().size(), scope);
        for (Function_argumentContext arguments : call.function_argument()) {
            for (ArgumentContext argument : arguments.argument()) reading.expressions.read(argument, scope);
        }
        reading.expressions.read(call.bind_variable(), scope);
    }

    /** {@code (SELF AS parent).method(arguments)} and {@code TREAT(value AS child).method(arguments)}: which method runs, the type says. */
    private void method(Method_statementContext node, Scope scope) {
        reading.expressions.read(node.general_element(), scope);
        reading.expressions.read(node.expression(), scope);
        for (General_element_partContext part : node.general_element_part()) {
            for (Function_argumentContext arguments : part.function_argument()) {
                for (ArgumentContext argument : arguments.argument()) reading.expressions.read(argument, scope);
            }
        }
    }

    /** SQL that stands in a string by itself, for who wants to look at it. */
    private void constant(ExpressionContext expression) {
        String text = Names.string(expression.getText());
        ParseTree core = Tree.core(expression);
        boolean string = core instanceof TerminalNode leaf && leaf.getSymbol().getType() == drydock.plsql.grammar.PlSqlParser.CHAR_STRING;
        if (string && text != null) reading.strings.add(text);
    }

    /** {@code table.column%TYPE} and {@code table%ROWTYPE} go wrong when the table does. */
    private void typed(Type_specContext type, Scope scope) {
        if (type.type_name() == null || type.PERCENT_TYPE() == null && type.PERCENT_ROWTYPE() == null) return;
        List<String> parts = Names.parts(type.type_name());
        if (scope.knows(parts.get(0))) return;
        boolean row = type.PERCENT_ROWTYPE() != null;
        if (!row && parts.size() < 2) return;
        String relation = reading.mention(row ? parts : parts.subList(0, parts.size() - 1));
        reading.usage.types.add(row ? relation : relation + "." + parts.get(parts.size() - 1));
    }

    /** What a unit makes that others may call, and how many arguments that takes. */
    void defines(Usage usage, String unit, ParserRuleContext node) {
        usage.defines.add(unit);
        if (node instanceof Create_procedure_bodyContext one) takes(usage, unit, one.parameter());
        if (node instanceof Create_function_bodyContext one) takes(usage, unit, one.parameter());
        for (int i = 0; i < node.getChildCount(); i++) {
            ParseTree child = node.getChild(i);
            if (!(child instanceof Package_obj_specContext) && !(child instanceof Package_obj_bodyContext)) continue;
            ParseTree inner = child.getChild(0);
            if (inner instanceof Procedure_specContext p) takes(usage, unit + "." + Names.plain(p.identifier()), p.parameter());
            else if (inner instanceof Function_specContext f) takes(usage, unit + "." + Names.plain(f.identifier()), f.parameter());
            else if (inner instanceof Procedure_bodyContext p) takes(usage, unit + "." + Names.plain(p.identifier()), p.parameter());
            else if (inner instanceof Function_bodyContext f) takes(usage, unit + "." + Names.plain(f.identifier()), f.parameter());
        }
    }

    private static void takes(Usage usage, String name, List<ParameterContext> parameters) {
        usage.defines.add(name);
        int least = (int) parameters.stream().filter(p -> p.default_value_part() == null).count();
        usage.signatures.add(new Usage.Signature(name, least, parameters.size()));
    }
}
