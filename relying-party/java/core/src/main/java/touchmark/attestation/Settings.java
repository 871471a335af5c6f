package touchmark.attestation;

import java.net.URI;
import java.net.URISyntaxException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * The settings of an API server's check: protocol/token-check.md and protocol/request-signatures.md
 * list them. All are text by their names {@code TOUCHMARK_…}, from the environment or a framework's
 * configuration. A setting that cannot be one, or is there and empty, raises a {@link
 * SettingsException}; only the prefix may be empty.
 */
public final class Settings {
  /** The names of the settings. */
  public static final Set<String> NAMES =
      java.util.Collections.unmodifiableSet(
          new LinkedHashSet<>(
              List.of(
                  "TOUCHMARK_SECRET",
                  "TOUCHMARK_DECOY_SECRET",
                  "TOUCHMARK_JWKS",
                  "TOUCHMARK_MODE",
                  "TOUCHMARK_PERCENT",
                  "TOUCHMARK_TOKEN_HEADER",
                  "TOUCHMARK_TOKEN_PREFIX",
                  "TOUCHMARK_BINDING_HEADERS",
                  "TOUCHMARK_AUDIENCE",
                  "TOUCHMARK_ISSUER",
                  "TOUCHMARK_LEVEL",
                  "TOUCHMARK_LEEWAY",
                  "TOUCHMARK_SINGLE_USE",
                  "TOUCHMARK_REPLAY_FAILURE",
                  "TOUCHMARK_APPROOV_SECRET",
                  "TOUCHMARK_APPROOV_BINDING_HEADERS",
                  "TOUCHMARK_FIREBASE_PROJECT",
                  "TOUCHMARK_FIREBASE_JWKS",
                  "TOUCHMARK_SIGNATURES",
                  "TOUCHMARK_SIGNATURE_HEADERS",
                  "TOUCHMARK_SIGNATURE_ORIGIN",
                  "TOUCHMARK_SIGNATURE_AGE",
                  "TOUCHMARK_SIGNATURE_BODY",
                  "TOUCHMARK_SIGNATURE_NONCES",
                  "TOUCHMARK_ACCOUNT_KEY")));

  static final String FIREBASE_KEYS = "https://firebaseappcheck.googleapis.com/v1/jwks";
  static final String APPROOV_HEADER = "Approov-Token";
  static final String FIREBASE_HEADER = "X-Firebase-AppCheck";

  // What the command and the service read, and may well stand in the same environment.
  private static final Set<String> OTHERS =
      Set.of(
          "TOUCHMARK_BIN",
          "TOUCHMARK_DATA",
          "TOUCHMARK_HOME",
          "TOUCHMARK_LISTEN",
          "TOUCHMARK_PIN",
          "TOUCHMARK_PROFILE",
          "TOUCHMARK_PUBLIC_URL",
          "TOUCHMARK_TOKEN",
          "TOUCHMARK_URL");
  // So few letters apart are a typing error, whatever was meant.
  private static final int TYPING_ERROR = 2;
  private static final int MAX_LEEWAY = 300;
  private static final Pattern SECONDS = Pattern.compile("[0-9]{1,9}(\\.[0-9]{1,9})?");
  private static final Pattern WHOLE = Pattern.compile("[0-9]{1,9}");
  private static final Pattern ORIGIN =
      Pattern.compile(
          "https?://(\\[[0-9a-f:.]+]|[a-z0-9._-]+)(:[0-9]{1,5})?", Pattern.CASE_INSENSITIVE);
  private static final Pattern KID = Pattern.compile("[A-Za-z0-9._~-]{1,64}");
  private static final Pattern PROJECT = Pattern.compile("[0-9]{1,32}");
  private static final Pattern REDIS =
      Pattern.compile(
          "redis://(\\[[0-9A-Fa-f:.]+]|[A-Za-z0-9._-]+)(?::([0-9]{1,5}))?(?:/([0-9]{1,5}))?");
  private static final Pattern LOOPBACK =
      Pattern.compile("localhost|127\\.[0-9]+\\.[0-9]+\\.[0-9]+|\\[::1]", Pattern.CASE_INSENSITIVE);

