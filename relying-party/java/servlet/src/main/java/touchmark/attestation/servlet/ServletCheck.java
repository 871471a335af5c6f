package touchmark.attestation.servlet;

import jakarta.servlet.DispatcherType;
import jakarta.servlet.FilterChain;
import jakarta.servlet.ServletException;
import jakarta.servlet.ServletRequest;
import jakarta.servlet.ServletRequestWrapper;
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
    return check(guard, request, request, route);
  }

  /**
   * The same.
   *
   * @param asked the request whose headers are looked at: that of the container, where a firewall
   *     has wrapped it
   */
  public static Decision check(
      Guard guard, HttpServletRequest asked, HttpServletRequest request, RouteOptions route) {
    Decision decision = guard.check(new Facts(asked, request), route);
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

  /**
   * What a filter does.
   *
   * @param asked the request whose headers are looked at: that of the container, where another
   *     filter has wrapped it
   */
  public static void filter(
      Guard guard,
      RouteOptions route,
      HttpServletRequest asked,
      HttpServletRequest request,
      HttpServletResponse response,
      FilterChain chain)
      throws IOException, ServletException {
    if (isChecked(request)) {
      chain.doFilter(request, response);
      return;
    }
    // Without a name of its own a route has the pattern that leads to its servlet.
    String name =
        route.name().isEmpty() ? request.getHttpServletMapping().getPattern() : route.name();
    HttpServletRequest whole = guard.readsBodies() ? new BufferedRequest(request) : request;
    Decision decision = check(guard, asked, whole, route.name(name));
    if (!decision.allowed()) {
      refuse(response);
    } else if (decision.preflight()) {
      Bodiless bodiless = new Bodiless(response);
      chain.doFilter(whole, bodiless);
      bodiless.finish();
    } else {
      chain.doFilter(whole, response);
    }
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

  private record Facts(HttpServletRequest request, HttpServletRequest whole) implements Request {
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
    public String target() {
      String query = request.getQueryString();
      return request.getRequestURI() + (query == null ? "" : "?" + query);
    }

    @Override
    public byte[] body(int most) throws IOException {
      ServletRequest found = whole;
      while (found instanceof ServletRequestWrapper wrapper) {
        if (found instanceof BufferedRequest buffered) {
          return buffered.body(most);
        }
        found = wrapper.getRequest();
      }
      throw new IOException("no filter has wrapped the request");
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
