package drydock.plsql;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * Runs the cases of a folder: {@code Cases FOLDER [FILE]}. A case is
 *
 * <pre>
 * === title | expectation | expectation
 * text
 * </pre>
 *
 * with the expectations {@code tables A,B}, {@code actions ...}, {@code facts a=b,c}, {@code reads T(A,B)}, {@code writes ...}, {@code result ...},
 * {@code binds ...}, {@code calls ...}, {@code commits true}, {@code error words}, {@code kinds ...} (of all statements), {@code known} (fails, and is known to).
 * The first lines of a file, up to the first case, are its catalog: {@code @ T(A,B)}, {@code @ SYNONYM=T}, {@code @ version 19c}.
 */
public final class Cases {
    private record Case(String file, int line, String title, List<String> wanted, String text) {}

    /** What the engine's {@code SchemaAction} has: nothing else can be read there. */
    private static final Map<String, List<String>> ACTIONS = Map.ofEntries(
        Map.entry("create_table", List.of("table")), Map.entry("drop_table", List.of("table")), Map.entry("rename_table", List.of("table", "to")),
        Map.entry("truncate_table", List.of("table")), Map.entry("add_column", List.of("table", "column", "required")), Map.entry("drop_column", List.of("table", "column")),
        Map.entry("rename_column", List.of("table", "column", "to")), Map.entry("change_column_type", List.of("table", "column")),
        Map.entry("set_not_null", List.of("table", "column")), Map.entry("drop_not_null", List.of("table", "column")), Map.entry("set_default", List.of("table", "column")),
        Map.entry("drop_default", List.of("table", "column")), Map.entry("add_constraint", List.of("table", "name", "kind", "valid", "not_null")),
        Map.entry("drop_constraint", List.of("table", "name")), Map.entry("validate_constraint", List.of("table", "name")),
        Map.entry("create_index", List.of("table", "index", "unique")), Map.entry("drop_index", List.of("index", "table")), Map.entry("create_view", List.of("view")),
        Map.entry("drop_view", List.of("view")), Map.entry("restart_sequence", List.of()), Map.entry("drop_object", List.of("kind", "name")),
        Map.entry("grant", List.of("relations")), Map.entry("revoke", List.of("relations")), Map.entry("attach_partition", List.of("table", "partition")),
        Map.entry("detach_partition", List.of("table", "partition")), Map.entry("move_rows", List.of("table", "kind")), Map.entry("runs_code", List.of()),
        Map.entry("reaches_out", List.of("to")), Map.entry("server", List.of()), Map.entry("other", List.of()));

    private static int failed;
    private static int known;
    private static int passed;

    private Cases() {}

    public static void main(String[] arguments) throws IOException {
        List<Path> files;
        try (var list = Files.list(Path.of(arguments[0]))) {
            files = list.filter(f -> f.toString().endsWith(".txt")).filter(f -> arguments.length < 2 || f.getFileName().toString().equals(arguments[1])).sorted().toList();
        }
        for (Path file : files) {
            int before = passed;
            int bad = failed + known;
            run(file);
            System.out.printf("%s: %d pass, %d fail%n", file.getFileName(), passed - before, failed + known - bad);
        }
        System.out.printf("%d pass, %d fail, of which %d are known to%n", passed, failed + known, known);
        if (failed > 0) System.exit(1);
    }

    private static void run(Path file) throws IOException {
        Map<String, Object> tables = new LinkedHashMap<>();
        Map<String, Object> synonyms = new LinkedHashMap<>();
        String version = "23ai";
        List<Case> cases = new ArrayList<>();
        int number = 0;
        StringBuilder text = new StringBuilder();
        for (String line : Files.readAllLines(file)) {
            number++;
            if (line.startsWith("@ version ")) {
                version = line.substring(10);
            } else if (line.startsWith("@ ") && cases.isEmpty()) {
                if (line.contains("=")) {
                    String[] sides = line.substring(2).split("=");
                    synonyms.put(full(sides[0]), full(sides[1]));
                } else {
                    int open = line.indexOf('(');
                    tables.put(full(line.substring(2, open)), List.of(line.substring(open + 1, line.length() - 1).split(",")));
                }
            } else if (line.startsWith("=== ")) {
                text = new StringBuilder();
                List<String> parts = new ArrayList<>();
                for (String part : line.substring(4).split("\\|")) parts.add(part.strip());
                List<String> wanted = parts.subList(1, parts.size());
                // The short form of the statements' list: a kind, and tables.
                if (line.matches("=== \\w+ \\|.*") && (wanted.isEmpty() || wanted.size() == 1 && wanted.get(0).matches("[A-Z0-9_,]*"))) {
                    wanted = List.of("tables " + (wanted.isEmpty() ? "" : wanted.get(0)));
                }
                final StringBuilder own = text;
                cases.add(new Case(file.getFileName().toString(), number, parts.get(0), wanted, null));
                bodies.put(cases.get(cases.size() - 1), own);
            } else if (!cases.isEmpty()) {
                text.append(text.isEmpty() ? "" : "\n").append(line);
            }
        }
        for (Case one : cases) check(one, bodies.get(one).toString(), version, Map.of("tables", tables, "synonyms", synonyms));
    }

