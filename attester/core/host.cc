#include "attester/core/host.h"

#include <curl/curl.h>

#include <memory>

namespace touchmark::attester {

std::optional<protocol::HostPort> parse_https_url(const std::string& url) {
  // libcurl's own parser: the host that is looked up here is the host that it would connect to.
  const std::unique_ptr<CURLU, decltype(&curl_url_cleanup)> parsed(curl_url(), curl_url_cleanup);
  if (!parsed || curl_url_set(parsed.get(), CURLUPART_URL, url.c_str(), 0) != CURLUE_OK) {
    return std::nullopt;
  }
  const auto part = [&parsed](CURLUPart which, unsigned flags) -> std::string {
    char* text = nullptr;
    if (curl_url_get(parsed.get(), which, &text, flags) != CURLUE_OK) return {};
    std::string out(text);
    curl_free(text);
    return out;
  };
  if (part(CURLUPART_SCHEME, 0) != "https") return std::nullopt;
  return protocol::parse_host_port(part(CURLUPART_HOST, CURLU_URLDECODE) + ":" +
                                   part(CURLUPART_PORT, CURLU_DEFAULT_PORT));
}

}  // namespace touchmark::attester
