// Releases and signing certificates: what operators register.
#include <openssl/x509.h>

#include <algorithm>

#include "base/encoding.h"
#include "crypto/crypto.h"
#include "crypto/openssl.h"
#include "package/content.h"
#include "package/package.h"
#include "verifier/service_impl.h"

namespace touchmark::verifier {
namespace {

constexpr int kMaxSubject = 512;

Result<std::string> subject_of(ByteView der) {
  const auto* data = reinterpret_cast<const unsigned char*>(der.data());
  const auto* end = data + der.size();
  const openssl::Owned<X509, X509_free> certificate(
      d2i_X509(nullptr, &data, static_cast<long>(der.size())));
  ERR_clear_error();
  if (!certificate || data != end) {
    return fail(ServiceError::kBadCertificate, "not an X.509 certificate in DER");
  }
  std::string text(kMaxSubject, '\0');
  X509_NAME_oneline(X509_get_subject_name(certificate.get()), text.data(), kMaxSubject);
  text.resize(text.find('\0'));
  return text;
}

// Of certificate and app, so that one certificate can be registered for several apps.
std::string certificate_id(const Sha256Digest& certificate, const std::string& package) {
  crypto::Sha256 hash;
  hash.update(certificate);
  hash.update(as_bytes(package));
  return "cert-" + hex_encode(ByteView(hash.finish()).first(8));
}

std::string lasting(std::optional<UnixTime> expires) {
  return expires ? "until " + format_time(*expires) + " UTC" : "for ever";
}

}  // namespace

std::optional<UnixTime> ServiceImpl::expiry(std::optional<Seconds> expire_after) const {
  if (!expire_after) return std::nullopt;
  return clock_.now() + *expire_after;
}

Result<store::Registration> ServiceImpl::register_package(
    const std::string& path, std::optional<Seconds> expire_after,
    const std::vector<Sha256Digest>& bundle_signers, const std::string& actor) {
  auto source = open_file(path);
  if (!source) return pass(source);
  auto measurement = package::measure(**source, {.bundle_signers = bundle_signers});
  if (!measurement) return pass(measurement);
  if (measurement->signers.empty()) {
    return fail(ServiceError::kNoSigningCertificate,
                "an app bundle does not say who signs its packages: the certificate is missing");
  }
  const auto content = package::AppContent::open(**source);
  if (!content) return pass(content);

  const Sha256Digest digest = package::digest(*measurement);
  store::Registration registration{hex_encode(ByteView(digest).first(8)), std::move(*measurement),
                                   clock_.now(), expiry(expire_after), actor};
  const store::PartReader read = [&](const package::Part& part, const auto& sink) {
    return content->read(part.name, sink);
  };
  const std::lock_guard lock(changes_);
  auto stored = audited(actor, "registration.add", package::one_line(registration.measurement),
                        [&] { return store_.put_registration(registration, read); });
  if (!stored) return pass(stored);
  references_.set(references_.get()->with(registration));
  return registration;
}

Result<std::vector<store::Registration>> ServiceImpl::registrations() {
  return references_.get()->registrations();
}

Result<store::Registration> ServiceImpl::registration(const std::string& id) {
  for (store::Registration& registration : references_.get()->registrations()) {
    if (registration.id == id) return std::move(registration);
  }
  return fail(store::StoreError::kNotFound, "no registration has the id \"" + id + "\"");
}

Result<store::Registration> ServiceImpl::set_registration_expiry(
    const std::string& id, std::optional<Seconds> expire_after, const std::string& actor) {
  const std::lock_guard lock(changes_);
  auto changed = registration(id);
  if (!changed) return changed;
  changed->expires = expiry(expire_after);
  auto stored = audited(actor, "registration.expire", id + " lasts " + lasting(changed->expires),
                        [&] { return store_.set_registration_expiry(id, changed->expires); });
  if (!stored) return pass(stored);
  references_.set(references_.get()->with(*changed));
  return changed;
}

Result<void> ServiceImpl::remove_registration(const std::string& id, const std::string& actor) {
  const std::lock_guard lock(changes_);
  auto removed =
      audited(actor, "registration.remove", id, [&] { return store_.remove_registration(id); });
  if (!removed) return removed;
  references_.set(references_.get()->without(id));
  return {};
}

// --- Certificates --------------------------------------------------------------------------------

Result<store::SigningCertificate> ServiceImpl::register_certificate(
    ByteView der, const std::string& package, bool development, std::optional<Seconds> expire_after,
    const std::string& actor) {
  auto subject = subject_of(der);
  if (!subject) return pass(subject);
  const Sha256Digest digest = crypto::sha256(der);
  store::SigningCertificate certificate{certificate_id(digest, package),
                                        digest,
                                        *std::move(subject),
                                        package,
                                        development,
                                        clock_.now(),
                                        expiry(expire_after),
                                        actor};
  const std::string detail = certificate.id + " " + hex_encode(digest) + " for " +
                             (package.empty() ? "every app" : package) +
                             (development ? ", development" : "");
  const std::lock_guard lock(changes_);
  auto stored = change_certificates(actor, "certificate.add", detail,
                                    [&] { return store_.put_certificate(certificate); });
  if (!stored) return pass(stored);
  return certificate;
}

std::vector<store::SigningCertificate> ServiceImpl::certificates() {
  return references_.get()->certificates();
}

Result<store::SigningCertificate> ServiceImpl::set_certificate_expiry(
    const std::string& id, std::optional<Seconds> expire_after, const std::string& actor) {
  const std::lock_guard lock(changes_);
  const auto known = certificates();
  const auto found = std::ranges::find(known, id, &store::SigningCertificate::id);
  if (found == known.end()) {
    return fail(store::StoreError::kNotFound, "no certificate has the id \"" + id + "\"");
  }
  store::SigningCertificate certificate = *found;
  certificate.expires = expiry(expire_after);
  auto stored = change_certificates(actor, "certificate.expire",
                                    id + " lasts " + lasting(certificate.expires),
                                    [&] { return store_.put_certificate(certificate); });
  if (!stored) return pass(stored);
  return certificate;
}

Result<void> ServiceImpl::remove_certificate(const std::string& id, const std::string& actor) {
  const std::lock_guard lock(changes_);
  return change_certificates(actor, "certificate.remove", id,
                             [&] { return store_.remove_certificate(id); });
}

Result<void> ServiceImpl::change_certificates(const std::string& actor, const std::string& action,
                                              const std::string& detail,
                                              const std::function<Result<void>()>& change) {
  std::vector<store::SigningCertificate> now_known;
  auto stored = audited(actor, action, detail, [&]() -> Result<void> {
    if (auto ok = change(); !ok) return ok;
    auto certificates = store_.certificates();
    if (!certificates) return pass(certificates);
    now_known = *std::move(certificates);
    return {};
  });
  if (!stored) return stored;
  references_.set(references_.get()->with_certificates(std::move(now_known)));
  return {};
}

}  // namespace touchmark::verifier
