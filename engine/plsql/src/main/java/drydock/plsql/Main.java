package drydock.plsql;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.reflect.TypeToken;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStreamWriter;
import java.io.Writer;
import java.lang.reflect.Type;
import java.nio.charset.StandardCharsets;
import java.util.Map;

/**
 * The reader as a process: a request of {@link Reader} on each line of the input, its answer on a line of the output, or
 * <pre>{error: "why there is none"}</pre>
 * It ends with its input.
 */
public final class Main {
    private static final Type REQUEST = new TypeToken<Map<String, Object>>() {}.getType();

    private Main() {}

    public static void main(String[] arguments) throws IOException {
        Gson gson = new GsonBuilder().serializeNulls().disableHtmlEscaping().create();
        BufferedReader input = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        Writer output = new OutputStreamWriter(System.out, StandardCharsets.UTF_8);
        // Whatever a library prints is no answer.
        System.setOut(System.err);
        for (String line = input.readLine(); line != null; line = input.readLine()) {
            Object answer;
            try {
                answer = Reader.read(gson.fromJson(line, REQUEST));
            } catch (RuntimeException e) {
                answer = Map.of("error", String.valueOf(e.getCause() == null ? e : e.getCause()));
            }
            gson.toJson(answer, output);
            output.write('\n');
            output.flush();
        }
    }
}