  private final Map<String, String> source;
  final List<Secret> secrets;
  final List<Secret> decoys;
  final String jwks;
  final Mode mode;
  final int percent;
  final String header;
  final String prefix;
  final List<String> bindingHeaders;
  final String audience;
  final String issuer;
  final Level level;
  final double leeway;
  final Redis redis;
  final boolean memory;
  final boolean failOpen;
  final List<Secret> approovSecrets;
  final List<String> approovBindingHeaders;
  final String firebaseProject;
  final String firebaseJwks;

  final List<String> signatures;
  final List<String> signatureHeaders;
  final String signatureOrigin;
  final int signatureAge;
  final int signatureBody;
  final Redis nonceRedis;
  final List<Secret> accountKeys;

  record Redis(String host, int port, int database) {}

  /** Of the process's environment. */
  public static Settings fromEnvironment() {
    return read(System.getenv());
  }

  /**
   * Reads the settings. Other names are passed over, except one that begins with {@code
   * TOUCHMARK_}: a letter or two from a setting's it is refused, and else the log warns of it.
   */
  public static Settings read(Map<String, String> source) {
    return new Settings(source);
  }

  private Settings(Map<String, String> source) {
    this.source = source;
    refuseTypingErrors();
    mode = mode("TOUCHMARK_MODE", given("TOUCHMARK_MODE"));
    secrets = touchmarkSecrets();
    decoys = decoys();
    jwks = jwks("TOUCHMARK_JWKS");
    if (secrets.isEmpty() && jwks == null && mode != Mode.OFF) {
      throw new SettingsException(
          "TOUCHMARK_SECRET",
          "is not set: an operator gets it with 'touchmark secret get --format env';"
              + " public keys would come from TOUCHMARK_JWKS");
    }
    percent = whole("TOUCHMARK_PERCENT", 100, 0, 100);
    String name = given("TOUCHMARK_TOKEN_HEADER");
    header = name == null ? "Touchmark-Token" : headerName("TOUCHMARK_TOKEN_HEADER", name);
    prefix = prefix();
    bindingHeaders = bindingHeaders("TOUCHMARK_BINDING_HEADERS", header);
    audience = claim("TOUCHMARK_AUDIENCE");
    issuer = claim("TOUCHMARK_ISSUER");
    level = level();
    leeway = leeway();
    String singleUse = given("TOUCHMARK_SINGLE_USE");
    memory = "memory".equals(singleUse);
    redis = singleUse == null || memory ? null : redis("TOUCHMARK_SINGLE_USE", singleUse);
    failOpen = failOpen();
    approovSecrets = approovSecrets();
    approovBindingHeaders = bindingHeaders("TOUCHMARK_APPROOV_BINDING_HEADERS", APPROOV_HEADER);
    needs("TOUCHMARK_APPROOV_BINDING_HEADERS", "TOUCHMARK_APPROOV_SECRET");
    firebaseProject = firebaseProject();
    String other = jwks("TOUCHMARK_FIREBASE_JWKS");
    needs("TOUCHMARK_FIREBASE_JWKS", "TOUCHMARK_FIREBASE_PROJECT");
    firebaseJwks = other == null ? FIREBASE_KEYS : other;
    signatures = signatures();
    signatureHeaders = bindingHeaders("TOUCHMARK_SIGNATURE_HEADERS", "");
    signatureOrigin = signatureOrigin();
    signatureAge = whole("TOUCHMARK_SIGNATURE_AGE", 60, 1, 300);
    signatureBody = whole("TOUCHMARK_SIGNATURE_BODY", 1 << 20, 0, 64 << 20);
    String nonces = given("TOUCHMARK_SIGNATURE_NONCES");
    nonceRedis =
        nonces == null || nonces.equals("memory")
            ? null
            : redis("TOUCHMARK_SIGNATURE_NONCES", nonces);
    String account = given("TOUCHMARK_ACCOUNT_KEY");
    accountKeys = account == null ? List.of() : secrets("TOUCHMARK_ACCOUNT_KEY", account, true);
    if (signatures.contains(Signatures.ACCOUNT) && account == null) {
      throw new SettingsException(
          "TOUCHMARK_ACCOUNT_KEY", "is not set, and TOUCHMARK_SIGNATURES asks for 'account'");
    }
  }

  public Mode mode() {
    return mode;
  }

  public String tokenHeader() {
    return header;
  }

