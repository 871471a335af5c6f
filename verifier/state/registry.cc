#include "verifier/state/registry.h"

#include <algorithm>
#include <chrono>
#include <set>

#include "base/encoding.h"
#include "crypto/crypto.h"
#include "package/content.h"
#include "package/package.h"
#include "pki/certificate_summary.h"
#include "protocol/limits.h"

namespace touchmark::verifier::state {
namespace {

// Of certificate and app, so that one certificate can be registered for several apps.
std::string certificate_id(const Sha256Digest& certificate, const std::string& package) {
  crypto::Sha256 hash;
  hash.update(certificate);
  hash.update(as_bytes(package));
  return "cert-" + hex_encode(ByteView(hash.finish()).first(8));
}

// A package under a deadline: what reads it fails when its time is over, or the service ends.
class TimedSource final : public Source {
 public:
  TimedSource(std::unique_ptr<Source> source, const std::atomic<bool>& stopping)
      : source_(std::move(source)),
        stopping_(stopping),
        limit_(std::chrono::seconds(10) +
               std::chrono::milliseconds(source_->size() / kBytesPerMillisecond)),
        end_(std::chrono::steady_clock::now() + limit_) {}

  std::uint64_t size() const override { return source_->size(); }
  Result<void> read_at(std::uint64_t offset, std::span<std::byte> out) const override {
    if (auto ok = check(); !ok) return ok;
    return source_->read_at(offset, out);
  }
  Result<void> check() const {
    if (stopping_) {
      return fail(RegistryError::kStopping, "the service ends; register the package again");
    }
    if (std::chrono::steady_clock::now() < end_) return {};
    return fail(RegistryError::kTooSlow,
                "the package was not read within the " +
                    std::to_string(std::chrono::ceil<std::chrono::seconds>(limit_).count()) +
                    " seconds for its size");
  }

 private:
  static constexpr std::uint64_t kBytesPerMillisecond = (2U << 20) / 1000;  // 2 MiB a second

