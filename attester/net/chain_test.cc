// Which certificates of a peer's vouch for it: genuine chains, and what a man in the middle makes
// of genuine certificates.
#include "attester/net/chain.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>

#include "attester/net/tls.h"
#include "attester/testing/certificate.h"
#include "base/encoding.h"

namespace touchmark::attester::net {
namespace {

using testing::Certificate;
using ::testing::ElementsAre;
using ::testing::UnorderedElementsAre;

constexpr const char* kCa = "basicConstraints=critical,CA:TRUE";
constexpr const char* kCertSign = "keyUsage=critical,keyCertSign,cRLSign";
constexpr const char* kForServer = "subjectAltName=DNS:api.example.com";

struct Made {
  std::string subject = "";      // its name where empty
  std::string issuer = "";       // a certificate's name, itself where empty
  std::string issuer_name = "";  // in place of that certificate's subject
  std::string key = "";          // whose name, its own where empty
  std::vector<std::string> extensions = {};
  int version = 3;
  int from_days = -1;
  int to_days = 1;
  const EVP_MD* digest = EVP_sha256();
};

// Certificates by name, each made once; keys by name, too.
class Pki {
 public:
  EVP_PKEY* key(const std::string& name) {
    auto& slot = keys_[name];
    if (!slot) slot.reset(EVP_EC_gen("P-256"));
    return slot.get();
  }

  void make(const std::string& name, const Made& made) {
    Certificate out(X509_new());
    X509_set_version(out.get(), made.version - 1);
    ASN1_INTEGER_set(X509_get_serialNumber(out.get()), static_cast<long>(certificates_.size()) + 1);
    X509_gmtime_adj(X509_getm_notBefore(out.get()), made.from_days * 86400L);
    X509_gmtime_adj(X509_getm_notAfter(out.get()), made.to_days * 86400L);
    X509_set_pubkey(out.get(), key(made.key.empty() ? name : made.key));
    set_name(X509_get_subject_name(out.get()), made.subject.empty() ? name : made.subject);
    X509* issuer = made.issuer.empty() ? out.get() : certificates_.at(made.issuer).get();
    if (made.issuer_name.empty()) {
      X509_set_issuer_name(out.get(), X509_get_subject_name(issuer));
    } else {
      X509_NAME* other = X509_NAME_new();
      set_name(other, made.issuer_name);
      X509_set_issuer_name(out.get(), other);
      X509_NAME_free(other);
    }
    for (const std::string& extension : made.extensions) add(out.get(), extension);
    openssl::require(X509_sign(out.get(), issuing_key(name, made), made.digest) > 0, "signing");
    issuing_[name] = made.key.empty() ? name : made.key;
    certificates_[name] = std::move(out);
  }

  // The names whose keys vouch for the first of them.
  std::vector<std::string> vouch(const std::vector<std::string>& sent,
                                 UnixTime now = SystemClock().now()) {
    std::vector<std::string> der;
    for (const std::string& name : sent)
      der.push_back(testing::der_of(certificates_.at(name).get()));
    std::vector<ByteView> views;
    for (const std::string& one : der) views.push_back(as_bytes(one));
    std::vector<std::string> out;
    for (const Sha256Digest& digest : vouching_keys(views, now)) {
      for (const auto& [name, pkey] : keys_) {
        if (digest == crypto::sha256(as_bytes(testing::spki_of(pkey.get())))) out.push_back(name);
      }
    }
    return out;
  }

 private:
  static void set_name(X509_NAME* name, const std::string& text) {
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>(text.c_str()), -1, -1, 0);
  }
  static void add(X509* certificate, const std::string& text) {
    const std::size_t equals = text.find('=');
    X509_EXTENSION* extension = X509V3_EXT_conf(nullptr, nullptr, text.substr(0, equals).c_str(),
                                                text.substr(equals + 1).c_str());
    openssl::require(extension != nullptr, text.c_str());
    X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
  }
  EVP_PKEY* issuing_key(const std::string& name, const Made& made) {
    if (!made.issuer.empty()) return key(issuing_.at(made.issuer));
    return key(made.key.empty() ? name : made.key);
  }

