package touchmark.attestation.servlet;

import jakarta.servlet.ServletOutputStream;
import jakarta.servlet.WriteListener;
import jakarta.servlet.http.HttpServletResponse;
import jakarta.servlet.http.HttpServletResponseWrapper;
import java.io.OutputStream;
import java.io.PrintWriter;
import java.io.Writer;

/** An answer with its status and headers, and without its body: that of a CORS preflight. */
final class Bodiless extends HttpServletResponseWrapper {
  private final PrintWriter writer = new PrintWriter(Writer.nullWriter());
  private final ServletOutputStream stream = new Nothing();

  Bodiless(HttpServletResponse response) {
    super(response);
  }

  @Override
  public ServletOutputStream getOutputStream() {
    return stream;
  }

  @Override
  public PrintWriter getWriter() {
    return writer;
  }

  @Override
  public void setContentLength(int length) {
    // That of a body which is not sent.
  }

  @Override
  public void setContentLengthLong(long length) {
    // As above.
  }

  @Override
  public void sendError(int status) {
    setStatus(status); // without the page of the container
  }

  @Override
  public void sendError(int status, String message) {
    setStatus(status);
  }

  /** After the application: what it has left open. */
  void finish() {
    // RFC 9110, section 8.6: no length with a 204.
    if (!isCommitted() && getStatus() != SC_NO_CONTENT) {
      super.setContentLength(0);
    }
  }

  private static final class Nothing extends ServletOutputStream {
    private final OutputStream out = OutputStream.nullOutputStream();

    @Override
    public boolean isReady() {
      return true;
    }

    @Override
    public void setWriteListener(WriteListener listener) {
      try {
        listener.onWritePossible();
      } catch (java.io.IOException error) {
        listener.onError(error);
      }
    }

    @Override
    public void write(int one) throws java.io.IOException {
      out.write(one);
    }
  }
}