  const std::unique_ptr<Source> source_;
  const std::atomic<bool>& stopping_;
  const std::chrono::milliseconds limit_;
  const std::chrono::steady_clock::time_point end_;
};

// What the app carries as its configuration; nullopt when it carries none.
Result<std::optional<std::string>> carried_configuration(const package::Measurement& measurement,
                                                         const package::AppContent& content) {
  const package::Part* part = configuration_part(measurement);
  if (part == nullptr) return std::nullopt;
  std::string text;
  // One that is larger than any configuration is none.
  if (part->size > protocol::kMaxConfigBytes + 2) return text;
  auto read = content.read(part->name, [&](ByteView data) -> Result<void> {
    text += as_text(data);
    return {};
  });
  if (!read) return pass(read);
  return text;
}

// Makes `made`, which is asked for, what it is beside `known`; says how that changes it.
Result<PackageChange> settle(model::Registration& made, const model::Registration& known,
                             const PackageOptions& options) {
  made.created = known.created;
  made.created_by = known.created_by;
  const bool ends = made.expires.has_value();
  if (ends != known.expires.has_value()) {
    if (options.replace) return PackageChange::kReplaced;
    return fail(
        RegistryError::kOtherLifetime,
        "the release is registered already as " + known.id +
            (ends ? " and has no end" : " and ends at " + format_time(*known.expires) + " UTC") +
            "; this would " + (ends ? "make it end" : "make it last without an end"));
  }
  const bool same = made.expires == known.expires && made.measurement == known.measurement;
  return same ? PackageChange::kUnchanged : PackageChange::kRenewed;
}

// For the audit log.
std::string lasting(std::optional<UnixTime> expires) {
  return expires ? "until " + format_time(*expires) + " UTC" : "without an end";
}

// What has ended vouches for nobody.
AppSigner compare_signers(const package::Measurement& measurement,
                          const appraisal::ReferenceValues& references, UnixTime now) {
  const std::set<Sha256Digest> signers(measurement.signers.begin(), measurement.signers.end());
  bool known = false;
  bool others = false;
  for (const auto& reference : references.of_package(measurement.package_name)) {
    if (model::is_over(reference->registration.expires, now) ||
        reference->registration.measurement.platform != measurement.platform) {
      continue;
    }
    (reference->signers == signers ? known : others) = true;
  }
  std::set<Sha256Digest> vouched;
  for (const model::SigningCertificate& certificate : references.certificates()) {
    if (model::is_over(certificate.expires, now)) continue;
    if (!certificate.package.empty() && certificate.package != measurement.package_name) continue;
    vouched.insert(certificate.sha256);
    others = others || !certificate.package.empty();
  }
  if (known || std::ranges::includes(vouched, signers)) return AppSigner::kKnown;
  return others ? AppSigner::kUnknown : AppSigner::kFirst;
}

}  // namespace

std::string_view error_id(RegistryError error) {
  using enum RegistryError;
  static constexpr auto kIds = error_table<RegistryError>({
      {kBadCertificate, "service.bad-certificate"},
      {kNoSigningCertificate, "service.no-signing-certificate"},
      {kTooSlow, "service.package-too-slow"},
      {kStopping, "service.stopping"},
      {kOtherLifetime, "service.registration-conflict"},
      {kOtherService, "service.other-service"},
  });
  return kIds[error];
}

std::string_view to_string(PackageChange change) {
  switch (change) {
    case PackageChange::kAdded:
      return "added";
    case PackageChange::kUnchanged:
      return "unchanged";
    case PackageChange::kRenewed:
      return "renewed";
    case PackageChange::kReplaced:
      return "replaced";
  }
  return "unknown";
}

Registry::Registry(AuditedStore& store, std::vector<Bytes> ios_roots)
    : store_(store),
      ios_roots_(std::move(ios_roots)),
      references_(appraisal::ReferenceValues::of({})) {}

Result<void> Registry::load(LoadNotes& notes) {
  auto registrations = store_.read().registrations(
      note_rows(notes, "registration", "its app is not recognised; register its package again"));
  if (!registrations) return pass(registrations);
  auto certificates = store_.read().certificates(
      note_rows(notes, "certificate", "it vouches for nothing; add it again"));
  if (!certificates) return pass(certificates);
  references_.set(
      appraisal::ReferenceValues::of(std::move(*registrations), std::move(*certificates)));
  return {};
}

std::optional<UnixTime> Registry::expiry(std::optional<Seconds> expire_after) const {
  if (!expire_after) return std::nullopt;
  return store_.now() + *expire_after;
}

// --- Releases ------------------------------------------------------------------------------------

Result<RegisteredPackage> Registry::register_package(const std::string& path,
                                                     const PackageOptions& options,
                                                     const std::string& actor, const Admit& admit) {
  auto file = open_file(path);
  if (!file) return pass(file);
  const TimedSource source(std::move(*file), stopping_);
  auto measurement = package::measure(source, {.bundle_signers = options.bundle_signers,
                                               .bundle_first_signer = options.bundle_first_signer,
                                               .ios_roots = ios_roots_});
  if (!measurement) return pass(measurement);
  if (auto ok = admit ? admit(*measurement) : Result<void>(); !ok) return pass(ok);
  if (measurement->signers.empty()) {
    return fail(RegistryError::kNoSigningCertificate,
                "an app bundle does not say who signs its packages: the certificate is missing");
  }
  const auto content = package::AppContent::open(source);
  if (!content) return pass(content);

  const Sha256Digest digest = package::digest(*measurement);
  RegisteredPackage out{{hex_encode(ByteView(digest).first(8)), std::move(*measurement),
                         store_.now(), expiry(options.expire_after), actor},
                        PackageChange::kAdded,
                        std::nullopt,
                        AppConfiguration::kOwn,
                        AppSigner::kKnown};
  model::Registration& made = out.registration;
  out.signer = compare_signers(made.measurement, *references_.get(), store_.now());
  if (!options.configuration.empty()) {
    auto carried = carried_configuration(made.measurement, *content);
    if (!carried) return pass(carried);
    out.configuration = compare_configuration(*carried, options.configuration);
    if (out.configuration == AppConfiguration::kOther && !options.other_service) {
      return fail(RegistryError::kOtherService,
                  "the package has the configuration of another service (" + service_of(*carried) +
                      "), so the app would never get a valid token of this one");
    }
  }
  const auto settle_with_known = [&]() -> Result<void> {
    out.change = PackageChange::kAdded;
    out.before.reset();
    const auto known = registration(made.id);
    if (!known) return {};
    auto change = settle(made, *known, options);
    if (!change) return pass(change);
    out.change = *change;
    out.before = *known;
    return {};
  };
  // Before content is written, too: most of what is refused needs none.
  if (auto ok = settle_with_known(); !ok) return pass(ok);
  if (options.dry_run || out.change == PackageChange::kUnchanged) return out;

  const store::PartReader read = [&](const package::Part& part, const auto& sink) {
    return content->read(part.name, [&](ByteView data) -> Result<void> {
      if (auto ok = source.check(); !ok) return ok;
      return sink(data);
    });
  };
  auto stored = store_.keep_parts(made.measurement.parts, read, [&] {
    return store_.change(
        actor, "registration.add", package::one_line(made.measurement),
        [&](store::Transaction& transaction) -> Result<void> {
          if (auto ok = admit ? admit(made.measurement) : Result<void>(); !ok) return ok;
          if (auto ok = settle_with_known(); !ok) return ok;
          return transaction.put_registration(made);
        },
        [&] { references_.set(references_.get()->with(made)); });
  });
  if (!stored) return pass(stored);
  return out;
}

std::vector<model::Registration> Registry::registrations() const {
  return references_.get()->registrations();
}

Result<model::Registration> Registry::registration(const std::string& id) const {
  for (model::Registration& registration : references_.get()->registrations()) {
    if (registration.id == id) return std::move(registration);
  }
  return no_registration(id);
}

tl::unexpected<Error> Registry::no_registration(const std::string& id) {
  return fail(store::StoreError::kNotFound, "no registration has the id \"" + id + "\"");
}

Result<model::Registration> Registry::set_registration_expiry(const std::string& id,
                                                              std::optional<Seconds> expire_after,
                                                              const std::string& actor) {
  const auto expires = expiry(expire_after);
  std::optional<model::Registration> changed;
  auto stored = store_.change(
      actor, "registration.expire", id + " lasts " + lasting(expires),
      [&](store::Transaction& transaction) -> Result<void> {
        auto found = registration(id);
        if (!found) return pass(found);
        changed = std::move(*found);
        changed->expires = expires;
        return transaction.set_registration_expiry(id, expires);
      },
      [&] { references_.set(references_.get()->with(*changed)); });
  if (!stored) return pass(stored);
  return *std::move(changed);
}

Result<void> Registry::remove_registration(const std::string& id, const std::string& actor) {
  return store_.change(
      actor, "registration.remove", id,
      [&](store::Transaction& transaction) { return transaction.remove_registration(id); },
      [&] { references_.set(references_.get()->without(id)); });
}

// --- Certificates --------------------------------------------------------------------------------

template <class Change>
Result<void> Registry::change_certificates(const std::string& actor, const std::string& action,
                                           const std::string& detail, Change change) {
  std::vector<model::SigningCertificate> known;
  return store_.change(
      actor, action, detail,
      [&](store::Transaction& transaction) -> Result<void> {
        if (auto ok = change(transaction); !ok) return ok;
        auto certificates = transaction.certificates([](const std::string&, const Error&) {});
        if (!certificates) return pass(certificates);
        known = std::move(*certificates);
        return {};
      },
      [&] { references_.set(references_.get()->with_certificates(std::move(known))); });
}

Result<model::SigningCertificate> Registry::register_certificate(
    ByteView der, const std::string& package, bool development, std::optional<Seconds> expire_after,
    const std::string& actor, ByteView first) {
  auto subject = pki::subject_text(der);
  if (!subject || (!first.empty() && !pki::subject_text(first))) {
    return fail(RegistryError::kBadCertificate, "not an X.509 certificate in DER");
  }
  const Sha256Digest digest = crypto::sha256(der);
  model::SigningCertificate certificate{certificate_id(digest, package),
                                        digest,
                                        *std::move(subject),
                                        package,
                                        development,
                                        store_.now(),
                                        expiry(expire_after),
                                        actor,
                                        std::nullopt};
  // A key that was never rotated began with itself.
  if (!first.empty() && crypto::sha256(first) != digest) certificate.first = crypto::sha256(first);
  const std::string detail =
      certificate.id + " " + hex_encode(digest) + " for " +
      (package.empty() ? "every app" : package) + (development ? ", development" : "") +
      (certificate.first ? ", rotated from " + hex_encode(*certificate.first) : "");
  auto stored = change_certificates(
      actor, "certificate.add", detail,
      [&](store::Transaction& transaction) { return transaction.put_certificate(certificate); });
  if (!stored) return pass(stored);
  return certificate;
}

std::vector<model::SigningCertificate> Registry::certificates() const {
  return references_.get()->certificates();
}

Result<model::SigningCertificate> Registry::set_certificate_expiry(
    const std::string& id, std::optional<Seconds> expire_after, const std::string& actor) {
  const auto expires = expiry(expire_after);
  model::SigningCertificate changed;
  auto stored = change_certificates(
      actor, "certificate.expire", id + " lasts " + lasting(expires),
      [&](store::Transaction& transaction) -> Result<void> {
        const auto known = certificates();
        const auto found = std::ranges::find(known, id, &model::SigningCertificate::id);
        if (found == known.end()) {
          return fail(store::StoreError::kNotFound, "no certificate has the id \"" + id + "\"");
        }
        changed = *found;
        changed.expires = expires;
        return transaction.put_certificate(changed);
      });
  if (!stored) return pass(stored);
  return changed;
}

Result<void> Registry::remove_certificate(const std::string& id, const std::string& actor) {
  return change_certificates(actor, "certificate.remove", id, [&](store::Transaction& transaction) {
    return transaction.remove_certificate(id);
  });
}

}  // namespace touchmark::verifier::state
