package drydock.plsql;

import drydock.plsql.Expressions.Value;
import drydock.plsql.Scope.Relation;
import drydock.plsql.Usage.Origin;
import drydock.plsql.Usage.Role;
import drydock.plsql.grammar.PlSqlParser.*;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.antlr.v4.runtime.ParserRuleContext;

/** What names in expressions mean: columns, attributes of columns, functions, sequences, or what the server knows by itself. */
final class Resolver {
    /** Values without parentheses that belong to no table. */
    private static final Set<String> PSEUDO = Set.of("ROWNUM", "ROWID", "LEVEL", "SYSDATE", "SYSTIMESTAMP", "USER", "UID", "CURRENT_DATE", "CURRENT_TIMESTAMP",
        "LOCALTIMESTAMP", "DBTIMEZONE", "SESSIONTIMEZONE", "ORA_ROWSCN", "CONNECT_BY_ISLEAF", "CONNECT_BY_ISCYCLE", "COLUMN_VALUE", "OBJECT_VALUE", "OBJECT_ID",
        "VERSIONS_XID", "VERSIONS_STARTSCN", "VERSIONS_ENDSCN", "VERSIONS_STARTTIME", "VERSIONS_ENDTIME", "VERSIONS_OPERATION", "SQLCODE", "SQLERRM", "TRUE", "FALSE",
        "NULL", "INSERTING", "UPDATING", "DELETING", "ORA_INVOKING_USER", "SQL", "XMLDATA", "DEFAULT", "ITERATION_NUMBER", "PREVIOUS", "CON_ID");
    /** Of these, those that views of the server and tables of the user have as columns. A relation whose columns nobody knows has them rather. */
    private static final Set<String> COLUMNS_TOO = Set.of("OBJECT_ID", "CON_ID");
    /** Functions that give back what they are given. */
    private static final Set<String> PASSING = Set.of("UPPER", "LOWER", "TRIM", "LTRIM", "RTRIM", "INITCAP", "NVL", "COALESCE", "NULLIF", "MIN", "MAX", "GREATEST", "LEAST",
        "FIRST_VALUE", "LAST_VALUE", "LAG", "LEAD", "ANY_VALUE", "FIRST", "LAST", "PREV", "NEXT");

    private final Reading reading;

    Resolver(Reading reading) {
        this.reading = reading;
    }

    private record Part(String name, List<Function_argumentContext> arguments) {}

    private void parts(General_elementContext element, List<Part> to) {
        if (element.general_element() != null) parts(element.general_element(), to);
        for (General_element_partContext part : element.general_element_part()) {
            to.add(new Part(Names.plain(part.id_expression()), part.function_argument()));
            if (part.link_name() != null) reading.usage.links.add(Names.plain(part.link_name()));
        }
    }

    /** A name with dots, any part of which may be a call. */
    Value element(General_elementContext element, Scope scope) {
        List<Part> parts = new ArrayList<>();
        parts(element, parts);
        List<String> before = new ArrayList<>();
        for (Part part : parts) {
            before.add(part.name);
            if (!part.arguments.isEmpty()) break;
        }
        Part called = parts.get(before.size() - 1);
        boolean isCall = !called.arguments.isEmpty();
        Value value = dotted(before, scope, isCall);
        if (isCall) given(before, called.arguments.get(0).argument().size(), scope);
        Value given = Value.NONE;
        for (Part part : parts) {
            for (Function_argumentContext arguments : part.arguments) {
                for (ArgumentContext argument : arguments.argument()) given = given.and(reading.expressions.read(argument, scope));
                reading.expressions.read(arguments.keep_clause(), scope);
                for (ParserRuleContext order : arguments.order_by_clause()) reading.expressions.read(order, scope);
                reading.expressions.read(arguments.query_partition_clause(), scope);
                reading.expressions.read(arguments.over_clause(), scope);
            }
        }
        if (isCall && before.size() == 1 && PASSING.contains(called.name)) {
            reading.usage.relate(given.origins(), given.origins(), Role.COLUMN);
            return given;
        }
        return isCall ? Value.NONE : value;
    }

