// Writes property lists for tests.
#pragma once

#include <string>
#include <string_view>

namespace touchmark::testing {

inline std::string xml_plist(std::string_view content) {
  return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST "
         "1.0//EN\" \"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">\n<plist "
         "version=\"1.0\">\n" +
         std::string(content) + "\n</plist>\n";
}

}  // namespace touchmark::testing
