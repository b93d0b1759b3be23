import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Applies mends to grammars: {@code java Mend.java MENDS FROM TO}. It writes all files, or none. */
public final class Mend {
    private Mend() {}

    private record One(int line, String file, String why, List<String> old, List<String> fresh) {}

    public static void main(String[] arguments) throws IOException {
        Path from = Path.of(arguments[1]);
        Map<String, String> texts = new LinkedHashMap<>();
        int bad = 0;
        for (One mend : read(Path.of(arguments[0]))) {
            Path file = from.resolve(mend.file);
            if (!texts.containsKey(mend.file)) texts.put(mend.file, Files.readString(file));
            String text = texts.get(mend.file);
            String fresh = String.join("\n", mend.fresh);
            if (mend.old.isEmpty()) {
                texts.put(mend.file, text + "\n" + fresh + "\n");
                continue;
            }
            Matcher found = pattern(mend.old).matcher(text);
            int count = 0;
            int start = 0;
            int end = 0;
            while (found.find()) {
                count++;
                start = found.start();
                end = found.end();
            }
            if (count != 1) {
                System.err.printf("%s:%d: the text is there %d times in %s, not once (%s)%n", arguments[0], mend.line, count, file, mend.why);
                bad++;
                continue;
            }
            texts.put(mend.file, text.substring(0, start) + fresh + text.substring(end));
        }
        if (bad > 0) System.exit(1);
        for (Map.Entry<String, String> text : texts.entrySet()) Files.writeString(Path.of(arguments[2]).resolve(text.getKey()), text.getValue());
    }

    /** What matches these lines, whatever their white space. */
    private static Pattern pattern(List<String> lines) {
        List<String> words = new ArrayList<>();
        for (String word : String.join(" ", lines).trim().split("\\s+")) words.add(Pattern.quote(word));
        // A word does not begin or end inside of another one.
        return Pattern.compile("(?:(?<!\\w)|(?!\\w))" + String.join("\\s+", words) + "(?:(?!\\w)|(?<!\\w))");
    }

    private static List<One> read(Path file) throws IOException {
        List<One> mends = new ArrayList<>();
        int line = 0;
        for (String text : Files.readAllLines(file)) {
            line++;
            if (text.isEmpty() || text.startsWith("#")) continue;
            if (text.startsWith("== ")) {
                int colon = text.indexOf(": ");
                mends.add(new One(line, text.substring(3, colon), text.substring(colon + 2), new ArrayList<>(), new ArrayList<>()));
                continue;
            }
            One last = mends.get(mends.size() - 1);
            (text.startsWith("-") ? last.old : last.fresh).add(text.length() > 2 ? text.substring(2) : "");
        }
        return mends;
    }
}
