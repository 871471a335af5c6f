import android.app.Application;
import javax.net.ssl.HttpsURLConnection;
import okhttp3.internal.tls.OkHostnameVerifier;

/** Starts an app of the guide as the platform would, and calls one of its functions with a URL. */
final class Start {
  public static void main(String[] arguments) throws Exception {
    // The platform's own, where the JVM has one that refuses every name.
    HttpsURLConnection.setDefaultHostnameVerifier(OkHostnameVerifier.INSTANCE);
    Application app =
        (Application) Class.forName("com.example.app.MyApp").getDeclaredConstructor().newInstance();
    app.onCreate();
    var method = Class.forName(arguments[0]).getDeclaredMethod(arguments[1], String.class);
    method.setAccessible(true);
    System.out.println("ANSWER " + method.invoke(null, arguments[2]));
    System.exit(0);
  }
}
