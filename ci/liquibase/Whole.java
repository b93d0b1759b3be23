import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.zip.ZipFile;
import java.util.zip.ZipInputStream;

/** Reads every jar of a folder to its end, and says which are damaged: java Whole.java FOLDER */
class Whole {
    public static void main(String[] arguments) throws IOException {
        int jars = 0;
        int damaged = 0;
        try (DirectoryStream<Path> folder = Files.newDirectoryStream(Path.of(arguments[0]), "*.jar")) {
            for (Path jar : folder) {
                jars++;
                try {
                    read(jar);
                } catch (IOException e) {
                    damaged++;
                    System.err.println(jar.getFileName() + ": " + e.getMessage());
                }
            }
        }
        System.exit(jars == 0 || damaged > 0 ? 1 : 0);
    }

    /** The table of contents is at the end, and the checksums are with the entries: neither reader looks at both. */
    private static void read(Path jar) throws IOException {
        new ZipFile(jar.toFile()).close();
        try (ZipInputStream entries = new ZipInputStream(Files.newInputStream(jar))) {
            while (entries.getNextEntry() != null) {
                entries.transferTo(OutputStream.nullOutputStream());
            }
        }
    }
}
