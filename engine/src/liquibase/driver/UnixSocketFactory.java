package drydock;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketAddress;
import java.net.SocketException;
import java.net.SocketImpl;
import java.net.SocketOptions;
import java.net.SocketTimeoutException;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.ClosedSelectorException;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import javax.net.SocketFactory;

/**
 * Sockets to one Unix socket, whatever host and port they are asked for. A JDBC driver that takes a socket factory and one argument for
 * it, as PostgreSQL's does, reaches a server by it that does not listen on any network.
 */
public final class UnixSocketFactory extends SocketFactory {
    private final String path;

    /** {@code path}: of the socket. */
    public UnixSocketFactory(String path) {
        this.path = path;
    }

    /** Connected already, so that nobody looks up a host. */
    @Override
    public Socket createSocket() throws IOException {
        Socket socket = new Socket(new Connection(path)) {};
        socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
        return socket;
    }

    @Override
    public Socket createSocket(String host, int port) throws IOException {
        return createSocket();
    }

    @Override
    public Socket createSocket(String host, int port, InetAddress localHost, int localPort) throws IOException {
        return createSocket();
    }

    @Override
    public Socket createSocket(InetAddress host, int port) throws IOException {
        return createSocket();
    }

    @Override
    public Socket createSocket(InetAddress address, int port, InetAddress localAddress, int localPort) throws IOException {
        return createSocket();
    }

    /**
     * What is behind such a socket. Its channel does not block, and each direction waits with a selector of its own: the streams of
     * {@code Channels} share a lock before Java 19, so that a write waits for a read that waits for the answer, and a read of a channel that
     * blocks knows no time limit.
     */
    private static final class Connection extends SocketImpl {
        /** At once: the JDK copies all that it is given before each try. */
        private static final int MOST = 64 * 1024;

        private final String path;
        private SocketChannel channel;
        private Selector readable;
        private Selector writable;
        /** In milliseconds; 0 is no limit. */
        private volatile int readLimit;

        Connection(String path) {
            this.path = path;
        }

        @Override
        protected void create(boolean stream) {}

        /** The kernel answers at once, so that there is nothing to limit. */
        @Override
        protected void connect(SocketAddress ignored, int timeout) throws IOException {
            try {
                channel = SocketChannel.open(UnixDomainSocketAddress.of(path));
                channel.configureBlocking(false);
                readable = Selector.open();
                writable = Selector.open();
                channel.register(readable, SelectionKey.OP_READ);
                channel.register(writable, SelectionKey.OP_WRITE);
            } catch (IOException e) {
                close();
                throw new SocketException("the socket " + path + " cannot be reached: " + e.getMessage());
            }
        }

        private int read(byte[] bytes, int from, int count) throws IOException {
            if (count == 0) return 0;
            ByteBuffer buffer = ByteBuffer.wrap(bytes, from, Math.min(count, MOST));
            int limit = readLimit;
            long until = System.nanoTime() + limit * 1_000_000L;
            for (;;) {
                int read = tried(() -> channel.read(buffer));
                if (read != 0) return read;
                // Rounded up: 0 would be no limit.
                long left = limit == 0 ? 0 : (until - System.nanoTime() + 999_999) / 1_000_000;
                if (left < 0 || limit != 0 && left == 0) throw new SocketTimeoutException("Read timed out");
                await(readable, left);
            }
        }

        private void write(byte[] bytes, int from, int count) throws IOException {
            int done = 0;
            while (done < count) {
                ByteBuffer buffer = ByteBuffer.wrap(bytes, from + done, Math.min(count - done, MOST));
                int written = tried(() -> channel.write(buffer));
                done += written;
                if (written == 0) await(writable, 0);
            }
        }

        private interface Attempt {
            int run() throws IOException;
        }

        private static int tried(Attempt attempt) throws IOException {
            try {
                return attempt.run();
            } catch (ClosedChannelException e) {
                throw new SocketException("Socket closed");
            }
        }

        /** A socket does not mind that its thread is interrupted, and a selector returns at once: the mark is set again afterwards. */
        private static void await(Selector selector, long milliseconds) throws IOException {
            boolean interrupted = Thread.interrupted();
            try {
                selector.select(key -> {}, milliseconds);
            } catch (ClosedSelectorException e) {
                throw new SocketException("Socket closed");
            } finally {
                if (interrupted) Thread.currentThread().interrupt();
            }
        }

        /** Wakes those who wait. */
        @Override
        protected void close() throws IOException {
            try {
                if (channel != null) channel.close();
            } finally {
                if (readable != null) readable.close();
                if (writable != null) writable.close();
            }
        }

        @Override
        protected InputStream getInputStream() {
            return new InputStream() {
                @Override
                public int read() throws IOException {
                    byte[] one = new byte[1];
                    return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
                }

                @Override
                public int read(byte[] bytes, int from, int count) throws IOException {
                    return Connection.this.read(bytes, from, count);
                }
            };
        }

        @Override
        protected OutputStream getOutputStream() {
            return new OutputStream() {
                @Override
                public void write(int one) throws IOException {
                    write(new byte[] {(byte) one}, 0, 1);
                }

                @Override
                public void write(byte[] bytes, int from, int count) throws IOException {
                    Connection.this.write(bytes, from, count);
                }
            };
        }

        /** Of the others only TCP knows anything. */
        @Override
        public void setOption(int option, Object value) {
            if (option == SocketOptions.SO_TIMEOUT) readLimit = (Integer) value;
        }

        @Override
        public Object getOption(int option) {
            return switch (option) {
                case SocketOptions.SO_TIMEOUT -> readLimit;
                case SocketOptions.TCP_NODELAY, SocketOptions.SO_KEEPALIVE, SocketOptions.SO_REUSEADDR, SocketOptions.SO_OOBINLINE -> false;
                // Of sizes: not known.
                default -> 0;
            };
        }

        /** How much can be read without waiting is not known. */
        @Override
        protected int available() {
            return 0;
        }

        @Override
        protected void shutdownInput() throws IOException {
            channel.shutdownInput();
        }

        @Override
        protected void shutdownOutput() throws IOException {
            channel.shutdownOutput();
        }

        @Override
        protected void connect(String host, int port) throws IOException {
            connect((SocketAddress) null, 0);
        }

        @Override
        protected void connect(InetAddress address, int port) throws IOException {
            connect((SocketAddress) null, 0);
        }

        @Override
        protected void bind(InetAddress host, int port) throws IOException {
            throw new SocketException("a Unix socket is bound to nothing");
        }

        @Override
        protected void listen(int backlog) throws IOException {
            throw new SocketException("nobody listens here");
        }

        @Override
        protected void accept(SocketImpl other) throws IOException {
            throw new SocketException("nobody listens here");
        }

        @Override
        protected void sendUrgentData(int data) throws IOException {
            throw new SocketException("a Unix socket has no urgent data");
        }
    }
}