    private static final Map<Case, StringBuilder> bodies = new java.util.IdentityHashMap<>();

    private static String full(String name) {
        return name.contains(".") ? name : "APP." + name;
    }

    private static void check(Case one, String text, String version, Map<String, Object> catalog) {
        List<String> wrong = new ArrayList<>();
        List<Map<String, Object>> statements = read(text, version, catalog);
        boolean isKnown = one.wanted.contains("known");
        Map<String, Object> first = statements.isEmpty() ? Map.of() : statements.get(0);
        for (String wanted : one.wanted) {
            if (wanted.equals("known") || wanted.isEmpty()) continue;
            int space = wanted.indexOf(' ');
            String what = space < 0 ? wanted : wanted.substring(0, space);
            String value = space < 0 ? "" : wanted.substring(space + 1).strip();
            String got = got(what, value, statements, first);
            if (!got.equals(value)) wrong.add(what + ": wanted [" + value + "], got [" + got + "]");
        }
        for (Map<String, Object> statement : statements) wrong.addAll(shapes(statement));
        boolean expectsError = one.wanted.stream().anyMatch(w -> w.startsWith("error") || w.startsWith("kinds") || w.startsWith("hint"));
        if (!expectsError) for (Map<String, Object> s : statements) if (s.containsKey("error")) wrong.add("error: " + s.get("error"));
        if (wrong.isEmpty()) {
            passed++;
            return;
        }
        if (isKnown) known++;
        else failed++;
        System.out.printf("%s %s:%d %s%n   %s%n", isKnown ? "known" : "FAIL ", one.file, one.line, one.title, String.join("\n   ", wrong));
    }

    @SuppressWarnings("unchecked")
    private static List<String> shapes(Map<String, Object> statement) {
        List<String> wrong = new ArrayList<>();
        for (Map<String, Object> action : (List<Map<String, Object>>) statement.getOrDefault("actions", List.of())) {
            List<String> wanted = new ArrayList<>(ACTIONS.getOrDefault(String.valueOf(action.get("action")), List.of("?")));
            wanted.remove(action.containsKey("not_null") ? "" : "not_null");
            List<String> keys = new ArrayList<>(action.keySet());
            keys.remove("action");
            if (!keys.equals(wanted)) wrong.add("no action of the engine: " + action);
        }
        if (!statement.containsKey("error") && ((List<Object>) statement.get("actions")).isEmpty()) wrong.add("a statement without an action");
        return wrong;
    }

    @SuppressWarnings("unchecked")
    static List<Map<String, Object>> read(String text, String version, Map<String, Object> catalog) {
        Map<String, Object> answer = Reader.read(Map.of("version", version, "schema", "APP", "texts", List.of(text), "catalog", catalog));
        return (List<Map<String, Object>>) ((Map<String, Object>) ((List<Object>) answer.get("texts")).get(0)).get("statements");
    }

