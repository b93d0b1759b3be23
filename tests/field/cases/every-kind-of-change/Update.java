import java.nio.file.Paths;
import java.sql.DriverManager;
import liquibase.Contexts;
import liquibase.LabelExpression;
import liquibase.Liquibase;
import liquibase.database.DatabaseFactory;
import liquibase.database.jvm.JdbcConnection;
import liquibase.resource.DirectoryResourceAccessor;

/** Liquibase itself: url, user, password, root, file, contexts. */
public class Update {
    public static void main(String[] a) throws Exception {
        JdbcConnection connection = new JdbcConnection(DriverManager.getConnection(a[0], a[1], a[2]));
        Liquibase liquibase = new Liquibase(a[4], new DirectoryResourceAccessor(Paths.get(a[3]).toFile()),
            DatabaseFactory.getInstance().findCorrectDatabaseImplementation(connection));
        liquibase.update(new Contexts(a[5]), new LabelExpression());
    }
}
