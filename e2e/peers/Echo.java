import java.io.ByteArrayOutputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.WebSocket;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Random;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/** The WebSocket client of the Java platform against an echo endpoint. Usage: java Echo.java URL */
public final class Echo implements WebSocket.Listener {
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
        events.add(data.remaining());
        socket.request(1);
        return null;
    }

    @Override
    public CompletionStage<?> onClose(WebSocket socket, int code, String reason) {
        events.add("closed " + code);
        return null;
    }

    @Override
    public void onError(WebSocket socket, Throwable error) {
        events.add("error " + error);
    }

    private void expect(Object want, String what) throws InterruptedException {
        Object got = events.poll(20, TimeUnit.SECONDS);
        boolean same = want instanceof byte[] a && got instanceof byte[] b ? Arrays.equals(a, b) : want.equals(got);
        if (!same) {
            System.err.println(what + ": the echo is wrong" + (got instanceof String s && s.length() < 200 ? ": " + s : ""));
            System.exit(1);
        }
    }

    public static void main(String[] args) throws Exception {
        Echo echo = new Echo();
        WebSocket socket = HttpClient.newHttpClient().newWebSocketBuilder().buildAsync(URI.create(args[0]), echo).get(20, TimeUnit.SECONDS);

        String words = "Grüße, 世界 🌍";
        socket.sendText(words, true).join();
        echo.expect(words, "text");

        byte[] few = {0, -1, 1, -2};
        socket.sendBinary(ByteBuffer.wrap(few), true).join();
        echo.expect(few, "binary");

        socket.sendText("frag", false).join();
        socket.sendText("mented", true).join();
        echo.expect("fragmented", "fragmented");

        socket.sendPing(ByteBuffer.wrap(new byte[125])).join();
        echo.expect(125, "ping");

        byte[] large = new byte[1 << 20];
        new Random().nextBytes(large);
        socket.sendBinary(ByteBuffer.wrap(large), true).join();
        echo.expect(large, "large");

        socket.sendClose(4001, "goodbye").join();
        echo.expect("closed 4001", "close");
        System.out.println("ok");
    }
}
