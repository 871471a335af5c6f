// The C interface as a Node-API addon: converts, and judges nothing.
//
// Fetches run on the core's own thread, and their results come back through a thread-safe function.
// What else may wait (opening, closing, the key provider's answer) runs on libuv's pool.
#include <node_api.h>

#include <array>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "attester/include/touchmark.h"
#include "base/mutex.h"

namespace {

struct Failed {};  // an exception is pending in the engine

void check(napi_env env, napi_status status) {
  if (status == napi_ok) return;
  bool pending = false;
  napi_is_exception_pending(env, &pending);
  if (!pending) napi_throw_error(env, nullptr, "the engine refused a call");
  throw Failed();
}

// Runs what throws Failed behind a function that the engine calls.
template <class Work>
napi_value guarded(const Work& work) {
  try {
    return work();
  } catch (const Failed&) {
    return nullptr;
  } catch (const std::exception&) {
    return nullptr;  // short of memory, which the engine ends over itself
  }
}

std::string text_of(napi_env env, napi_value value) {
  size_t size = 0;
  if (napi_get_value_string_utf8(env, value, nullptr, 0, &size) != napi_ok) {
    napi_throw_type_error(env, nullptr, "an argument is no text");
    throw Failed();
  }
  std::string out(size + 1, '\0');
  check(env, napi_get_value_string_utf8(env, value, out.data(), out.size(), &size));
  out.resize(size);
  // A C string ends at a NUL, and what is behind it would not count.
  if (out.find('\0') != std::string::npos) {
    napi_throw_type_error(env, "1", "an argument holds a NUL");
    throw Failed();
  }
  return out;
}

napi_value to_value(napi_env env, const char* text) {
  napi_value out;
  check(env, napi_create_string_utf8(env, text == nullptr ? "" : text, NAPI_AUTO_LENGTH, &out));
  return out;
}

napi_value to_value(napi_env env, double number) {
  napi_value out;
  check(env, napi_create_double(env, number, &out));
  return out;
}

napi_value to_boolean(napi_env env, bool is) {
  napi_value out;
  check(env, napi_get_boolean(env, is, &out));
  return out;
}

void set(napi_env env, napi_value object, const char* name, napi_value value) {
  check(env, napi_set_named_property(env, object, name, value));
}

// An Error whose code is the status.
napi_value error_of(napi_env env, touchmark_status status, const std::string& message) {
  napi_value out;
  check(env, napi_create_error(
                 env, to_value(env, std::to_string(status).c_str()),
                 to_value(env, message.empty() ? touchmark_status_text(status) : message.c_str()),
                 &out));
  return out;
}

// The client, which closes when nothing holds it any longer: neither the script nor a fetch.
struct Handle {
  explicit Handle(touchmark_client* opened) : client(opened) {}

  touchmark::Mutex mutex;
  touchmark_client* client GUARDED_BY(mutex);
  // Calls that are under way, for which the client stays.
  int users GUARDED_BY(mutex) = 0;
  bool closing GUARDED_BY(mutex) = false;
};
using Held = std::shared_ptr<Handle>;

// A call that is under way: the client stays until it ends.
class Call {
 public:
  explicit Call(Handle& handle) : handle_(handle) {
    const touchmark::MutexLock lock(handle_.mutex);
    if (handle_.client == nullptr || handle_.closing) return;
    ++handle_.users;
    client_ = handle_.client;
  }
  ~Call() {
    if (client_ == nullptr) return;
    touchmark_client* last = nullptr;
    {
      const touchmark::MutexLock lock(handle_.mutex);
      if (--handle_.users == 0 && handle_.closing) last = std::exchange(handle_.client, nullptr);
    }
    touchmark_close(last);
  }
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

  // nullptr: it is closed.
  touchmark_client* client() const { return client_; }

