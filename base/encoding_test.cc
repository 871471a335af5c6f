#include "base/encoding.h"

#include <gtest/gtest.h>

#include "base/random.h"

namespace touchmark {
namespace {

template <class T>
std::string id_of(const Result<T>& result) {
  return result ? "no error" : result.error().id();
}

// RFC 4648 section 10.
struct Pair {
  const char* plain;
  const char* encoded;
};
constexpr Pair kRfc4648[] = {{"", ""},
                             {"f", "Zg=="},
                             {"fo", "Zm8="},
                             {"foo", "Zm9v"},
                             {"foob", "Zm9vYg=="},
                             {"fooba", "Zm9vYmE="},
                             {"foobar", "Zm9vYmFy"}};

TEST(Base64, Rfc4648) {
  for (auto [plain, encoded] : kRfc4648) {
    EXPECT_EQ(base64_encode(as_bytes(plain)), encoded);
    auto decoded = base64_decode(encoded);
    ASSERT_TRUE(decoded) << encoded;
    EXPECT_EQ(as_text(*decoded), plain);
  }
}

TEST(Base64, OneSpellingOnly) {
  EXPECT_EQ(id_of(base64_decode("Zg")), "encoding.bad-length");
  EXPECT_EQ(id_of(base64_decode("Zg=")), "encoding.bad-length");
  EXPECT_EQ(id_of(base64_decode("Zg===")), "encoding.bad-length");
  EXPECT_EQ(id_of(base64_decode("====")), "encoding.bad-character");
  EXPECT_EQ(id_of(base64_decode("Z===")), "encoding.bad-character");
  EXPECT_EQ(id_of(base64_decode("Zg==Zg==")), "encoding.bad-character");
  EXPECT_EQ(id_of(base64_decode("Zh==")), "encoding.non-zero-trailing");
  EXPECT_EQ(id_of(base64_decode("Zm9=")), "encoding.non-zero-trailing");
  EXPECT_EQ(id_of(base64_decode("Zm9v\n")), "encoding.bad-length");
  EXPECT_EQ(id_of(base64_decode("Zm\nv")), "encoding.bad-character");
  EXPECT_EQ(id_of(base64_decode("Zm-_")), "encoding.bad-character");
}

TEST(Base64, EveryLengthAndEveryByteComesBack) {
  SystemRandom random;
  for (std::size_t size = 0; size < 300; ++size) {
    const Bytes bytes = random.bytes(size);
    EXPECT_EQ(base64_decode(base64_encode(bytes)), bytes);
    const std::string digits = base64url_encode(bytes);
    EXPECT_EQ(digits.size(), (size * 4 + 2) / 3);
    EXPECT_EQ(base64url_decode(digits), bytes);
  }
}

TEST(Base64, NamesTheFirstCharacterThatIsNoDigit) {
  const std::string digits(23, 'A');
  for (std::size_t at = 0; at < digits.size(); ++at) {
    for (int c = 0; c < 256; ++c) {
      const bool is_digit = std::isalnum(c) != 0 || c == '-' || c == '_';
      std::string text = digits;
      text[at] = static_cast<char>(c);
      const auto decoded = base64url_decode(text);
      if (is_digit && at + 1 < digits.size()) {
        EXPECT_TRUE(decoded) << at << " " << c;
      } else if (!is_digit) {
        ASSERT_FALSE(decoded);
        EXPECT_EQ(decoded.error().message(),
                  "character at position " + std::to_string(at) + " is not base64");
      }
    }
  }
}

TEST(Base64Any, TakesEverySpellingOfTheSameBytes) {
  for (const char* text : {"-_-_-w", "-_-_-w==", "+/+/+w", "+/+/+w==", "+_-/-w="}) {
    auto decoded = base64_any_decode(text);
    ASSERT_TRUE(decoded) << text;
    EXPECT_EQ(hex_encode(*decoded), "fbffbffb") << text;
  }
  for (const char* text : {"-_-_-w===", "-_-_-", "-_-_-x", "-_ _-w", "="}) {
    EXPECT_FALSE(base64_any_decode(text) && !base64_any_decode(text)->empty()) << text;
  }
}

TEST(Base64Url, OneSpellingOnly) {
  EXPECT_EQ(base64url_encode(as_bytes("\xfb\xff")), "-_8");
  EXPECT_EQ(id_of(base64url_decode("-_8")), "no error");
  EXPECT_EQ(id_of(base64url_decode("-_8=")), "encoding.bad-character");
  EXPECT_EQ(id_of(base64url_decode("+/8")), "encoding.bad-character");
  EXPECT_EQ(id_of(base64url_decode("-_9")), "encoding.non-zero-trailing");
  EXPECT_EQ(id_of(base64url_decode("-")), "encoding.bad-length");
  EXPECT_EQ(id_of(base64url_decode("Zm9vY")), "encoding.bad-length");
}

TEST(Base64, EveryByteAndLengthRoundTrips) {
  SystemRandom random;
  for (std::size_t length = 0; length < 300; ++length) {
    Bytes data = random.bytes(length);
    EXPECT_EQ(base64_decode(base64_encode(data)), data);
    EXPECT_EQ(base64url_decode(base64url_encode(data)), data);
    EXPECT_EQ(hex_decode(hex_encode(data)), data);
  }
}

// Of all strings of four characters over a small alphabet, exactly those decode that encode gives.
TEST(Base64, DecodesExactlyWhatEncodeGives) {
  constexpr std::string_view kSome = "AQgw/+=-_ ";
  for (char a : kSome) {
    for (char b : kSome) {
      for (char c : kSome) {
        for (char d : kSome) {
          std::string text = {a, b, c, d};
          if (auto bytes = base64_decode(text)) {
            EXPECT_EQ(base64_encode(*bytes), text);
          }
          if (auto bytes = base64url_decode(text)) {
            EXPECT_EQ(base64url_encode(*bytes), text);
          }
        }
      }
    }
  }
}

TEST(Hex, Strict) {
  EXPECT_EQ(hex_encode(as_bytes("\x01\xab")), "01ab");
  EXPECT_EQ(hex_decode("01AB"), to_bytes("\x01\xab"));
  EXPECT_EQ(id_of(hex_decode("01a")), "encoding.bad-length");
  EXPECT_EQ(id_of(hex_decode("0x")), "encoding.bad-character");
  EXPECT_EQ(id_of(hex_decode("0 ")), "encoding.bad-character");
}

}  // namespace
}  // namespace touchmark