  std::map<std::string, openssl::Pkey> keys_;
  std::map<std::string, Certificate> certificates_;
  std::map<std::string, std::string> issuing_;  // certificate -> the key it signs with
};

// A genuine root and an intermediate below it, and an attacker's key K for which the device trusts
// a CA of the attacker's ("evil"). `fake` is their certificate for the API.
class ChainTest : public ::testing::Test {
 protected:
  void SetUp() override {
    pki_.make("root", {.extensions = {kCa, kCertSign}});
    pki_.make("inter", {.issuer = "root",
                        .extensions = {"basicConstraints=critical,CA:TRUE,pathlen:0", kCertSign}});
    pki_.make("leaf", {.issuer = "inter",
                       .extensions = {"basicConstraints=critical,CA:FALSE", kForServer,
                                      "extendedKeyUsage=serverAuth"}});
    pki_.make("evil", {.key = "K", .extensions = {kCa}});
    pki_.make("fake", {.issuer = "evil", .extensions = {kForServer}});
  }
  // Whom `made`, a certificate for K that genuine CAs issued, makes vouch for the fake one.
  std::vector<std::string> attack(Made made, const std::string& issuer) {
    made.subject = made.subject.empty() ? "evil" : made.subject;
    made.key = "K";
    made.issuer = issuer;
    pki_.make("issued", made);
    std::vector<std::string> sent = {"fake", "issued", "inter", "root"};
    std::vector<std::string> seen = pki_.vouch(sent);
    // In no order is there more to find.
    std::ranges::sort(sent.begin() + 1, sent.end());
    do {
      EXPECT_THAT(pki_.vouch(sent), ::testing::UnorderedElementsAreArray(seen));
    } while (std::next_permutation(sent.begin() + 1, sent.end()));
    return seen;
  }

