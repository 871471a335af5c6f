// What the service could not read of its store when it started, and went on without.
#pragma once

#include <string>
#include <vector>

#include "verifier/store/store.h"

namespace touchmark::verifier::state {

struct LoadNote {
  std::string what;    // "registration 0123456789abcdef"
  std::string error;   // "store.corrupt: ..."
  std::string advice;  // what became of it, and what the operator can do
};

using LoadNotes = std::vector<LoadNote>;

// Notes each row of one kind, with the same advice.
inline store::OnUnreadable note_rows(LoadNotes& notes, std::string kind, std::string advice) {
  return [&notes, kind = std::move(kind), advice = std::move(advice)](const std::string& what,
                                                                      const Error& why) {
    notes.push_back({kind + " " + what, why.text(), advice});
  };
}

}  // namespace touchmark::verifier::state
