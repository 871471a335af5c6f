// The C interface over Client. Converts, and maps errors to statuses.
#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <new>

#ifdef __APPLE__
#include "attester/checks/ios/app_integrity.h"
#else
#include "attester/checks/process_integrity.h"
#endif
#include "attester/client/client.h"
#include "attester/core/host.h"
#include "attester/include/touchmark.h"
#include "attester/keys/c_bytes.h"
#include "attester/keys/platform_key.h"
#include "attester/net/chain.h"
#include "attester/net/tls.h"

using touchmark::ByteView;
using touchmark::Error;
using touchmark::Json;
using touchmark::Result;
using touchmark::Sha256Digest;
namespace attester = touchmark::attester;
namespace checks = touchmark::attester::checks;
namespace client = touchmark::attester::client;

struct touchmark_client {
  std::unique_ptr<client::Client> core;
};

namespace {

// Of the header's first version.
constexpr size_t kFirstOptionsSize = offsetof(touchmark_options, key_provider);

std::string text_or_empty(const char* text) { return text == nullptr ? std::string() : text; }

touchmark_status status_of(const Error& error) {
  using attester::ClientError;
  using attester::TransportError;
  if (error.is(TransportError::kUnreachable)) return TOUCHMARK_NO_NETWORK;
  if (error.is(TransportError::kTimeout) || error.is(TransportError::kBroken)) {
    return TOUCHMARK_POOR_NETWORK;
  }
  if (error.is(TransportError::kUntrusted)) return TOUCHMARK_MITM_DETECTED;
  if (error.is(TransportError::kCancelled) || error.is(ClientError::kClosed)) {
    return TOUCHMARK_CLOSED;
  }
  if (error.is(TransportError::kWeakTls) || error.is(TransportError::kTooLarge) ||
      error.is(ClientError::kServiceRefused) || error.is(ClientError::kBadAnswer)) {
    return TOUCHMARK_SERVICE_ERROR;
  }
  if (error.is(ClientError::kBadArgument)) return TOUCHMARK_INVALID_ARGUMENT;
  if (error.is(ClientError::kUnknownUrl)) return TOUCHMARK_UNKNOWN_URL;
  if (error.is(ClientError::kStorage)) return TOUCHMARK_STORAGE;
  return TOUCHMARK_INTERNAL;
}

// nullptr for an empty text, and when memory is short.
char* copy_text(const std::string& text) { return text.empty() ? nullptr : ::strdup(text.c_str()); }

// Runs what may throw behind a function that must not; `otherwise` is the answer then.
template <class Work, class Answer>
Answer guarded(Answer otherwise, const Work& work) noexcept {
  try {
    return work();
  } catch (...) {
    return otherwise;
  }
}

void fill_or_throw(const Result<client::Token>& outcome, touchmark_result& out) {
  if (!outcome) {
    out.status = status_of(outcome.error());
    out.message = copy_text(outcome.error().text());
    return;
  }
  out.token = copy_text(outcome->token);
  out.header = copy_text(outcome->header);
  out.prefix = ::strdup(outcome->prefix.c_str());
  out.arc = copy_text(outcome->arc);
  out.message = copy_text(outcome->note);
  out.config_changed = outcome->config_changed ? 1 : 0;
  out.expires_in = outcome->expires_in.count();
  // A token comes whole or not at all.
  if (out.token == nullptr || out.header == nullptr || out.prefix == nullptr)
    throw std::bad_alloc();
}

void fill(const Result<client::Token>& outcome, touchmark_result& out) noexcept {
  out = {};
  const bool filled = guarded(false, [&] {
    fill_or_throw(outcome, out);
    return true;
  });
  if (filled) return;
  touchmark_result_free(&out);
  out.status = TOUCHMARK_INTERNAL;
}

touchmark_status open_error(touchmark_status status, std::string text, const char** message) {
  // Kept per thread, so that the caller has nothing to free.
  static thread_local std::string explanation;
  explanation = std::move(text);
  if (message != nullptr) *message = explanation.c_str();
  return status;
}

Result<Json> parse_facts(const char* text) {
  if (text == nullptr) return Json::object();
  Result<Json> facts = touchmark::parse_json(text, {.max_bytes = 16 * 1024});
  if (!facts) return facts;
  if (!facts->is_object()) {
    return touchmark::fail(attester::ClientError::kBadArgument, "platform_json is not an object");
  }
  return facts;
}

// Takes out of `facts` what only the checks look at.
#ifdef __APPLE__
Result<std::unique_ptr<attester::Integrity>> make_integrity(const touchmark_options&, Json&) {
  return checks::ios::make_app_integrity(checks::ios::this_iphone());  // which tells all itself
}
#else
// Takes the marks out of the platform's facts: they are looked at here and not sent.
std::string take_mark(Json& facts, const char* name) {
  std::string value = touchmark::find_string(facts, name).value_or("");
  facts.erase(name);
  return value;
}

// A mark that is sent as well.
int api_level(const Json& facts) {
  const auto found = facts.find("api_level");
  if (found == facts.end() || !found->is_number_unsigned()) return 0;
  return static_cast<int>(std::min<std::uint64_t>(found->get<std::uint64_t>(), 10'000));
}

// What cannot be understood, or throws, is as if nothing had been observed.
checks::Observed ask(const touchmark_observer& observer) {
  return guarded(checks::Observed(), [&observer] {
    touchmark_bytes json;
    observer.observe(observer.context, &json);
    return checks::parse_observed(touchmark::as_text(json.content)).value_or(checks::Observed());
  });
}

Result<std::unique_ptr<attester::Integrity>> make_integrity(const touchmark_options& options,
                                                            Json& facts) {
  checks::ProcessIntegrityOptions integrity;
  integrity.platform_path = text_or_empty(options.package_path);
  integrity.marks = {.build_tags = take_mark(facts, "build_tags"),
                     .hardware = take_mark(facts, "hardware"),
                     .product = take_mark(facts, "product"),
                     .fingerprint = take_mark(facts, "fingerprint"),
                     .manufacturer = touchmark::find_string(facts, "manufacturer").value_or(""),
                     .model = touchmark::find_string(facts, "model").value_or(""),
                     .os_version = touchmark::find_string(facts, "os_version").value_or(""),
                     .api_level = api_level(facts)};
  integrity.app = {.package_name = text_or_empty(options.package_name),
                   .storage_folder = options.storage_dir};
  integrity.libraries = checks::list_libraries;
  if (options.observer != nullptr) {
    if (options.observer->size < sizeof(touchmark_observer) ||
        options.observer->observe == nullptr) {
      return touchmark::fail(attester::ClientError::kBadArgument,
                             "the observer lacks its function");
    }
    integrity.observe = [observer = *options.observer] { return ask(observer); };
  }
  return checks::make_process_integrity(std::move(integrity));
}
#endif

touchmark_status open(const touchmark_options& options, touchmark_client** client,
                      const char** message) {
  Result<attester::Config> config = attester::parse_initial_config(options.config);
  if (!config) return open_error(TOUCHMARK_BAD_CONFIG, config.error().text(), message);
  Result<attester::keys::Storage> storage = attester::keys::Storage::open(options.storage_dir);
  if (!storage) return open_error(TOUCHMARK_STORAGE, storage.error().text(), message);
  Result<Json> facts = parse_facts(options.platform_json);
  if (!facts) return open_error(TOUCHMARK_INVALID_ARGUMENT, facts.error().text(), message);

  auto integrity = make_integrity(options, *facts);
  if (!integrity) {
    return open_error(TOUCHMARK_INVALID_ARGUMENT, integrity.error().text(), message);
  }
  client::SdkFacts sdk{.package_name = text_or_empty(options.package_name),
                       .platform = std::move(*facts)};
  if (options.sdk_platform != nullptr) sdk.sdk_platform = options.sdk_platform;
  std::unique_ptr<attester::keys::KeyProvider> platform_keys;
  if (options.key_provider != nullptr) {
    auto made = attester::keys::make_platform_keys(*options.key_provider, config->account);
    if (!made) return open_error(TOUCHMARK_INVALID_ARGUMENT, made.error().text(), message);
    platform_keys = std::move(*made);
  }
  *client = new touchmark_client{client::Client::open({.initial = std::move(*config),
                                                       .storage = std::move(*storage),
                                                       .integrity = std::move(*integrity),
                                                       .sdk = std::move(sdk),
                                                       .platform_keys = std::move(platform_keys)})};
  return TOUCHMARK_OK;
}

}  // namespace

touchmark_status touchmark_open(const touchmark_options* options, touchmark_client** client,
                                const char** message) {
  if (message != nullptr) *message = nullptr;
  if (client != nullptr) *client = nullptr;
  return guarded(TOUCHMARK_INTERNAL, [&] {
    if (options == nullptr || client == nullptr || options->size < kFirstOptionsSize ||
        options->config == nullptr || options->storage_dir == nullptr) {
      return open_error(TOUCHMARK_INVALID_ARGUMENT,
                        "options, config, storage_dir or client is missing", message);
    }
    // A caller that was compiled against an older header has no later members.
    touchmark_options known{};
    std::memcpy(&known, options, std::min(options->size, sizeof known));
    try {
      return open(known, client, message);
    } catch (const std::exception& failure) {
      return open_error(TOUCHMARK_INTERNAL, failure.what(), message);
    }
  });
}

void touchmark_close(touchmark_client* client) { delete client; }

touchmark_status touchmark_fetch_token(touchmark_client* client, const char* url,
                                       const char* binding, touchmark_result* result) {
  if (result == nullptr) return TOUCHMARK_INVALID_ARGUMENT;
  *result = {};
  if (client == nullptr || url == nullptr) return result->status = TOUCHMARK_INVALID_ARGUMENT;
  const bool done = guarded(false, [&] {
    fill(client->core->fetch(url, text_or_empty(binding)), *result);
    return true;
  });
  if (!done) result->status = TOUCHMARK_INTERNAL;
  return result->status;
}

touchmark_status touchmark_fetch_token_async(touchmark_client* client, const char* url,
                                             const char* binding, touchmark_done done,
                                             void* context) {
  if (client == nullptr || url == nullptr || done == nullptr) return TOUCHMARK_INVALID_ARGUMENT;
  return guarded(TOUCHMARK_INTERNAL, [&] {
    const bool queued = client->core->fetch_async(
        url, text_or_empty(binding), [done, context](const Result<client::Token>& outcome) {
          touchmark_result result{};
          fill(outcome, result);
          const bool returned = guarded(false, [&] {
            done(context, &result);
            return true;
          });
          static_cast<void>(returned);  // what the app's function throws ends here
          touchmark_result_free(&result);
        });
    return queued ? TOUCHMARK_OK : TOUCHMARK_CLOSED;
  });
}

void touchmark_result_free(touchmark_result* result) {
  if (result == nullptr) return;
  for (char* text : {result->token, result->header, result->prefix, result->arc, result->message}) {
    std::free(text);
  }
  *result = {};
}

void touchmark_discard_tokens(touchmark_client* client) {
  if (client != nullptr) client->core->discard_tokens();
}

void touchmark_set_package_path(touchmark_client* client, const char* path) {
  if (client == nullptr || path == nullptr) return;
  guarded(0, [&] {
    client->core->set_package_path(path);
    return 0;
  });
}

int touchmark_pin_allows(touchmark_client* client, const char* host,
                         const uint8_t (*spki_sha256)[32], size_t count) {
  constexpr size_t kMaxChain = 64;
  if (client == nullptr || host == nullptr || (spki_sha256 == nullptr && count > 0)) return 0;
  return guarded(0, [&] {
    std::vector<Sha256Digest> chain(std::min(count, kMaxChain));
    for (size_t i = 0; i < chain.size(); ++i) {
      std::memcpy(chain[i].data(), spki_sha256[i], chain[i].size());
    }
    return client->core->pin_allows(host, chain) ? 1 : 0;
  });
}

int touchmark_certificate_pin(const void* certificate, size_t size, uint8_t pin[32]) {
  if (certificate == nullptr || pin == nullptr) return 0;
  return guarded(0, [&] {
    const auto digest =
        attester::net::certificate_pin(ByteView(static_cast<const std::byte*>(certificate), size));
    if (!digest) return 0;
    std::memcpy(pin, digest->data(), digest->size());
    return 1;
  });
}

size_t touchmark_chain_pins(const void* const* certificates, const size_t* sizes, size_t count,
                            uint8_t (*pins)[32]) {
  if (certificates == nullptr || sizes == nullptr || pins == nullptr) return 0;
  return guarded(size_t{0}, [&] {
    std::vector<ByteView> chain;
    for (size_t i = 0; i < count && certificates[i] != nullptr; ++i) {
      chain.emplace_back(static_cast<const std::byte*>(certificates[i]), sizes[i]);
    }
    const auto keys = attester::net::vouching_keys(chain, touchmark::SystemClock().now());
    for (size_t i = 0; i < keys.size(); ++i) std::memcpy(pins[i], keys[i].data(), keys[i].size());
    return keys.size();
  });
}

int touchmark_is_protected(touchmark_client* client, const char* host) {
  if (client == nullptr || host == nullptr) return 0;
  return guarded(0, [&] { return client->core->is_protected(host) ? 1 : 0; });
}

int touchmark_same_host(const char* url, const char* other) {
  if (url == nullptr || other == nullptr) return 0;
  return guarded(0, [&] {
    const auto host = attester::parse_https_url(url);
    return host && host == attester::parse_https_url(other) ? 1 : 0;
  });
}

const char* touchmark_device_id(touchmark_client* client) {
  if (client == nullptr) return nullptr;
  return guarded("", [&] { return client->core->device_id().c_str(); });
}

int64_t touchmark_config_version(touchmark_client* client) {
  return client == nullptr ? 0 : client->core->config()->version;
}

const char* touchmark_status_text(touchmark_status status) {
  switch (status) {
    case TOUCHMARK_OK:
      return "ok";
    case TOUCHMARK_INVALID_ARGUMENT:
      return "invalid argument";
    case TOUCHMARK_BAD_CONFIG:
      return "the configuration is malformed or not signed by its key";
    case TOUCHMARK_NO_NETWORK:
      return "the service cannot be reached";
    case TOUCHMARK_POOR_NETWORK:
      return "the service gave no answer in time";
    case TOUCHMARK_MITM_DETECTED:
      return "the service's key is not one of the pins";
    case TOUCHMARK_UNKNOWN_URL:
      return "the URL's domain is not in the configuration";
    case TOUCHMARK_SERVICE_ERROR:
      return "the service answered something that is not the protocol";
    case TOUCHMARK_STORAGE:
      return "the storage folder cannot be used";
    case TOUCHMARK_CLOSED:
      return "the client is closed";
    case TOUCHMARK_INTERNAL:
      return "internal failure";
  }
  return "unknown status";
}

const char* touchmark_version(void) { return TOUCHMARK_VERSION; }
