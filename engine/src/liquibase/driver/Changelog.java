package drydock;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import liquibase.Contexts;
import liquibase.LabelExpression;
import liquibase.RuntimeEnvironment;
import liquibase.Scope;
import liquibase.changelog.ChangeLogIterator;
import liquibase.changelog.ChangeLogParameters;
import liquibase.changelog.ChangeSet;
import liquibase.changelog.DatabaseChangeLog;
import liquibase.changelog.filter.ChangeSetFilter;
import liquibase.changelog.filter.ChangeSetFilterResult;
import liquibase.changelog.filter.ContextChangeSetFilter;
import liquibase.changelog.filter.DbmsChangeSetFilter;
import liquibase.changelog.filter.IgnoreChangeSetFilter;
import liquibase.changelog.filter.LabelChangeSetFilter;
import liquibase.changelog.visitor.ValidatingVisitor;
import liquibase.database.Database;
import liquibase.database.core.MockDatabase;
import liquibase.parser.ChangeLogParserFactory;
import liquibase.resource.CompositeResourceAccessor;
import liquibase.resource.DirectoryResourceAccessor;
import liquibase.resource.Resource;
import liquibase.resource.ResourceAccessor;
import org.yaml.snakeyaml.error.MarkedYAMLException;

/** The changelog: how it is read, validated and filtered. */
final class Changelog {
    private static final Pattern LINE = Pattern.compile("\\bline:? (\\d+)", Pattern.CASE_INSENSITIVE);
    private static final Pattern FILE = Pattern.compile("([\\w./-]+\\.(?:sql|ya?ml|xml|json|csv))\\b");
    private static final Pattern MISSING = Pattern.compile("(?:The file |Could not find )?'?([^\\s']+)'? (?:was not found|does not exist)", Pattern.CASE_INSENSITIVE);

    /** Folders that are searched. Paths that Spring Boot looks up on the class path begin at one of them, too. */
    private static final class Roots extends CompositeResourceAccessor {
        Roots(ResourceAccessor first) {
            super(first);
        }

        private static String plain(String path) {
            return path.replaceFirst("^classpath\\*?:/*", "");
        }

        @Override
        public List<Resource> getAll(String path) throws IOException {
            return super.getAll(plain(path));
        }

        @Override
        public List<Resource> search(String path, SearchOptions options) throws IOException {
            return super.search(plain(path), options);
        }

        @Override
        public List<Resource> search(String path, boolean recursive) throws IOException {
            return super.search(plain(path), recursive);
        }
    }

    /** Null until the changelog is read. */
    DatabaseChangeLog parsed;
    /** Where Liquibase looks for files; null until the changelog is read. */
    ResourceAccessor accessor;
    /** The changesets in their order. */
    private final Map<String, ChangeSet> byKey = new LinkedHashMap<>();
    /** Whether this reading of it was found valid for the database. */
    private boolean validated;
    private final Target target;
    private final Errors errors;
    private Path root;
    private String file;
    private List<String> moreRoots = List.of();
    private Map<String, Object> values = Map.of();
    private Contexts contexts = new Contexts();
    private LabelExpression labels = new LabelExpression();

    Changelog(Target target, Errors errors) {
        this.target = target;
        this.errors = errors;
    }

    void open(Map<String, Object> request) throws Exception {
        root = Paths.get(Json.text(request.get("root"))).toAbsolutePath().normalize();
        file = Json.text(request.get("file"));
        moreRoots = Json.strings(request.get("more_roots"));
        values = request.get("parameters") == null ? Map.of() : Json.object(request.get("parameters"));
        target.names(request);
        contexts = new Contexts(Json.text(request.get("contexts")));
        labels = new LabelExpression(Json.text(request.get("labels")));
        parsed = null;
        parse();
        validateForTarget();
    }

    /** Reads the same changelog again, for another database or because acts leave their outcome in its objects. */
    void parseAgain() throws Exception {
        if (file != null) parse();
    }

    /** Validates what was read against the history of the database, where there are both. */
    void validateForTarget() throws Exception {
        if (parsed != null && target.database != null) validate(new History(target).rows());
    }

