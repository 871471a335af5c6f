// The table of authorization tags: number, the schema's name, and where the value goes. Reading and
// printing both follow it, so a tag is described in one place.
#pragma once

#include <span>
#include <variant>

#include "verifier/evidence/key_description.h"

namespace touchmark::verifier::evidence {

// For byte strings that are text: printed as such where they are UTF-8.
struct TextField {
  AuthorizationList::Octets AuthorizationList::*member;
};

struct AuthorizationTag {
  std::uint32_t number;
  std::string_view name;
  std::variant<AuthorizationList::Integer AuthorizationList::*,
               AuthorizationList::IntegerSet AuthorizationList::*,
               AuthorizationList::Octets AuthorizationList::*, TextField, bool AuthorizationList::*,
               std::optional<KeyOrigin> AuthorizationList::*,
               std::optional<RootOfTrust> AuthorizationList::*,
               std::optional<PatchLevel> AuthorizationList::*,
               std::optional<AttestationApplicationId> AuthorizationList::*>
      field;
};

// In ascending order of number.
std::span<const AuthorizationTag> authorization_tags();
// nullptr when no version has the tag.
const AuthorizationTag* find_authorization_tag(std::uint32_t number);

}  // namespace touchmark::verifier::evidence
