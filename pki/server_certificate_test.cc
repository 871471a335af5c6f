#include "pki/server_certificate.h"

#include <gtest/gtest.h>

namespace touchmark::pki {
namespace {

// Before and after 2038, where a time_t of 32 bits ends, and 2050, from which on X.509 writes times
// with four digits of the year (RFC 5280, 4.1.2.5).
TEST(ServerCertificateTest, TellsTheEndOfItsValidityWhateverTheYear) {
  using namespace std::chrono_literals;
  SystemRandom random;
  const crypto::EcKey key = crypto::EcKey::generate();
  for (const std::chrono::year year : {2026y, 2037y, 2038y, 2039y, 2049y, 2050y, 2106y, 2107y}) {
    const UnixTime end = std::chrono::sys_days(year / 2 / 28) + 23h + 59min + 7s;
    const auto pem = make_self_signed(key, {"a.example"}, end - 24h, end, random);
    ASSERT_TRUE(pem);
    const auto facts = read_certificate(*pem);
    ASSERT_TRUE(facts);
    EXPECT_EQ(facts->not_after, end) << static_cast<int>(year);
  }
}

}  // namespace
}  // namespace touchmark::pki
