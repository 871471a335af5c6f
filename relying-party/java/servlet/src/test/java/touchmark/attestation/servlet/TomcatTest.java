package touchmark.attestation.servlet;

import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.catalina.Context;
import org.apache.catalina.LifecycleException;
import org.apache.catalina.startup.Tomcat;
import org.apache.tomcat.util.descriptor.web.FilterDef;
import org.apache.tomcat.util.descriptor.web.FilterMap;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import touchmark.attestation.Decision;
import touchmark.attestation.Guard;
import touchmark.attestation.Settings;
import touchmark.attestation.contract.Contract;

class TomcatTest {
  @TestFactory
  List<DynamicTest> contract() throws Exception {
    return Contract.run(TomcatTest::start, "/checked");
  }

  @TestFactory
  List<DynamicTest> signedRequests() throws Exception {
    return Contract.runSigned(TomcatTest::start);
  }

  /** A servlet that answers every method, when the body is still all there. */
  static final class Served extends HttpServlet {
    private static final long serialVersionUID = 1;

    @Override
    protected void service(HttpServletRequest request, HttpServletResponse response)
        throws IOException {
      int length = request.getInputStream().readAllBytes().length;
      if (length != Math.max(0, request.getContentLength())) {
        response.sendError(500);
        return;
      }
      response.getWriter().write("served");
    }
  }

  private static Contract.Server start(Map<String, String> settings, InstantSource clock)
      throws Exception {
    AtomicReference<Decision> last = new AtomicReference<>();
    Guard guard = new Guard(Settings.read(settings), clock).observe(last::set);
    Tomcat tomcat = new Tomcat();
    Path folder = Files.createTempDirectory("tomcat");
    tomcat.setBaseDir(folder.toString());
    tomcat.setHostname("127.0.0.1");
    tomcat.setPort(0);
    tomcat.getConnector().setProperty("address", "127.0.0.1");
    // The contract has an escaped slash in a path, and a header of more than 8 KiB.
    tomcat.getConnector().setEncodedSolidusHandling("passthrough");
    tomcat.getConnector().setProperty("maxHttpRequestHeaderSize", "65536");
    Context context = tomcat.addContext("", folder.toString());
    FilterDef filter = new FilterDef();
    filter.setFilterName("touchmark");
    filter.setFilter(new TouchmarkFilter(guard));
    context.addFilterDef(filter);
    FilterMap map = new FilterMap();
    map.setFilterName("touchmark");
    map.addURLPattern("/*");
    context.addFilterMap(map);
    Tomcat.addServlet(context, "served", new Served());
    context.addServletMappingDecoded("/*", "served");
    tomcat.start();
    return new Contract.Server() {
      @Override
      public int port() {
        return tomcat.getConnector().getLocalPort();
      }

      @Override
      public Decision last() {
        return last.getAndSet(null);
      }

      @Override
      public void close() {
        try {
          tomcat.stop();
          tomcat.destroy();
        } catch (LifecycleException error) {
          throw new IllegalStateException(error);
        }
        guard.close();
      }
    };
  }
}
