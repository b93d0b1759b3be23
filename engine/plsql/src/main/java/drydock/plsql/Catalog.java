package drydock.plsql;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** What the caller knows of the schema: columns of relations in their order, and what synonyms stand for. */
final class Catalog {
    private final Map<String, List<String>> relations = new HashMap<>();
    /** By relation and column, with a line break between: a type as text. */
    private final Map<String, String> types = new HashMap<>();
    private final Map<String, String> synonyms = new HashMap<>();
    /** By relation and column likewise: a star leaves it out. */
    private final Set<String> hidden = new HashSet<>();
    private final String schema;

    Catalog(String schema, Object given) {
        this.schema = schema;
        if (!(given instanceof Map<?, ?> map)) return;
        add(map.get("tables"));
        add(map.get("views"));
        if (map.get("synonyms") instanceof Map<?, ?> names) names.forEach((name, of) -> synonyms.put(String.valueOf(name), String.valueOf(of)));
    }

    /** Columns are names, or objects with {@code name}, {@code type} and {@code hidden}. */
    private void add(Object given) {
        if (!(given instanceof Map<?, ?> map)) return;
        map.forEach((name, columns) -> {
            List<String> names = new ArrayList<>();
            if (columns instanceof List<?> list) {
                for (Object column : list) {
                    if (column instanceof Map<?, ?> typed) {
                        names.add(String.valueOf(typed.get("name")));
                        if (Boolean.TRUE.equals(typed.get("hidden"))) hidden.add(name + "\n" + typed.get("name"));
                        if (typed.get("type") != null) types.put(name + "\n" + typed.get("name"), String.valueOf(typed.get("type")));
                    } else {
                        names.add(String.valueOf(column));
                    }
                }
            }
            relations.put(String.valueOf(name), names);
        });
    }

    /** The columns of a relation; null: it is not known. */
    List<String> columns(String relation) {
        return relations.get(relation);
    }

    /** The type that a column has now; null: it is not known. */
    String type(String relation, String column) {
        return types.get(relation + "\n" + column);
    }

    /** Whether a star leaves it out. */
    boolean hides(String relation, String column) {
        return hidden.contains(relation + "\n" + column);
    }

    /** What a name that was written means: a relation of the schema, a synonym, a synonym for all, or the server's own. */
    String relation(List<String> parts) {
        boolean bare = parts.size() == 1;
        String name = parts.get(parts.size() - 1);
        String full = (bare ? schema : parts.get(parts.size() - 2)) + "." + name;
        if (relations.containsKey(full)) return full;
        if (synonyms.containsKey(full)) return synonyms.get(full);
        if (bare && synonyms.containsKey("PUBLIC." + name)) return synonyms.get("PUBLIC." + name);
        if (bare && isServers(name)) return "SYS." + name;
        return full;
    }

    /** Views of the dictionary, and DUAL. */
    static boolean isServers(String name) {
        return name.equals("DUAL") || name.startsWith("V$") || name.startsWith("GV$") || name.matches("(USER|ALL|DBA|CDB)_[A-Z_]+");
    }
}
