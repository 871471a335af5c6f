#include "net/http_client.h"

#include <curl/curl.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <optional>
#include <thread>

namespace touchmark::net {
namespace {

constexpr std::size_t kMaxHeaderBytes = 64 * 1024;

struct Closer {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, Closer>;

// What the C callbacks share with send().
struct Transfer {
  const HttpRequest* request = nullptr;
  std::size_t header_bytes = 0;
  bool too_large = false;
  HttpAnswer answer;
  std::exception_ptr thrown = nullptr;  // in a callback: libcurl is C, and must not be unwound
};

// Runs a callback's work; what it throws ends the transfer with `failed` as the callback's answer.
template <class Answer, class Work>
Answer guarded(Transfer& transfer, Answer failed, const Work& work) noexcept {
  try {
    return work();
  } catch (...) {
    transfer.thrown = std::current_exception();
    return failed;
  }
}

std::size_t on_body(char* data, std::size_t, std::size_t size, void* context) {
  auto& transfer = *static_cast<Transfer*>(context);
  if (transfer.answer.body.size() + size > transfer.request->max_answer_bytes) {
    transfer.too_large = true;
    return 0;
  }
  return guarded(transfer, std::size_t{0}, [&] {
    transfer.answer.body.append(data, size);
    return size;
  });
}

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t\r\n");
  if (begin == text.npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r\n") + 1 - begin);
}

void take_header(HttpAnswer& answer, std::string_view line) {
  const std::size_t colon = line.find(':');
  if (colon == line.npos) return;
  std::string name(line.substr(0, colon));
  std::ranges::transform(name, name.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  answer.headers[std::move(name)] = trimmed(line.substr(colon + 1));
}

std::size_t on_header(char* data, std::size_t, std::size_t size, void* context) {
  auto& transfer = *static_cast<Transfer*>(context);
  transfer.header_bytes += size;
  if (transfer.header_bytes > kMaxHeaderBytes) {
    transfer.too_large = true;
    return 0;
  }
  return guarded(transfer, std::size_t{0}, [&] {
    take_header(transfer.answer, std::string_view(data, size));
    return size;
  });
}

std::size_t on_upload(char* buffer, std::size_t size, std::size_t count, void* context) {
  auto* file = static_cast<std::FILE*>(context);
  const std::size_t got = std::fread(buffer, size, count, file);
  return got == 0 && std::ferror(file) ? CURL_READFUNC_ABORT : got;
}

int on_progress(void* context, curl_off_t down_total, curl_off_t down, curl_off_t up_total,
                curl_off_t up) {
  auto& transfer = *static_cast<Transfer*>(context);
  const HttpRequest& request = *transfer.request;
  const bool uploads = !request.upload.empty();
  constexpr int kGoOn = 0;
  constexpr int kAbort = 1;
  return guarded(transfer, kAbort, [&] {
    request.progress(static_cast<std::uint64_t>(uploads ? up : down),
                     static_cast<std::uint64_t>(uploads ? up_total : down_total));
    return kGoOn;
  });
}

struct CodeRow {
  CURLcode code;
  HttpError error;
  const char* text;
};
constexpr auto kCodes = std::to_array<CodeRow>({
    {CURLE_COULDNT_RESOLVE_HOST, HttpError::kUnreachable, "its name cannot be resolved"},
    {CURLE_COULDNT_CONNECT, HttpError::kUnreachable, "it does not accept connections"},
    {CURLE_OPERATION_TIMEDOUT, HttpError::kTimeout, "it does not answer in time"},
    {CURLE_PEER_FAILED_VERIFICATION, HttpError::kUntrusted, "its certificate is not trusted"},
    {CURLE_SSL_PINNEDPUBKEYNOTMATCH, HttpError::kPinMismatch, "its key is not the pinned one"},
    {CURLE_SSL_CACERT_BADFILE, HttpError::kBadCa, "the CA certificates are damaged"},
    {CURLE_SSL_CONNECT_ERROR, HttpError::kNoTls, "the TLS handshake failed"},
    {CURLE_GOT_NOTHING, HttpError::kUnreachable, "it closed the connection without an answer"},
    {CURLE_SEND_ERROR, HttpError::kUnreachable, "it closed the connection while data was sent"},
    {CURLE_RECV_ERROR, HttpError::kUnreachable,
     "it closed the connection in the middle of an answer"},
    {CURLE_PARTIAL_FILE, HttpError::kUnreachable,
     "it closed the connection in the middle of an answer"},
    {CURLE_URL_MALFORMAT, HttpError::kBadUrl, "it is not an address"},
    {CURLE_UNSUPPORTED_PROTOCOL, HttpError::kBadUrl, "it is not an https address"},
    {CURLE_ABORTED_BY_CALLBACK, HttpError::kBadUpload, "the file could not be read to its end"},
});

// The part of a URL that may stand in a message: scheme and host; the rest can hold secrets.
std::string shown(const std::string& url) {
  const std::size_t host = url.find("://");
  const std::size_t end = url.find_first_of("/?", host == url.npos ? 0 : host + 3);
  return url.substr(0, std::min({end, url.size(), std::size_t{200}}));
}

tl::unexpected<Error> failure(const HttpRequest& request, CURLcode code, const char* detail) {
  const std::string peer = shown(request.url);
  for (const CodeRow& row : kCodes) {
    if (row.code == code) return fail(row.error, "cannot reach " + peer + ": " + row.text);
  }
  return fail(HttpError::kBadAnswer,
              peer + ": " + (*detail != '\0' ? detail : curl_easy_strerror(code)));
}

class CurlHttpClient final : public HttpClient {
 public:
  explicit CurlHttpClient(HttpClientOptions options) : options_(std::move(options)) {
    static const CURLcode initialized = curl_global_init(CURL_GLOBAL_DEFAULT);
    static_cast<void>(initialized);
  }

  Result<HttpAnswer> send(const HttpRequest& request) override {
    const std::unique_ptr<CURL, Closer> handle(curl_easy_init());
    CURL* curl = handle.get();
    std::unique_ptr<curl_slist, Closer> headers;
    for (const std::string& header : request.headers) {
      headers.reset(curl_slist_append(headers.release(), header.c_str()));
    }
    std::array<char, CURL_ERROR_SIZE> detail{};
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, detail.data());
    set_connection(curl);
    set_trust(curl);
    curl_easy_setopt(curl, CURLOPT_URL, request.url.c_str());
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request.method.c_str());
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers.get());
    File file;
    if (auto set = set_body(curl, request, file); !set) return pass(set);
    Transfer transfer;
    transfer.request = &request;
    set_callbacks(curl, transfer);

