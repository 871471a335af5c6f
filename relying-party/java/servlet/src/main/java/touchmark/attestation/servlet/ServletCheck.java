package touchmark.attestation.servlet;

import jakarta.servlet.DispatcherType;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Enumeration;
import java.util.List;
import touchmark.attestation.Decision;
import touchmark.attestation.Guard;
import touchmark.attestation.HeaderText;
import touchmark.attestation.Refusal;
import touchmark.attestation.Request;
import touchmark.attestation.RouteOptions;
import touchmark.attestation.TokenResult;

/** The check of a request of Servlet 6: what the filter and other adapters are made of. */
public final class ServletCheck {
  /** The attribute of a request with its {@link TokenResult}. */
  public static final String RESULT = "touchmark.result";

  private ServletCheck() {}

  /** Decides about a request, and leaves the result in it. */
  public static Decision check(Guard guard, HttpServletRequest request, RouteOptions route) {
    Decision decision = guard.check(new Facts(request), route);
    request.setAttribute(RESULT, decision.result());
    return decision;
  }

  /**
   * Whether a request comes by again, within the server: forwarded, for an error, or when what was
   * asynchronous goes on. Its token was looked at, and may be spent.
   */
  public static boolean isChecked(HttpServletRequest request) {
    return request.getDispatcherType() != DispatcherType.REQUEST
        && request.getAttribute(RESULT) != null;
  }

  /** Answers a request that is refused. */
  public static void refuse(HttpServletResponse response) throws IOException {
    byte[] body = Refusal.body();
    response.setStatus(Refusal.STATUS);
    response.setContentType(Refusal.CONTENT_TYPE);
    response.setContentLength(body.length);
    Refusal.HEADERS.forEach(response::setHeader);
    response.getOutputStream().write(body);
  }

  private record Facts(HttpServletRequest request) implements Request {
    @Override
    public String method() {
      return request.getMethod();
    }

    @Override
    public List<String> headers(String name) {
      Enumeration<String> values = request.getHeaders(name);
      if (values == null || !values.hasMoreElements()) {
        return List.of();
      }
      List<String> found = new ArrayList<>(1);
      while (values.hasMoreElements()) {
        found.add(HeaderText.fromLatin1(values.nextElement()));
      }
      return found;
    }

    @Override
    public String path() {
      return request.getRequestURI();
    }

    @Override
    public String client() {
      return request.getRemoteAddr();
    }
  }
}
