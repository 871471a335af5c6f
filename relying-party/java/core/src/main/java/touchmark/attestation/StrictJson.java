package touchmark.attestation;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Reads a JSON object as the contract does: RFC 8259 in UTF-8 without a byte order mark, names
 * unique in every object, numbers within the range of a double, at most 16 levels, no half of a
 * surrogate pair.
 *
 * <p>Neither Nimbus' reader (a lenient Gson) nor Jackson's takes these alone: Jackson finds UTF-16
 * by itself, keeps the last of two equal names, and takes halves of surrogate pairs and numbers
 * beyond a double. So Jackson gets text that was decoded here, and what it reads is looked at.
 */
final class StrictJson {
  private static final int MAX_DEPTH = 16;

  private static final JsonFactory FACTORY =
      JsonFactory.builder()
          // Names are an attacker's: they must not stay in tables of the process.
          .disable(JsonFactory.Feature.INTERN_FIELD_NAMES)
          .disable(JsonFactory.Feature.CANONICALIZE_FIELD_NAMES)
          // The input's own length bounds all of these.
          .streamReadConstraints(
              StreamReadConstraints.builder()
                  .maxNumberLength(Integer.MAX_VALUE)
                  .maxNestingDepth(Integer.MAX_VALUE)
                  .build())
          .build();

  private StrictJson() {}

  /** Raised for bytes that are no such object. */
  static final class NotJson extends Exception {
    private static final long serialVersionUID = 1;

    NotJson() {
      super("not a JSON object", null, false, false);
    }
  }

  static Map<String, Object> readObject(byte[] bytes) throws NotJson {
    String text = decode(bytes);
    try (JsonParser parser = FACTORY.createParser(text)) {
      if (parser.nextToken() != JsonToken.START_OBJECT) {
        throw new NotJson();
      }
      Map<String, Object> found = object(parser, 1);
      if (parser.nextToken() != null) {
        throw new NotJson();
      }
      return found;
    } catch (IOException | NumberFormatException error) {
      throw new NotJson();
    }
  }

  private static String decode(byte[] bytes) throws NotJson {
    boolean ascii = true;
    for (byte one : bytes) {
      ascii &= one >= 0;
    }
    if (ascii) {
      return new String(bytes, StandardCharsets.ISO_8859_1);
    }
    try {
      String text = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
      if (text.charAt(0) == '\uFEFF') {
        throw new NotJson();
      }
      return text;
    } catch (java.nio.charset.CharacterCodingException error) {
      throw new NotJson();
    }
  }

  private static Map<String, Object> object(JsonParser parser, int depth)
      throws IOException, NotJson {
    Map<String, Object> found = new LinkedHashMap<>();
    int members = 0;
    while (parser.nextToken() != JsonToken.END_OBJECT) {
      String name = whole(parser.currentName());
      parser.nextToken();
      found.put(name, value(parser, depth));
      if (found.size() != ++members) {
        throw new NotJson();
      }
    }
    return Collections.unmodifiableMap(found);
  }

  private static List<Object> array(JsonParser parser, int depth) throws IOException, NotJson {
    List<Object> found = new ArrayList<>();
    while (parser.nextToken() != JsonToken.END_ARRAY) {
      found.add(value(parser, depth));
    }
    return Collections.unmodifiableList(found);
  }

  private static Object value(JsonParser parser, int depth) throws IOException, NotJson {
    JsonToken token = parser.currentToken();
    if (token == null) {
      throw new NotJson();
    }
    if (token.isStructStart() && depth == MAX_DEPTH) {
      throw new NotJson();
    }
    return switch (token) {
      case START_OBJECT -> object(parser, depth + 1);
      case START_ARRAY -> array(parser, depth + 1);
      case VALUE_STRING -> whole(parser.getText());
      case VALUE_NUMBER_INT -> integer(parser.getText());
      case VALUE_NUMBER_FLOAT -> number(parser.getText());
      case VALUE_TRUE -> Boolean.TRUE;
      case VALUE_FALSE -> Boolean.FALSE;
      case VALUE_NULL -> null;
      default -> throw new NotJson();
    };
  }

  private static Object integer(String digits) throws NotJson {
    return digits.length() <= 18 ? (Object) Long.parseLong(digits) : (Object) number(digits);
  }

  private static Double number(String digits) throws NotJson {
    double found = Double.parseDouble(digits);
    if (Double.isInfinite(found)) {
      throw new NotJson();
    }
    return found;
  }

  /** The text, unless half of a surrogate pair stands in it. */
  private static String whole(String text) throws NotJson {
    for (int i = 0; i < text.length(); i++) {
      char unit = text.charAt(i);
      if (!Character.isSurrogate(unit)) {
        continue;
      }
      if (Character.isLowSurrogate(unit)
          || ++i == text.length()
          || !Character.isLowSurrogate(text.charAt(i))) {
        throw new NotJson();
      }
    }
    return text;
  }
}
