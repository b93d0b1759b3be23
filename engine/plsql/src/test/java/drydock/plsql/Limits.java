package drydock.plsql;

import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** What no text may do: end in an exception, take for ever, or go wrong in the dark. It says how long each took. */
public final class Limits {
    private static int failed;

    private Limits() {}

    public static void main(String[] arguments) {
        Map<String, Object> catalog = Map.of("tables", Map.of("APP.T", List.of("ID", "A", "B", "C"), "APP.U", List.of("ID", "T_ID", "X")));
        say("the first statement", List.of("SELECT id FROM t"), catalog, false, 20_000);
        List<String> queries = new ArrayList<>();
        for (int i = 0; i < 500; i++) {
            queries.add("SELECT t.id, t.a, u.x, NVL(t.b, " + i + ") n FROM t JOIN u ON u.t_id = t.id WHERE t.a = :a" + i
                + " AND u.x IN (1, 2, " + i + ") AND EXISTS (SELECT 1 FROM t i WHERE i.id = u.t_id) ORDER BY t.id FETCH FIRST :n ROWS ONLY");
        }
        say("500 queries", queries, catalog, false, 60_000);
        say("500 queries again", queries, catalog, false, 30_000);
        say("a string of 1 MB", List.of("INSERT INTO t (a) VALUES ('" + "x".repeat(1 << 20) + "')"), catalog, false, 30_000);
        say("an open string of 1 MB", List.of("INSERT INTO t (a) VALUES ('" + "x".repeat(1 << 20)), catalog, true, 30_000);
        say("1 MB of statements", List.of("INSERT INTO t (id, a, b) VALUES (1, 'some text of a row', 12345);\n".repeat(16_000)), catalog, false, 120_000);
        say("1 MB of comments", List.of("-- nothing\n".repeat(100_000)), catalog, false, 30_000);
        say("1 MB of one word", List.of("x".repeat(1 << 20)), catalog, true, 30_000);
        say("1 MB of nothing that makes sense", List.of("a b c ) ( , ".repeat(80_000)), catalog, true, 60_000);
        say("a list of 20000", List.of("SELECT id FROM t WHERE a IN (" + "1, ".repeat(20_000) + "2)"), catalog, false, 60_000);
        say("2000 ORs", List.of("SELECT id FROM t WHERE " + "a = 1 OR ".repeat(2_000) + "b = 2"), catalog, false, 60_000);
        say("2000 times ||", List.of("SELECT " + "a || ".repeat(2_000) + "b FROM t"), catalog, false, 60_000);
        for (int depth : new int[] {10, 20, 40, 100}) say(depth + " parentheses", List.of("SELECT " + "(".repeat(depth) + "a" + ")".repeat(depth) + " FROM t"), catalog, false, 60_000);
        say("100 parentheses in a condition", List.of("SELECT a FROM t WHERE " + "(".repeat(100) + "a = 1" + ")".repeat(100)), catalog, false, 60_000);
        say("30 nested queries", List.of("SELECT a FROM " + "(SELECT a FROM ".repeat(30) + "t" + ")".repeat(30)), catalog, false, 60_000);
        say("40 nested calls", List.of("SELECT " + "NVL(".repeat(40) + "a" + ", 1)".repeat(40) + " FROM t"), catalog, false, 60_000);
        for (String call : List.of("TO_CHAR(", "SUBSTR(", "TRIM(", "DECODE(", "COALESCE(", "TO_NUMBER(", "TO_DATE(", "ROUND(", "GREATEST(", "SUM(", "MAX(", "COUNT(", "f(", "a.b(")) {
            say("30 times " + call + ")", List.of("SELECT " + call.repeat(30) + "a" + ")".repeat(30) + " FROM t"), catalog, false, 5_000);
        }
        say("12 nested INs", List.of("SELECT a FROM t WHERE a IN (".repeat(12) + "1" + ")".repeat(12)), catalog, false, 10_000);
        say("12 nested EXISTS", List.of("SELECT a FROM t WHERE EXISTS (".repeat(12) + "SELECT 1 FROM t" + ")".repeat(12)), catalog, false, 10_000);
        say("12 nested JSON_OBJECTs", List.of("SELECT " + "JSON_OBJECT('a' VALUE ".repeat(12) + "a" + ")".repeat(12) + " FROM t"), catalog, false, 10_000);
        say("40 nested CASEs", List.of("SELECT " + "CASE WHEN a = 1 THEN ".repeat(40) + "b" + " END".repeat(40) + " FROM t"), catalog, false, 60_000);
        say("40 open parentheses", List.of("SELECT " + "(".repeat(40) + "a FROM t"), catalog, true, 60_000);
        say("100000 open parentheses", List.of("SELECT " + "(".repeat(100_000)), catalog, true, 60_000);
        say("200 nested blocks", List.of("BEGIN ".repeat(200) + "NULL; " + "END; ".repeat(200)), catalog, false, 60_000);
        say("1000 nested $IFs", List.of("BEGIN " + "$IF $$a $THEN ".repeat(1_000) + "NULL; " + "$END ".repeat(1_000) + "END;"), catalog, false, 60_000);
        say("1000 $IFs in turn", List.of("BEGIN " + "$IF $$a $THEN p; $ELSE q; $END ".repeat(1_000) + "END;"), catalog, false, 60_000);
        say("100000 nested $IFs", List.of("BEGIN " + "$IF $$a $THEN ".repeat(100_000)), catalog, true, 60_000);
        say("1 MB that is wrapped", List.of("CREATE PACKAGE BODY p wrapped\na000000\n" + ("x+/Ag2bFZ0jSnQvIWNIqGVyVwYwg".repeat(3) + "\n").repeat(12_000)), catalog, false, 30_000);
        say("a package of 1000 procedures", List.of("CREATE PACKAGE BODY p AS " + "PROCEDURE q IS x NUMBER; BEGIN SELECT a INTO x FROM t WHERE id = x; UPDATE t SET a = x; END; ".repeat(1_000) + "END;"), catalog, false, 120_000);
        System.gc();
        System.out.printf("heap after all: %d MB, with %d states that the grammar has learnt%n", ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed() >> 20, Grammar.learnt());
        if (failed > 0) System.exit(1);
    }

    @SuppressWarnings("unchecked")
    private static void say(String what, List<String> texts, Map<String, Object> catalog, boolean wrong, long most) {
        long begun = System.nanoTime();
        String outcome;
        boolean good = true;
        try {
            Map<String, Object> answer = Reader.read(Map.of("version", "19c", "schema", "APP", "texts", texts, "catalog", catalog));
            int statements = 0;
            Object error = null;
            for (Object text : (List<Object>) answer.get("texts")) {
                for (Object statement : (List<Object>) ((Map<String, Object>) text).get("statements")) {
                    statements++;
                    Object found = ((Map<String, Object>) statement).get("error");
                    if (error == null) error = found;
                }
            }
            good = (error != null) == wrong;
            outcome = statements + " statements" + (error == null ? "" : ", " + error);
        } catch (RuntimeException e) {
            good = false;
            outcome = e + ": " + e.getCause();
        }
        long took = (System.nanoTime() - begun) / 1_000_000;
        if (took > most) good = false;
        if (!good) failed++;
        System.out.printf("%s %6d ms  %s: %s%n", good ? "ok  " : "FAIL", took, what, outcome.length() > 150 ? outcome.substring(0, 150) : outcome);
    }
}
