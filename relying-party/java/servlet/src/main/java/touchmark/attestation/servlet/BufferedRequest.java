package touchmark.attestation.servlet;

import jakarta.servlet.ReadListener;
import jakarta.servlet.ServletInputStream;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletRequestWrapper;
import java.io.BufferedReader;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.SequenceInputStream;
import java.net.URLDecoder;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Enumeration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * A request whose body can be read by the check of its signatures, and then by the application. A
 * form of several parts cannot: the container reads that itself.
 */
public final class BufferedRequest extends HttpServletRequestWrapper {
  private byte[] begin;
  private ServletInputStream stream;
  private BufferedReader reader;
  private Map<String, String[]> parameters;

  public BufferedRequest(HttpServletRequest request) {
    super(request);
  }

  /**
   * The whole body.
   *
   * @throws IOException when it is longer than so many bytes, or cannot be read
   */
  public byte[] body(int most) throws IOException {
    if (begin == null) {
      begin = super.getInputStream().readNBytes(most + 1);
    }
    if (begin.length > most) {
      throw new IOException("longer than " + most + " bytes");
    }
    return begin.clone();
  }

  @Override
  public ServletInputStream getInputStream() throws IOException {
    if (begin == null) {
      return super.getInputStream();
    }
    if (stream == null) {
      InputStream first = new ByteArrayInputStream(begin);
      stream = new Again(new SequenceInputStream(first, super.getInputStream()));
    }
    return stream;
  }

  @Override
  public BufferedReader getReader() throws IOException {
    if (begin == null) {
      return super.getReader();
    }
    if (reader == null) {
      reader = new BufferedReader(new InputStreamReader(getInputStream(), charset()));
    }
    return reader;
  }

  private Charset charset() {
    String name = getCharacterEncoding();
    return name == null ? StandardCharsets.UTF_8 : Charset.forName(name);
  }

  /** The container takes a form's parameters from a body that was read here. */
  @Override
  public Map<String, String[]> getParameterMap() {
    String type = getContentType();
    boolean form =
        type != null
            && type.toLowerCase(Locale.ROOT).startsWith("application/x-www-form-urlencoded");
    if (begin == null || !form) {
      return super.getParameterMap();
    }
    if (parameters == null) {
      Map<String, List<String>> found = new LinkedHashMap<>();
      super.getParameterMap()
          .forEach((name, values) -> found.put(name, new ArrayList<>(List.of(values))));
      for (String pair : new String(begin, StandardCharsets.ISO_8859_1).split("&")) {
        int equals = pair.indexOf('=');
        String name = decoded(equals < 0 ? pair : pair.substring(0, equals));
        String value = equals < 0 ? "" : decoded(pair.substring(equals + 1));
        if (!pair.isEmpty()) {
          found.computeIfAbsent(name, ignored -> new ArrayList<>()).add(value);
        }
      }
      Map<String, String[]> arrays = new LinkedHashMap<>();
      found.forEach((name, values) -> arrays.put(name, values.toArray(new String[0])));
      parameters = Collections.unmodifiableMap(arrays);
    }
    return parameters;
  }

  private String decoded(String text) {
    try {
      return URLDecoder.decode(text, charset());
    } catch (IllegalArgumentException error) {
      return text;
    }
  }

  @Override
  public String getParameter(String name) {
    String[] values = getParameterMap().get(name);
    return values == null || values.length == 0 ? null : values[0];
  }

  @Override
  public String[] getParameterValues(String name) {
    return getParameterMap().get(name);
  }

  @Override
  public Enumeration<String> getParameterNames() {
    return Collections.enumeration(getParameterMap().keySet());
  }

  private static final class Again extends ServletInputStream {
    private final InputStream in;
    private boolean finished;

    Again(InputStream in) {
      this.in = in;
    }

    @Override
    public int read() throws IOException {
      int one = in.read();
      finished |= one < 0;
      return one;
    }

    @Override
    public int read(byte[] into, int from, int length) throws IOException {
      int read = in.read(into, from, length);
      finished |= read < 0;
      return read;
    }

    @Override
    public boolean isFinished() {
      return finished;
    }

    @Override
    public boolean isReady() {
      return true;
    }

    @Override
    public void setReadListener(ReadListener listener) {
      try {
        listener.onDataAvailable();
        listener.onAllDataRead();
      } catch (IOException error) {
        listener.onError(error);
      }
    }
  }
}