  Pki pki_;
};

TEST_F(ChainTest, AGenuineChainVouchesInAnyOrder) {
  EXPECT_THAT(pki_.vouch({"leaf"}), ElementsAre("leaf"));
  EXPECT_THAT(pki_.vouch({"leaf", "inter"}), ElementsAre("leaf", "inter"));
  EXPECT_THAT(pki_.vouch({"leaf", "inter", "root"}), ElementsAre("leaf", "inter", "root"));
  EXPECT_THAT(pki_.vouch({"leaf", "root", "inter"}), ElementsAre("leaf", "root", "inter"));
  EXPECT_THAT(pki_.vouch({"leaf", "root"}), ElementsAre("leaf"));  // the link is missing
  // Others beside it change nothing.
  EXPECT_THAT(pki_.vouch({"leaf", "evil", "fake", "inter", "leaf", "inter", "root"}),
              ElementsAre("leaf", "inter", "root"));
}

TEST_F(ChainTest, CertificatesThatDidNotIssueDoNotVouch) {
  EXPECT_THAT(pki_.vouch({"fake", "leaf", "inter", "root"}), ElementsAre("fake"));
  EXPECT_THAT(pki_.vouch({"fake", "inter", "root"}), ElementsAre("fake"));
  EXPECT_THAT(pki_.vouch({"fake", "evil", "leaf", "inter", "root"}), ElementsAre("fake", "K"));
}

// The attack on a pinned CA: the attacker's key has an ordinary certificate of it.
TEST_F(ChainTest, ALeafIssuesNothing) {
  EXPECT_THAT(attack({.extensions = {"basicConstraints=critical,CA:FALSE"}}, "inter"),
              ElementsAre("fake"));
  EXPECT_THAT(attack({.extensions = {}}, "inter"), ElementsAre("fake"));
  EXPECT_THAT(attack({.extensions = {kCertSign}}, "inter"), ElementsAre("fake"));
  EXPECT_THAT(attack({.extensions = {"nsCertType=sslCA,objCA,emailCA"}}, "inter"),
              ElementsAre("fake"));
  EXPECT_THAT(attack({.version = 1}, "inter"), ElementsAre("fake"));
  EXPECT_THAT(attack({.version = 1}, "root"), ElementsAre("fake"));
}

TEST_F(ChainTest, ACaIssuesWithinItsLimits) {
  // Without limits it does issue: a genuine sub-CA of the attacker's would be one.
  EXPECT_THAT(attack({.extensions = {kCa, kCertSign}}, "root"), ElementsAre("fake", "K", "root"));
  // Its issuer's path length.
  EXPECT_THAT(attack({.extensions = {kCa, kCertSign}}, "inter"), ElementsAre("fake", "K"));
  EXPECT_THAT(attack({.extensions = {kCa, "keyUsage=critical,digitalSignature"}}, "root"),
              ElementsAre("fake"));
  EXPECT_THAT(attack({.extensions = {kCa, "extendedKeyUsage=emailProtection"}}, "root"),
              ElementsAre("fake"));
  EXPECT_THAT(
      attack({.extensions = {kCa, "nameConstraints=critical,permitted;DNS:evil.example"}}, "root"),
      ElementsAre("fake"));
  EXPECT_THAT(attack({.extensions = {kCa, "1.2.3.4=critical,DER:05:00"}}, "root"),
              ElementsAre("fake"));
  EXPECT_THAT(attack({.extensions = {kCa}, .from_days = -3, .to_days = -1}, "root"),
              ElementsAre("fake"));
  EXPECT_THAT(attack({.extensions = {kCa}, .from_days = 1, .to_days = 3}, "root"),
              ElementsAre("fake"));
  EXPECT_THAT(attack({.extensions = {kCa}, .digest = EVP_sha1()}, "root"),
              ElementsAre("fake", "K"));
}

// In 2039, where a time_t of 32 bits has ended, and in 2051, when a certificate's year has four
// digits.
TEST_F(ChainTest, ChainsVouchAfter2038) {
  constexpr int kYear = 365;
  const UnixTime now = SystemClock().now();
  for (const UnixTime then : {from_unix(2'180'000'000), from_unix(2'560'000'000)}) {
    const int days = static_cast<int>((then - now) / std::chrono::days(1));
    pki_.make("late", {.extensions = {kCa, kCertSign}, .to_days = days + kYear});
    pki_.make("late leaf", {.issuer = "late", .extensions = {kForServer}, .to_days = days + 1});
    pki_.make("early", {.issuer = "late",
                        .extensions = {kForServer},
                        .from_days = days + 1,
                        .to_days = days + kYear});
    EXPECT_THAT(pki_.vouch({"late leaf", "late"}, then), ElementsAre("late leaf", "late"));
    EXPECT_THAT(pki_.vouch({"late leaf", "late"}, then + std::chrono::days(2)),
                ElementsAre("late leaf"));
    EXPECT_THAT(pki_.vouch({"early", "late"}, then), ElementsAre("early"));
  }
}

TEST_F(ChainTest, NamesChain) {
  EXPECT_THAT(attack({.subject = "somebody else", .extensions = {kCa}}, "root"),
              ElementsAre("fake"));
  // An attacker's CA that has the intermediate's name, and a fake that names it.
  pki_.make("twin", {.subject = "inter", .key = "K", .extensions = {kCa}});
  pki_.make("twin's fake", {.issuer = "twin", .extensions = {kForServer}});
  EXPECT_THAT(pki_.vouch({"twin's fake", "twin", "inter", "root"}),
              ElementsAre("twin's fake", "K"));
  EXPECT_THAT(pki_.vouch({"twin's fake", "inter", "root"}), ElementsAre("twin's fake"));
  pki_.make("twin below", {.subject = "inter",
                           .issuer = "twin",
                           .issuer_name = "root",
                           .key = "K",
                           .extensions = {kCa}});
  EXPECT_THAT(pki_.vouch({"twin's fake", "twin below", "inter", "root"}),
              ElementsAre("twin's fake", "K"));
}

// RFC 5280 section 4.2.1.9: a CA's certificate for its own new key does not count.
TEST_F(ChainTest, SelfIssuedIntermediatesDoNotCountForThePathLength) {
  pki_.make("one", {.issuer = "root",
                    .extensions = {"basicConstraints=critical,CA:TRUE,pathlen:0", kCertSign}});
  pki_.make("one's new key", {.subject = "one", .issuer = "one", .extensions = {kCa, kCertSign}});
  pki_.make("server", {.issuer = "one's new key", .extensions = {kForServer}});
  EXPECT_THAT(pki_.vouch({"server", "one's new key", "one", "root"}),
              ElementsAre("server", "one's new key", "one", "root"));
  pki_.make("two", {.issuer = "one", .extensions = {kCa, kCertSign}});
  pki_.make("deep server", {.issuer = "two", .extensions = {kForServer}});
  EXPECT_THAT(pki_.vouch({"deep server", "two", "one", "root"}), ElementsAre("deep server", "two"));
}

TEST_F(ChainTest, LongChainsAndManyCertificates) {
  std::vector<std::string> sent = {"server"};
  std::string above = "root";
  for (int i = 0; i < 6; ++i) {
    const std::string name = "ca" + std::to_string(i);
    pki_.make(name, {.issuer = above, .extensions = {kCa, kCertSign}});
    sent.insert(sent.begin() + 1, name);
    above = name;
  }
  pki_.make("server", {.issuer = above, .extensions = {kForServer}});
  sent.push_back("root");
  EXPECT_THAT(pki_.vouch(sent), ::testing::ElementsAreArray(sent));
  // What is past any real chain is not looked at.
  const std::vector<std::string> flood(40, "evil");
  sent.insert(sent.begin() + 1, flood.begin(), flood.end());
  EXPECT_THAT(pki_.vouch(sent), ElementsAre("server"));
}

// Certificates that all issue each other make more paths than anybody could follow.
TEST_F(ChainTest, ASearchEnds) {
  std::vector<std::string> sent = {"fake"};
  for (int i = 0; i < 30; ++i) {
    const std::string name = "evil" + std::to_string(i);
    pki_.make(name, {.subject = "evil", .key = "K", .extensions = {kCa}});
    sent.push_back(name);
  }
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(pki_.vouch(sent).front(), "fake");
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(20));
}

