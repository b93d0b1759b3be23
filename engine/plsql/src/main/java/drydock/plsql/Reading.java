package drydock.plsql;

import drydock.plsql.Scope.Relation;
import drydock.plsql.Usage.Column;
import drydock.plsql.Usage.Origin;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/** What is read of one statement, and the readers of its parts, which know each other by it. */
final class Reading {
    final Names names;
    final Catalog catalog;
    final Usage usage = new Usage();
    final Expressions expressions = new Expressions(this);
    final Queries queries = new Queries(this);
    final Relations relations = new Relations(this);
    final Writes writes = new Writes(this);
    final Code code = new Code(this);
    /** All relations that the statement names. */
    final Set<String> mentioned = new java.util.TreeSet<>();
    /** Texts of SQL in strings that code runs. */
    final List<String> strings = new ArrayList<>();
    /** The body of a package or type, whose specification has names too. */
    boolean specified;
    /** The table of a trigger, whose rows :NEW and :OLD are. */
    String triggerTable;

    Reading(Names names, Catalog catalog) {
        this.names = names;
        this.catalog = catalog;
    }

    /** A relation of the database, which a statement names. */
    String mention(List<String> parts) {
        String name = catalog.relation(parts);
        if (!name.equals("SYS.DUAL")) mentioned.add(name);
        return name;
    }

    /** A relation of the database as a place to find columns in. */
    Relation base(String name, String alias) {
        if (name.equals("SYS.DUAL")) return new Relation(alias, null, List.of(new Column("DUMMY", Set.of())));
        usage.read(name);
        List<String> known = catalog.columns(name);
        List<Column> columns = null;
        if (known != null) {
            columns = new ArrayList<>();
            for (String column : known) columns.add(new Column(column, Set.of(Origin.of(name, column)), true));
        }
        return new Relation(alias, name, columns);
    }

    /** A column of a relation is read: what it is made of. */
    Set<Origin> read(Relation relation, String column) {
        Column found = relation.column(column);
        if (relation.name == null) {
            if (found != null) return found.origins();
            Column rest = relation.column("*");
            if (rest == null) return Set.of();
            // Of a relation that nobody knows, passed on by a star.
            Set<Origin> origins = new java.util.LinkedHashSet<>();
            for (Origin origin : rest.origins()) {
                usage.read(origin.relation()).columns.add(column);
                origins.add(Origin.of(origin.relation(), column));
            }
            return origins;
        }
        usage.read(relation.name).columns.add(column);
        return Set.of(Origin.of(relation.name, column));
    }

    /** All columns of a relation are read; one named {@code *} stands for those that nobody knows. */
    List<Column> all(Relation relation) {
        if (relation.columns == null) {
            if (relation.name == null) return List.of(new Column("*", Set.of()));
            usage.read(relation.name).all = true;
            return List.of(new Column("*", Set.of(Origin.of(relation.name, "*"))));
        }
        if (relation.name == null) return relation.columns;
        List<Column> shown = relation.columns.stream().filter(c -> !catalog.hides(relation.name, c.name())).toList();
        shown.forEach(c -> usage.read(relation.name).columns.add(c.name()));
        return shown;
    }
}
