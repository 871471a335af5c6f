#include "protocol/device_id.h"

#include <gtest/gtest.h>

#include "base/encoding.h"
#include "protocol/testing/vectors.h"

namespace touchmark::protocol {
namespace {

TEST(DeviceIdTest, IsThatOfTheVector) {
  const Json vector = testing::read_vector("evidence.json");
  const auto key =
      crypto::EcKey::from_private_pem(vector["installation_key_pem"].get<std::string>());
  ASSERT_TRUE(key);
  EXPECT_EQ(device_id(*key), vector["did"].get<std::string>());
}

TEST(DeviceIdTest, Is16BytesOfTheKey) {
  const crypto::EcKey key = crypto::EcKey::generate();
  EXPECT_EQ(base64_decode(device_id(key))->size(), 16U);
  EXPECT_EQ(device_id(key), device_id(*crypto::EcKey::from_public_der(key.public_der())));
  EXPECT_NE(device_id(key), device_id(crypto::EcKey::generate()));
}

}  // namespace
}  // namespace touchmark::protocol