    @SuppressWarnings("unchecked")
    private static String got(String what, String wanted, List<Map<String, Object>> statements, Map<String, Object> first) {
        Map<String, Object> query = (Map<String, Object>) first.getOrDefault("query", Map.of());
        switch (what) {
            case "tables": {
                TreeSet<String> names = new TreeSet<>();
                for (Map<String, Object> s : statements) for (Object name : (List<Object>) s.getOrDefault("relations", List.of())) names.add(bare(name));
                return order(names, wanted);
            }
            case "kinds":
                return statements.stream().map(s -> s.containsKey("error") ? "error" : String.valueOf(s.get("kind"))).collect(Collectors.joining(" "));
            case "error": {
                for (Map<String, Object> s : statements) {
                    if (s.get("error") instanceof Map<?, ?> error) return String.valueOf(error.get("message")).contains(wanted) ? wanted : String.valueOf(error.get("message"));
                }
                return "no error";
            }
            case "at": {
                for (Map<String, Object> s : statements) if (s.get("error") instanceof Map<?, ?> error) return error.get("line") + ":" + error.get("column");
                return "no error";
            }
            case "hint": {
                for (Map<String, Object> s : statements) {
                    if (s.get("error") instanceof Map<?, ?> error) return String.valueOf(error.get("hint")).contains(wanted) ? wanted : String.valueOf(error.get("hint"));
                }
                return "no error";
            }
            case "actions":
                return ((List<Map<String, Object>>) first.getOrDefault("actions", List.of())).stream().map(Cases::action).collect(Collectors.joining("; "));
            case "facts": {
                Map<String, Object> facts = (Map<String, Object>) first.getOrDefault("facts", Map.of());
                for (String fact : wanted.split(", ")) {
                    if (fact.isEmpty()) continue;
                    if (!holds(facts, fact)) return facts.toString();
                }
                return wanted;
            }
            case "needs":
                return String.valueOf(first.get("needs"));
            case "reads":
                return ((List<Map<String, Object>>) query.getOrDefault("reads", List.of())).stream()
                    .map(r -> bare(r.get("relation")) + "(" + (r.containsKey("all") ? "*" : String.join(",", (List<String>) r.get("columns"))) + ")").collect(Collectors.joining(" "));
            case "writes":
                return ((List<Map<String, Object>>) query.getOrDefault("writes", List.of())).stream()
                    .map(w -> w.get("kind") + " " + bare(w.get("table")) + "(" + String.join(",", (List<String>) w.get("columns")) + ")").collect(Collectors.joining(" "));
            case "result":
                return ((List<List<Object>>) query.getOrDefault("result", List.of())).stream().map(Cases::column).collect(Collectors.joining(" "));
            case "binds":
                return ((List<Map<String, Object>>) query.getOrDefault("binds", List.of())).stream().map(b -> b.get("name") + "=" + b.get("role")
                    + (b.containsKey("column") ? ":" + bare(b.get("table")) + "." + b.get("column") : "")).collect(Collectors.joining(" "));
            case "ordered":
            case "only_reads":
            case "opaque":
            case "commits":
            case "autonomous":
                return String.valueOf(query.get(what));
            default:
                return ((List<Object>) query.getOrDefault(what, List.of("no such expectation: " + what))).stream().map(Cases::bare).collect(Collectors.joining(" "));
        }
    }

    private static boolean holds(Map<String, Object> facts, String wanted) {
        if (wanted.startsWith("no ")) return !facts.containsKey(wanted.substring(3));
        int equals = wanted.indexOf('=');
        if (equals < 0) return facts.containsKey(wanted);
        Object value = facts.get(wanted.substring(0, equals));
        // columns.on_null: somewhere inside.
        int dot = wanted.indexOf('.');
        if (dot > 0 && dot < equals) value = inside(facts.get(wanted.substring(0, dot)), wanted.substring(dot + 1, equals));
        return String.valueOf(value).replace("APP.", "").replace(", ", ",").equals(wanted.substring(equals + 1));
    }

    private static Object inside(Object value, String key) {
        if (value instanceof Map<?, ?> map) return map.get(key);
        if (value instanceof List<?> list) for (Object one : list) if (inside(one, key) != null) return inside(one, key);
        return null;
    }

    private static String column(List<Object> column) {
        List<?> sources = (List<?>) column.get(1);
        String from = sources.stream().map(s -> bare(((List<?>) s).get(0)) + "." + ((List<?>) s).get(1)).collect(Collectors.joining("+"));
        return column.get(0) + (from.isEmpty() ? "" : "<" + from);
    }

    private static String action(Map<String, Object> action) {
        StringBuilder to = new StringBuilder(String.valueOf(action.get("action")));
        action.forEach((key, value) -> {
            if (key.equals("action")) return;
            if (value instanceof Boolean holds) to.append(holds ? " " + key : "");
            else if (value instanceof List<?> list) to.append(" [").append(list.stream().map(Cases::bare).collect(Collectors.joining(","))).append("]");
            else to.append(' ').append(value == null ? "-" : bare(value));
        });
        return to.toString();
    }

    private static String bare(Object name) {
        return String.valueOf(name).replaceFirst("^APP\\.", "");
    }

    /** In the order that is wanted, where it is the same. */
    private static String order(TreeSet<String> names, String wanted) {
        return names.equals(new TreeSet<>(wanted.isEmpty() ? List.of() : List.of(wanted.split(",")))) ? wanted : String.join(",", names);
    }
}
