package drydock.plsql;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** What is found of one statement: actions as {@code SchemaAction} has them, and what only Oracle has beside them. */
final class Facts {
    String kind = "other";
    final List<Map<String, Object>> actions = new ArrayList<>();
    final Map<String, Object> more = new LinkedHashMap<>();
    /** The first version that has all of the statement; null: any. */
    String needs;

    /** Names and values in turn. */
    static Map<String, Object> map(Object... pairs) {
        Map<String, Object> map = new LinkedHashMap<>();
        for (int i = 0; i < pairs.length; i += 2) map.put((String) pairs[i], pairs[i + 1]);
        return map;
    }

    void act(String action, Object... pairs) {
        Map<String, Object> map = map(pairs);
        Map<String, Object> all = new LinkedHashMap<>();
        all.put("action", action);
        all.putAll(map);
        if (!actions.contains(all)) actions.add(all);
    }

    void other() {
        act("other");
    }

    /** A fact that holds. */
    void set(String fact) {
        more.put(fact, true);
    }

    void set(String fact, boolean holds) {
        if (holds) more.put(fact, true);
    }

    void set(String fact, Object value) {
        if (value != null) more.put(fact, value);
    }

    /** One of several of a kind. */
    @SuppressWarnings("unchecked")
    void add(String fact, Object value) {
        ((List<Object>) more.computeIfAbsent(fact, f -> new ArrayList<>())).add(value);
    }

    void needs(String version) {
        if (needs == null || needs.compareTo(version) < 0) needs = version;
    }

    Set<String> names() {
        return new LinkedHashSet<>(more.keySet());
    }
}