 private:
  Handle& handle_;
  touchmark_client* client_ = nullptr;
};

// At once, or when the last call that is under way leaves.
void close_client(Handle& handle) {
  touchmark_client* last = nullptr;
  {
    const touchmark::MutexLock lock(handle.mutex);
    handle.closing = true;
    if (handle.users == 0) last = std::exchange(handle.client, nullptr);
  }
  touchmark_close(last);
}

template <size_t Count>
std::array<napi_value, Count> arguments(napi_env env, napi_callback_info info) {
  std::array<napi_value, Count> out{};
  size_t count = Count;
  check(env, napi_get_cb_info(env, info, &count, out.data(), nullptr, nullptr));
  return out;
}

Held handle_of(napi_env env, napi_value value) {
  void* data = nullptr;
  if (napi_get_value_external(env, value, &data) != napi_ok || data == nullptr) {
    napi_throw_type_error(env, nullptr, "the first argument is no client");
    throw Failed();
  }
  return *static_cast<Held*>(data);
}

// --- What runs on the pool -----------------------------------------------------------------------

// `run` off the main thread, `finish` on it, where it settles the promise.
struct Job {
  napi_async_work work = nullptr;
  napi_deferred deferred = nullptr;
  virtual ~Job() = default;
  virtual void run() = 0;
  virtual void finish(napi_env env) = 0;
};

napi_value start(napi_env env, std::unique_ptr<Job> job) {
  napi_value promise;
  check(env, napi_create_promise(env, &job->deferred, &promise));
  check(env, napi_create_async_work(
                 env, nullptr, to_value(env, "touchmark"),
                 [](napi_env, void* data) { static_cast<Job*>(data)->run(); },
                 [](napi_env done_env, napi_status, void* data) {
                   const std::unique_ptr<Job> done(static_cast<Job*>(data));
                   guarded([&]() -> napi_value {
                     done->finish(done_env);
                     return nullptr;
                   });
                   napi_delete_async_work(done_env, done->work);
                 },
                 job.get(), &job->work));
  check(env, napi_queue_async_work(env, job->work));
  static_cast<void>(job.release());  // the engine's until it has finished
  return promise;
}

struct Open final : Job {
  std::string config, storage_dir, package_path, package_name, platform_json;
  touchmark_client* client = nullptr;
  touchmark_status status = TOUCHMARK_INTERNAL;
  std::string message;

  void run() override {
    touchmark_options options{};
    options.size = sizeof options;
    options.config = config.c_str();
    options.storage_dir = storage_dir.c_str();
    if (!package_path.empty()) options.package_path = package_path.c_str();
    if (!package_name.empty()) options.package_name = package_name.c_str();
    if (!platform_json.empty()) options.platform_json = platform_json.c_str();
    const char* why = nullptr;
    status = touchmark_open(&options, &client, &why);
    if (why != nullptr) message = why;
  }

  void finish(napi_env env) override {
    if (status != TOUCHMARK_OK) {
      check(env, napi_reject_deferred(env, deferred, error_of(env, status, message)));
      return;
    }
    auto held = std::make_unique<Held>(std::make_shared<Handle>(client));
    napi_value external;
    check(env, napi_create_external(
                   env, held.get(),
                   [](napi_env, void* data, void*) {
                     const std::unique_ptr<Held> dropped(static_cast<Held*>(data));
                     close_client(**dropped);
                   },
                   nullptr, &external));
    static_cast<void>(held.release());  // the engine's
    check(env, napi_resolve_deferred(env, deferred, external));
  }
};

struct Close final : Job {
  Held handle;

  void run() override { close_client(*handle); }

  void finish(napi_env env) override {
    napi_value nothing;
    check(env, napi_get_undefined(env, &nothing));
    check(env, napi_resolve_deferred(env, deferred, nothing));
  }
};

struct DeviceId final : Job {
  Held handle;
  std::string id;

  void run() override {
    const Call call(*handle);
    if (call.client() == nullptr) return;
    const char* text = touchmark_device_id(call.client());
    id = text == nullptr ? "" : text;
  }