  private int whole(String name, int otherwise, int least, int most) {
    String value = given(name);
    if (value == null) {
      return otherwise;
    }
    if (!WHOLE.matcher(value).matches()
        || Integer.parseInt(value) < least
        || Integer.parseInt(value) > most) {
      throw new SettingsException(
          name, "is " + shown(value) + ": use a whole number from " + least + " to " + most);
    }
    return Integer.parseInt(value);
  }

  private List<String> signatures() {
    String value = given("TOUCHMARK_SIGNATURES");
    List<String> found = value == null ? List.of() : listed(value);
    boolean known = List.of(Signatures.INSTALL, Signatures.ACCOUNT).containsAll(found);
    if (!known || Set.copyOf(found).size() != found.size()) {
      throw new SettingsException(
          "TOUCHMARK_SIGNATURES",
          "is " + shown(value) + ": use 'install', 'account', or both with a comma");
    }
    return List.copyOf(found);
  }

  private String signatureOrigin() {
    String value = given("TOUCHMARK_SIGNATURE_ORIGIN");
    if (value != null && !ORIGIN.matcher(value).matches()) {
      throw new SettingsException(
          "TOUCHMARK_SIGNATURE_ORIGIN",
          "is " + shown(value) + ": use an origin, such as https://api.example.com");
    }
    return value == null ? null : value.toLowerCase(Locale.ROOT);
  }

  private void refuseTypingErrors() {
    for (Map.Entry<String, String> entry : source.entrySet()) {
      String name = entry.getKey();
      if (entry.getValue() == null || NAMES.contains(name) || OTHERS.contains(name)) {
        continue;
      }
      String folded = name.toUpperCase(Locale.ROOT).replace('-', '_');
      int best = Integer.MAX_VALUE;
      String nearest = "";
      for (String one : NAMES) {
        int apart = distance(folded, one);
        if (apart < best) {
          best = apart;
          nearest = one;
        }
      }
      if (best <= TYPING_ERROR) {
        throw new SettingsException(
            Text.shown(name, 60), "is not a setting: did you mean " + nearest + "?");
      }
      if (folded.startsWith("TOUCHMARK")) {
        Log.warning(
            "%s is not a setting of the token check, and nothing reads it; the nearest is %s",
            Text.shown(name, 60), nearest);
      }
    }
  }

  /**
   * How many letters must be put in, taken out, changed, or swapped with their neighbour, to make
   * one of the other; exact up to what counts as a typing error, and more than that beyond.
   */
  private static int distance(String one, String other) {
    int difference = Math.abs(one.length() - other.length());
    if (difference > TYPING_ERROR) {
      return difference + TYPING_ERROR;
    }
    int[] last = new int[0];
    int[] before = new int[0];
    int[] row = new int[other.length() + 1];
    Arrays.setAll(row, i -> i);
    for (int i = 1; i <= one.length(); i++) {
      last = before;
      before = row;
      row = new int[other.length() + 1];
      row[0] = i;
      for (int j = 1; j <= other.length(); j++) {
        boolean same = one.charAt(i - 1) == other.charAt(j - 1);
        int best = Math.min(Math.min(before[j], row[j - 1]) + 1, before[j - 1] + (same ? 0 : 1));
        if (i > 1
            && j > 1
            && one.charAt(i - 1) == other.charAt(j - 2)
            && one.charAt(i - 2) == other.charAt(j - 1)) {
          best = Math.min(best, last[j - 2] + 1);
        }
        row[j] = best;
      }
    }
    return row[other.length()];
  }

  /**
   * The text of a setting, or null when it is not set. One that is there and empty most often comes
   * from a variable that was meant to be set, and would turn a check off.
   */
  private String given(String name) {
    String value = source.get(name);
    if (value != null && value.isBlank()) {
      throw new SettingsException(name, "is empty: leave it out, or give it a value");
    }
    return value;
  }

  private void needs(String name, String other) {
    if (given(name) != null && given(other) == null) {
      throw new SettingsException(name, "is set without " + other + ": set both, or neither");
    }
  }

  static Mode mode(String name, String value) {
    if (value == null) {
      return Mode.ENFORCE;
    }
    for (Mode one : Mode.values()) {
      if (one.toString().equals(value)) {
        return one;
      }
    }
    // A typing error must not turn the check off.
    throw new SettingsException(name, "is " + shown(value) + ": use 'enforce', 'report' or 'off'");
  }

