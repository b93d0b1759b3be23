package drydock;

import java.sql.ResultSet;
import java.sql.Statement;
import java.util.Map;
import liquibase.Scope;
import liquibase.changelog.ChangeLogHistoryServiceFactory;
import liquibase.database.Database;
import liquibase.lockservice.LockService;
import liquibase.lockservice.LockServiceFactory;

/** Liquibase's lock. */
final class Lock {
    interface Act {
        void run() throws Exception;
    }

    private final Target target;
    /** The database whose history Liquibase has in mind, null while there is none. */
    private Database ready;

    Lock(Target target) {
        this.target = target;
    }

    Map<String, Object> holder() throws Exception {
        Map<String, Object> free = Json.map("held", false, "by", null, "since", null);
        if (target.isOffline()) return free;
        try {
            String name = target.database.getDatabaseChangeLogLockTableName();
            if (!History.exists(target, name)) return free;
            String sql = "SELECT LOCKED, LOCKEDBY, LOCKGRANTED FROM " + History.escaped(target.database, name) + " WHERE ID = 1";
            try (Statement statement = target.jdbc().createStatement(); ResultSet set = statement.executeQuery(sql)) {
                // The time stays text, because not every JDBC driver reads back what Liquibase wrote.
                if (set.next() && set.getBoolean(1)) return Json.map("held", true, "by", set.getString(2), "since", Json.text(set.getString(3)));
            }
        } finally {
            target.endRead();
        }
        return free;
    }

    /** Runs an act under the lock, with Liquibase's tables made and a history that is read anew. */
    void during(Act act) throws Exception {
        ready = null;
        LockService service = service();
        service.reset();
        // The lock is looked at first, because Liquibase makes its tables before it looks at the lock.
        Map<String, Object> holder = holder();
        boolean taken = false;
        if (!Boolean.TRUE.equals(holder.get("held"))) {
            Scope.getCurrentScope().getSingleton(ChangeLogHistoryServiceFactory.class).getChangeLogService(target.database).init();
            taken = service.acquireLock();
            if (!taken) holder = holder();
        }
        if (!taken) throw new Fault(Fault.Kind.LOCK, "Liquibase's lock is held by " + holder.get("by") + " since " + holder.get("since"));
        Throwable problem = null;
        try {
            act.run();
        } catch (Throwable e) {
            problem = e;
            throw e;
        } finally {
            giveBack(problem);
        }
    }

    /**
     * Runs an act on a copy that nobody else knows. Without the lock, the history is read once and kept in mind for all acts: read for each,
     * it makes many acts dear.
     */
    void alone(Act act) throws Exception {
        ChangeLogHistoryServiceFactory histories = Scope.getCurrentScope().getSingleton(ChangeLogHistoryServiceFactory.class);
        if (ready != target.database) histories.getChangeLogService(target.database).init();
        ready = null;
        try {
            act.run();
            ready = target.database;
        } finally {
            if (ready == null) histories.resetAll();
        }
    }

    /** Releases the lock, whoever holds it. */
    void release() throws Exception {
        if (!History.exists(target, target.database.getDatabaseChangeLogLockTableName())) return;
        service().forceReleaseLock();
        target.database.commit();
    }

    /** Releases the lock on whatever connection there is, without hiding why the act failed. */
    private void giveBack(Throwable problem) throws Exception {
        target.stopDeferring();
        Exception last = null;
        for (int attempt = 0; attempt < 3; attempt++) {
            try {
                if (target.database == null || target.database.getConnection().isClosed() || attempt > 0 && !target.jdbc().isValid(2)) target.replace();
                if (!target.jdbc().getAutoCommit()) target.database.rollback();
                service().forceReleaseLock();
                target.database.commit();
                return;
            } catch (Exception e) {
                last = e;
            }
        }
        if (problem == null) throw last;
        problem.addSuppressed(last);
    }

    private LockService service() {
        return LockServiceFactory.getInstance().getLockService(target.database);
    }
}
