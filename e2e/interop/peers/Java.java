import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.WebSocket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Random;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;

/**
 * The WebSocket client of the Java platform, which knows no compression. A job is a line on standard input, the URL and
 * for TLS the file of the server's certificate; what came of it is a line of JSON on standard output.
 */
public final class Java implements WebSocket.Listener {
    private final BlockingQueue<Object> events = new LinkedBlockingQueue<>();
    private final StringBuilder text = new StringBuilder();
    private final ByteArrayOutputStream binary = new ByteArrayOutputStream();

    @Override
    public CompletionStage<?> onText(WebSocket socket, CharSequence data, boolean last) {
        text.append(data);
        if (last) {
            events.add(text.toString());
            text.setLength(0);
        }
        socket.request(1);
        return null;
    }

    @Override
    public CompletionStage<?> onBinary(WebSocket socket, ByteBuffer data, boolean last) {
        byte[] part = new byte[data.remaining()];
        data.get(part);
        binary.writeBytes(part);
        if (last) {
            events.add(binary.toByteArray());
            binary.reset();
        }
        socket.request(1);
        return null;
    }

    @Override
    public CompletionStage<?> onPong(WebSocket socket, ByteBuffer data) {
        byte[] payload = new byte[data.remaining()];
        data.get(payload);
        events.add(payload);
        socket.request(1);
        return null;
    }

    @Override
    public CompletionStage<?> onClose(WebSocket socket, int code, String reason) {
        events.add("closed " + code + " " + reason);
        return null;
    }

    @Override
    public void onError(WebSocket socket, Throwable error) {
        events.add("error " + error);
    }

    private void expect(String what, Object want) throws InterruptedException {
        Object got = events.poll(20, TimeUnit.SECONDS);
        boolean same = want instanceof byte[] a && got instanceof byte[] b ? Arrays.equals(a, b) : want.equals(got);
        if (!same) {
            String shown = got instanceof String s && s.length() < 200 ? ": " + s : "";
            throw new IllegalStateException(what + ": the echo is wrong" + shown);
        }
    }

    private static HttpClient client(String[] job) throws Exception {
        if (job.length == 1) {
            return HttpClient.newHttpClient();
        }
        KeyStore trusted = KeyStore.getInstance(KeyStore.getDefaultType());
        trusted.load(null, null);
        try (InputStream in = Files.newInputStream(Path.of(job[1]))) {
            trusted.setCertificateEntry("server", CertificateFactory.getInstance("X.509").generateCertificate(in));
        }
        TrustManagerFactory managers = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        managers.init(trusted);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, managers.getTrustManagers(), null);
        return HttpClient.newBuilder().sslContext(context).build();
    }

    private static void exchange(String[] job) throws Exception {
        HttpClient client = client(job);
        Random random = new Random();
        Java peer = new Java();
        WebSocket socket = client.newWebSocketBuilder().buildAsync(URI.create(job[0]), peer).get(20, TimeUnit.SECONDS);

        String words = "Grüße, 世界 🌍";
        socket.sendText(words, true).join();
        peer.expect("text", words);

        byte[] few = {0, -1, 1, -2};
        socket.sendBinary(ByteBuffer.wrap(few), true).join();
        peer.expect("binary", few);

        socket.sendText("", true).join();
        peer.expect("empty", "");
        socket.sendBinary(ByteBuffer.allocate(0), true).join();
        peer.expect("empty", new byte[0]);

        byte[] seed = new byte[1024];
        random.nextBytes(seed);
        String again = HexFormat.of().formatHex(seed);
        for (int i = 0; i < 3; i++) {
            socket.sendText(again, true).join();
            peer.expect("repeated", again);
        }

        socket.sendText("frag", false).join();
        socket.sendText("", false).join();
        socket.sendText("mented", true).join();
        peer.expect("fragmented", "fragmented");

        byte[] large = new byte[1 << 20];
        random.nextBytes(large);
        socket.sendBinary(ByteBuffer.wrap(large), true).join();
        peer.expect("large", large);

        byte[] payload = new byte[125];
        random.nextBytes(payload);
        socket.sendPing(ByteBuffer.wrap(payload)).join();
        peer.expect("ping", payload);

        socket.sendText("ping", true).join();
        peer.expect("pong", "pinged");
        socket.sendText("ponged?", true).join();
        peer.expect("pong", "true");

        socket.sendClose(4001, "goodbye").join();
        peer.expect("close", "closed 4001 ");

        Java second = new Java();
        WebSocket left = client.newWebSocketBuilder().buildAsync(URI.create(job[0]), second).get(20, TimeUnit.SECONDS);
        left.sendText("close 4002 see you", true).join();
        second.expect("closed", "closed 4002 see you");
    }

    public static void main(String[] args) throws Exception {
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            String result;
            try {
                exchange(line.split(" "));
                result = "{\"did\":[\"text\",\"binary\",\"empty\",\"repeated\",\"fragmented\",\"large\",\"ping\",\"pong\",\"close\",\"closed\"]}";
            } catch (Exception e) {
                result = "{\"error\":\"" + String.valueOf(e.getMessage()).replaceAll("[\\\\\"\\p{Cntrl}]", "'") + "\"}";
            }
            System.out.println(result);
        }
    }
}
