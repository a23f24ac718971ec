// Java's channels (java.nio.channels) behind the driver protocol (../PROTOCOL.md).

import static java.nio.charset.StandardCharsets.UTF_8;

import com.google.gson.*;
import java.io.IOException;
import java.net.*;
import java.nio.ByteBuffer;
import java.nio.channels.*;
import java.util.*;
import java.util.concurrent.ConcurrentSkipListMap;
import sun.misc.Signal;

public final class Driver {
  private static final Map<String, Set<String>> OPTIONS =
      Map.of( // Every descriptor survives exec, and SO_REUSEADDR is always on.
          "listen", Set.of("nonblock", "no_cloexec", "reuseaddr", "reuseport", "backlog"),
          "connect", Set.of("nonblock", "no_cloexec", "keepalive"),
          "accept", Set.of("nonblock", "no_cloexec"));
  private static final Set<String> CONNECTED =
      Set.of("peeraddr", "send", "recv", "shutdown", "pending_error");
  private static final Map<String, String> REASONS =
      Map.of(
          "keepalive", "a ServerSocketChannel has no SO_KEEPALIVE", "backlogs", "bind() takes one",
          "times", "options are set by calls", "ports", "getLocalAddress() tells the port");

  // Exceptions have a class and a text, but no errno. Parts of class or text, with their kinds.
  private static final String[][] KINDS = {
    {"requested address", "address_not_available"}, {"Operation not permitted", "permission"},
    {"No route to host", "host_unreachable"}, {"is unreachable", "net_unreachable"},
    {"already in use", "address_in_use"}, {"NotYetConnected", "not_connected"},
    {"Permission denied", "no_access"}, {"not connected", "not_connected"}, {"Invalid", "invalid"},
    {"Connection refused", "refused"}, {"open files", "too_many_files"}, {" family", "unsupported"},
    {"buffer space", "no_resources"}, {"Broken pipe", "broken_pipe"}, {"reset", "connection_reset"},
    {"in progress", "in_progress"}, {"Close", "bad_descriptor"}, {"timed out", "timeout"},
    {"would block", "again"}, {"Bad address", "invalid"}, {"argument", "invalid"},
    {"Network is down", "net_unreachable"}, {"Host is down", "host_unreachable"},
    {"not on the network", "host_unreachable"}, {"not supported", "unsupported"},
    {"not available", "unsupported"}, {"allocate memory", "no_resources"},
    {"Out of streams", "no_resources"}, {"Bad file desc", "bad_descriptor"},
    {"non-socket", "not_a_socket"}, {"connection abort", "connection_aborted"},
    {"already connected", "already_connected"}, {"Interrupted system", "interrupted"},
    {"temporarily", "again"}, {"", "opaque"},
  };
  private static final String HELLO =
      """
      {"version": 1, "name": "java", "language": "Java", "signal": "SIGUSR2", "pid": %d,
      "implementation_version": "%s", "links": {"source": "https://github.com/openjdk/jdk"},
      "capabilities": {"descriptors": "no", "errno": "no", "nonblock": "yes", "no_cloexec": "yes",
      "reuseaddr": "yes", "reuseport": "yes", "backlog": "yes", "shutdown": "yes",
      "shutdown_read": "yes", "pending_error": "yes"}}"""
          .formatted(ProcessHandle.current().pid(), Runtime.version());

  private static final Gson JSON = new GsonBuilder().serializeNulls().create();
  private static final Map<Integer, NetworkChannel> SOCKETS = new ConcurrentSkipListMap<>();
  private static int last;

  private static UnsupportedOperationException unsupported(String reason) {
    return new UnsupportedOperationException(reason);
  }

  private static synchronized Map<String, ?> keep(NetworkChannel channel) throws IOException {
    SOCKETS.put(++last, channel);
    if (channel instanceof SocketChannel) return Map.of("socket", last);
    int port = ((InetSocketAddress) channel.getLocalAddress()).getPort();
    return Map.of("socket", last, "port", port);
  }

