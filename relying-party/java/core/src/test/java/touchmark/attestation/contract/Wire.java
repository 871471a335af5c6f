package touchmark.attestation.contract;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** One HTTP request, as bytes: a client's library would mend or refuse what the contract sends. */
public final class Wire {
  private static final int TIMEOUT = 20_000;

  private Wire() {}

  /** Header names are in any case. */
  public record Answer(int status, Map<String, String> headers, String body) {}

  /** Sends a request of the vectors, to the path where it has no target of its own. */
  public static Answer send(int port, String path, Map<String, Object> sent) throws IOException {
    String method = (String) sent.get("method");
    byte[] body = ((String) sent.getOrDefault("body", "")).getBytes(StandardCharsets.UTF_8);
    StringBuilder head = new StringBuilder();
    head.append(method).append(' ').append(sent.getOrDefault("target", path));
    head.append(" HTTP/1.1\r\nHost: localhost\r\n");
    for (Object one : (List<?>) sent.get("headers")) {
      List<?> header = (List<?>) one;
      head.append(header.get(0)).append(": ").append(header.get(1)).append("\r\n");
    }
    // Without a length, and before a connection that closes, some servers wait for the body of a
    // DELETE.
    boolean hasBody = !method.equals("GET") && !method.equals("OPTIONS");
    head.append(hasBody ? "Content-Length: " + body.length + "\r\n" : "");
    head.append("Connection: close\r\n\r\n");
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
      socket.setSoTimeout(TIMEOUT);
      socket.getOutputStream().write(head.toString().getBytes(StandardCharsets.UTF_8));
      socket.getOutputStream().write(body);
      ByteArrayOutputStream answer = new ByteArrayOutputStream();
      socket.getInputStream().transferTo(answer);
      return parsed(answer.toString(StandardCharsets.ISO_8859_1));
    }
  }

  private static Answer parsed(String text) throws IOException {
    int end = text.indexOf("\r\n\r\n");
    if (end < 0) {
      throw new IOException("no answer: " + text);
    }
    String[] lines = text.substring(0, end).split("\r\n");
    Map<String, String> headers = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
    for (int i = 1; i < lines.length; i++) {
      int colon = lines[i].indexOf(':');
      headers.put(lines[i].substring(0, colon), lines[i].substring(colon + 1).trim());
    }
    String body = text.substring(end + 4);
    boolean chunked = "chunked".equalsIgnoreCase(headers.get("Transfer-Encoding"));
    return new Answer(
        Integer.parseInt(lines[0].split(" ")[1]), headers, chunked ? joined(body) : body);
  }

  private static String joined(String chunks) {
    StringBuilder body = new StringBuilder();
    int at = 0;
    while (true) {
      int line = chunks.indexOf("\r\n", at);
      int size = Integer.parseInt(chunks.substring(at, line).trim(), 16);
      if (size == 0) {
        return body.toString();
      }
      body.append(chunks, line + 2, line + 2 + size);
      at = line + 4 + size;
    }
  }
}
