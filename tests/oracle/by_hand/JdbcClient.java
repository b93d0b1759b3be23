import java.math.BigDecimal;
import java.sql.CallableStatement;
import java.sql.Clob;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.ResultSetMetaData;
import java.sql.SQLException;
import java.sql.Statement;
import java.sql.Timestamp;
import java.sql.Types;
import java.util.Arrays;
import java.util.Properties;

/** ojdbc, unmodified, against the stand-in: java JdbcClient 127.0.0.1:PORT/standin */
public class JdbcClient {
    interface Act {
        Object run() throws Exception;
    }

    static String url;
    static Connection connection;
    static int failures;

    static Connection connect(String service, String user, String password) throws SQLException {
        Properties properties = new Properties();
        properties.put("user", user);
        properties.put("password", password);
        return DriverManager.getConnection(url + service, properties);
    }

    /** Runs at once, and says what came of it. A check that broke the connection breaks no other. */
    static void check(String name, Act act) {
        try {
            if (connection == null || connection.isClosed()) {
                connection = connect("", "app", "Secret_12345678");
                connection.setAutoCommit(false);
            }
            System.out.println("ok   " + name + " " + act.run());
        } catch (Throwable error) {
            failures++;
            System.out.println("FAIL " + name + " " + error + " at " + error.getStackTrace()[0]);
        }
    }

    static int refused(Act act) throws Exception {
        try {
            act.run();
        } catch (SQLException error) {
            return error.getErrorCode();
        }
        throw new IllegalStateException("this should have failed");
    }

    static String all(ResultSet rows) throws SQLException {
        StringBuilder shown = new StringBuilder();
        int columns = rows.getMetaData().getColumnCount();
        while (rows.next()) {
            for (int i = 1; i <= columns; i++) {
                shown.append(i == 1 ? "[" : "|").append(rows.getString(i));
            }
            shown.append("]");
        }
        return shown.toString();
    }

    static String all(String sql) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.setFetchSize(3);
            return all(statement.executeQuery(sql));
        }
    }

    public static void main(String[] arguments) {
        url = "jdbc:oracle:thin:@//" + arguments[0];
        check("version", () -> connection.getMetaData().getDatabaseProductVersion());
        check("rows", () -> all("select level from dual connect by level <= 10"));
        check("no rows", () -> all("select a from empty"));
        check("types", () -> all("select * from plain"));
        check("LONG between others", () -> all("select text from longs"));
        check("columns", () -> {
            ResultSetMetaData columns = connection.createStatement().executeQuery("select * from plain").getMetaData();
            StringBuilder shown = new StringBuilder();
            for (int i = 1; i <= columns.getColumnCount(); i++) {
                shown.append(columns.getColumnTypeName(i)).append("(").append(columns.getPrecision(i)).append(",")
                        .append(columns.getScale(i)).append(")").append(columns.isNullable(i)).append(" ");
            }
            return shown;
        });
        check("LOBs", () -> {
            ResultSet row = connection.createStatement().executeQuery("select * from types");
            row.next();
            return row.getString(11) + " " + row.getBytes(12).length;
        });
        check("binds, twice", () -> {
            PreparedStatement insert = connection.prepareStatement("insert into b values (?,?,?,?,?,?,?,?,?,?)");
            for (int i = 0; i < 2; i++) {
                insert.setString(1, "Ünï");
                insert.setNString(2, "n");
                insert.setInt(3, -7);
                insert.setBigDecimal(4, new BigDecimal("-1.5"));
                insert.setDouble(5, 2.5);
                insert.setDate(6, java.sql.Date.valueOf("2026-01-02"));
                insert.setTimestamp(7, Timestamp.valueOf("2026-01-02 03:04:05.6"));
                insert.setBytes(8, new byte[] {0, -1});
                insert.setNull(9, Types.VARCHAR);
                insert.setString(10, "x".repeat(40000));
                insert.executeUpdate();
            }
            return "";
        });
        check("batch", () -> {
            PreparedStatement insert = connection.prepareStatement("insert into t values (?, ?)");
            for (int i = 0; i < 3; i++) {
                insert.setInt(1, i);
                insert.setString(2, i == 1 ? null : "v" + i);
                insert.addBatch();
            }
            return Arrays.toString(insert.executeBatch());
        });
        check("a temporary LOB", () -> {
            Clob clob = connection.createClob();
            clob.setString(1, "Größe");
            PreparedStatement update = connection.prepareStatement("update clobs set c = ?");
            update.setClob(1, clob);
            return update.executeUpdate();
        });
        check("values that come back", () -> {
            CallableStatement call = connection.prepareCall("begin p(?, ?, ?); end;");
            call.setInt(1, 1);
            call.registerOutParameter(2, Types.INTEGER);
            call.registerOutParameter(3, Types.VARCHAR);
            call.execute();
            return call.getInt(2) + " " + call.getString(3);
        });
        check("an error's code", () -> refused(
                () -> connection.createStatement().execute("ALTER TABLE shipments ADD x NUMBER")));
        check("a warning", () -> {
            Statement statement = connection.createStatement();
            statement.execute("create or replace procedure p is begin x; end;");
            return statement.getWarnings().getErrorCode();
        });
        check("commit, rollback, ping", () -> {
            connection.commit();
            connection.rollback();
            return connection.isValid(5);
        });
        check("module and action", () -> {
            connection.setClientInfo("OCSID.MODULE", "m");
            connection.setClientInfo("OCSID.ACTION", "a");
            return all("select user from dual");
        });
        check("a time limit", () -> {
            Statement statement = connection.createStatement();
            statement.setQueryTimeout(1);
            return refused(() -> statement.execute("begin sleep; end;")) + " " + all("select user from dual");
        });
        check("wrong password", () -> refused(() -> connect("", "app", "wrong")));
        check("locked", () -> refused(() -> connect("", "locked", "Secret_12345678")));
        check("expired", () -> refused(() -> connect("", "expired", "Secret_12345678")));
        check("wrong service", () -> refused(() -> connect("x", "app", "Secret_12345678")));
        check("a silent network", () -> {
            connection.setNetworkTimeout(Runnable::run, 500);
            return refused(() -> connection.createStatement().execute("begin sleep; end;"));
        });
        check("a cut connection", () -> refused(() -> all("select * from gone")));
        check("close", () -> {
            connection.close();
            return "";
        });
        System.exit(failures > 0 ? 1 : 0);
    }
}
