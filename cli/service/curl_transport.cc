#include <curl/curl.h>
#include <fmt/format.h>

#include <array>
#include <cstdio>
#include <system_error>

#include "cli/io/error.h"
#include "cli/service/transport.h"

namespace touchmark::cli::service {
namespace {

struct Closer {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using Handle = std::unique_ptr<CURL, Closer>;
using Headers = std::unique_ptr<curl_slist, Closer>;
using File = std::unique_ptr<std::FILE, Closer>;

void add_header(Headers& headers, const std::string& line) {
  headers.reset(curl_slist_append(headers.release(), line.c_str()));
}

// What the C callbacks share with send().
struct Transfer {
  const HttpRequest* request = nullptr;
  HttpAnswer answer;
  bool answer_too_large = false;
};

std::size_t on_body(char* data, std::size_t, std::size_t size, void* context) {
  auto& transfer = *static_cast<Transfer*>(context);
  if (transfer.answer.body.size() + size > transfer.request->max_answer_bytes) {
    transfer.answer_too_large = true;
    return 0;
  }
  transfer.answer.body.append(data, size);
  return size;
}

std::size_t on_upload(char* buffer, std::size_t size, std::size_t count, void* context) {
  auto* file = static_cast<std::FILE*>(context);
  const std::size_t got = std::fread(buffer, size, count, file);
  return got == 0 && std::ferror(file) ? CURL_READFUNC_ABORT : got;
}

int on_progress(void* context, curl_off_t down_total, curl_off_t down, curl_off_t up_total,
                curl_off_t up) {
  const auto& transfer = *static_cast<Transfer*>(context);
  const bool uploads = !transfer.request->upload.empty();
  transfer.request->progress(static_cast<std::uint64_t>(uploads ? up : down),
                             static_cast<std::uint64_t>(uploads ? up_total : down_total));
  return 0;
}

struct CodeRow {
  CURLcode code;
  io::CliError error;
  const char* text;
};
constexpr auto kCodes = std::to_array<CodeRow>({
    {CURLE_COULDNT_RESOLVE_HOST, io::CliError::kUnreachable, "its name cannot be resolved"},
    {CURLE_COULDNT_CONNECT, io::CliError::kUnreachable, "it does not accept connections"},
    {CURLE_OPERATION_TIMEDOUT, io::CliError::kTimeout, "it does not answer in time"},
    {CURLE_PEER_FAILED_VERIFICATION, io::CliError::kUntrusted, "its certificate is not trusted"},
    {CURLE_SSL_PINNEDPUBKEYNOTMATCH, io::CliError::kPinMismatch, "its key is not the pinned one"},
    {CURLE_SSL_CACERT_BADFILE, io::CliError::kBadProfile,
     "the profile's CA certificates are damaged"},
    {CURLE_SSL_CONNECT_ERROR, io::CliError::kNoTls, "the TLS handshake failed"},
    {CURLE_GOT_NOTHING, io::CliError::kUnreachable, "it closed the connection without an answer"},
    {CURLE_SEND_ERROR, io::CliError::kUnreachable, "it closed the connection while data was sent"},
    {CURLE_RECV_ERROR, io::CliError::kUnreachable,
     "it closed the connection in the middle of an answer"},
    {CURLE_PARTIAL_FILE, io::CliError::kUnreachable,
     "it closed the connection in the middle of an answer"},
    {CURLE_URL_MALFORMAT, io::CliError::kUsage, "it is not an address"},
    {CURLE_ABORTED_BY_CALLBACK, io::CliError::kUnreachable,
     "the file could not be read to its end"},
});

tl::unexpected<Error> transport_error(const Endpoint& endpoint, CURLcode code, const char* detail) {
  for (const CodeRow& row : kCodes) {
    if (row.code == code) {
      return fail(row.error, fmt::format("cannot reach {}: {}", endpoint.url, row.text));
    }
  }
  return fail(io::CliError::kBadAnswer,
              fmt::format("{}: {}", endpoint.url, *detail ? detail : curl_easy_strerror(code)));
}

class CurlTransport final : public Transport {
 public:
  CurlTransport(Endpoint endpoint, std::chrono::seconds timeout)
      : endpoint_(std::move(endpoint)), timeout_(static_cast<long>(timeout.count())) {}

