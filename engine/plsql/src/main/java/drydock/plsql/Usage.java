package drydock.plsql;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/** What queries and code read, write, take, give and call. */
final class Usage {
    /** Where a value comes from: a column of a relation, a bind (by its place), or the number of a row. */
    record Origin(String relation, String column, int bind) {
        static final Origin ROWNUM = new Origin(null, "ROWNUM", -1);

        static Origin of(String relation, String column) {
            return new Origin(relation, column, -1);
        }

        boolean isColumn() {
            return relation != null;
        }
    }

    record Signature(String name, int least, int most) {}

    /** A string that is written into a column as it stands. */
    record Constant(String table, String column, int length) {}

    /** A column of what a query gives. {@code plain}: its values are those of one column, as they are. */
    record Column(String name, Set<Origin> origins, boolean plain) {
        /** Its values are made of others. */
        Column(String name, Set<Origin> origins) {
            this(name, origins, false);
        }
    }

    enum Role { FREE, COUNT, COLUMN, INSERT }

    /** A place for a value. */
    static final class Bind {
        final String name;
        /** Where it stands in the text: binds are found in another order. */
        private final int at;
        Role role = Role.FREE;
        Origin of;

        Bind(String name, int at) {
            this.name = name;
            this.at = at;
        }

        Map<String, Object> describe() {
            Map<String, Object> map = new LinkedHashMap<>();
            map.put("name", name);
            map.put("role", role.name().toLowerCase());
            if (of != null) {
                map.put("table", of.relation);
                map.put("column", of.column);
            }
            return map;
        }
    }

    static final class Read {
        final Set<String> columns = new TreeSet<>();
        boolean all;
    }

    /** One way in which a table is written. */
    static final class Write {
        final String table;
        final String kind;
        final Set<String> columns = new LinkedHashSet<>();
        boolean handlesConflicts;
        boolean where;
        /** How many values each row is given; -1: that is not told. */
        int values = -1;

        Write(String table, String kind) {
            this.table = table;
            this.kind = kind;
        }

        Map<String, Object> describe() {
            Map<String, Object> map = new LinkedHashMap<>();
            map.put("table", table);
            map.put("kind", kind);
            map.put("columns", new ArrayList<>(columns));
            map.put("inserts", kind.equals("insert"));
            if (handlesConflicts) map.put("handles_conflicts", true);
            if (where) map.put("where", true);
            if (values >= 0) map.put("values", values);
            return map;
        }
    }

    final Map<String, Read> reads = new TreeMap<>();
    final List<Write> writes = new ArrayList<>();
    final List<Bind> binds = new ArrayList<>();
    final Set<String> calls = new TreeSet<>();
    /** How many arguments calls give, by routine. */
    final Map<String, Set<Integer>> arguments = new TreeMap<>();
    /** Constants that are written: table, column, and the length of the string. */
    final List<Constant> constants = new ArrayList<>();
    final Set<String> sequences = new TreeSet<>();
    /** Databases beyond a link, by the link's name. */
    final Set<String> links = new TreeSet<>();
    /** Names that mean nothing. */
    final Set<String> unresolved = new TreeSet<>();
    /** Names of one of several relations whose columns nobody knows. */
    final Set<String> unsure = new TreeSet<>();
    /** Names that several relations have. */
    final Set<String> ambiguous = new TreeSet<>();
    /** Tables whose types code takes over. */
    final Set<String> types = new TreeSet<>();
    final Set<String> defines = new LinkedHashSet<>();
    /** How many arguments what is defined takes: the name, how many it needs, and how many it may have. */
    final List<Signature> signatures = new ArrayList<>();
    List<Column> result = List.of();
    boolean ordered;
    boolean opaque;
    boolean locks;
    /** It ends the transaction that it runs in. */
    boolean commits;
    /** It runs in a transaction of its own. */
    boolean autonomous;
    /** There is something in it. */
    boolean used;

    Read read(String relation) {
        return reads.computeIfAbsent(relation, r -> new Read());
    }

    /** Compares or assigns: what is a bind on one side stands for the column on the other. */
    void relate(Set<Origin> left, Set<Origin> right, Role role) {
        for (Origin bind : left) {
            if (bind.bind < 0) continue;
            for (Origin other : right) {
                if (other.isColumn()) give(bind.bind, role, other);
                else if (other == Origin.ROWNUM) give(bind.bind, Role.COUNT, null);
            }
        }
    }

    /** Of several roles, the strongest holds. */
    void give(int bind, Role role, Origin of) {
        Bind found = binds.get(bind);
        if (role.ordinal() <= found.role.ordinal()) return;
        found.role = role;
        found.of = of;
    }

    Map<String, Object> describe() {
        Map<String, Object> map = new LinkedHashMap<>();
        List<Object> read = new ArrayList<>();
        reads.forEach((relation, columns) -> {
            Map<String, Object> one = new LinkedHashMap<>();
            one.put("relation", relation);
            one.put("columns", new ArrayList<>(columns.columns));
            if (columns.all) one.put("all", true);
            read.add(one);
        });
        map.put("reads", read);
        map.put("writes", writes.stream().map(Write::describe).toList());
        List<Object> given = new ArrayList<>();
        for (Column column : result) {
            List<Object> sources = new ArrayList<>();
            column.origins.stream().filter(Origin::isColumn).forEach(o -> sources.add(List.of(o.relation, o.column)));
            given.add(List.of(column.name, sources, column.plain && sources.size() == 1));
        }
        map.put("result", given);
        map.put("binds", binds.stream().sorted(Comparator.comparingInt(b -> b.at)).map(Bind::describe).toList());
        map.put("calls", new ArrayList<>(calls));
        if (!arguments.isEmpty()) {
            List<Object> counts = new ArrayList<>();
            arguments.forEach((routine, numbers) -> counts.add(Facts.map("routine", routine, "counts", new ArrayList<>(numbers))));
            map.put("arguments", counts);
        }
        if (!constants.isEmpty()) map.put("constants", constants.stream().map(c -> Facts.map("table", c.table, "column", c.column, "length", c.length)).toList());
        map.put("sequences", new ArrayList<>(sequences));
        map.put("links", new ArrayList<>(links));
        map.put("unresolved", new ArrayList<>(unresolved));
        if (!unsure.isEmpty()) map.put("unsure", new ArrayList<>(unsure));
        if (!ambiguous.isEmpty()) map.put("ambiguous", new ArrayList<>(ambiguous));
        map.put("ordered", ordered);
        map.put("only_reads", writes.isEmpty() && !locks && !opaque && !commits && calls.isEmpty() && sequences.isEmpty() && links.isEmpty());
        map.put("opaque", opaque);
        if (commits) map.put("commits", true);
        if (autonomous) map.put("autonomous", true);
        if (!types.isEmpty()) map.put("types_of", new ArrayList<>(types));
        if (!defines.isEmpty()) map.put("defines", new ArrayList<>(defines));
        if (!signatures.isEmpty()) map.put("signatures", signatures.stream().map(s -> Facts.map("name", s.name, "least", s.least, "most", s.most)).toList());
        return map;
    }
}
