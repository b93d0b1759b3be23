package drydock;

import java.lang.reflect.Field;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import liquibase.Scope;
import liquibase.change.Change;
import liquibase.change.ChangeFactory;
import liquibase.change.core.ExecuteShellCommandChange;
import liquibase.change.core.OutputChange;
import liquibase.change.core.StopChange;
import liquibase.change.custom.CustomChangeChecksum;
import liquibase.change.custom.CustomChangeWrapper;
import liquibase.changelog.ChangeSet;

/** What of a changelog is code of its authors, and how that is kept from running while it is only looked at. */
final class Code {
    /** Liquibase's own changes. An extension's may do anything. */
    private static final String OWN = "liquibase.change.core.";
    /** Those of them that do something else than to generate SQL. */
    private static final Set<Class<? extends Change>> OTHER = Set.of(ExecuteShellCommandChange.class, OutputChange.class, StopChange.class);
    private static final Field CONFIGURED = configured();

    private Code() {}

    static boolean runs(Change change) {
        return !change.getClass().getName().startsWith(OWN) || OTHER.contains(change.getClass());
    }

    /** The changes of a changeset and of its written inverse that run code: {@code change} and {@code class}. */
    static List<Object> of(ChangeSet changeSet) {
        List<Object> code = new ArrayList<>();
        for (Change change : all(changeSet)) {
            if (!runs(change)) continue;
            String type = change instanceof CustomChangeWrapper custom ? custom.getClassName() : change.getClass().getName();
            code.add(Json.map("change", name(change), "class", type));
        }
        return code;
    }

    static String name(Change change) {
        return Scope.getCurrentScope().getSingleton(ChangeFactory.class).getChangeMetaData(change).getName();
    }

    /**
     * Lets Liquibase take the objects of custom changes for set up. It would call their {@code setUp} as soon as it is asked for a
     * checksum or an inverse, which is code of theirs and may need what is there in their application only.
     */
    static void setNothingUp(ChangeSet changeSet) {
        mark(changeSet, true);
    }

    /** The changeset is about to run, or its inverse. */
    static void letSetUp(ChangeSet changeSet) {
        mark(changeSet, false);
    }

    private static void mark(ChangeSet changeSet, boolean isSetUp) {
        for (Change change : all(changeSet)) {
            if (!(change instanceof CustomChangeWrapper)) continue;
            try {
                CONFIGURED.setBoolean(change, isSetUp);
            } catch (IllegalAccessException e) {
                throw new IllegalStateException(e);
            }
        }
    }

    /** Whether a custom change makes its checksum itself. */
    static boolean makesChecksum(ChangeSet changeSet) {
        return all(changeSet).stream().anyMatch(change -> change instanceof CustomChangeWrapper custom && custom.getCustomChange() instanceof CustomChangeChecksum);
    }

    private static List<Change> all(ChangeSet changeSet) {
        List<Change> changes = new ArrayList<>(changeSet.getChanges());
        changes.addAll(Rendering.writtenInverse(changeSet));
        return changes;
    }

    private static Field configured() {
        try {
            Field field = CustomChangeWrapper.class.getDeclaredField("configured");
            field.setAccessible(true);
            return field;
        } catch (NoSuchFieldException e) {
            throw new IllegalStateException("Liquibase's custom changes are not those of 4.33", e);
        }
    }
}