    private void parse() throws Exception {
        try {
            CompositeResourceAccessor all = new Roots(new DirectoryResourceAccessor(root.toFile()));
            for (String more : moreRoots) all.addResourceAccessor(new DirectoryResourceAccessor(Paths.get(more).toFile()));
            accessor = all;
        } catch (FileNotFoundException e) {
            throw new Fault(Fault.Kind.PARSE, "a folder to search is not there: " + e.getMessage(), e);
        }
        Database dialect = target.database != null ? target.database : new MockDatabase();
        ChangeLogParameters parameters = new ChangeLogParameters(dialect);
        parameters.setContexts(contexts);
        parameters.setLabels(labels);
        values.forEach(parameters::set);
        try {
            Scope.child(scope(), () -> {
                parsed = ChangeLogParserFactory.getInstance().getParser(file, accessor).parse(file, parameters, accessor);
            });
        } catch (Exception | LinkageError e) {
            throw unreadable(e);
        }
        validated = false;
        byKey.clear();
        for (ChangeSet changeSet : parsed.getChangeSets()) {
            Code.setNothingUp(changeSet);
            String key = Identity.key(changeSet);
            ChangeSet earlier = byKey.putIfAbsent(key, changeSet);
            // Often there is one for each kind of database.
            if (earlier == null || !isMeant(changeSet)) continue;
            if (!isMeant(earlier)) {
                byKey.remove(key);
                byKey.put(key, changeSet);
                continue;
            }
            Fault fault = new Fault(Fault.Kind.DUPLICATE, "changeset \"" + changeSet.getId() + "\" by " + changeSet.getAuthor() + " is there twice");
            fault.file = Identity.path(changeSet);
            fault.line = places().last(changeSet);
            throw fault;
        }
    }

    /** Whether Liquibase would run it by its contexts, labels and kind of database; without a connection nobody knows the last. */
    private boolean isMeant(ChangeSet changeSet) {
        boolean depends = changeSet.getDbmsSet() != null && !changeSet.getDbmsSet().isEmpty();
        return !(depends && target.database == null) && filterReason(changeSet) == null;
    }

    /** What Liquibase looks up while it reads. The database of an outer scope may be closed. */
    private Map<String, Object> scope() {
        Map<String, Object> values = new HashMap<>();
        values.put(Scope.Attr.resourceAccessor.name(), accessor);
        if (target.database != null) values.put(Scope.Attr.database.name(), target.database);
        return values;
    }

    Places places() {
        return new Places(root);
    }

    private Fault unreadable(Throwable e) {
        for (Throwable t = e; t != null; t = t.getCause()) {
            if (!(t instanceof ClassNotFoundException || t instanceof NoClassDefFoundError)) continue;
            String name = String.valueOf(t.getMessage()).replace('/', '.');
            Fault missing = new Fault(Fault.Kind.PARSE, "the class " + name + " is not there: put the jar that has it into the folder of Liquibase's jars", e);
            missing.file = file;
            places().include(name, missing);
            return missing;
        }
        Fault fault = new Fault(Fault.Kind.PARSE, errors.innermost(e), e);
        String missing = null;
        for (Throwable t = e; t != null; t = t.getCause()) {
            String text = String.valueOf(t.getMessage()).replace(root + "/", "");
            Matcher line = LINE.matcher(text);
            if (fault.line == null && line.find()) fault.line = Integer.valueOf(line.group(1));
            // The innermost file named is the one that could not be read; a message names it before anything it quotes.
            Matcher named = FILE.matcher(text);
            if (named.find()) fault.file = named.group(1);
            Matcher absent = MISSING.matcher(text);
            if (absent.find()) missing = absent.group(1);
            if (!(t instanceof MarkedYAMLException yaml) || yaml.getProblemMark() == null) continue;
            String outer = fault.file;
            fault = new Fault(Fault.Kind.PARSE, Errors.oneLine("not YAML: " + (yaml.getContext() == null ? "" : yaml.getContext() + ", ") + yaml.getProblem()), e);
            fault.file = outer;
            fault.line = yaml.getProblemMark().getLine() + 1;
        }
        if (fault.file == null) fault.file = file;
        if (missing == null || missing.equals(file)) return fault;
        Fault broken = new Fault(Fault.Kind.MISSING_FILE, "it includes " + missing + ", which does not exist below " + root, e);
        broken.file = file;
        places().include(missing, broken);
        return broken;
    }

    // ---- validation

    /**
     * Checks what Liquibase checks before an update, once for all acts on one database. Where the database has no rows, the preconditions of the changelog as a whole are
     * left out if they ask some.
     */
    void validateWhole(boolean hasRows) throws Exception {
        if (validated) return;
        if (hasRows || Preconditions.askingRows(parsed.getPreconditions()).isEmpty()) checkPreconditions();
        validate(new History(target).rows());
        validated = true;
    }

    /** The preconditions of the changelog as a whole. */
    void checkPreconditions() throws Exception {
        ValidatingVisitor visitor = new ValidatingVisitor(List.of());
        visitor.validate(target.database, parsed);
        if (!visitor.getFailedPreconditions().isEmpty()) {
            throw new Fault(Fault.Kind.PRECONDITION, "the changelog's precondition does not hold: " + Errors.oneLine(visitor.getFailedPreconditions().get(0).getMessage()));
        }
        if (!visitor.getErrorPreconditions().isEmpty()) {
            throw new Fault(Fault.Kind.PRECONDITION, "the changelog's precondition cannot be checked: " + errors.innermost(visitor.getErrorPreconditions().get(0).getCause()));
        }
    }

