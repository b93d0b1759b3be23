package drydock;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.stream.Stream;
import javax.tools.JavaCompiler;
import javax.tools.ToolProvider;

/**
 * Compiles the driver into a jar: {@code java -cp 'lib/*' Build.java JAR CLASSES SOURCE...}. It runs from its source, and is the
 * only file that does.
 */
public final class Build {
    private Build() {}

    public static void main(String[] arguments) throws IOException {
        Path jar = Path.of(arguments[0]);
        Path classes = Path.of(arguments[1]);
        JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
        if (compiler == null) {
            System.err.println("this Java has no compiler (module jdk.compiler)");
            System.exit(1);
        }
        List<String> options = new ArrayList<>(List.of("-proc:none", "-nowarn", "-encoding", "UTF-8", "-cp", System.getProperty("java.class.path"), "-d", classes.toString()));
        options.addAll(List.of(arguments).subList(2, arguments.length));
        if (compiler.run(null, null, null, options.toArray(new String[0])) != 0) System.exit(1);
        try (OutputStream file = Files.newOutputStream(jar); JarOutputStream out = new JarOutputStream(file); Stream<Path> found = Files.walk(classes)) {
            for (Path path : (Iterable<Path>) found.filter(Files::isRegularFile).sorted()::iterator) {
                out.putNextEntry(new JarEntry(classes.relativize(path).toString().replace('\\', '/')));
                Files.copy(path, out);
                out.closeEntry();
            }
        }
    }
}
