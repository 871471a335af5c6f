// What is registered: releases of apps, and the certificates that apps are signed with.
#pragma once

#include <atomic>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "verifier/appraisal/reference_values.h"
#include "verifier/state/audited_store.h"
#include "verifier/state/load_notes.h"
#include "verifier/state/registration_warnings.h"
#include "verifier/state/snapshot.h"

namespace touchmark::verifier::state {

enum class RegistryError {
  kBadCertificate,        // not X.509
  kNoSigningCertificate,  // an app bundle without the certificate that its store signs with
  kTooSlow,               // a package that was not read within the time for its size
  kStopping,              // the service ends; nothing was registered
  kOtherLifetime,         // known already, and lasting where the new one would end, or the reverse
  kOtherService,          // the package has the configuration of another service
};
std::string_view error_id(RegistryError error);

// How a package is registered.
struct PackageOptions {
  std::optional<Seconds> expire_after = {};
  // SHA-256 of the certificates that the store will sign a bundle's packages with; a bundle needs
  // them (kNoSigningCertificate), other forms name their own.
  std::vector<Sha256Digest> bundle_signers = {};
  // Of a bundle whose signing key was rotated: SHA-256 of the certificate that it began with.
  std::optional<Sha256Digest> bundle_first_signer = {};
  bool replace = false;  // let a lasting registration end, and one that ends last
  bool dry_run = false;  // do all that can fail, and change nothing
  // Of this service, to compare the app's with; empty: not compared.
  std::string configuration = {};
  bool other_service = false;  // register an app with another service's configuration too
};

enum class PackageChange {
  kAdded,      // it was not known
  kUnchanged,  // it was there, and lasts as it is asked to
  kRenewed,    // it ends at another time, or with another description
  kReplaced,   // a lasting one ends now, or one that ended lasts (PackageOptions::replace)
};
// "added", "unchanged", "renewed", "replaced".
std::string_view to_string(PackageChange change);

struct RegisteredPackage {
  model::Registration registration;  // as it is now, or would be
  PackageChange change = PackageChange::kAdded;
  std::optional<model::Registration> before;
  AppConfiguration configuration = AppConfiguration::kOwn;
  AppSigner signer = AppSigner::kKnown;  // beside what was registered before this
};

// Thread-safe. What fails, fails with RegistryError, StoreError or the error of a reader of
// package, and has then changed nothing. `actor`: the name of an operator token. `expire_after`:
// from now on; without it a registration or certificate never ends.
class Registry {
 public:
  // `store` must outlive this.
  // `ios_roots`: that signers of iOS apps may chain to, DER, beside Apple's.
  explicit Registry(AuditedStore& store, std::vector<Bytes> ios_roots = {});
  // Reads what the store knows. What cannot be read of it is noted and counts as not registered.
  Result<void> load(LoadNotes& notes);

  // For the hot path: an immutable set.
  appraisal::ReferenceValues::Shared references() const { return references_.get(); }

  // Whether what was read may be registered; its error is passed on.
  using Admit = std::function<Result<void>(const package::Measurement&)>;

  // Registers the package file at `path` (already on this machine's disk): an APK, an archive of
  // split APKs, an app bundle or an IPA. A release that is known keeps when and by whom it was
  // added; its end changes as asked, within kOtherLifetime. Takes 10 seconds at most, and a second
  // more for every 2 MiB (kTooSlow); other changes go on meanwhile. `admit` is asked when the
  // package was read, and again within the change that registers it.
  Result<RegisteredPackage> register_package(const std::string& path, const PackageOptions& options,
                                             const std::string& actor, const Admit& admit = {});
  // Ends the work of register_package() at the next piece that it reads (kStopping), for good.
  void stop() { stopping_ = true; }
  // In the order in which they were made.
  std::vector<model::Registration> registrations() const;
  Result<model::Registration> registration(const std::string& id) const;
  // How registration() fails where there is none.
  static tl::unexpected<Error> no_registration(const std::string& id);
  Result<model::Registration> set_registration_expiry(const std::string& id,
                                                      std::optional<Seconds> expire_after,
                                                      const std::string& actor);
  Result<void> remove_registration(const std::string& id, const std::string& actor);

  // verifier/appraisal/app_check.h says what a certificate does. `der`: X.509 (kBadCertificate),
  // `package`: the one app it counts for, or empty. `first`: where the signing key was rotated to
  // this one, the certificate that the rotation began with (X.509), or empty. The same certificate
  // and package again replace the mark, the expiry and the first certificate.
  Result<model::SigningCertificate> register_certificate(ByteView der, const std::string& package,
                                                         bool development,
                                                         std::optional<Seconds> expire_after,
                                                         const std::string& actor,
                                                         ByteView first = {});
  // In the order in which they were made.
  std::vector<model::SigningCertificate> certificates() const;
  Result<model::SigningCertificate> set_certificate_expiry(const std::string& id,
                                                           std::optional<Seconds> expire_after,
                                                           const std::string& actor);
  Result<void> remove_certificate(const std::string& id, const std::string& actor);

 private:
  std::optional<UnixTime> expiry(std::optional<Seconds> expire_after) const;
  // Runs `change`, and then has the certificates that the store says.
  template <class Change>
  Result<void> change_certificates(const std::string& actor, const std::string& action,
                                   const std::string& detail, Change change);

  AuditedStore& store_;
  const std::vector<Bytes> ios_roots_;
  Snapshot<appraisal::ReferenceValues> references_;
  std::atomic<bool> stopping_{false};
};

}  // namespace touchmark::verifier::state
