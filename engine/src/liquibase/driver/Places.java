package drydock;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import liquibase.changelog.ChangeSet;
import liquibase.changelog.DatabaseChangeLog;

/** Finds the lines of changelog files that Liquibase does not remember. It reads each file once. */
final class Places {
    private final Path root;
    private final Map<String, List<String>> texts = new HashMap<>();

    Places(Path root) {
        this.root = root;
    }

    /** The line that a changeset begins at in its file, or null. */
    Integer first(ChangeSet changeSet) {
        List<Integer> lines = lines(changeSet);
        return lines.isEmpty() ? null : lines.get(0);
    }

    /** The line of the last of several changesets with the same identity, or null. */
    Integer last(ChangeSet changeSet) {
        List<Integer> lines = lines(changeSet);
        return lines.isEmpty() ? null : lines.get(lines.size() - 1);
    }

    private List<Integer> lines(ChangeSet changeSet) {
        // A logical path names no file; the changelog that the changeset was read from does.
        String physical = changeSet.getChangeLog() == null ? null : changeSet.getChangeLog().getPhysicalFilePath();
        List<String> lines = texts.computeIfAbsent(physical == null ? changeSet.getFilePath() : physical, path -> {
            try {
                return Files.readAllLines(root.resolve(DatabaseChangeLog.normalizePath(path)));
            } catch (IOException | RuntimeException e) {
                return List.of();
            }
        });
        String id = Pattern.quote(changeSet.getId());
        List<Integer> found = new ArrayList<>();
        for (String form : new String[] {
            "\\s*--\\s*changeset\\s+[\"']?" + Pattern.quote(changeSet.getAuthor()) + "[\"']?\\s*:\\s*[\"']?" + id + "[\"']?(\\s.*)?",
            ".*\\bid[\"']?\\s*[:=]\\s*[\"']?" + id + "[\"']?([\\s>,}].*)?",
        }) {
            Pattern head = Pattern.compile(form, Pattern.CASE_INSENSITIVE);
            for (int i = 0; i < lines.size(); i++) if (head.matcher(lines.get(i)).matches()) found.add(i + 1);
            if (!found.isEmpty()) break;
        }
        return found;
    }

    /** Puts the file and line that include a missing file into a fault. Liquibase only says that the file is missing. */
    void include(String missing, Fault fault) {
        String name = missing.substring(missing.lastIndexOf('/') + 1);
        try (Stream<Path> files = Files.find(root, 8, (path, attributes) -> attributes.isRegularFile() && path.toString().matches(".*\\.(ya?ml|xml|json)"))) {
            for (Path path : (Iterable<Path>) files.sorted().limit(2000)::iterator) {
                List<String> lines = Files.readAllLines(path);
                for (int i = 0; i < lines.size(); i++) {
                    if (!lines.get(i).contains(name)) continue;
                    fault.file = root.relativize(path).toString();
                    fault.line = i + 1;
                    return;
                }
            }
        } catch (IOException | UncheckedIOException ignored) {
            // The fault then names the root changelog.
        }
    }
}
