#include "cli/service/domain.h"

#include <gtest/gtest.h>

#include "cli/io/error.h"

namespace touchmark::cli::service {
namespace {

TEST(Domain, TakesWhatPeopleType) {
  EXPECT_EQ(normalize_domain("API.Example.com").value(), "api.example.com");
  EXPECT_EQ(normalize_domain("localhost:5001").value(), "localhost:5001");
  EXPECT_EQ(normalize_domain(" https://api.example.com/ ").value(), "api.example.com");
  EXPECT_EQ(normalize_domain("127.0.0.1:8443").value(), "127.0.0.1:8443");
  EXPECT_EQ(normalize_domain("[::1]:5001").value(), "[::1]:5001");
  EXPECT_EQ(normalize_domain("[::1]").value(), "[::1]");
  EXPECT_EQ(normalize_domain("[0::1]:443").value(), "[::1]:443");
  EXPECT_EQ(normalize_domain("https://api.example.com.").value(), "api.example.com");
  EXPECT_EQ(normalize_domain("HTTPS://B\xc3\xbc"
                             "cher.example:8443")
                .value(),
            "xn--bcher-kva.example:8443");
}

TEST(Domain, RefusesWhatIsNoDomain) {
  for (const char* text : {"", "http://x", "https://x/path", "user@host", "a b", "host:", "host:0",
                           "host:65536", "host:12x", ":80", "-x", ".x", "[::1", "a:1:2"}) {
    const auto domain = normalize_domain(text);
    ASSERT_FALSE(domain) << text;
    EXPECT_TRUE(domain.error().is(io::CliError::kUsage)) << text;
  }
}

}  // namespace
}  // namespace touchmark::cli::service