  private List<Secret> touchmarkSecrets() {
    String value = given("TOUCHMARK_SECRET");
    return value == null ? List.of() : secrets("TOUCHMARK_SECRET", value, true);
  }

  private List<Secret> approovSecrets() {
    String name = "TOUCHMARK_APPROOV_SECRET";
    String value = given(name);
    if (value == null) {
      return List.of();
    }
    List<Secret> found = new ArrayList<>();
    for (String one : listed(value)) {
      // Both alphabets, with or without padding: in the one spelling of the decoder below.
      String text = one.replace('-', '+').replace('_', '/').replaceAll("=+$", "");
      found.add(secret(name, null, text + "=".repeat((4 - text.length() % 4) % 4)));
    }
    return List.copyOf(found);
  }

  private static List<Secret> secrets(String name, String value, boolean named) {
    List<Secret> found = new ArrayList<>();
    for (String one : listed(value)) {
      int colon = named ? one.lastIndexOf(':') : -1;
      String kid = colon < 0 ? null : one.substring(0, colon);
      if (kid != null && !KID.matcher(kid).matches()) {
        throw new SettingsException(
            name,
            "has a kid that cannot be one: use 1 to 64 letters, digits, '.', '_', '~' and '-'"
                + " before the colon");
      }
      found.add(secret(name, kid, one.substring(colon + 1)));
    }
    return List.copyOf(found);
  }

  /** Padded standard base64 (RFC 4648, section 4), in the one spelling that an encoder writes. */
  private static Secret secret(String name, String kid, String text) {
    if (text.isEmpty()) {
      throw new SettingsException(name, "names an empty secret: take out the comma beside it");
    }
    byte[] bytes;
    try {
      bytes = Base64.getDecoder().decode(text);
    } catch (IllegalArgumentException error) {
      bytes = new byte[0];
    }
    if (!Base64.getEncoder().encodeToString(bytes).equals(text)) {
      throw new SettingsException(
          name, "is not base64: copy it as 'touchmark secret get' prints it, with every '='");
    }
    if (bytes.length < Secret.MIN_BYTES) {
      throw new SettingsException(
          name,
          "holds a secret of %d bytes: %d are needed at least"
              .formatted(bytes.length, Secret.MIN_BYTES));
    }
    return new Secret(kid, bytes);
  }

  private List<Secret> decoys() {
    String name = "TOUCHMARK_DECOY_SECRET";
    String value = given(name);
    List<Secret> found =
        value == null ? secrets.stream().map(Secret::decoy).toList() : secrets(name, value, true);
    if (found.size() != secrets.size()) {
      throw new SettingsException(
          name,
          "holds %d and TOUCHMARK_SECRET %d: give one for each, in the same order"
              .formatted(found.size(), secrets.size()));
    }
    for (int i = 0; i < found.size(); i++) {
      Secret decoy = found.get(i);
      if (!java.util.Objects.equals(decoy.kid(), secrets.get(i).kid())) {
        throw new SettingsException(
            name, "names other kids than TOUCHMARK_SECRET: give them in the same order and form");
      }
      if (secrets.stream().anyMatch(decoy::sameBytes)) {
        throw value == null
            ? new SettingsException(
                "TOUCHMARK_SECRET", "holds the decoy secret of another one: leave the decoy out")
            : new SettingsException(
                name, "is one of the token secrets: a decoy needs a secret of its own");
      }
    }
    return found;
  }

  private String jwks(String name) {
    String value = given(name);
    if (value == null || !value.contains("://")) {
      return value;
    }
    try {
      URI url = new URI(value);
      boolean loopback = url.getHost() != null && LOOPBACK.matcher(url.getHost()).matches();
      if (url.getHost() != null
          && url.getUserInfo() == null
          && url.getFragment() == null
          && ("https".equals(url.getScheme()) || ("http".equals(url.getScheme()) && loopback))) {
        return value;
      }
    } catch (URISyntaxException error) {
      // said below
    }
    throw new SettingsException(
        name,
        "is "
            + shown(value)
            + ": use an https:// URL (http:// on loopback alone), or a file's path");
  }

