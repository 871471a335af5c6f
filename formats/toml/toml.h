// The TOML library, with the settings that every source of this tree must share: it is headers
// only, and two settings in one program would be two definitions of the same functions.
#pragma once

// Errors come back as values; what the parser may nest is bounded.
#define TOML_EXCEPTIONS 0
#define TOML_MAX_NESTED_VALUES 16
// The parser asserts what a document can break ("[+a]") just before it reports it as an error.
// Without the assertions the error is left; with NDEBUG, clang would take them for facts.
#pragma push_macro("NDEBUG")
#undef NDEBUG
#define TOML_ASSERT(expr) static_assert(true)
#include <toml++/toml.h>
#pragma pop_macro("NDEBUG")
