import drydock.Driver;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/** A JVM that serves one command of Drydock after another, and ends with the tests. */
public final class Host {
    public static void main(String[] arguments) throws Exception {
        Path folder = Path.of(arguments[0]);
        Thread life = new Thread(() -> {
            try (FileInputStream tests = new FileInputStream(folder.resolve("../life").toFile())) {
                while (tests.read() >= 0) continue;
            } catch (Exception gone) {
                // As is its end.
            }
            Runtime.getRuntime().halt(0);
        });
        life.setDaemon(true);
        life.start();
        Driver.prepare();
        while (true) {
            // Each waits until somebody opens the other end.
            try (FileInputStream in = new FileInputStream(folder.resolve("in").toFile());
                    PrintStream out = new PrintStream(new FileOutputStream(folder.resolve("out").toFile()), true, StandardCharsets.UTF_8)) {
                // Liquibase keeps what it looks up to a thread.
                Thread session = new Thread(() -> {
                    try {
                        Driver.serve(in, out);
                    } catch (Throwable problem) {
                        problem.printStackTrace();
                        // While the pipes are open, so that nobody takes this JVM for one that goes on.
                        Runtime.getRuntime().halt(3);
                    }
                });
                session.start();
                session.join();
            }
        }
    }
}