    const CURLcode code = curl_easy_perform(curl);
    if (transfer.thrown) std::rethrow_exception(transfer.thrown);
    long status = 0;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    transfer.answer.status = static_cast<int>(status);
    if (transfer.too_large) {
      return fail(HttpError::kTooLarge, shown(request.url) + " answered more than " +
                                            std::to_string(request.max_answer_bytes) + " bytes");
    }
    // A server that refuses an upload may answer and hang up before it has read all of it; the
    // answer counts, not the broken pipe.
    if (code != CURLE_OK && !(code == CURLE_SEND_ERROR && status >= 400)) {
      return failure(request, code, detail.data());
    }
    return std::move(transfer.answer);
  }

 private:
  void set_connection(CURL* curl) const {
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, options_.plain_http ? "http,https" : "https");
    curl_easy_setopt(curl, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, options_.user_agent.c_str());
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS,
                     static_cast<long>(options_.connect_timeout.count()));
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, static_cast<long>(options_.total_timeout.count()));
    if (options_.stall_timeout.count() != 0) {
      curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
      curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME,
                       static_cast<long>(options_.stall_timeout.count()));
    }
  }

  void set_trust(CURL* curl) const {
    if (options_.any_certificate) {
      curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 0L);
      curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 0L);
    } else if (!options_.pins.empty()) {
      std::string pins;
      for (const std::string& pin : options_.pins) {
        pins.append(pins.empty() ? "sha256//" : ";sha256//").append(pin);
      }
      curl_easy_setopt(curl, CURLOPT_PINNEDPUBLICKEY, pins.c_str());
      // The pinned key says who the server is, whatever its certificate says.
      curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 0L);
      curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 0L);
    } else if (!options_.ca_pem.empty()) {
      curl_blob blob{const_cast<char*>(options_.ca_pem.data()), options_.ca_pem.size(),
                     CURL_BLOB_COPY};
      curl_easy_setopt(curl, CURLOPT_CAINFO_BLOB, &blob);
      curl_easy_setopt(curl, CURLOPT_CAPATH, nullptr);
    } else if (!options_.ca_file.empty()) {
      curl_easy_setopt(curl, CURLOPT_CAINFO, options_.ca_file.c_str());
      curl_easy_setopt(curl, CURLOPT_CAPATH, nullptr);
    }
  }

  static Result<void> set_body(CURL* curl, const HttpRequest& request, File& file) {
    if (!request.upload.empty()) {
      file.reset(std::fopen(request.upload.c_str(), "rb"));
      std::error_code error;
      const auto size = std::filesystem::file_size(request.upload, error);
      if (!file || error) {
        return fail(HttpError::kBadUpload, "cannot read " + request.upload.string());
      }
      curl_easy_setopt(curl, CURLOPT_POST, 1L);
      curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(size));
      curl_easy_setopt(curl, CURLOPT_READFUNCTION, on_upload);
      curl_easy_setopt(curl, CURLOPT_READDATA, file.get());
    } else if (!request.body.empty()) {
      curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE,
                       static_cast<curl_off_t>(request.body.size()));
      curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request.body.data());
    }
    return {};
  }

  static void set_callbacks(CURL* curl, Transfer& transfer) {
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &transfer);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, &transfer);
    if (transfer.request->progress) {
      curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
      curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
      curl_easy_setopt(curl, CURLOPT_XFERINFODATA, &transfer);
    }
  }

  HttpClientOptions options_;
};

bool may_succeed_later(const Result<HttpAnswer>& answer) {
  if (!answer) {
    constexpr HttpError kPassing[] = {HttpError::kUnreachable, HttpError::kTimeout,
                                      HttpError::kNoTls, HttpError::kBadAnswer};
    return std::ranges::any_of(kPassing, [&](HttpError e) { return answer.error().is(e); });
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
      {kTooLarge, "http.answer-too-large"},
      {kPinMismatch, "http.pin-mismatch"},
      {kBadCa, "http.bad-ca"},
      {kNoTls, "http.no-tls"},
      {kBadAnswer, "http.bad-answer"},
      {kBadUpload, "http.bad-upload"},
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
