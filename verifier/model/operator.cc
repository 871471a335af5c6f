#include "verifier/model/operator.h"

namespace touchmark::verifier::model {

std::string_view to_string(Role role) { return role == Role::kAdmin ? "admin" : "developer"; }

}  // namespace touchmark::verifier::model
