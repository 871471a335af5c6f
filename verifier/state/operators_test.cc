// Operators as the service remembers them: names, expiry, the last admin, and the way back in.
#include "verifier/state/operators.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "crypto/crypto.h"
#include "verifier/model/permission.h"
#include "verifier/testing/fixtures.h"

namespace touchmark::verifier::state {
namespace {

using model::Role;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class OperatorsTest : public ::testing::Test {
 protected:
  OperatorsTest() {
    admin_ = first_start("admin", Role::kAdmin);
    developer_ = first_start("developer", Role::kDeveloper);
  }
  std::string first_start(const std::string& name, Role role) {
    return operators_.make_token(name, role).value();
  }
  std::string add(const NewOperator& wanted) {
    auto made = operators_.add(wanted, "admin");
    EXPECT_TRUE(made) << made.error().text();
    return made ? made->token : "";
  }
  Error refused(const NewOperator& wanted) {
    const std::size_t entries = store_->audit_log(1000)->size();
    auto made = operators_.add(wanted, "admin");
    EXPECT_FALSE(made) << wanted.name;
    EXPECT_EQ(store_->audit_log(1000)->size(), entries) << "nothing was done";
    return made ? Error(OperatorError::kExists, "") : made.error();
  }
  std::vector<std::string> names() {
    std::vector<std::string> out;
    for (const auto& entry : operators_.list()) out.push_back(entry.name);
    return out;
  }
  model::AuditEntry newest() { return store_->audit_log(1)->front(); }
  // As after a restart.
  void reload() {
    LoadNotes notes;
    ASSERT_TRUE(operators_.load(notes));
    EXPECT_THAT(notes, IsEmpty());
  }

  testing::ManualClock clock_;
  testing::RepeatableRandom random_;
  std::unique_ptr<store::Store> store_ = std::move(store::open_sqlite(":memory:").value());
  AuditedStore audited_{*store_, clock_};
  Operators operators_{audited_, random_};
  std::string admin_;
  std::string developer_;
};

TEST_F(OperatorsTest, KeepsAHashOfEachToken) {
  const std::string token = add({"ann", Role::kHelpdesk});
  EXPECT_TRUE(token.starts_with("tmk_helpdesk_"));
  EXPECT_EQ(token.size(), std::string("tmk_helpdesk_").size() + 43) << "256 bits";
  EXPECT_NE(add({"bob", Role::kHelpdesk}), token);
  const auto caller = operators_.authenticate(token);
  ASSERT_TRUE(caller);
  EXPECT_EQ(caller->name, "ann");
  EXPECT_EQ(caller->token_sha256, crypto::sha256(as_bytes(token)));
  EXPECT_EQ(caller->created_by, "admin");
  EXPECT_EQ(caller->created, clock_.now());
  EXPECT_EQ(newest().action, "operator.add");
  EXPECT_EQ(newest().detail, "bob, role helpdesk");
  reload();
  EXPECT_EQ(operators_.authenticate(token)->name, "ann");
  EXPECT_TRUE(operators_.authenticate(token + "x").error().is(OperatorError::kUnknownToken));
  EXPECT_TRUE(operators_.authenticate("").error().is(OperatorError::kUnknownToken));
}

TEST_F(OperatorsTest, TakesNamesThatReadAsOneWordAndAsNobodyElse) {
  for (const char* name : {"ann", "Ann.B", "ann@example.com", "ci_wallet-2+x", "7"}) {
    add({name, Role::kAuditor});
  }
  for (const std::string& name :
       {std::string(), std::string("-ann"), std::string("@ann"), std::string("ann b"),
        std::string("ann\n"), std::string("ann\x1b[2J"), std::string("änn"), std::string("a/b"),
        std::string("ann\0", 4), std::string(65, 'a'), std::string("touchmark"),
        std::string("Touchmark.serve"), std::string("ann\u202e")}) {
    EXPECT_TRUE(refused({name, Role::kAuditor}).is(OperatorError::kBadName)) << name;
  }
  add({std::string(64, 'a'), Role::kAuditor});
}

TEST_F(OperatorsTest, GivesANameOnce) {
  add({"ann", Role::kAuditor});
  EXPECT_TRUE(refused({"ann", Role::kAdmin}).is(OperatorError::kExists));
  EXPECT_TRUE(refused({"ANN", Role::kAdmin}).is(OperatorError::kExists)) << "they read alike";
  EXPECT_THAT(refused({"ann", Role::kAdmin}).message(), HasSubstr("operator revoke ann"));
  ASSERT_TRUE(operators_.revoke("ann", "admin"));
  add({"Ann", Role::kAuditor});
}

TEST_F(OperatorsTest, EndsATokenWhenItsTimeIsOver) {
  const std::string token = add({"ann", Role::kAuditor, Seconds(600)});
  EXPECT_THAT(newest().detail, HasSubstr("until "));
  const auto caller = operators_.authenticate(token).value();
  clock_.advance(Seconds(599));
  EXPECT_TRUE(operators_.authenticate(token));
  EXPECT_TRUE(operators_.is_in_force(caller));
  clock_.advance(Seconds(1));
  const auto over = operators_.authenticate(token);
  ASSERT_FALSE(over);
  EXPECT_TRUE(over.error().is(OperatorError::kExpiredToken));
  EXPECT_THAT(over.error().message(), HasSubstr("ann"));
  EXPECT_FALSE(operators_.is_in_force(caller));
  EXPECT_THAT(names(), ElementsAre("admin", "ann", "developer")) << "it is still listed";
  // And gives up its name.
  const std::string again = add({"ann", Role::kAuditor});
  EXPECT_TRUE(operators_.authenticate(again));
  EXPECT_FALSE(operators_.authenticate(token));
  EXPECT_THAT(names(), ElementsAre("admin", "ann", "developer"));
}

TEST_F(OperatorsTest, EndsATokenThatIsRevoked) {
  const std::string token = add({"ann", Role::kAdmin});
  const auto caller = operators_.authenticate(token).value();
  ASSERT_TRUE(operators_.revoke("ann", "admin"));
  EXPECT_TRUE(operators_.authenticate(token).error().is(OperatorError::kUnknownToken));
  EXPECT_FALSE(operators_.is_in_force(caller));
  EXPECT_EQ(newest().action, "operator.revoke");
  EXPECT_EQ(newest().detail, "ann");
  EXPECT_TRUE(operators_.revoke("ann", "admin").error().is(OperatorError::kNoOperator));
  EXPECT_TRUE(operators_.revoke("nobody", "admin").error().is(OperatorError::kNoOperator));
  reload();
  EXPECT_FALSE(operators_.authenticate(token));
}

TEST_F(OperatorsTest, KeepsAnAdminWhoDoesNotExpire) {
  const auto last = [&](const std::string& name) {
    auto done = operators_.revoke(name, "admin");
    return !done && done.error().is(OperatorError::kLastAdmin);
  };
  EXPECT_TRUE(last("admin"));
  EXPECT_THAT(operators_.revoke("admin", "admin").error().message(),
              ::testing::AllOf(HasSubstr("operator add"), HasSubstr("reset-operator")));
  add({"ann", Role::kAdmin, Seconds(600)});
  EXPECT_TRUE(last("admin")) << "in ten minutes there would be nobody";
  add({"bob", Role::kAuditor});
  EXPECT_TRUE(last("admin"));
  add({"carol", Role::kAdmin});
  ASSERT_TRUE(operators_.revoke("admin", "carol"));
  EXPECT_TRUE(last("carol"));
  ASSERT_TRUE(operators_.revoke("ann", "carol"));
  clock_.advance(Seconds(std::int64_t{100} * 365 * 86400));
  EXPECT_THAT(names(), ElementsAre("bob", "carol", "developer"));
}

TEST_F(OperatorsTest, ACiTokenIsForTheAppsThatItNames) {
  for (const Role role : model::kRoles) {
    if (role != Role::kCi) {
      EXPECT_TRUE(refused({"x", role, {}, {"com.example"}}).is(OperatorError::kBadApps));
    }
  }
  EXPECT_TRUE(refused({"x", Role::kCi}).is(OperatorError::kBadApps));
  for (const char* app : {"", "com.example*", "com example", "com/example", "*"}) {
    EXPECT_TRUE(refused({"x", Role::kCi, {}, {app}}).is(OperatorError::kBadApps)) << app;
  }
  EXPECT_TRUE(refused({"x", Role::kCi, {}, {std::string(224, 'a')}}).is(OperatorError::kBadApps));
  EXPECT_TRUE(refused({"x", Role::kCi, {}, std::vector<std::string>(33, "com.example")})
                  .is(OperatorError::kBadApps));
  const std::string token = add({"ci-1", Role::kCi, Seconds(60), {"com.b", "com.a", "com.b"}});
  reload();
  const auto caller = operators_.authenticate(token).value();
  EXPECT_THAT(caller.apps, ElementsAre("com.a", "com.b"));
  EXPECT_TRUE(model::is_for_app(caller, "com.a"));
  for (const char* other : {"", "com.A", "com.a.b", "com", "com.ab"}) {
    EXPECT_FALSE(model::is_for_app(caller, other)) << other;
  }
  EXPECT_TRUE(model::is_for_app(operators_.authenticate(developer_).value(), "com.other"));
  EXPECT_FALSE(model::is_for_app({}, "com.a")) << "nobody is for no app";
}

TEST_F(OperatorsTest, KeepsABoundedNumber) {
  ASSERT_TRUE(store_->write([&](store::Transaction& transaction) -> Result<void> {
    for (std::size_t i = 2; i < kMaxOperators; ++i) {
      model::OperatorToken token;
      token.name = "op" + std::to_string(i);
      if (auto ok = transaction.put_operator_token(token); !ok) return ok;
    }
    return {};
  }));
  EXPECT_TRUE(refused({"one-more", Role::kAuditor}).is(OperatorError::kTooMany));
  ASSERT_TRUE(operators_.revoke("op2", "admin"));
  add({"one-more", Role::kAuditor});
}

TEST_F(OperatorsTest, AResetEndsEveryAdminAndNobodyElse) {
  const std::string ann = add({"ann", Role::kAdmin});
  const std::string bob = add({"bob", Role::kHelpdesk});
  auto reset = operators_.reset(std::nullopt);
  ASSERT_TRUE(reset) << reset.error().text();
  EXPECT_EQ(reset->made.entry.name, "admin");
  EXPECT_THAT(reset->ended, ElementsAre("admin", "ann"));
  EXPECT_EQ(operators_.authenticate(reset->made.token)->role, Role::kAdmin);
  EXPECT_FALSE(operators_.authenticate(admin_));
  EXPECT_FALSE(operators_.authenticate(ann));
  EXPECT_TRUE(operators_.authenticate(bob));
  EXPECT_TRUE(operators_.authenticate(developer_));
  EXPECT_EQ(newest().actor, "touchmark serve reset-operator");
  EXPECT_EQ(newest().action, "operator.reset");
  EXPECT_EQ(newest().detail, "admin, role admin; ended: admin, ann");
}

TEST_F(OperatorsTest, AResetOfOneAdminLeavesTheOthers) {
  const std::string ann = add({"ann", Role::kAdmin, Seconds(60)});
  auto reset = operators_.reset("ann");
  ASSERT_TRUE(reset);
  EXPECT_THAT(reset->ended, ElementsAre("ann"));
  EXPECT_FALSE(operators_.authenticate(ann));
  EXPECT_TRUE(operators_.authenticate(admin_));
  clock_.advance(Seconds(3600));
  EXPECT_TRUE(operators_.authenticate(reset->made.token)) << "the way back in does not close";
  auto made = operators_.reset("new");
  ASSERT_TRUE(made);
  EXPECT_THAT(made->ended, IsEmpty());
  EXPECT_THAT(newest().detail, HasSubstr("no token ended"));
  EXPECT_TRUE(operators_.reset("developer").error().is(OperatorError::kExists));
  EXPECT_TRUE(operators_.reset("no name").error().is(OperatorError::kBadName));
  EXPECT_TRUE(operators_.authenticate(developer_));
}

// What the issue of a role is about, in words of its own: the table in permission.cc is checked
// against the documents elsewhere.
TEST(Permissions, KeepTheKeysWithAdmins) {
  using enum model::Permission;
  for (const Role role : model::kRoles) {
    const bool is_admin = role == Role::kAdmin;
    for (const auto permission :
         {kMakeValidTokens, kReadSecrets, kChangePolicy, kChangeApis, kChangeOperators}) {
      EXPECT_EQ(model::may(role, permission), is_admin) << to_string(role);
    }
    EXPECT_EQ(model::may(role, kForceDevices), is_admin || role == Role::kHelpdesk);
    EXPECT_EQ(model::may(role, kAddRegistrations),
              is_admin || role == Role::kDeveloper || role == Role::kCi);
    EXPECT_TRUE(model::may(role, kWhoAmI));
    EXPECT_EQ(model::parse_role(to_string(role)), role);
  }
  EXPECT_FALSE(model::parse_role("root"));
  EXPECT_FALSE(model::parse_role(""));
  EXPECT_EQ(model::roles_with(kForceDevices), "admin or helpdesk");
  EXPECT_EQ(model::roles_with(kAddRegistrations), "admin, developer or ci");
  EXPECT_EQ(model::roles_with(kReadSecrets), "admin");
}

}  // namespace
}  // namespace touchmark::verifier::state
