#include "verifier/state/revocation_source.h"

#include <algorithm>
#include <utility>

#include "base/file.h"
#include "base/json.h"

namespace touchmark::verifier::state {

using pki::RevocationList;

namespace {

constexpr std::size_t kMaxCacheHeader = 4096;

bool is_url(std::string_view location) { return location.find("://") != location.npos; }

// Seconds since 1970 of the file's last change.
Result<UnixTime> time_of_file(const std::filesystem::path& path) {
  std::error_code error;
  const auto written = std::filesystem::last_write_time(path, error);
  if (error) return fail(FileError::kIo, path.string() + ": " + error.message());
  return std::chrono::floor<Seconds>(std::chrono::file_clock::to_sys(written));
}

}  // namespace

std::string_view error_id(RevocationSourceError error) {
  using enum RevocationSourceError;
  static constexpr auto kIds = error_table<RevocationSourceError>({
      {kMissing, "revocation.missing"},
      {kTooOld, "revocation.too-old"},
      {kStatus, "revocation.status"},
      {kFailed, "revocation.failed"},
  });
  return kIds[error];
}

RevocationSource::RevocationSource(RevocationSettings settings, net::HttpClient& client,
                                   const Clock& clock)
    : settings_(std::move(settings)), client_(client), clock_(clock) {
  if (is_url(settings_.location)) load_cache();
}

RevocationSource::~RevocationSource() {
  {
    const MutexLock lock(mutex_);
    stop_ = true;
  }
  stopped_.notify_all();
  if (thread_.joinable()) thread_.join();
}

Result<RevocationSource::List> RevocationSource::current() const {
  const MutexLock lock(mutex_);
  if (!settings_.fail_closed) return state_.list;
  if (!state_.list) {
    return fail(RevocationSourceError::kMissing,
                "no revocation list" + (state_.problem ? ": " + *state_.problem : ""));
  }
  if (*state_.confirmed + settings_.max_age < clock_.now()) {
    return fail(RevocationSourceError::kTooOld,
                "the revocation list is of " + format_time(*state_.confirmed));
  }
  return state_.list;
}

Result<void> RevocationSource::refresh() {
  const MutexLock refreshing(refresh_mutex_);
  auto done = take();
  {
    const MutexLock lock(mutex_);
    state_.problem = done ? std::nullopt : std::optional(done.error().text());
  }
  if (settings_.on_refresh) settings_.on_refresh(done);
  return done;
}

// An exception, for want of memory as a rule, is a list that cannot be had this time.
Result<void> RevocationSource::take() {
  try {
    return is_url(settings_.location) ? fetch() : load_file();
  } catch (const std::exception& failure) {
    return fail(RevocationSourceError::kFailed, settings_.location + ": " + failure.what());
  }
}

Result<void> RevocationSource::fetch() {
  std::string etag;
  {
    const MutexLock lock(mutex_);
    if (state_.list) etag = state_.etag;
  }
  net::HttpRequest request{.url = settings_.location, .headers = {"Accept: application/json"}};
  request.max_answer_bytes = RevocationList::kMaxBytes;
  if (!etag.empty()) request.headers.push_back("If-None-Match: " + etag);
  const UnixTime asked = clock_.now();
  auto answer = net::send_with_retries(client_, request, settings_.retries);
  if (!answer) return pass(answer);
  if (answer->status == 304 && !etag.empty()) {
    const MutexLock lock(mutex_);
    state_.confirmed = asked;
    return {};
  }
  if (answer->status != 200) {
    return fail(RevocationSourceError::kStatus,
                settings_.location + ": status " + std::to_string(answer->status));
  }
  auto list = RevocationList::parse(answer->body);
  if (!list) return pass(list);
  etag = answer->headers["etag"];
  {
    const MutexLock lock(mutex_);
    state_.list = std::make_shared<const RevocationList>(std::move(*list));
    state_.etag = etag;
    state_.confirmed = asked;
  }
  save_cache(answer->body, etag, asked);
  return {};
}

Result<void> RevocationSource::load_file() {
  auto written = time_of_file(settings_.location);
  if (!written) return pass(written);
  auto file = read_file(settings_.location, RevocationList::kMaxBytes);
  if (!file) return pass(file);
  auto list = RevocationList::parse(as_text(*file));
  if (!list) return pass(list);
  const MutexLock lock(mutex_);
  state_.list = std::make_shared<const RevocationList>(std::move(*list));
  state_.confirmed = *written;
  return {};
}

// One line of JSON, then the list as it came. A cache that cannot be read is no cache: the list
// will be fetched anyway.
void RevocationSource::load_cache() {
  if (settings_.cache.empty()) return;
  auto file = read_file(settings_.cache, RevocationList::kMaxBytes + kMaxCacheHeader);
  if (!file) return;
  const std::string_view text = as_text(*file);
  const std::size_t end = text.find('\n');
  if (end == text.npos) return;
  auto header = parse_json(text.substr(0, end));
  if (!header || find_string(*header, "location") != settings_.location) return;
  auto confirmed = get_int(*header, "confirmed", 0, to_unix(clock_.now()));
  auto list = RevocationList::parse(text.substr(end + 1));
  if (!confirmed || !list) return;
  const MutexLock lock(mutex_);
  state_.list = std::make_shared<const RevocationList>(std::move(*list));
  state_.etag = find_string(*header, "etag").value_or("");
  state_.confirmed = from_unix(*confirmed);
}

void RevocationSource::save_cache(const std::string& body, const std::string& etag,
                                  UnixTime confirmed) const {
  if (settings_.cache.empty()) return;
  const Json header = {
      {"location", settings_.location}, {"etag", etag}, {"confirmed", to_unix(confirmed)}};
  // Without it the next start only has to fetch again.
  static_cast<void>(
      write_file_atomic(settings_.cache, as_bytes(dump_json(header) + "\n" + body), 0600));
}

void RevocationSource::start() {
  thread_ = std::thread([this] { run(); });
}

void RevocationSource::run() {
  Seconds wait{0};
  Seconds retry = settings_.retry_interval;
  while (!stops_within(wait)) {
    if (refreshes()) {
      wait = settings_.refresh_interval;
      retry = settings_.retry_interval;
    } else {  // status() tells why
      wait = std::min(retry, settings_.refresh_interval);
      retry = wait * 2;
    }
  }
}

// What on_refresh throws must not end the thread, and with it all later lists.
bool RevocationSource::refreshes() noexcept {
  try {
    return refresh().has_value();
  } catch (...) {
    return false;
  }
}

bool RevocationSource::stops_within(Seconds time) {
  const auto deadline = std::chrono::steady_clock::now() + time;
  const MutexLock lock(mutex_);
  while (!stop_) {
    if (stopped_.wait_until(mutex_, deadline) == std::cv_status::timeout) break;
  }
  return stop_;
}

RevocationSource::Status RevocationSource::status() const {
  const MutexLock lock(mutex_);
  const bool fresh = state_.list && *state_.confirmed + settings_.max_age >= clock_.now();
  return {settings_.location, state_.list != nullptr, fresh, state_.list ? state_.list->size() : 0,
          state_.confirmed,   state_.problem};
}

}  // namespace touchmark::verifier::state
