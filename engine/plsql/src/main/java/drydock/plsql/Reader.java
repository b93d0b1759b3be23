package drydock.plsql;

import drydock.plsql.Splitter.Piece;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.IntConsumer;

/**
 * Reads texts of Oracle's SQL and PL/SQL into facts. Requests and answers are what JSON is made of: maps, lists, strings, numbers,
 * booleans and null. A caller that compiles without this class finds it by its name.
 *
 * <pre>
 * request  {version: "19c", schema: "APP", texts: [...], catalog: {tables: {"APP.T": ["COL" | {name, type, hidden}]}, views: the same,
 *           synonyms: {"APP.S": "OTHER.T", "PUBLIC.P": "OTHER.P"}}}
 * answer   {texts: [{statements: [...]}]}
 * statement {start, end (bytes of UTF-8), line, kind, actions, relations, facts, needs?, query?}
 *       or {start, end, line, error: {line, column, message, hint?}}
 * </pre>
 */
public final class Reader {
    /** Trees of expressions are deep. The memory is taken only as far as it is used. */
    private static final long STACK = 512L << 20;
    /** What they learn of the grammar, they learn together. */
    private static final int THREADS = 4;

    private Reader() {}

    public static Map<String, Object> read(Map<String, Object> request) {
        String schema = request.get("schema") == null ? "APP" : String.valueOf(request.get("schema"));
        String version = request.get("version") == null ? "23ai" : String.valueOf(request.get("version"));
        Catalog catalog = new Catalog(schema, request.get("catalog"));
        List<?> texts = request.get("texts") instanceof List<?> list ? list : List.of();
        Object[] answers = new Object[texts.size()];
        all(texts.size(), at -> {
            List<Object> statements = text(String.valueOf(texts.get(at)), version, new Names(schema), catalog);
            answers[at] = new LinkedHashMap<>(Map.of("statements", statements));
        });
        Grammar.forget();
        Map<String, Object> answer = new LinkedHashMap<>();
        answer.put("texts", Arrays.asList(answers));
        return answer;
    }

    /** Does something for each of so many texts, several at a time: the first of each form takes long. */
    private static void all(int count, IntConsumer each) {
        AtomicInteger next = new AtomicInteger();
        AtomicReference<Throwable> failed = new AtomicReference<>();
        List<Thread> workers = new ArrayList<>();
        for (int i = 0; i < Math.min(count, Math.min(Runtime.getRuntime().availableProcessors(), THREADS)); i++) {
            Thread worker = new Thread(null, () -> {
                try {
                    for (int at = next.getAndIncrement(); at < count; at = next.getAndIncrement()) each.accept(at);
                } catch (Throwable e) {
                    failed.set(e);
                }
            }, "plsql", STACK);
            worker.setDaemon(true);
            worker.start();
            workers.add(worker);
        }
        for (Thread worker : workers) {
            try {
                worker.join();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new IllegalStateException("interrupted while SQL was read", e);
            }
        }
        if (failed.get() != null) throw new IllegalStateException("SQL could not be read", failed.get());
    }

    private static List<Object> text(String text, String version, Names names, Catalog catalog) {
        List<Object> statements = new ArrayList<>();
        Source source = new Source(text);
        Bytes bytes = new Bytes(text);
        List<Piece> pieces = Splitter.split(source, version);
        for (Piece piece : pieces) {
            Map<String, Object> statement = new LinkedHashMap<>();
            statement.put("start", bytes.at(piece.start()));
            statement.put("end", bytes.at(piece.end()));
            statement.put("line", piece.words().get(0).getLine());
            Complaint complaint = piece.complaint();
            if (complaint != null) {
                statement.put("error", complaint.describe());
            } else {
                statement.putAll(facts(piece, version, names, catalog));
            }
            statements.add(statement);
        }
        // An open comment has no words.
        if (pieces.isEmpty() && source.flawed(0, source.size()) != null) {
            Complaint flaw = source.flawed(0, source.size());
            statements.add(Facts.map("start", 0, "end", bytes.at(source.size()), "line", flaw.line, "error", flaw.describe()));
        }
        return statements;
    }

    private static Map<String, Object> facts(Piece piece, String version, Names names, Catalog catalog) {
        int line = piece.words().get(0).getLine();
        int column = piece.words().get(0).getCharPositionInLine() + 1;
        try {
            Map<String, Object> read = new Statement(names, catalog).read(piece);
            Object needs = read.get("needs");
            if (needs == null || Versions.has(version, needs.toString())) return read;
            return Facts.map("error", new Complaint(piece.start(), line, column, "Oracle " + version + " does not have this form: it came with " + needs, null).describe());
        } catch (StackOverflowError e) {
            return Facts.map("error", Words.nested(piece.words().get(0)).describe());
        } catch (RuntimeException e) {
            // The grammar took it, and its tree is not what this program expects.
            String what = "this form is not understood yet (" + e + ")";
            return Facts.map("error", new Complaint(piece.start(), line, column, what, null).describe());
        }
    }

    /** From code points to bytes of UTF-8, forwards only. */
    private static final class Bytes {
        private final String text;
        private int points;
        private int index;
        private int bytes;

        Bytes(String text) {
            this.text = text;
        }

        int at(int offset) {
            if (offset < points) {
                points = 0;
                index = 0;
                bytes = 0;
            }
            while (points < offset && index < text.length()) {
                int point = text.codePointAt(index);
                index += Character.charCount(point);
                bytes += point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
                points++;
            }
            return bytes;
        }
    }
}
