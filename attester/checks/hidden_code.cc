// Code that the loader knows and the kernel's list of memory does not show: somebody keeps lines
// out of what this process reads.
#include <algorithm>

#include "attester/checks/check.h"

namespace touchmark::attester::checks {
namespace {

bool is_shown(const std::vector<Mapping>& maps, const ListedLibrary& library) {
  const Mapping* mapping = find_mapping(maps, library.code);
  return mapping != nullptr && mapping->executable;
}

// Libraries come and go while the checks look: both lists once more, the loader's first. A library
// that is in both of the loader's was loaded all the time.
bool stays_hidden(const Context& context, const ListedLibrary& library) {
  const std::vector<ListedLibrary> now = context.libraries();
  const bool listed = std::ranges::any_of(
      now, [&library](const ListedLibrary& other) { return other.code == library.code; });
  if (!listed) return false;
  const Result<std::vector<Mapping>> maps = read_maps(context.kernel);
  if (!maps || is_shown(*maps, library)) return false;
  const std::vector<ListedLibrary> after = context.libraries();
  return std::ranges::any_of(
      after, [&library](const ListedLibrary& other) { return other.code == library.code; });
}

}  // namespace

void check_hidden_code(const Context& context, Findings& out) {
  if (!context.libraries) return;
  for (const ListedLibrary& library : context.libraries()) {
    if (is_shown(context.maps, library) || !stays_hidden(context, library)) continue;
    report(out, protocol::FindingId::kHookHiddenCode,
           library.name + " at " + hex_text(library.code) + " is in no line of the list");
  }
}

}  // namespace touchmark::attester::checks
