import java.io.BufferedInputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.Base64;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;

/** An application that takes its port from server.port, as those of Spring do: HTTP, and a WebSocket that echoes. */
public final class App {
    private final Socket line;
    private final DataInputStream in;
    private final OutputStream out;
    private final Map<String, String> header = new HashMap<>();

    private App(Socket line) throws IOException {
        this.line = line;
        in = new DataInputStream(new BufferedInputStream(line.getInputStream()));
        out = line.getOutputStream();
    }

    public static void main(String[] args) throws IOException {
        int port = Integer.getInteger("server.port");
        ServerSocket server = new ServerSocket(port, 200, InetAddress.getByName("127.0.0.1"));
        System.out.println("Started App on port " + port);
        while (true) {
            Socket line = server.accept();
            Thread thread = new Thread(() -> {
                try (line) {
                    App app = new App(line);
                    while (app.request()) {
                    }
                } catch (IOException e) {
                    // The other side has left.
                }
            });
            thread.setDaemon(true);
            thread.start();
        }
    }

    private boolean request() throws IOException {
        String first = text(in);
        if (first == null) {
            return false;
        }
        header.clear();
        for (String field = text(in); field != null && !field.isEmpty(); field = text(in)) {
            int colon = field.indexOf(':');
            header.put(field.substring(0, colon).toLowerCase(Locale.ROOT), field.substring(colon + 1).trim());
        }
        String[] words = first.split(" ");
        if ("websocket".equalsIgnoreCase(header.get("upgrade"))) {
            echo();
            return false;
        }
        byte[] body = in.readNBytes(Integer.parseInt(header.getOrDefault("content-length", "0")));
        String status = words[1].startsWith("/none") ? "404 Not Found" : "200 OK";
        String answer = words[0] + " " + words[1] + " " + new String(body, StandardCharsets.UTF_8)
            + " for " + header.get("x-forwarded-for") + " over " + header.get("x-forwarded-proto") + " ipv4 " + System.getProperty("java.net.preferIPv4Stack");
        byte[] bytes = answer.getBytes(StandardCharsets.UTF_8);
        send("HTTP/1.1 " + status + "\r\nContent-Type: text/plain;charset=UTF-8\r\nContent-Length: " + bytes.length + "\r\n\r\n");
        out.write(bytes);
        return true;
    }

    private void send(String head) throws IOException {
        out.write(head.getBytes(StandardCharsets.ISO_8859_1));
    }

    /** Reads a line of a header. */
    private static String text(InputStream in) throws IOException {
        StringBuilder b = new StringBuilder();
        for (int c = in.read(); c != '\n'; c = in.read()) {
            if (c < 0) {
                return null;
            }
            if (c != '\r') {
                b.append((char) c);
            }
        }
        return b.toString();
    }

    private void echo() throws IOException {
        String accept;
        try {
            MessageDigest sha = MessageDigest.getInstance("SHA-1");
            String key = header.get("sec-websocket-key") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
            accept = Base64.getEncoder().encodeToString(sha.digest(key.getBytes(StandardCharsets.ISO_8859_1)));
        } catch (java.security.NoSuchAlgorithmException e) {
            throw new IOException(e);
        }
        String protocol = header.getOrDefault("sec-websocket-protocol", "").contains("second") ? "Sec-WebSocket-Protocol: second\r\n" : "";
        send("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " + accept + "\r\n" + protocol + "\r\n");
        while (frame()) {
        }
    }

    /** Answers one frame; false after the last one. Fragments go back as fragments. */
    private boolean frame() throws IOException {
        int first = in.readUnsignedByte();
        int second = in.readUnsignedByte();
        long length = second & 0x7f;
        if (length == 126) {
            length = in.readUnsignedShort();
        } else if (length == 127) {
            length = in.readLong();
        }
        byte[] mask = in.readNBytes(4);
        byte[] payload = in.readNBytes((int) length);
        for (int i = 0; i < payload.length; i++) {
            payload[i] ^= mask[i & 3];
        }
        int opcode = first & 0x0f;
        switch (opcode) {
            case 0, 2 -> write(first, payload);
            case 1 -> {
                String message = first == 0x81 ? new String(payload, StandardCharsets.UTF_8) : "";
                if (message.equals("extensions?")) {
                    write(first, "none".getBytes(StandardCharsets.UTF_8));
                } else if (message.equals("close")) {
                    write(0x88, new byte[] {0x0f, (byte) 0xa2, 's', 'e', 'e', ' ', 'y', 'o', 'u'});
                } else {
                    write(first, payload);
                }
            }
            case 8 -> {
                write(0x88, payload);
                return false;
            }
            case 9 -> write(0x8a, payload);
            default -> {
            }
        }
        return true;
    }

    private void write(int first, byte[] payload) throws IOException {
        int n = payload.length;
        byte[] head = n < 126 ? new byte[] {(byte) first, (byte) n}
            : n < 65536 ? new byte[] {(byte) first, 126, (byte) (n >> 8), (byte) n}
            : new byte[] {(byte) first, 127, 0, 0, 0, 0, (byte) (n >> 24), (byte) (n >> 16), (byte) (n >> 8), (byte) n};
        byte[] frame = new byte[head.length + n];
        System.arraycopy(head, 0, frame, 0, head.length);
        System.arraycopy(payload, 0, frame, head.length, n);
        out.write(frame);
    }
}
