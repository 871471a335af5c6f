#include "verifier/routes/problem.h"

#include "verifier/appraisal/appraise.h"
#include "verifier/attest.h"
#include "verifier/http/problem.h"
#include "verifier/policy/document.h"
#include "verifier/sdk/held_versions.h"
#include "verifier/state/backups.h"
#include "verifier/state/key_sets.h"
#include "verifier/state/operators.h"
#include "verifier/state/service_keys.h"

namespace touchmark::verifier::routes {
namespace {

std::optional<int> service_status(const Error& error) {
  if (error.is(AttestationError::kMalformedRequest)) return 400;
  if (error.is(state::RegistryError::kBadCertificate)) return 400;
  if (error.is(state::ApiError::kBadDomain) || error.is(state::ApiError::kBadPin)) return 400;
  if (error.is(state::ServiceKeysError::kBadPin) || error.is(state::ServiceKeysError::kNoPin)) {
    return 400;
  }
  if (error.is(state::ServiceKeysError::kHasNext) || error.is(state::ServiceKeysError::kNoNext) ||
      error.is(state::ServiceKeysError::kNotKnownYet) ||
      error.is(state::ServiceKeysError::kNotServed) ||
      error.is(state::ServiceKeysError::kElsewhere)) {
    return 409;
  }
  if (error.is(state::ApiError::kTooMany) || error.is(state::ApiError::kChanged)) return 409;
  if (error.is(state::ConfigurationError::kLocalUrl)) return 409;
  if (error.is(state::RegistryError::kStopping)) return 503;
  if (error.is(state::RegistryError::kOtherLifetime)) return 409;
  if (error.is(appraisal::AppraisalError::kOverloaded)) return 503;
  if (error.is(policy::DocumentError::kInvalid)) return 400;
  if (error.is(state::PolicyError::kBadPercent) || error.is(state::DeviceError::kBadDevice))
    return 400;
  if (error.is(state::DeviceError::kNoDevice)) return 404;
  if (error.is(sdk::SdkError::kNotHeld)) return 404;
  if (error.is(state::BackupsError::kNotOffered) || error.is(state::BackupsError::kNoBackup))
    return 404;
  if (error.is(state::PolicyError::kConflict) || error.is(state::PolicyError::kNoCanary))
    return 409;
  if (error.is(state::DeviceError::kTooMany)) return 409;
  return std::nullopt;
}

std::optional<int> operator_status(const Error& error) {
  using enum state::OperatorError;
  if (error.is(kUnknownToken) || error.is(kExpiredToken)) return 401;
  if (error.is(kBadName) || error.is(kBadApps)) return 400;
  if (error.is(kNoOperator)) return 404;
  if (error.is(kExists) || error.is(kLastAdmin) || error.is(kTooMany)) return 409;
  return std::nullopt;
}

std::optional<int> key_set_status(const Error& error) {
  using enum state::KeySetError;
  if (error.is(kBadName) || error.is(kBadLifetime)) return 400;
  if (error.is(kNoKeySet) || error.is(kNoKey) || error.is(kNoLongLived)) return 404;
  for (const state::KeySetError one :
       {kExists, kHasNext, kNoNext, kSigning, kInUse, kTooMany, kNoSecret}) {
    if (error.is(one)) return 409;
  }
  return std::nullopt;
}

std::optional<int> storage_status(const Error& error) {
  if (error.is(store::StoreError::kNotFound)) return 404;
  if (error.is(store::StoreError::kNoSpace)) return 507;
  if (error.is(store::StoreError::kBusy)) return 503;
  for (const store::StoreError other :
       {store::StoreError::kOpen, store::StoreError::kCorrupt, store::StoreError::kTooNew,
        store::StoreError::kIo, store::StoreError::kDuplicate, store::StoreError::kPermission}) {
    if (error.is(other)) return 500;
  }
  return std::nullopt;
}

}  // namespace

http::HttpResponse problem(const Error& error, int otherwise) {
  auto status = http::transport_status(error);
  if (!status) status = service_status(error);
  if (!status) status = operator_status(error);
  if (!status) status = key_set_status(error);
  if (!status) status = storage_status(error);
  return http::problem_response(error, status.value_or(otherwise));
}

}  // namespace touchmark::verifier::routes
