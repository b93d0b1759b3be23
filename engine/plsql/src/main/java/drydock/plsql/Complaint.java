package drydock.plsql;

import java.util.LinkedHashMap;
import java.util.Map;

/** Why a text cannot be read, in words for the person who wrote it. */
final class Complaint extends Exception {
    private static final long serialVersionUID = 1L;

    /** In code points, from the beginning of the text. */
    final int offset;
    final int line;
    final int column;
    /** What to do about it; null: nothing is known. */
    final String hint;

    Complaint(int offset, int line, int column, String message, String hint) {
        super(message, null, false, false);
        this.offset = offset;
        this.line = line;
        this.column = column;
        this.hint = hint;
    }

    Map<String, Object> describe() {
        Map<String, Object> map = new LinkedHashMap<>();
        map.put("line", line);
        map.put("column", column);
        map.put("message", getMessage());
        if (hint != null) map.put("hint", hint);
        return map;
    }
}