  Result<HttpAnswer> send(const HttpRequest& request) override {
    const Handle handle(curl_easy_init());
    CURL* curl = handle.get();
    Transfer transfer;
    transfer.request = &request;
    std::array<char, CURL_ERROR_SIZE> detail{};
    Headers headers;
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, detail.data());
    set_connection(curl);
    set_headers(curl, request, headers);
    File file;
    if (auto set = set_body(curl, request, file); !set) return pass(set);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &transfer);
    if (request.progress) {
      curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
      curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
      curl_easy_setopt(curl, CURLOPT_XFERINFODATA, &transfer);
    }

    const CURLcode code = curl_easy_perform(curl);
    long status = 0;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    transfer.answer.status = static_cast<int>(status);
    if (transfer.answer_too_large) {
      return fail(io::CliError::kBadAnswer, fmt::format("{} answered more than {} bytes",
                                                        endpoint_.url, request.max_answer_bytes));
    }
    // A service that refuses an upload may answer and hang up before it has read all of it; the
    // answer counts, not the broken pipe.
    if (code != CURLE_OK && !(code == CURLE_SEND_ERROR && status >= 400)) {
      return transport_error(endpoint_, code, detail.data());
    }
    const char* type = nullptr;
    curl_easy_getinfo(curl, CURLINFO_CONTENT_TYPE, &type);
    if (type != nullptr) transfer.answer.content_type = type;
    return std::move(transfer.answer);
  }

 private:
  void set_connection(CURL* curl) const {
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "https");
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, timeout_);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, timeout_);
    if (!endpoint_.pins.empty()) {
      std::string pins;
      for (const std::string& pin : endpoint_.pins) {
        pins.append(pins.empty() ? "sha256//" : ";sha256//").append(pin);
      }
      curl_easy_setopt(curl, CURLOPT_PINNEDPUBLICKEY, pins.c_str());
      // The pinned key says who the service is, whatever its certificate says.
      curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 0L);
      curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 0L);
    } else if (!endpoint_.ca_pem.empty()) {
      curl_blob blob{const_cast<char*>(endpoint_.ca_pem.data()), endpoint_.ca_pem.size(),
                     CURL_BLOB_COPY};
      curl_easy_setopt(curl, CURLOPT_CAINFO_BLOB, &blob);
      curl_easy_setopt(curl, CURLOPT_CAPATH, nullptr);
    }
  }

  void set_headers(CURL* curl, const HttpRequest& request, Headers& headers) const {
    curl_easy_setopt(curl, CURLOPT_URL, (endpoint_.url + request.path).c_str());
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request.method.c_str());
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "touchmark/" TOUCHMARK_VERSION);
    if (!endpoint_.token.empty()) add_header(headers, "Authorization: Bearer " + endpoint_.token);
    if (!request.content_type.empty()) add_header(headers, "Content-Type: " + request.content_type);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers.get());
  }

  static Result<void> set_body(CURL* curl, const HttpRequest& request, File& file) {
    if (!request.upload.empty()) {
      file.reset(std::fopen(request.upload.c_str(), "rb"));
      std::error_code error;
      const auto size = std::filesystem::file_size(request.upload, error);
      if (!file || error) {
        return fail(io::CliError::kUnreadableFile,
                    fmt::format("cannot read {}", request.upload.string()));
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

  Endpoint endpoint_;
  long timeout_;
};

}  // namespace

std::unique_ptr<Transport> curl_transport(const Endpoint& endpoint, std::chrono::seconds timeout) {
  // Initialised once, on the only thread there is.
  static const CURLcode kInitialised = curl_global_init(CURL_GLOBAL_DEFAULT);
  (void)kInitialised;
  return std::make_unique<CurlTransport>(endpoint, timeout);
}

}  // namespace touchmark::cli::service
