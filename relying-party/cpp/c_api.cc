#include <algorithm>
#include <cstring>
#include <exception>

#include "relying-party/cpp/guard.h"
#include "relying-party/cpp/include/touchmark_check.h"

namespace relying = touchmark::relying;

struct touchmark_guard {
  std::unique_ptr<relying::Guard> guard;
  std::size_t routes = 1;
};

namespace {

std::string_view view(const touchmark_text& text) {
  return text.data == nullptr ? std::string_view() : std::string_view(text.data, text.size);
}

// As much as there is room for, with a NUL at its end.
void put(std::string_view text, char* out, std::size_t size) {
  if (out == nullptr || size == 0) return;
  const std::size_t count = std::min(text.size(), size - 1);
  std::copy_n(text.data(), count, out);
  out[count] = '\0';
}

// Only memory runs out in here, and C must not be unwound.
template <class Work, class Failed>
Failed guarded(Failed failed, char* error, std::size_t error_size, const Work& work) {
  try {
    return work();
  } catch (const std::exception& thrown) {
    put(thrown.what(), error, error_size);
    return failed;
  }
}

touchmark::Result<relying::Route> route_of(const touchmark_route& given) {
  using relying::SettingError;
  relying::Route out;
  const auto bad = [](const char* name, const char* value) {
    return touchmark::fail(SettingError::kBadValue,
                           std::string("the route's ") + name + " cannot be \"" + value + "\"");
  };
  out.pattern = given.pattern == nullptr ? "*" : given.pattern;
  if (given.mode != nullptr) {
    out.mode = relying::mode_named(given.mode);
    if (!out.mode) return bad("mode", given.mode);
  }
  if (given.level != nullptr) {
    out.level = relying::level_named(given.level);
    if (!out.level) return bad("level", given.level);
  }
  if (given.percent != nullptr) {
    const auto percent = relying::parse_percent("the route's percent", given.percent);
    if (!percent) return touchmark::pass(percent);
    out.percent = *percent;
  }
  if (given.binding_headers != nullptr) {
    out.binding_headers.emplace();
    if (*given.binding_headers != '\0') {
      auto names =
          relying::parse_header_names("the route's binding_headers", given.binding_headers);
      if (!names) return touchmark::pass(names);
      out.binding_headers = std::move(*names);
    }
  }
  if (given.single_use != nullptr) {
    const std::string_view text = given.single_use;
    if (text != "yes" && text != "no") return bad("single_use", given.single_use);
    out.single_use = text == "yes";
  }
  return out;
}

// What is said of a check is text of constants, each with a NUL at its end.
template <class Value>
const char* constant(Value value) {
  return to_string(value).data();
}

void fill(const relying::Decision& from, touchmark_decision& out) {
  out.allowed = from.allowed ? 1 : 0;
  out.enforced = from.enforced ? 1 : 0;
  out.preflight = from.reason == relying::Reason::kPreflight ? 1 : 0;
  out.status = constant(from.status());
  out.reason = constant(from.reason);
  out.maker = constant(from.maker);
  out.level = from.level ? constant(*from.level) : nullptr;
  put(from.device.view(), out.device, sizeof out.device);
  out.token_digest[0] = '\0';
  if (!from.token.empty()) {
    put(relying::token_digest(from.token), out.token_digest, sizeof out.token_digest);
  }
}

}  // namespace

extern "C" {

touchmark_guard* touchmark_guard_new(const touchmark_pair* settings, size_t count, char* error,
                                     size_t error_size) {
  return guarded(static_cast<touchmark_guard*>(nullptr), error, error_size,
                 [&]() -> touchmark_guard* {
                   relying::SettingsText text;
                   if (settings == nullptr) text = relying::settings_of_environment();
                   for (size_t i = 0; settings != nullptr && i < count; ++i) {
                     text[std::string(view(settings[i].name))] = view(settings[i].value);
                   }
                   auto read = relying::read_settings(text);
                   if (!read) {
                     put(read.error().message(), error, error_size);
                     return nullptr;
                   }
                   auto guard = relying::Guard::make(std::move(*read));
                   if (!guard) {
                     put(guard.error().message(), error, error_size);
                     return nullptr;
                   }
                   return new touchmark_guard{std::move(*guard)};
                 });
}

void touchmark_guard_free(touchmark_guard* guard) { delete guard; }

int touchmark_guard_add_route(touchmark_guard* guard, const touchmark_route* route, char* error,
                              size_t error_size) {
  return guarded(-1, error, error_size, [&] {
    auto read = route_of(*route);
    if (!read) {
      put(read.error().message(), error, error_size);
      return -1;
    }
    guard->guard->add_route(std::move(*read));
    return static_cast<int>(guard->routes++);
  });
}

int touchmark_guard_check(touchmark_guard* guard, const touchmark_request* request, int route,
                          touchmark_decision* decision) {
  *decision = {};
  decision->status = constant(relying::Status::kMalformed);
  decision->reason = constant(relying::Reason::kNotCompact);
  decision->maker = constant(relying::Maker::kTouchmark);
  if (route < 0 || static_cast<std::size_t>(route) >= guard->routes) return 0;
  return guarded(0, nullptr, 0, [&] {
    // Most requests have fewer, and then nothing is allocated.
    constexpr std::size_t kUsual = 64;
    std::array<relying::Header, kUsual> usual;
    std::vector<relying::Header> more;
    std::span<relying::Header> headers(usual);
    if (request->header_count > kUsual) {
      more.resize(request->header_count);
      headers = more;
    }
    for (std::size_t i = 0; i < request->header_count; ++i) {
      headers[i] = {view(request->headers[i].name), view(request->headers[i].value)};
    }
    const relying::Request asked{view(request->method), headers.first(request->header_count),
                                 view(request->client)};
    fill(guard->guard->check(asked, static_cast<relying::RouteId>(route)), *decision);
    return 1;
  });
}

size_t touchmark_guard_metrics(touchmark_guard* guard, char* out, size_t size) {
  return guarded(size_t{0}, nullptr, 0, [&] {
    const std::string text = guard->guard->metrics();
    put(text, out, size);
    return text.size();
  });
}

}  // extern "C"
