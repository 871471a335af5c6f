#include "relying-party/cpp/key_source.h"

#include <algorithm>
#include <charconv>

#include "base/file.h"
#include "base/text.h"
#include "net/http_client.h"
#include "protocol/host_port.h"

namespace touchmark::relying {
namespace {

constexpr std::chrono::seconds kReadAgainAfter{10};
constexpr std::chrono::seconds kKept{600};
constexpr std::chrono::seconds kLeastKept{60};
constexpr std::chrono::seconds kLongestKept{86400};
constexpr std::chrono::milliseconds kReadingTime{5'000};

bool is_loopback(std::string_view url) {
  constexpr std::string_view kScheme = "http://";
  url.remove_prefix(kScheme.size());
  const auto host = protocol::parse_host_port(url.substr(0, url.find_first_of("/?#")));
  return host && (host->host == "localhost" || host->host == "::1" ||
                  (host->host.starts_with("127.") &&
                   host->host.find_first_not_of("0123456789.") == std::string::npos));
}

// RFC 9111, section 5.2.2.1.
std::optional<std::chrono::seconds> max_age(const net::HttpAnswer& answer) {
  const auto header = answer.headers.find("cache-control");
  if (header == answer.headers.end()) return std::nullopt;
  std::string_view rest = header->second;
  while (const auto part = take_part(rest, ',')) {
    std::string_view directive = *part;
    while (directive.starts_with(' ')) directive.remove_prefix(1);
    constexpr std::string_view kName = "max-age=";
    if (!same_word(directive.substr(0, kName.size()), kName)) continue;
    directive.remove_prefix(kName.size());
    std::uint32_t seconds = 0;
    const auto read =
        std::from_chars(directive.data(), directive.data() + directive.size(), seconds);
    if (read.ec == std::errc::result_out_of_range) return kLongestKept;
    if (read.ec == std::errc()) return std::chrono::seconds(seconds);
  }
  return std::nullopt;
}

Result<KeyReading> read_url(net::HttpClient& client, const std::string& url) {
  net::HttpRequest request;
  request.url = url;
  request.headers = {"Accept: application/jwk-set+json, application/json"};
  request.max_answer_bytes = kMaxKeySetBytes;
  const auto answer = client.send(request);
  if (!answer) return tl::unexpected<Error>(answer.error());
  if (answer->status != 200) {
    return fail(KeySetError::kUnreachable,
                "the source of keys answers with status " + std::to_string(answer->status));
  }
  auto keys = read_key_set(answer->body);
  if (!keys) return pass(keys);
  return KeyReading{std::move(*keys), max_age(*answer)};
}

Result<KeyReading> read_path(const std::string& path) {
  const auto bytes = read_file(path, kMaxKeySetBytes);
  if (!bytes) return fail(KeySetError::kUnreachable, bytes.error().message());
  auto keys = read_key_set(as_text(*bytes));
  if (!keys) return pass(keys);
  return KeyReading{std::move(*keys), std::nullopt};
}

}  // namespace

Result<ReadKeys> reader_of(const std::string& path_or_url) {
  const bool is_https = path_or_url.starts_with("https://");
  const bool is_http = path_or_url.starts_with("http://");
  if (!is_https && !is_http) {
    if (path_or_url.find("://") != std::string::npos) {
      return fail(KeySetError::kBadAddress,
                  "is " + shown(path_or_url) + ": use an https address, or the path of a file");
    }
    return ReadKeys([path_or_url] { return read_path(path_or_url); });
  }
  if (is_http && !is_loopback(path_or_url)) {
    return fail(KeySetError::kBadAddress,
                "is " + shown(path_or_url) +
                    ": who could change it on its way could make tokens; use https");
  }
  net::HttpClientOptions options;
  options.connect_timeout = kReadingTime;
  options.total_timeout = kReadingTime;
  options.plain_http = is_http;
  const std::shared_ptr<net::HttpClient> client = net::curl_http_client(options);
  return ReadKeys([client, path_or_url] { return read_url(*client, path_or_url); });
}

KeySource::KeySource(ReadKeys read, std::function<void(const Error&)> said, SteadyNow now)
    : read_(std::move(read)), said_(std::move(said)), now_(std::move(now)) {
  const MutexLock lock(mutex_);
  begin_reading();
}

KeySource::~KeySource() {
  std::thread last;
  {
    const MutexLock lock(mutex_);
    last = std::move(thread_);
  }
  if (last.joinable()) last.join();
}

bool KeySource::is_due(std::chrono::steady_clock::time_point now) const {
  return !reading_ && (!begun_ || now - *begun_ >= kReadAgainAfter);
}

void KeySource::begin_reading() {
  if (thread_.joinable()) thread_.join();  // it has ended: reading_ is false
  reading_ = true;
  begun_ = now_();
  thread_ = std::thread([this] { run(); });
}

void KeySource::run() {
  auto read = read_();
  if (!read && said_) said_(read.error());
  std::vector<std::function<void()>> waiting;
  {
    const MutexLock lock(mutex_);
    std::chrono::seconds kept = kReadAgainAfter;
    failed_ = !read;
    if (read) {
      if (keys_ == nullptr) begun_.reset();  // a key that is made now must not wait for ten seconds
      kept = std::clamp(read->max_age.value_or(kKept), kLeastKept, kLongestKept);
      keys_ = std::make_shared<const KeySet>(std::move(read->keys));
    }
    old_at_ = now_() + kept;
    reading_ = false;
    waiting.swap(waiting_);
  }
  ended_.notify_all();
  for (const auto& then : waiting) then();
}

KeySource::Known KeySource::known() {
  const MutexLock lock(mutex_);
  const auto now = now_();
  const bool is_old = now >= old_at_;
  if (is_old && is_due(now)) begin_reading();
  return {keys_, is_old && reading_ && !failed_};
}

bool KeySource::read_again() {
  const MutexLock lock(mutex_);
  if (is_due(now_())) begin_reading();
  return reading_;
}

void KeySource::wait() {
  const MutexLock lock(mutex_);
  while (reading_) ended_.wait(mutex_);
}

void KeySource::after_reading(std::function<void()> then) {
  {
    const MutexLock lock(mutex_);
    if (reading_) {
      waiting_.push_back(std::move(then));
      return;
    }
  }
  then();
}

}  // namespace touchmark::relying
