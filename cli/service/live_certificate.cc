#include <curl/curl.h>
#include <fmt/format.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <ctime>
#include <exception>
#include <optional>

#include "cli/io/error.h"
#include "cli/service/pin.h"
#include "crypto/openssl.h"
#include "crypto/openssl_time.h"

namespace touchmark::cli::service {
namespace {

struct ListCloser {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};

struct CurlCloser {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
};

// What the handshake showed, filled by the verification callback while libcurl connects.
struct Seen {
  std::optional<ServedCertificate> certificate;
  std::exception_ptr thrown;
};

// Of the other end of a connection that was made; empty when libcurl does not know it.
std::string address_of(CURL* curl) {
  const char* ip = nullptr;
  long port = 0;
  curl_easy_getinfo(curl, CURLINFO_PRIMARY_IP, &ip);
  curl_easy_getinfo(curl, CURLINFO_PRIMARY_PORT, &port);
  if (ip == nullptr || *ip == '\0') return {};
  const std::string text = ip;
  return fmt::format("{}:{}", text.find(':') == text.npos ? text : "[" + text + "]", port);
}

// Stands in for OpenSSL's chain verification: runs it, notes its outcome, and goes on in any case,
// so that the certificate of a development server can be read too. No request is ever sent on this
// connection.
int look_at(X509_STORE_CTX* context, Seen& seen) {
  X509* leaf = X509_STORE_CTX_get0_cert(context);
  if (leaf == nullptr) return 0;
  const auto summary = pki::summarize_certificate(openssl::encode<i2d_X509>(leaf));
  if (!summary || summary->spki.empty()) return 0;
  seen.certificate = served_certificate(*summary);
  seen.certificate->not_after = openssl::time_of(X509_get0_notAfter(leaf));
  seen.certificate->not_before = openssl::time_of(X509_get0_notBefore(leaf));
  if (X509_verify_cert(context) != 1) {
    seen.certificate->trust_problem =
        X509_verify_cert_error_string(X509_STORE_CTX_get_error(context));
  }
  X509_STORE_CTX_set_error(context, X509_V_OK);
  return 1;
}

// OpenSSL is C, and must not be unwound.
int on_verify(X509_STORE_CTX* context, void* argument) noexcept {
  auto& seen = *static_cast<Seen*>(argument);
  try {
    return look_at(context, seen);
  } catch (...) {
    seen.thrown = std::current_exception();
    return 0;
  }
}

CURLcode on_ssl_context(CURL*, void* ssl_context, void* argument) {
  SSL_CTX_set_cert_verify_callback(static_cast<SSL_CTX*>(ssl_context), on_verify, argument);
  return CURLE_OK;
}

}  // namespace

Result<ServedCertificate> certificate_of_server(const std::string& domain, int timeout_seconds,
                                                const std::string& address) {
  const std::unique_ptr<CURL, CurlCloser> handle(curl_easy_init());
  CURL* curl = handle.get();
  Seen seen;
  curl_easy_setopt(curl, CURLOPT_URL, ("https://" + domain).c_str());
  curl_easy_setopt(curl, CURLOPT_CONNECT_ONLY, 1L);
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, static_cast<long>(timeout_seconds));
  curl_easy_setopt(curl, CURLOPT_TIMEOUT, static_cast<long>(timeout_seconds));
  curl_easy_setopt(curl, CURLOPT_SSL_CTX_FUNCTION, on_ssl_context);
  curl_easy_setopt(curl, CURLOPT_SSL_CTX_DATA, &seen);
  std::unique_ptr<curl_slist, ListCloser> instead;
  if (!address.empty()) {
    const bool is_v6 = address.find(':') != address.npos;
    instead.reset(
        curl_slist_append(nullptr, ("::" + (is_v6 ? "[" + address + "]" : address) + ":").c_str()));
    curl_easy_setopt(curl, CURLOPT_CONNECT_TO, instead.get());
  }
  const CURLcode code = curl_easy_perform(curl);
  if (seen.thrown) std::rethrow_exception(seen.thrown);
  // libcurl checks the name once the handshake, and with it the proof that the server has the key,
  // is complete. A certificate shown in a handshake that failed proves nothing.
  const bool other_name = code == CURLE_PEER_FAILED_VERIFICATION;
  if (!seen.certificate || (code != CURLE_OK && !other_name)) {
    return fail(
        io::CliError::kNoLiveCertificate,
        fmt::format("cannot read the certificate of {}: {}", domain, curl_easy_strerror(code)));
  }
  if (other_name && seen.certificate->trust_problem.empty()) {
    seen.certificate->trust_problem = "it is for another name";
  }
  seen.certificate->address = address_of(curl);
  return *std::move(seen.certificate);
}

}  // namespace touchmark::cli::service
