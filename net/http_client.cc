#include "net/http_client.h"

#include <curl/curl.h>

#include <algorithm>
#include <optional>
#include <thread>

namespace touchmark::net {
namespace {

constexpr std::size_t kMaxHeaderBytes = 64 * 1024;

struct Closer {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};

// What the C callbacks share with send().
struct Transfer {
  std::size_t max_body = 0;
  std::size_t header_bytes = 0;
  bool too_large = false;
  HttpAnswer answer;
};

std::size_t on_body(char* data, std::size_t, std::size_t size, void* context) {
  auto& transfer = *static_cast<Transfer*>(context);
  if (transfer.answer.body.size() + size > transfer.max_body) {
    transfer.too_large = true;
    return 0;
  }
  transfer.answer.body.append(data, size);
  return size;
}

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t\r\n");
  if (begin == text.npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r\n") + 1 - begin);
}

std::size_t on_header(char* data, std::size_t, std::size_t size, void* context) {
  auto& transfer = *static_cast<Transfer*>(context);
  transfer.header_bytes += size;
  if (transfer.header_bytes > kMaxHeaderBytes) {
    transfer.too_large = true;
    return 0;
  }
  const std::string_view line(data, size);
  const std::size_t colon = line.find(':');
  if (colon == line.npos) return size;
  std::string name(line.substr(0, colon));
  std::ranges::transform(name, name.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  transfer.answer.headers[std::move(name)] = trimmed(line.substr(colon + 1));
  return size;
}

HttpError error_of(CURLcode code) {
  switch (code) {
    case CURLE_OPERATION_TIMEDOUT:
      return HttpError::kTimeout;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
      return HttpError::kUntrusted;
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
      return HttpError::kBadUrl;
    default:
      return HttpError::kUnreachable;
  }
}

// The part of a URL that may stand in a message: no query, which can hold secrets.
std::string shown(const std::string& url) { return url.substr(0, std::min(url.find('?'), 200UL)); }

class CurlHttpClient final : public HttpClient {
 public:
  explicit CurlHttpClient(HttpClientOptions options) : options_(std::move(options)) {
    static const CURLcode initialized = curl_global_init(CURL_GLOBAL_DEFAULT);
    static_cast<void>(initialized);
  }

  Result<HttpAnswer> send(const HttpRequest& request) override {
    const std::unique_ptr<CURL, Closer> handle(curl_easy_init());
    CURL* curl = handle.get();
    Transfer transfer;
    transfer.max_body = request.max_answer_bytes;
    std::unique_ptr<curl_slist, Closer> headers;
    for (const std::string& header : request.headers) {
      headers.reset(curl_slist_append(headers.release(), header.c_str()));
    }
    set_connection(curl);
    curl_easy_setopt(curl, CURLOPT_URL, request.url.c_str());
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request.method.c_str());
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers.get());
    if (request.method != "GET") {
      curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request.body.data());
      curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE,
                       static_cast<curl_off_t>(request.body.size()));
    }
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &transfer);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, &transfer);

    const CURLcode code = curl_easy_perform(curl);
    if (transfer.too_large) {
      return fail(HttpError::kTooLarge, shown(request.url) + ": the answer is too large");
    }
    if (code != CURLE_OK) {
      return fail(error_of(code), shown(request.url) + ": " + curl_easy_strerror(code));
    }
    long status = 0;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    transfer.answer.status = static_cast<int>(status);
    return std::move(transfer.answer);
  }

 private:
  void set_connection(CURL* curl) const {
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "https");
    curl_easy_setopt(curl, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "touchmark");
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS,
                     static_cast<long>(options_.connect_timeout.count()));
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, static_cast<long>(options_.total_timeout.count()));
    if (!options_.ca_file.empty()) {
      curl_easy_setopt(curl, CURLOPT_CAINFO, options_.ca_file.c_str());
      curl_easy_setopt(curl, CURLOPT_CAPATH, nullptr);
    }
  }

  HttpClientOptions options_;
};

bool may_succeed_later(const Result<HttpAnswer>& answer) {
  if (!answer) {
    return answer.error().is(HttpError::kUnreachable) || answer.error().is(HttpError::kTimeout);
  }
  constexpr int kStatuses[] = {429, 500, 502, 503, 504};
  return std::ranges::find(kStatuses, answer->status) != std::end(kStatuses);
}

// Seconds of a Retry-After; nullopt when there is none, or a date.
std::optional<std::chrono::milliseconds> retry_after(const Result<HttpAnswer>& answer) {
  if (!answer) return std::nullopt;
  const auto header = answer->headers.find("retry-after");
  if (header == answer->headers.end() || header->second.empty() || header->second.size() > 6 ||
      header->second.find_first_not_of("0123456789") != std::string::npos) {
    return std::nullopt;
  }
  return std::chrono::seconds(std::stoi(header->second));
}

}  // namespace

std::string_view error_id(HttpError error) {
  using enum HttpError;
  static constexpr auto kIds = error_table<HttpError>({
      {kBadUrl, "http.bad-url"},
      {kUnreachable, "http.unreachable"},
      {kTimeout, "http.timeout"},
      {kUntrusted, "http.untrusted"},
      {kTooLarge, "http.too-large"},
  });
  return kIds[error];
}

std::unique_ptr<HttpClient> curl_http_client(HttpClientOptions options) {
  return std::make_unique<CurlHttpClient>(std::move(options));
}

void sleep_for(std::chrono::milliseconds time) { std::this_thread::sleep_for(time); }

Result<HttpAnswer> send_with_retries(HttpClient& client, const HttpRequest& request,
                                     const RetryRules& rules) {
  std::chrono::milliseconds wait = rules.first_wait;
  for (int attempt = 1;; ++attempt) {
    auto answer = client.send(request);
    if (attempt >= rules.attempts || !may_succeed_later(answer)) return answer;
    rules.sleep(std::min(retry_after(answer).value_or(wait), rules.longest_wait));
    wait *= 2;
  }
}

}  // namespace touchmark::net