    /**
     * Checks whether changes lack what they need. The caller checks checksums, because an edited changeset is a finding like others.
     */
    void validate(List<Map<String, Object>> history) throws Exception {
        Set<String> recorded = new HashSet<>();
        for (Map<String, Object> row : history) recorded.add(Identity.key(row));
        ValidatingVisitor visitor = new ValidatingVisitor(List.of());
        List<ChangeSetFilter> filters = filters();
        filters.add(filter(changeSet -> !recorded.contains(Identity.key(changeSet)), "recorded"));
        // A change of somebody else's class validates itself with code of its own.
        filters.add(filter(changeSet -> Code.of(changeSet).isEmpty(), "runs code"));
        ChangeLogIterator iterator = new ChangeLogIterator(parsed, filters.toArray(new ChangeSetFilter[0]));
        Scope.child(scope(), () -> iterator.run(visitor, environment()));
        if (!visitor.getSetupExceptions().isEmpty()) throw unusable(visitor.getSetupExceptions().get(0));
        if (!visitor.getChangeValidationExceptions().isEmpty()) throw unusable(visitor.getChangeValidationExceptions().get(0));
        if (visitor.getValidationErrors().hasErrors()) throw invalid(Errors.oneLine(visitor.getValidationErrors().getErrorMessages().get(0)));
    }

    private Fault unusable(Throwable e) {
        return new Fault(Fault.Kind.VALIDATION, errors.innermost(e), e);
    }

    /** Liquibase appends the changeset to the message: "..., path::id::author". */
    private Fault invalid(String message) {
        for (ChangeSet changeSet : parsed.getChangeSets()) {
            String tail = ", " + changeSet.toString(false);
            if (!message.endsWith(tail)) continue;
            Fault fault = new Fault(Fault.Kind.VALIDATION, message.substring(0, message.length() - tail.length()));
            fault.changeset = Identity.of(changeSet);
            fault.file = Identity.path(changeSet);
            fault.line = places().first(changeSet);
            return fault;
        }
        return new Fault(Fault.Kind.VALIDATION, message);
    }

    // ---- the changesets of it

    /** In their order. Of several with one identity there is the one that is meant for this database. */
    Collection<ChangeSet> changeSets() {
        return byKey.values();
    }

    ChangeSet find(Map<String, Object> identity) throws Fault {
        ChangeSet found = byKey.get(Identity.key(identity));
        if (found != null) return found;
        Fault fault = new Fault(Fault.Kind.UNKNOWN_CHANGESET,
            "changeset \"" + identity.get("id") + "\" by " + identity.get("author") + " of " + identity.get("path") + " is not in the changelog");
        fault.changeset = identity;
        throw fault;
    }

    /** The changelog with the changesets of these keys only; all of it if they are null. Going over all others costs more than an act. */
    DatabaseChangeLog only(Set<String> keys) {
        if (keys == null) return parsed;
        DatabaseChangeLog some = new DatabaseChangeLog(parsed.getPhysicalFilePath());
        some.setLogicalFilePath(parsed.getLogicalFilePath());
        some.setChangeLogParameters(parsed.getChangeLogParameters());
        if (keys.size() == 1) {
            some.addChangeSet(byKey.get(keys.iterator().next()));
            return some;
        }
        byKey.forEach((key, changeSet) -> {
            if (keys.contains(key)) some.addChangeSet(changeSet);
        });
        return some;
    }

    /** Liquibase's own filters, except for the one that asks the history, and without a connection for the one that asks the kind of database. */
    List<ChangeSetFilter> filters() {
        List<ChangeSetFilter> filters = new ArrayList<>(List.of(new ContextChangeSetFilter(contexts), new LabelChangeSetFilter(labels)));
        if (target.database != null) filters.add(new DbmsChangeSetFilter(target.database));
        filters.add(new IgnoreChangeSetFilter());
        return filters;
    }

    /** Why Liquibase's own filters leave a changeset out, or null. */
    String filterReason(ChangeSet changeSet) {
        for (ChangeSetFilter filter : filters()) {
            ChangeSetFilterResult result = filter.accepts(changeSet);
            if (!result.isAccepted()) return result.getMessage();
        }
        return null;
    }

    RuntimeEnvironment environment() {
        return new RuntimeEnvironment(target.database, contexts, labels);
    }

    interface Choice {
        boolean accepts(ChangeSet changeSet);
    }

    static ChangeSetFilter filter(Choice choice, String otherwise) {
        return new ChangeSetFilter() {
            @Override
            public ChangeSetFilterResult accepts(ChangeSet changeSet) {
                return new ChangeSetFilterResult(choice.accepts(changeSet), otherwise, getClass());
            }
        };
    }
}
