#include "cli/service/admin_client.h"

#include <gtest/gtest.h>

#include "cli/io/error.h"
#include "cli/testing/test_world.h"

namespace touchmark::cli::service {
namespace {

class AdminClientTest : public ::testing::Test {
 protected:
  AdminClient client() {
    return AdminClient(service_.factory()(Endpoint{}, std::chrono::seconds(1)));
  }
  // What GET /x fails with when the service answers `status`.
  Error error_of(int status, const Json& body) {
    service_.answer("GET /x", status, body);
    return client().get("/x").error();
  }
  FakeService service_;
};

TEST_F(AdminClientTest, TurnsProblemsIntoErrors) {
  const Json body = {{"type", "urn:touchmark:error:zip.bad-magic"}, {"detail", "no\nZIP"}};
  EXPECT_TRUE(error_of(400, body).is(io::CliError::kRefusedRequest));
  EXPECT_TRUE(error_of(401, body).is(io::CliError::kUnauthorized));
  EXPECT_TRUE(error_of(403, body).is(io::CliError::kForbidden));
  EXPECT_TRUE(error_of(404, body).is(io::CliError::kNotFound));
  EXPECT_TRUE(error_of(404, {{"type", "urn:touchmark:error:http.not-found"}, {"detail", "no SDK"}})
                  .is(io::CliError::kNotOffered));
  EXPECT_TRUE(error_of(413, body).is(io::CliError::kTooLarge));
  EXPECT_TRUE(error_of(422, body).is(io::CliError::kRefusedPackage));
  EXPECT_TRUE(error_of(500, body).is(io::CliError::kServiceFailed));
  EXPECT_TRUE(error_of(507, body).is(io::CliError::kServiceNoSpace));
  EXPECT_EQ(error_of(422, body).message(), "the service refused: no ZIP (zip.bad-magic)");
  EXPECT_EQ(error_of(404, {{"title", "Not Found"}}).message(), "the service refused: Not Found");
}

TEST_F(AdminClientTest, KnowsWhatIsNotTouchmark) {
  service_.answers.insert_or_assign("GET /x", HttpAnswer{502, "text/html", "<html>"});
  EXPECT_TRUE(client().get("/x").error().is(io::CliError::kBadAnswer));
  service_.answers.insert_or_assign("GET /x", HttpAnswer{301, "", ""});
  EXPECT_TRUE(client().get("/x").error().is(io::CliError::kBadAnswer));
  for (const char* body : {"", "hello", "[1]", "{\"a\":1"}) {
    service_.answers.insert_or_assign("GET /x", HttpAnswer{200, "text/html", body});
    EXPECT_TRUE(client().get("/x").error().is(io::CliError::kBadAnswer)) << body;
  }
}

TEST_F(AdminClientTest, SendsBodies) {
  service_.answer("PUT /x", 200, {{"ok", true}});
  EXPECT_EQ(client().put("/x", {{"a", 1}}).value(), Json({{"ok", true}}));
  ASSERT_EQ(service_.requests.size(), 1U);
  EXPECT_EQ(service_.requests[0].body, "{\"a\":1}");
  EXPECT_EQ(service_.requests[0].content_type, "application/json");
}

TEST(PathSegment, EscapesReservedCharacters) {
  EXPECT_EQ(path_segment("localhost:5001"), "localhost%3A5001");
  EXPECT_EQ(path_segment("../a b%"), "..%2Fa%20b%25");
  EXPECT_EQ(path_segment("A-z.9_~"), "A-z.9_~");
}

}  // namespace
}  // namespace touchmark::cli::service
