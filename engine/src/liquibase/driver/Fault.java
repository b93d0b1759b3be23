package drydock;

import java.util.Locale;
import java.util.Map;

/** A failure with a kind that the protocol names, and the changeset, file and line that it is about. */
final class Fault extends Exception {
    /** {@code Driver} documents the kinds; {@code FaultKind} of protocol.rs reads them. */
    enum Kind {
        PARSE, MISSING_FILE, DUPLICATE, VALIDATION, CHECKSUM, UNKNOWN_CHANGESET, PRECONDITION, NO_INVERSE, SQL, LOCK, CONNECTION, INTERNAL;

        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    final Kind kind;
    Map<String, Object> changeset;
    String file;
    Integer line;

    Fault(Kind kind, String message) {
        super(message);
        this.kind = kind;
    }

    Fault(Kind kind, String message, Throwable cause) {
        super(message, cause);
        this.kind = kind;
    }
}