    Value dotted(List<String> parts, Scope scope, boolean call) {
        String first = parts.get(0);
        String last = parts.get(parts.size() - 1);
        if (parts.size() > 1 && !call && (last.equals("NEXTVAL") || last.equals("CURRVAL"))) {
            reading.usage.sequences.add(reading.names.full(parts.subList(0, parts.size() - 1)));
            return Value.NONE;
        }
        if (parts.size() == 1) return call ? called(parts, scope) : bare(first, scope);
        // A relation's alias comes before everything else.
        Relation relation = scope.relation(first);
        if (relation != null) return qualified(relation, parts.get(1));
        if (parts.size() > 2) {
            relation = scope.relation(first, parts.get(1));
            if (relation != null) return qualified(relation, parts.get(2));
        }
        if (scope.knows(first)) return Value.NONE;
        if (call) return called(parts, scope);
        // An attribute of a column that is an object; or a function or variable of a package.
        Scope.Found column = scope.column(first);
        if (column != null && !column.unsure() && column.relations().stream().anyMatch(r -> r.column(first) != null)) return bare(first, scope);
        reading.usage.calls.add(routine(parts));
        return Value.NONE;
    }

    private Value qualified(Relation relation, String column) {
        if (relation.column(column) == null && isPseudo(column, relation.isOpen())) return Value.NONE;
        return Value.of(reading.read(relation, column));
    }

    private static boolean isPseudo(String name, boolean open) {
        return PSEUDO.contains(name) && !(open && COLUMNS_TOO.contains(name));
    }

    private Value bare(String name, Scope scope) {
        if (name.equals("ROWNUM")) return Value.of(Set.of(Origin.ROWNUM));
        Scope.Found found = scope.column(name);
        boolean certain = found != null && (found.relations().isEmpty() || found.relations().stream().anyMatch(r -> r.column(name) != null));
        if (!certain && (isPseudo(name, found != null) || name.startsWith("$$"))) return Value.NONE;
        // In a query, functions of the server without parentheses are only those above: VALUE is a column.
        if (found == null && Builtins.has(name)) return Value.NONE;
        if (found == null) {
            boolean elsewhere = reading.specified && !scope.hasRelations();
            if (!scope.knows(name) && !elsewhere) reading.usage.unresolved.add(name);
            return Value.NONE;
        }
        if (found.unsure()) {
            reading.usage.unsure.add(name);
            return Value.NONE;
        }
        if (found.several()) reading.usage.ambiguous.add(name);
        Set<Origin> origins = new LinkedHashSet<>(found.alias());
        for (Relation relation : found.relations()) origins.addAll(reading.read(relation, name));
        return Value.of(origins);
    }

    /** How many arguments a routine is given. */
    void given(List<String> parts, int count, Scope scope) {
        if (scope.knows(parts.get(0)) || parts.size() == 1 && Builtins.has(parts.get(0))) return;
        if (reading.usage.calls.contains(routine(parts))) reading.usage.arguments.computeIfAbsent(routine(parts), r -> new java.util.TreeSet<>()).add(count);
    }

    private Value called(List<String> parts, Scope scope) {
        String first = parts.get(0);
        if (scope.knows(first) || parts.size() == 1 && Builtins.has(first)) return Value.NONE;
        reading.usage.calls.add(routine(parts));
        if (Builtins.runsStrings(routine(parts))) reading.usage.opaque = true;
        return Value.NONE;
    }

    /** A routine's name. Where two parts stand, nobody can tell a package from a schema by the text alone. */
    String routine(List<String> parts) {
        if (parts.size() == 1) return reading.names.schema + "." + parts.get(0);
        if (parts.size() == 2 && Builtins.isServersPackage(parts.get(0))) return "SYS." + String.join(".", parts);
        return String.join(".", parts);
    }
}