  void finish(napi_env env) override {
    check(env, napi_resolve_deferred(env, deferred, to_value(env, id.c_str())));
  }
};

// --- Fetching ------------------------------------------------------------------------------------

// A result that outlives the core's.
struct Fetch {
  napi_deferred deferred = nullptr;
  napi_threadsafe_function deliver = nullptr;
  touchmark_status status = TOUCHMARK_INTERNAL;
  std::string token, header, prefix, arc, message;
  bool config_changed = false;
  int64_t expires_in = 0;
};

std::string copy(const char* text) { return text == nullptr ? std::string() : text; }

// On the core's thread.
void fetched(void* context, touchmark_result* result) {
  auto* fetch = static_cast<Fetch*>(context);
  fetch->status = result->status;
  fetch->token = copy(result->token);
  fetch->header = copy(result->header);
  fetch->prefix = copy(result->prefix);
  fetch->arc = copy(result->arc);
  fetch->message = copy(result->message);
  fetch->config_changed = result->config_changed != 0;
  fetch->expires_in = result->expires_in;
  napi_threadsafe_function deliver = fetch->deliver;
  // Not delivered when the engine is shutting down, and with it the promise's script.
  if (napi_call_threadsafe_function(deliver, fetch, napi_tsfn_nonblocking) != napi_ok) delete fetch;
  napi_release_threadsafe_function(deliver, napi_tsfn_release);
}

void deliver(napi_env env, napi_value, void*, void* data) {
  const std::unique_ptr<Fetch> fetch(static_cast<Fetch*>(data));
  if (env == nullptr) return;
  guarded([&]() -> napi_value {
    napi_value out;
    check(env, napi_create_object(env, &out));
    set(env, out, "status", to_value(env, static_cast<double>(fetch->status)));
    set(env, out, "token", to_value(env, fetch->token.c_str()));
    set(env, out, "headerName", to_value(env, fetch->header.c_str()));
    set(env, out, "headerValue", to_value(env, (fetch->prefix + fetch->token).c_str()));
    set(env, out, "arc", to_value(env, fetch->arc.c_str()));
    set(env, out, "message", to_value(env, fetch->message.c_str()));
    set(env, out, "configChanged", to_boolean(env, fetch->config_changed));
    set(env, out, "expiresIn", to_value(env, static_cast<double>(fetch->expires_in)));
    check(env, napi_resolve_deferred(env, fetch->deferred, out));
    return nullptr;
  });
}

// --- What scripts call ---------------------------------------------------------------------------

// open({config, storageDir, packagePath, packageName, platform}) -> Promise of a client
napi_value open(napi_env env, napi_callback_info info) {
  return guarded([&] {
    const auto [options] = arguments<1>(env, info);
    auto job = std::make_unique<Open>();
    const std::pair<const char*, std::string*> members[] = {
        {"config", &job->config},
        {"storageDir", &job->storage_dir},
        {"packagePath", &job->package_path},
        {"packageName", &job->package_name},
        {"platform", &job->platform_json},
    };
    for (const auto& [name, to] : members) {
      napi_value value;
      check(env, napi_get_named_property(env, options, name, &value));
      napi_valuetype type = napi_undefined;
      check(env, napi_typeof(env, value, &type));
      if (type != napi_undefined) *to = text_of(env, value);
    }
    return start(env, std::move(job));
  });
}

// close(client) -> Promise; running fetches end with the status CLOSED
napi_value close(napi_env env, napi_callback_info info) {
  return guarded([&] {
    auto job = std::make_unique<Close>();
    job->handle = handle_of(env, arguments<1>(env, info)[0]);
    return start(env, std::move(job));
  });
}

// fetchToken(client, url, binding) -> Promise of a result
napi_value fetch_token(napi_env env, napi_callback_info info) {
  return guarded([&] {
    const auto [client, url_value, binding_value] = arguments<3>(env, info);
    const Held handle = handle_of(env, client);
    const std::string url = text_of(env, url_value);
    const std::string binding = text_of(env, binding_value);
    auto fetch = std::make_unique<Fetch>();
    napi_value promise;
    check(env, napi_create_promise(env, &fetch->deferred, &promise));
    check(env,
          napi_create_threadsafe_function(env, nullptr, nullptr, to_value(env, "touchmark"), 0, 1,
                                          nullptr, nullptr, nullptr, deliver, &fetch->deliver));
    touchmark_status status = TOUCHMARK_CLOSED;
    if (const Call call(*handle); call.client() != nullptr) {
      status = touchmark_fetch_token_async(call.client(), url.c_str(), binding.c_str(), fetched,
                                           fetch.get());
    }
    if (status == TOUCHMARK_OK) {
      static_cast<void>(fetch.release());  // the core's, until it has delivered it
      return promise;
    }
    napi_threadsafe_function unused = fetch->deliver;
    fetch->status = status;
    fetch->message = touchmark_status_text(status);
    deliver(env, nullptr, nullptr, fetch.release());
    check(env, napi_release_threadsafe_function(unused, napi_tsfn_release));
    return promise;
  });
}

napi_value discard_tokens(napi_env env, napi_callback_info info) {
  return guarded([&]() -> napi_value {
    const Held handle = handle_of(env, arguments<1>(env, info)[0]);
    const Call call(*handle);
    if (call.client() != nullptr) touchmark_discard_tokens(call.client());
    return nullptr;
  });
}

napi_value is_protected(napi_env env, napi_callback_info info) {
  return guarded([&] {
    const auto [value, host] = arguments<2>(env, info);
    const Held handle = handle_of(env, value);
    const std::string name = text_of(env, host);
    const Call call(*handle);
    // Closed: as where the SDK cannot be used.
    const bool is =
        call.client() == nullptr || touchmark_is_protected(call.client(), name.c_str()) != 0;
    return to_boolean(env, is);
  });
}

napi_value device_id(napi_env env, napi_callback_info info) {
  return guarded([&] {
    auto job = std::make_unique<DeviceId>();
    job->handle = handle_of(env, arguments<1>(env, info)[0]);
    return start(env, std::move(job));
  });
}

napi_value config_version(napi_env env, napi_callback_info info) {
  return guarded([&] {
    const Held handle = handle_of(env, arguments<1>(env, info)[0]);
    const Call call(*handle);
    if (call.client() == nullptr) return to_value(env, 0.0);
    return to_value(env, static_cast<double>(touchmark_config_version(call.client())));
  });
}

// pinAllows(client, host, [certificate, ...]) -> boolean: of the DER certificates that a peer sent
napi_value pin_allows(napi_env env, napi_callback_info info) {
  return guarded([&] {
    const auto [value, host_value, list] = arguments<3>(env, info);
    const Held handle = handle_of(env, value);
    const std::string host = text_of(env, host_value);
    uint32_t count = 0;
    check(env, napi_get_array_length(env, list, &count));
    std::vector<const void*> certificates(count);
    std::vector<size_t> sizes(count);
    for (uint32_t i = 0; i < count; ++i) {
      napi_value one;
      check(env, napi_get_element(env, list, i, &one));
      void* data = nullptr;
      if (napi_get_buffer_info(env, one, &data, &sizes[i]) != napi_ok) {
        napi_throw_type_error(env, nullptr, "a certificate is no Buffer");
        throw Failed();
      }
      certificates[i] = data;
    }
    std::vector<std::array<uint8_t, 32>> pins(count);
    auto* digests = reinterpret_cast<uint8_t(*)[32]>(pins.data());
    const size_t found = touchmark_chain_pins(certificates.data(), sizes.data(), count, digests);
    const Call call(*handle);
    const bool allows = call.client() != nullptr &&
                        touchmark_pin_allows(call.client(), host.c_str(), digests, found) != 0;
    return to_boolean(env, allows);
  });
}

napi_value same_host(napi_env env, napi_callback_info info) {
  return guarded([&] {
    const auto [url, other] = arguments<2>(env, info);
    const bool same =
        touchmark_same_host(text_of(env, url).c_str(), text_of(env, other).c_str()) != 0;
    return to_boolean(env, same);
  });
}

napi_value version(napi_env env, napi_callback_info) {
  return guarded([&] { return to_value(env, touchmark_version()); });
}

napi_value status_text(napi_env env, napi_callback_info info) {
  return guarded([&] {
    int32_t status = 0;
    check(env, napi_get_value_int32(env, arguments<1>(env, info)[0], &status));
    return to_value(env, touchmark_status_text(static_cast<touchmark_status>(status)));
  });
}

}  // namespace

NAPI_MODULE_INIT() {
  return guarded([&] {
    const std::pair<const char*, napi_callback> functions[] = {
        {"open", open},
        {"close", close},
        {"fetchToken", fetch_token},
        {"discardTokens", discard_tokens},
        {"isProtected", is_protected},
        {"deviceId", device_id},
        {"configVersion", config_version},
        {"pinAllows", pin_allows},
        {"sameHost", same_host},
        {"version", version},
        {"statusText", status_text},
    };
    for (const auto& [name, function] : functions) {
      napi_value value;
      check(env, napi_create_function(env, name, NAPI_AUTO_LENGTH, function, nullptr, &value));
      set(env, exports, name, value);
    }
    return exports;
  });
}
