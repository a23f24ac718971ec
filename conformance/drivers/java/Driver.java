// Java's channels (java.nio.channels) behind the driver protocol (../PROTOCOL.md).

import com.google.gson.*;
import java.io.IOException;
import java.net.*;
import java.nio.ByteBuffer;
import java.nio.channels.*;
import java.nio.charset.StandardCharsets;
import java.util.*;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import sun.misc.Signal;

public final class Driver {
  private static final Map<String, Set<String>> OPTIONS =
      Map.of(
          // Every descriptor survives exec, and SO_REUSEADDR is on anyway.
          "listen", Set.of("nonblock", "no_cloexec", "reuseaddr", "reuseport", "backlog"),
          "connect", Set.of("nonblock", "no_cloexec", "keepalive"),
          "accept", Set.of("nonblock", "no_cloexec"));
  private static final Set<String> CONNECTED =
      Set.of("peeraddr", "send", "recv", "shutdown", "pending_error");
  private static final Map<String, String> REASONS =
      Map.of(
          "keepalive", "a ServerSocketChannel has no SO_KEEPALIVE",
          "backlogs", "bind() takes one backlog",
          "times", "options are set by calls, not given in a list",
          "ports", "getLocalAddress() tells the port, there are no out-parameters");

  // Exceptions have a class and a text, and no errno: what these have in them, and its kind.
  private static final String[][] KINDS = {
    {"Connection refused", "refused"}, {"timed out", "timeout"},
    {"Address already in use", "address_in_use"},
    {"annot assign requested address", "address_not_available"},
    {"Permission denied", "no_access"}, {"Operation not permitted", "permission"},
    {"Network is unreachable", "net_unreachable"}, {"No route to host", "host_unreachable"},
    {"Connection reset", "connection_reset"}, {"Broken pipe", "broken_pipe"},
    {"Too many open files", "too_many_files"}, {"No buffer space", "no_resources"},
    {"Protocol family", "unsupported"}, {"Address family", "unsupported"},
    {"Invalid argument", "invalid"}, {"would block", "again"},
    {"in progress", "in_progress"}, {"not connected", "not_connected"},
    {"NotYetConnected", "not_connected"}, {"ClosedChannel", "bad_descriptor"},
    {"AsynchronousClose", "bad_descriptor"},
  };

  private static final String HELLO =
      """
      {"version": 1, "name": "java", "language": "Java", "signal": "SIGUSR2", "pid": %d,
      "implementation_version": "%s", "links": {"source": "https://github.com/openjdk/jdk"},
      "capabilities": {"descriptors": "no", "errno": "no", "nonblock": "yes", "no_cloexec": "yes",
      "reuseaddr": "yes", "reuseport": "yes", "backlog": "yes", "shutdown": "yes",
      "shutdown_read": "yes", "pending_error": "yes"}}""";

  private static final Gson JSON = new GsonBuilder().serializeNulls().create();
  private static final Map<Integer, NetworkChannel> SOCKETS = new ConcurrentHashMap<>();
  private static final AtomicInteger LAST = new AtomicInteger();

  // What the API has no way to do, and what it says so of itself.
  private static UnsupportedOperationException unsupported(String reason) {
    return new UnsupportedOperationException(reason);
  }

  private static Map<String, ?> keep(NetworkChannel channel) throws IOException {
    int number = LAST.incrementAndGet();
    SOCKETS.put(number, channel);
    if (channel instanceof SocketChannel) return Map.of("socket", number);
    int port = ((InetSocketAddress) channel.getLocalAddress()).getPort();
    return Map.of("socket", number, "port", port);
  }

  private static Map<String, ?> open(boolean listens, InetSocketAddress at, JsonObject options)
      throws IOException {
    long backlog = options.has("backlog") ? options.get("backlog").getAsLong() : 0; // the default
    if (backlog > Integer.MAX_VALUE) throw unsupported("bind() takes a backlog of 31 bits");
    // A channel of the address's own family: the default is an IPv6 socket for both.
    boolean v4 = at.getAddress() instanceof Inet4Address;
    var family = v4 ? StandardProtocolFamily.INET : StandardProtocolFamily.INET6;
    var channel = listens ? ServerSocketChannel.open(family) : SocketChannel.open(family);
    try {
      channel.configureBlocking(!options.has("nonblock"));
      if (options.has("reuseport")) channel.setOption(StandardSocketOptions.SO_REUSEPORT, true);
      if (options.has("keepalive")) channel.setOption(StandardSocketOptions.SO_KEEPALIVE, true);
      if (channel instanceof ServerSocketChannel listener) listener.bind(at, (int) backlog);
      if (channel instanceof SocketChannel socket) socket.connect(at);
    } catch (IOException | UnsupportedOperationException failure) {
      channel.close();
      throw failure;
    }
    return keep(channel);
  }

  private static Map<String, ?> endpoint(SocketAddress address) {
    if (address == null) return Collections.singletonMap("endpoint", null);
    InetSocketAddress at = (InetSocketAddress) address;
    String text = at.getAddress().getHostAddress().replaceFirst("%.*", "");
    // As inet_ntop(3) writes it: the longest run of zeros is "::".
    for (int more = 7; more > 0 && text.indexOf("::") < 0; more--) {
      text = text.replaceFirst("(^|:)0(:0){" + more + "}(:|$)", "::");
    }
    return Map.of("endpoint", Map.of("address", text, "port", at.getPort()));
  }