  private static Map<String, ?> open(boolean listens, InetSocketAddress at, JsonObject options)
      throws IOException {
    long backlog = options.has("backlog") ? options.get("backlog").getAsLong() : 0; // the default
    if (backlog > Integer.MAX_VALUE) throw unsupported("bind() takes a backlog of 31 bits");
    // A channel of the address's own family. The default is an IPv6 socket for both families.
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
      discard(channel);
      throw failure;
    }
    return keep(channel);
  }

  /** Closes a channel whose failure is to be reported, not that of close(). */
  private static void discard(NetworkChannel channel) {
    try {
      channel.close();
    } catch (IOException second) {
      System.err.println(second);
    }
  }

  private static Map<String, ?> endpoint(SocketAddress end) {
    if (!(end instanceof InetSocketAddress at)) return Collections.singletonMap("endpoint", null);
    String text = at.getAddress().getHostAddress().replaceFirst("%.*", "");
    // As inet_ntop(3) writes it: the longest run of zeros is "::".
    for (int more = 7; more > 0 && text.indexOf("::") < 0; more--) {
      text = text.replaceFirst("(^|:)0(:0){" + more + "}(:|$)", "::");
    }
    return Map.of("endpoint", Map.of("address", text, "port", at.getPort()));
  }

  /** Carries out a command, and returns the members of `ok`. */
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
    // A non-blocking connect is not complete until finishConnect().
    boolean waits = socket == null || socket.isBlocking();
    if (!waits && Set.of("send", "recv", "pending_error").contains(name)) socket.finishConnect();
    if (waits && name.equals("pending_error")) throw unsupported("connect blocked, so no result is pending");
    switch (name) {
      case "hello":
        if (!command.getAsJsonArray("versions").contains(new JsonPrimitive(1))) break;
        return JsonParser.parseString(HELLO);
      case "listen", "connect":
        InetAddress address = InetAddress.getByName(command.get("address").getAsString());
        var at = new InetSocketAddress(address, command.get("port").getAsInt());
        return open(name.equals("listen"), at, options);
      case "accept":
        if (!(channel instanceof ServerSocketChannel listener)) break;
        SocketChannel accepted = listener.accept();
        if (accepted == null) throw new IOException("accept would block");
        try {
          accepted.configureBlocking(!options.has("nonblock"));
        } catch (IOException failure) {
          discard(accepted);
          throw failure;
        }
        return keep(accepted);
      case "localaddr":
        if (channel.getLocalAddress() == null) throw new IOException("there is no local address");
        return endpoint(channel.getLocalAddress());
      case "peeraddr":
        return endpoint(socket.getRemoteAddress());
      case "send":
        var data = ByteBuffer.wrap(Base64.getDecoder().decode(command.get("data").getAsString()));
        try {
          if (socket.write(data) == 0 && data.hasRemaining()) throw new IOException("would block");
          return Map.of("sent", data.position());
        } catch (ClosedChannelException failure) {
          throw socket.isOpen() ? new IOException("Broken pipe: no output any more") : failure;
        }
      case "recv":
        ByteBuffer buffer = ByteBuffer.allocate(command.get("size").getAsInt());
        if (socket.read(buffer) == 0 && buffer.hasRemaining()) throw new IOException("would block");
        return Map.of("data", UTF_8.decode(Base64.getEncoder().encode(buffer.flip())).toString());
      case "shutdown":
        String how = command.get("how").getAsString();
        if (!how.equals("write")) socket.shutdownInput();
        if (!how.equals("read")) socket.shutdownOutput();
        return Map.of();
      case "close":
        SOCKETS.remove(number).close();
        return Map.of();
      case "reset":
        Set<Integer> closed = new TreeSet<>(SOCKETS.keySet());
        for (int open : closed) SOCKETS.remove(open).close();
        return Map.of("closed", closed);
      case "pending_error", "bye":
        return Map.of();
    }
    throw unsupported("version 1 has no `" + name + "`, or not for " + channel);
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
      var kinds = Arrays.stream(KINDS).filter(kind -> text.contains(kind[0]));
      answer.put("error", Map.of("kind", kinds.findFirst().get()[1], "text", text));
    } catch (RuntimeException fault) {
      answer.put("internal", Map.of("text", fault.toString()));
    }
    String message = JSON.toJson(answer);
    System.out.writeBytes((message.getBytes(UTF_8).length + "\n" + message).getBytes(UTF_8));
    System.out.flush();
    return !name.equals("bye") && (!name.equals("hello") || answer.containsKey("ok"));
  }

  public static void main(String[] arguments) throws IOException {
    Signal.handle(new Signal("USR2"), signal -> {});
    // Load the classes now, because they inspect the network when they are first used.
    try (var listener = ServerSocketChannel.open().bind(new InetSocketAddress("127.0.0.1", 0));
        var client = SocketChannel.open(listener.getLocalAddress())) {
      endpoint(client.getRemoteAddress());
    }
    // Java cannot open a descriptor by number, so the channel is standard input and output.
    for (int c = System.in.read(); c >= 0; c = System.in.read()) {
      int length = 0;
      for (; c > '\n'; c = System.in.read()) length = 10 * length + Character.digit(c, 10);
      byte[] message = System.in.readNBytes(length);
      JsonObject command = JSON.fromJson(new String(message, UTF_8), JsonObject.class);
      String name = command.get("command").getAsString();
      if (Set.of("connect", "accept", "send", "recv").contains(name)) {
        new Thread(() -> serve(name, command)).start();
      } else if (!serve(name, command)) {
        break;
      }
    }
    Runtime.getRuntime().halt(0); // does not wait for threads that are blocked
  }
}
