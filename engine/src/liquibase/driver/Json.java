package drydock;

import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** JSON as maps, lists, strings, numbers, booleans and null. */
final class Json {
    private final String text;
    private int at;

    private Json(String text) {
        this.text = text;
    }

    /** Reads one value that fills the text. */
    static Object read(String text) throws Fault {
        Json json = new Json(text);
        Object value = json.value();
        if (json.peek() != 0) throw json.malformed();
        return value;
    }

    static String write(Object value) {
        StringBuilder to = new StringBuilder();
        write(to, value);
        return to.toString();
    }

    /** A map of alternating keys and values that keeps their order. */
    static Map<String, Object> map(Object... pairs) {
        Map<String, Object> map = new LinkedHashMap<>();
        for (int i = 0; i < pairs.length; i += 2) map.put((String) pairs[i], pairs[i + 1]);
        return map;
    }

    /** The text of a value; empty for null. */
    static String text(Object value) {
        return value == null ? "" : String.valueOf(value);
    }

    /** The strings of a list; empty for null. */
    static List<String> strings(Object value) {
        List<String> strings = new ArrayList<>();
        if (value instanceof List<?> list) for (Object element : list) strings.add(text(element));
        return strings;
    }

    @SuppressWarnings("unchecked")
    static Map<String, Object> object(Object value) throws Fault {
        if (value instanceof Map) return (Map<String, Object>) value;
        throw new Fault(Fault.Kind.INTERNAL, "the request lacks an object");
    }

    // ---- reading

    private char peek() {
        while (at < text.length() && text.charAt(at) <= ' ') at++;
        return at < text.length() ? text.charAt(at) : 0;
    }

    private boolean skip(char wanted) {
        if (peek() != wanted) return false;
        at++;
        return true;
    }

    private void expect(char wanted) throws Fault {
        if (!skip(wanted)) throw malformed();
    }

    private Fault malformed() {
        return new Fault(Fault.Kind.INTERNAL, "the request is not JSON at character " + at);
    }

    private Object value() throws Fault {
        switch (peek()) {
            case '{': {
                Map<String, Object> map = new LinkedHashMap<>();
                at++;
                if (skip('}')) return map;
                do {
                    if (peek() != '"') throw malformed();
                    String key = string();
                    expect(':');
                    map.put(key, value());
                } while (skip(','));
                expect('}');
                return map;
            }
            case '[': {
                List<Object> list = new ArrayList<>();
                at++;
                if (skip(']')) return list;
                do list.add(value()); while (skip(','));
                expect(']');
                return list;
            }
            case '"':
                return string();
            default:
                int from = at;
                while (at < text.length() && ",]} \t".indexOf(text.charAt(at)) < 0) at++;
                return scalar(text.substring(from, at));
        }
    }

    private Object scalar(String word) throws Fault {
        switch (word) {
            case "null":
                return null;
            case "true":
                return true;
            case "false":
                return false;
            default:
                try {
                    return new BigDecimal(word);
                } catch (NumberFormatException e) {
                    throw malformed();
                }
        }
    }

    private String string() throws Fault {
        StringBuilder to = new StringBuilder();
        try {
            for (at++; text.charAt(at) != '"'; at++) {
                char c = text.charAt(at);
                if (c != '\\') {
                    to.append(c);
                    continue;
                }
                c = text.charAt(++at);
                int control = "bfnrt".indexOf(c);
                if (c == 'u') {
                    to.append((char) Integer.parseInt(text.substring(at + 1, at + 5), 16));
                    at += 4;
                } else {
                    to.append(control < 0 ? c : "\b\f\n\r\t".charAt(control));
                }
            }
        } catch (IndexOutOfBoundsException | NumberFormatException e) {
            throw malformed();
        }
        at++;
        return to.toString();
    }

    // ---- writing

    private static void write(StringBuilder to, Object value) {
        if (value == null || value instanceof Boolean || value instanceof Number) {
            to.append(value);
        } else if (value instanceof Map<?, ?> map) {
            to.append('{');
            String comma = "";
            for (Map.Entry<?, ?> entry : map.entrySet()) {
                to.append(comma);
                write(to, String.valueOf(entry.getKey()));
                to.append(':');
                write(to, entry.getValue());
                comma = ",";
            }
            to.append('}');
        } else if (value instanceof Collection<?> elements) {
            to.append('[');
            String comma = "";
            for (Object element : elements) {
                to.append(comma);
                write(to, element);
                comma = ",";
            }
            to.append(']');
        } else {
            to.append('"');
            for (char c : String.valueOf(value).toCharArray()) {
                if (c == '"' || c == '\\') to.append('\\').append(c);
                else if (c < 0x20 || Character.isSurrogate(c)) to.append(String.format("\\u%04x", (int) c));
                else to.append(c);
            }
            to.append('"');
        }
    }
}
