package drydock;

import java.util.Map;
import liquibase.changelog.ChangeSet;
import liquibase.changelog.DatabaseChangeLog;

/** What identifies a changeset: id, author and path, as JSON and as the key of a map. */
final class Identity {
    private Identity() {}

    static Map<String, Object> of(ChangeSet changeSet) {
        return Json.map("id", changeSet.getId(), "author", changeSet.getAuthor(), "path", path(changeSet));
    }

    static String key(ChangeSet changeSet) {
        return key(changeSet.getFilePath(), changeSet.getId(), changeSet.getAuthor());
    }

    static String key(Map<String, Object> identity) {
        return key(Json.text(identity.get("path")), Json.text(identity.get("id")), Json.text(identity.get("author")));
    }

    static String path(ChangeSet changeSet) {
        return DatabaseChangeLog.normalizePath(changeSet.getFilePath());
    }

    private static String key(String path, String id, String author) {
        return DatabaseChangeLog.normalizePath(path) + "\0" + id + "\0" + author;
    }
}
