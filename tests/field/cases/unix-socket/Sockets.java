import drydock.UnixSocketFactory;
import java.io.InputStream;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Properties;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;

/** What a JDBC driver does with a socket: {@code Sockets PATH DATABASE USER}. */
public final class Sockets {
    private static String path;
    private static String database;
    private static String user;

    public static void main(String[] arguments) throws Exception {
        path = arguments[0];
        database = arguments[1];
        user = arguments[2];
        muchInBothDirections();
        readWhileAnotherThreadWrites();
        cancelled();
        limited();
        closedByAnotherThread();
        interrupted();
        brokenConnection();
        nobodyThere();
        sameServerByItsUrl();
    }

    private static Connection connect(String path) throws SQLException {
        Properties properties = new Properties();
        properties.put("user", user);
        properties.put("sslmode", "disable");
        String socket = URLEncoder.encode(path, StandardCharsets.UTF_8);
        String url = "jdbc:postgresql://socket.invalid:1/" + database + "?socketFactory=drydock.UnixSocketFactory&socketFactoryArg=" + socket;
        return DriverManager.getConnection(url, properties);
    }

    private static void check(boolean right, String what) {
        if (!right) throw new AssertionError(what);
    }

    private static <T> FutureTask<T> beside(Callable<T> work) {
        FutureTask<T> task = new FutureTask<>(work);
        Thread thread = new Thread(task);
        thread.setDaemon(true);
        thread.start();
        return task;
    }

    private static void muchInBothDirections() throws Exception {
        try (Connection connection = connect(path); PreparedStatement echo = connection.prepareStatement("select ?::text, length(?::text)")) {
            String much = "x".repeat(20_000_000);
            echo.setString(1, much);
            echo.setString(2, much);
            try (ResultSet rows = echo.executeQuery()) {
                rows.next();
                check(rows.getString(1).equals(much) && rows.getInt(2) == much.length(), "a long text");
            }
            try (Statement many = connection.createStatement(); ResultSet rows = many.executeQuery("select i, repeat('y', 50) from generate_series(1, 200000) i")) {
                int last = 0;
                while (rows.next()) check(rows.getInt(1) == ++last, "row " + last);
                check(last == 200_000, "many rows");
            }
            connection.setAutoCommit(false);
            try (PreparedStatement insert = connection.prepareStatement("insert into notes (text) values (?)")) {
                for (int i = 0; i < 20_000; i++) {
                    insert.setString(1, "note " + i);
                    insert.addBatch();
                }
                check(insert.executeBatch().length == 20_000, "a batch");
            }
            connection.rollback();
        }
    }

    private static void readWhileAnotherThreadWrites() throws Exception {
        try (Socket socket = new UnixSocketFactory(path).createSocket()) {
            InputStream in = socket.getInputStream();
            FutureTask<Integer> answer = beside(in::read);
            Thread.sleep(200);
            // SSLRequest, which the server answers with one byte.
            socket.getOutputStream().write(new byte[] {0, 0, 0, 8, 4, (byte) 210, 22, 47});
            check(answer.get() == 'N', "the server encrypts nothing on a socket");
        }
    }

    private static void cancelled() throws Exception {
        try (Connection connection = connect(path); Statement statement = connection.createStatement()) {
            FutureTask<String> state = beside(() -> {
                try {
                    statement.execute("select pg_sleep(600)");
                    return "done";
                } catch (SQLException e) {
                    return e.getSQLState();
                }
            });
            while (!state.isDone()) {
                Thread.sleep(100);
                statement.cancel();
            }
            check(state.get().equals("57014"), "cancelled: " + state.get());
            check(connection.isValid(5), "it goes on after a cancel");
        }
    }

    private static void limited() throws Exception {
        try (Connection connection = connect(path); Statement statement = connection.createStatement()) {
            connection.setNetworkTimeout(Runnable::run, 300);
            try {
                statement.execute("select pg_sleep(600)");
                throw new AssertionError("no limit");
            } catch (SQLException e) {
                check(e.getCause() instanceof SocketTimeoutException, "limited: " + e);
            }
        }
        try (Socket socket = new UnixSocketFactory(path).createSocket()) {
            socket.setSoTimeout(50);
            try {
                socket.getInputStream().read();
                throw new AssertionError("no limit");
            } catch (SocketTimeoutException expected) {
                check(socket.getSoTimeout() == 50, "the limit stays");
            }
        }
    }

    private static void closedByAnotherThread() throws Exception {
        Socket socket = new UnixSocketFactory(path).createSocket();
        InputStream in = socket.getInputStream();
        FutureTask<Integer> read = beside(in::read);
        Thread.sleep(200);
        socket.close();
        try {
            read.get();
            throw new AssertionError("it was not closed");
        } catch (ExecutionException e) {
            check(e.getCause() instanceof SocketException, "closed: " + e.getCause());
        }
    }

    private static void interrupted() throws Exception {
        try (Connection connection = connect(path); Statement statement = connection.createStatement()) {
            Thread.currentThread().interrupt();
            statement.execute("select pg_sleep(0.2)");
            check(Thread.interrupted(), "the mark stays");
            check(connection.isValid(5), "an interrupt breaks no connection");
        }
    }

    private static void brokenConnection() throws Exception {
        try (Connection connection = connect(path); Connection other = connect(path)) {
            int process = connection.unwrap(org.postgresql.PGConnection.class).getBackendPID();
            other.createStatement().execute("select pg_terminate_backend(" + process + ", 5000)");
            check(!connection.isValid(5) && other.isValid(5), "the end of a session is seen");
        }
    }

    private static void nobodyThere() throws Exception {
        try (Connection connection = connect(path + "0")) {
            throw new AssertionError("somebody is there");
        } catch (SQLException e) {
            check(e.getCause() != null && e.getCause().getMessage().contains(path + "0 cannot be reached"), "nobody: " + e.getCause());
        }
    }

    /** Changes of a changelog's authors connect by the URL of the connection that they are given. */
    private static void sameServerByItsUrl() throws Exception {
        try (Connection connection = connect(path); Connection again = DriverManager.getConnection(connection.getMetaData().getURL(), user, null)) {
            check(again.isValid(5), "the URL says it all");
        }
    }
}