  private String prefix() {
    String value = source.get("TOUCHMARK_TOKEN_PREFIX");
    if (value == null) {
      return "";
    }
    for (int i = 0; i < value.length(); i++) {
      char letter = value.charAt(i);
      if (letter != '\t' && (letter < 0x20 || letter > 0x7e)) {
        throw new SettingsException(
            "TOUCHMARK_TOKEN_PREFIX",
            "is " + shown(value) + ", which cannot stand in a header: use printable ASCII");
      }
    }
    return value;
  }

  static String headerName(String setting, String value) {
    if (!Text.isToken(value)) {
      throw new SettingsException(
          setting,
          "is "
              + shown(value)
              + ", which cannot be the name of a header: use letters, digits and '-'");
    }
    return value;
  }

  private List<String> bindingHeaders(String name, String tokenHeader) {
    String value = given(name);
    return value == null ? List.of() : bindingHeaders(name, listed(value), tokenHeader);
  }

  static List<String> bindingHeaders(String setting, List<String> names, String tokenHeader) {
    Set<String> folded = new HashSet<>();
    for (String name : names) {
      headerName(setting, name);
      if (!folded.add(name.toLowerCase(Locale.ROOT))) {
        throw new SettingsException(setting, "names " + shown(name) + " twice: name it once");
      }
    }
    if (folded.contains(tokenHeader.toLowerCase(Locale.ROOT))) {
      throw new SettingsException(
          setting, "names the header of the token, and no token is bound to itself: name another");
    }
    return List.copyOf(names);
  }

  private String claim(String name) {
    String value = given(name);
    if (value != null && value.codePoints().anyMatch(Character::isISOControl)) {
      throw new SettingsException(name, "is " + shown(value) + ": take out what is not printable");
    }
    return value;
  }

  private Level level() {
    String value = given("TOUCHMARK_LEVEL");
    Level found = Level.named(value);
    if (value != null && found == null) {
      throw new SettingsException(
          "TOUCHMARK_LEVEL",
          "is " + shown(value) + ": use 'software', 'platform', 'tee' or 'secure-chip'");
    }
    return found;
  }

  private double leeway() {
    String value = given("TOUCHMARK_LEEWAY");
    if (value == null) {
      return 0;
    }
    String text = Text.trim(value);
    if (!SECONDS.matcher(text).matches() || Double.parseDouble(text) > MAX_LEEWAY) {
      throw new SettingsException(
          "TOUCHMARK_LEEWAY",
          "is " + shown(value) + ": a leeway is a number of seconds from 0 to " + MAX_LEEWAY);
    }
    return Double.parseDouble(text);
  }

  private static Redis redis(String name, String value) {
    java.util.regex.Matcher found = REDIS.matcher(value);
    if (found.matches()) {
      String host = found.group(1).replaceAll("[\\[\\]]", "");
      int port = found.group(2) == null ? 6379 : Integer.parseInt(found.group(2));
      int database = found.group(3) == null ? 0 : Integer.parseInt(found.group(3));
      if (port >= 1 && port <= 65_535) {
        return new Redis(host, port, database);
      }
    }
    throw new SettingsException(
        name,
        "is " + shown(value) + ": use 'memory' or 'redis://HOST', perhaps with :PORT and /DB");
  }

  private boolean failOpen() {
    String value = given("TOUCHMARK_REPLAY_FAILURE");
    if (value != null && !value.equals("open") && !value.equals("closed")) {
      throw new SettingsException(
          "TOUCHMARK_REPLAY_FAILURE", "is " + shown(value) + ": use 'closed' or 'open'");
    }
    return "open".equals(value);
  }

  private String firebaseProject() {
    String value = given("TOUCHMARK_FIREBASE_PROJECT");
    if (value != null && !PROJECT.matcher(value).matches()) {
      throw new SettingsException(
          "TOUCHMARK_FIREBASE_PROJECT",
          "is " + shown(value) + ": use the project's number, of digits alone");
    }
    return value;
  }

  /** The words between commas. An empty one stays, and is refused as what it should be. */
  private static List<String> listed(String text) {
    List<String> found = new ArrayList<>();
    for (String word : text.split(",", -1)) {
      found.add(word.strip());
    }
    return found;
  }

  private static String shown(String value) {
    return "'" + Text.shown(value, 57) + "'";
  }
}