  /** Does what a command says, and returns what is `ok`. */
  private static Object run(String name, JsonObject command) throws IOException {
    var options = command.has("options") ? command.getAsJsonObject("options") : new JsonObject();
    for (String option : options.keySet()) {
      if (OPTIONS.getOrDefault(name, Set.of()).contains(option)) continue;
      throw unsupported(REASONS.getOrDefault(option, name + " has no option `" + option + "`"));
    }
    int number = command.has("socket") ? command.get("socket").getAsInt() : 0;
    NetworkChannel channel = SOCKETS.get(number);
    if (number > 0 && channel == null) throw new IllegalArgumentException("no socket " + number);
    var socket = channel instanceof SocketChannel ? (SocketChannel) channel : null;
    if (socket == null && CONNECTED.contains(name)) throw unsupported("not connected, no " + name);
    // Before it is asked for its outcome, a connect that does not wait is never done.
    boolean waits = socket == null || socket.isBlocking();
    if (!waits && Set.of("send", "recv").contains(name)) socket.finishConnect();
    switch (name) {
      case "hello":
        JsonArray versions = command.getAsJsonArray("versions");
        if (!versions.contains(new JsonPrimitive(1))) throw unsupported("speaks version 1");
        String hello = String.format(HELLO, ProcessHandle.current().pid(), Runtime.version());
        return JSON.fromJson(hello, JsonObject.class);
      case "listen", "connect":
        InetAddress address = InetAddress.getByName(command.get("address").getAsString());
        var at = new InetSocketAddress(address, command.get("port").getAsInt());
        return open(name.equals("listen"), at, options);
      case "accept":
        if (!(channel instanceof ServerSocketChannel listener)) break;
        SocketChannel accepted = listener.accept();
        if (accepted == null) throw new IOException("accept would block");
        accepted.configureBlocking(!options.has("nonblock"));
        return keep(accepted);
      case "localaddr":
        if (channel.getLocalAddress() == null) throw new IOException("there is no local address");
        return endpoint(channel.getLocalAddress());
      case "peeraddr":
        return endpoint(socket.getRemoteAddress());
      case "send":
        byte[] data = Base64.getDecoder().decode(command.get("data").getAsString());
        try {
          int sent = socket.write(ByteBuffer.wrap(data));
          if (sent == 0 && data.length > 0) throw new IOException("write would block");
          return Map.of("sent", sent);
        } catch (ClosedChannelException failure) {
          throw socket.isOpen() ? new IOException("Broken pipe: no output any more") : failure;
        }
      case "recv":
        ByteBuffer buffer = ByteBuffer.allocate(command.get("size").getAsInt());
        int size = socket.read(buffer);
        if (size == 0 && buffer.hasRemaining()) throw new IOException("read would block");
        byte[] received = Arrays.copyOf(buffer.array(), buffer.position());
        return Map.of("data", Base64.getEncoder().encodeToString(received));
      case "shutdown":
        String how = command.get("how").getAsString();
        if (!how.equals("write")) socket.shutdownInput();
        if (!how.equals("read")) socket.shutdownOutput();
        return Map.of();
      case "pending_error":
        if (waits) throw unsupported("SO_ERROR is told of a connect that does not wait");
        socket.finishConnect();
        return Map.of();
      case "close":
        SOCKETS.remove(number);
        channel.close();
        return Map.of();
      case "reset":
        Set<Integer> closed = new TreeSet<>(SOCKETS.keySet());
        for (int open : closed) SOCKETS.remove(open).close();
        return Map.of("closed", closed);
      case "bye":
        return Map.of();
    }
    throw unsupported("no `" + name + "`, or not for " + channel);
  }

  private static String kindOf(String text) {
    for (String[] kind : KINDS) {
      if (text.contains(kind[0])) return kind[1];
    }
    return "opaque";
  }

  /** Answers a command, and returns whether the session goes on. */
  private static boolean serve(String name, JsonObject command) {
    Map<String, Object> answer = new TreeMap<>(Map.of("id", command.get("id")));
    try {
      answer.put("ok", run(name, command));
    } catch (UnsupportedOperationException claim) {
      answer.put("unsupported", Map.of("reason", claim.getMessage()));
    } catch (IOException | NotYetConnectedException failure) {
      String text = failure.toString();
      answer.put("error", Map.of("kind", kindOf(text), "text", text));
    } catch (RuntimeException fault) {
      answer.put("internal", Map.of("text", fault.toString()));
    }
    String message = JSON.toJson(answer);
    int length = message.getBytes(StandardCharsets.UTF_8).length;
    System.out.writeBytes((length + "\n" + message).getBytes(StandardCharsets.UTF_8));
    System.out.flush();
    return !name.equals("bye") && (!name.equals("hello") || answer.containsKey("ok"));
  }

  public static void main(String[] arguments) throws IOException {
    Signal.handle(new Signal("USR2"), signal -> {});
    // Classes are loaded when they are first used, and find out then what the network has.
    var loopback = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
    try (var listener = ServerSocketChannel.open().bind(loopback);
        var client = SocketChannel.open(listener.getLocalAddress());
        var server = listener.accept()) {
      endpoint(server.getRemoteAddress());
    }
    // Java opens no descriptor by its number: the channel is standard input and output.
    for (int c = System.in.read(); c >= 0; c = System.in.read()) {
      int length = 0;
      for (; c > '\n'; c = System.in.read()) length = 10 * length + Character.digit(c, 10);
      String message = new String(System.in.readNBytes(length), StandardCharsets.UTF_8);
      JsonObject command = JSON.fromJson(message, JsonObject.class);
      String name = command.get("command").getAsString();
      if (Set.of("connect", "accept", "send", "recv").contains(name)) {
        Thread worker = new Thread(() -> serve(name, command));
        worker.setDaemon(true);
        worker.start();
      } else if (!serve(name, command)) {
        break;
      }
    }
    Runtime.getRuntime().halt(0); // whatever the other threads are blocked in
  }
}
