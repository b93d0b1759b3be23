package drydock.plsql;

import drydock.plsql.Usage.Column;
import drydock.plsql.Usage.Origin;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** What names mean at one place of a query: the relations of its FROM, then those around it. */
final class Scope {
    /** Something with rows. */
    static final class Relation {
        String alias;
        /** {@code SCHEMA.NAME}; null: it is made here. */
        final String name;
        /** null: nobody knows them. */
        List<Column> columns;

        Relation(String alias, String name, List<Column> columns) {
            this.alias = alias;
            this.name = name;
            this.columns = columns;
        }

        Column column(String wanted) {
            if (columns != null) for (Column column : columns) if (column.name().equals(wanted)) return column;
            return null;
        }

        boolean isOpen() {
            return columns == null || column("*") != null;
        }
    }

    final Scope outer;
    final List<Relation> relations = new ArrayList<>();
    /** Named queries of WITH. */
    final Map<String, List<Column>> named = new HashMap<>();
    /** Names that are no columns: variables, parameters, cells of a model. */
    final Set<String> known = new HashSet<>();
    /** Names that the query gives its results. */
    final Map<String, Set<Origin>> aliases = new HashMap<>();
    /** ORDER BY means results before columns. */
    boolean aliasesFirst;
    /** Inside MATCH_RECOGNIZE: each variable of the pattern stands for this relation. */
    Relation pattern;

    Scope(Scope outer) {
        this.outer = outer;
    }

    boolean knows(String name) {
        for (Scope scope = this; scope != null; scope = scope.outer) if (scope.known.contains(name)) return true;
        return false;
    }

    /** Whether it is inside of a query. */
    boolean hasRelations() {
        for (Scope scope = this; scope != null; scope = scope.outer) if (!scope.relations.isEmpty()) return true;
        return false;
    }

    /** The query that WITH gave a name; null: none. */
    List<Column> named(String name) {
        for (Scope scope = this; scope != null; scope = scope.outer) if (scope.named.containsKey(name)) return scope.named.get(name);
        return null;
    }

    Relation relation(String alias) {
        for (Scope scope = this; scope != null; scope = scope.outer) {
            for (Relation relation : scope.relations) if (alias.equals(relation.alias)) return relation;
            if (scope.pattern != null) return scope.pattern;
        }
        return null;
    }

    /** By {@code SCHEMA.NAME}, as a column may be qualified too. */
    Relation relation(String schema, String name) {
        for (Scope scope = this; scope != null; scope = scope.outer) {
            for (Relation relation : scope.relations) if ((schema + "." + name).equals(relation.name)) return relation;
        }
        return null;
    }

    /** Columns that joins have made one of several. */
    final Set<String> merged = new HashSet<>();
    /** Which those are, nobody knows. */
    boolean mergesAny;

    /** What a bare name may mean. {@code unsure}: one of these relations has it; {@code several}: more than one does, which Oracle does not take. */
    record Found(List<Relation> relations, Set<Origin> alias, boolean unsure, boolean several) {
        Found(List<Relation> relations, Set<Origin> alias, boolean unsure) {
            this(relations, alias, unsure, false);
        }
    }

    /** The relations that have a column of this name: the innermost that do. null: it is no column that anybody knows. */
    Found column(String name) {
        for (Scope scope = this; scope != null; scope = scope.outer) {
            if (scope.aliasesFirst && scope.aliases.containsKey(name)) return new Found(List.of(), scope.aliases.get(name), false);
            List<Relation> having = new ArrayList<>();
            for (Relation relation : scope.relations) if (relation.column(name) != null) having.add(relation);
            boolean several = having.size() > 1 && !scope.mergesAny && !scope.merged.contains(name);
            if (!having.isEmpty()) return new Found(having, Set.of(), false, several);
            if (scope.aliases.containsKey(name)) return new Found(List.of(), scope.aliases.get(name), false);
        }
        if (knows(name)) return null;
        for (Scope scope = this; scope != null; scope = scope.outer) {
            List<Relation> open = new ArrayList<>();
            for (Relation relation : scope.relations) if (relation.isOpen()) open.add(relation);
            if (!open.isEmpty()) return new Found(open, Set.of(), open.size() > 1);
        }
        return null;
    }

    static Set<Origin> union(Set<Origin> one, Set<Origin> other) {
        if (one.isEmpty()) return other;
        if (other.isEmpty()) return one;
        Set<Origin> both = new LinkedHashSet<>(one);
        both.addAll(other);
        return both;
    }
}