// Two CAs of one name, as after a change of keys: the one that has issued is found.
TEST_F(ChainTest, TheIssuerIsFoundAmongItsNamesakes) {
  pki_.make("inter's old", {.subject = "inter", .issuer = "root", .extensions = {kCa, kCertSign}});
  EXPECT_THAT(pki_.vouch({"leaf", "inter's old", "inter", "root"}),
              ElementsAre("leaf", "inter", "root"));
  EXPECT_THAT(pki_.vouch({"leaf", "inter's old", "root"}), ElementsAre("leaf"));
}

TEST_F(ChainTest, NameConstraintsHoldForNamesInTheSubjectToo) {
  pki_.make("bound", {.issuer = "root",
                      .extensions = {kCa, "nameConstraints=critical,permitted;DNS:ok.example"}});
  pki_.make("good", {.issuer = "bound", .extensions = {"subjectAltName=DNS:api.ok.example"}});
  pki_.make("api.example.com", {.issuer = "bound"});
  EXPECT_THAT(pki_.vouch({"good", "bound", "root"}), ElementsAre("good", "bound", "root"));
  EXPECT_THAT(pki_.vouch({"api.example.com", "bound", "root"}), ElementsAre("api.example.com"));
}

// The platform's word about a root of version 1 is not heard here; only certificates are.
TEST_F(ChainTest, ARootOfVersion1DoesNotVouch) {
  pki_.make("old root", {.version = 1});
  pki_.make("old server", {.issuer = "old root", .extensions = {kForServer}});
  EXPECT_THAT(pki_.vouch({"old server", "old root"}), ElementsAre("old server"));
}

TEST_F(ChainTest, WhatIsNoCertificateIsPassedOver) {
  const std::string leaf = testing::der_of(testing::self_signed(pki_.key("x"), "x").get());
  EXPECT_TRUE(vouching_keys({}, SystemClock().now()).empty());
  for (const std::string& first : {std::string(), std::string("junk"), leaf + "x"}) {
    const std::vector<ByteView> sent = {as_bytes(first), as_bytes(leaf)};
    EXPECT_TRUE(vouching_keys(sent, SystemClock().now()).empty());
  }
  const std::string junk = "junk";
  const std::vector<ByteView> sent = {as_bytes(leaf), as_bytes(junk)};
  EXPECT_EQ(vouching_keys(sent, SystemClock().now()).size(), 1U);
}

}  // namespace
}  // namespace touchmark::attester::net
