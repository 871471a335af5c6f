#include "verifier/evidence/key_description.h"

#include "base/utf.h"
#include "formats/der_fields.h"
#include "verifier/evidence/authorization_tags.h"

namespace touchmark::verifier::evidence {
namespace {

using List = AuthorizationList;

// A phone's own counts are below ten; a list of more than this many is made to cost time.
constexpr std::size_t kMaxListEntries = 256;

template <class Enum>
Enum read_enum(der::Fields& fields, der::Tag tag, Enum last, std::string_view what) {
  const std::uint64_t number = fields.number(tag);
  if (number <= static_cast<std::uint64_t>(last)) return static_cast<Enum>(number);
  fields.failure().note(KeyDescriptionError::kUnknownValue,
                        std::string(what) + " " + std::to_string(number) + " is not defined");
  return Enum{};
}

SecurityLevel read_security_level(der::Fields& fields) {
  return read_enum(fields, der::kEnumerated, SecurityLevel::kStrongBox, "security level");
}

template <class T>
void add(std::vector<T>& list, T item, der::Failure& failure, const char* what) {
  if (list.size() == kMaxListEntries) failure.note(KeyDescriptionError::kMalformed, what);
  list.push_back(std::move(item));
}

// Readers of the values of tags: each reads within the tag's explicit wrapper.

void read_value(der::Fields& fields, List::Integer& out) { out = fields.number(); }

void read_value(der::Fields& fields, List::IntegerSet& out) {
  der::Fields set = fields.enter(der::kSet);
  out.emplace();
  while (!set.at_end()) {
    add(*out, set.number(), set.failure(), "a set has too many members");
  }
}

void read_value(der::Fields& fields, List::Octets& out) { out = fields.octets(); }

// Flags have the type NULL: being there is their meaning.
void read_value(der::Fields& fields, bool& out) {
  fields.null();
  out = true;
}

void read_value(der::Fields& fields, std::optional<KeyOrigin>& out) {
  out = read_enum(fields, der::kInteger, KeyOrigin::kSecurelyImported, "key origin");
}

void read_value(der::Fields& fields, std::optional<RootOfTrust>& out) {
  der::Fields root = fields.enter(der::kSequence);
  out.emplace();
  out->verified_boot_key = root.octets();
  out->device_locked = root.boolean(/*any_true=*/true);  // some phones write TRUE as 01
  out->verified_boot_state =
      read_enum(root, der::kEnumerated, VerifiedBootState::kFailed, "verified boot state");
  if (auto hash = root.optional(der::kOctetString)) out->verified_boot_hash = hash->content;
  root.finish();
}

bool is_patch_level(std::uint64_t value) {
  std::uint64_t month = value;
  if (value >= 10000000) {
    std::uint64_t day = value % 100;
    if (day > 31) return false;
    month = value / 100;
  }
  return month >= 190001 && month <= 999912 && month % 100 >= 1 && month % 100 <= 12;
}

// AttestationApplicationId is DER within an OCTET STRING.
void read_value(der::Fields& fields, std::optional<AttestationApplicationId>& out) {
  der::Failure& failure = fields.failure();
  der::Fields id = der::Fields::of(fields.octets(), der::kSequence, failure);
  out.emplace();
  for (der::Fields packages = id.enter(der::kSet); !packages.at_end();) {
    der::Fields package = packages.enter(der::kSequence);
    const ByteView name = package.octets();
    const std::uint64_t version = package.number();
    package.finish();
    if (!is_utf8(as_text(name))) {
      failure.note(KeyDescriptionError::kMalformed, "a package name is not UTF-8");
    }
    add(out->packages, {name, version}, failure, "too many packages");
  }
  for (der::Fields digests = id.enter(der::kSet); !digests.at_end();) {
    add(out->signature_digests, digests.octets(), failure, "too many signature digests");
  }
  id.finish();
}

class ListReader {
 public:
  ListReader(std::uint64_t version, std::string_view list_name, std::vector<std::string>& warnings)
      : version_(version), list_name_(list_name), warnings_(warnings) {}

  List read(der::Fields& parent) {
    der::Fields fields = parent.enter(der::kSequence);
    der::Failure& failure = parent.failure();
    List list;
    while (!fields.at_end()) {
      const der::Element element = fields.read();
      if (failure) break;
      if (element.tag != der::context(element.tag.number)) {
        failure.note(KeyDescriptionError::kMalformed,
                     where() + ": " + der::to_string(element.tag) + " is no authorization");
      }
      failure.take(check_order(element.tag.number, list));
      if (!failure) failure.take(read_tag(element, list));
    }
    if (!list.tags_ordered) {
      warn("key-description.tag-order", "the tags are not in ascending order");
    }
    return list;
  }

 private:
  std::string where() const { return std::string(list_name_); }
  void warn(std::string_view id, const std::string& text) {
    warnings_.push_back(std::string(id) + ": " + where() + ": " + text);
  }

  Result<void> check_order(std::uint32_t number, List& list) {
    if (!seen_.empty() && number <= seen_.back()) list.tags_ordered = false;
    for (std::uint32_t other : seen_) {
      if (other == number) {
        return fail(KeyDescriptionError::kDuplicateTag,
                    where() + ": tag " + std::to_string(number) + " stands twice");
      }
    }
    if (seen_.size() == kMaxListEntries) {
      return fail(KeyDescriptionError::kMalformed, where() + ": too many tags");
    }
    seen_.push_back(number);
    return {};
  }

  Result<void> read_tag(const der::Element& element, List& list) {
    const AuthorizationTag* tag = find_authorization_tag(element.tag.number);
    if (tag == nullptr) return read_unknown(element, list);
    der::Failure failure;
    der::Fields value(element.content, failure);
    std::visit([&](auto field) { read_field(value, list, field, *tag); }, tag->field);
    value.finish();
    if (!failure || failure.error().is(KeyDescriptionError::kUnknownValue)) {
      return failure.result();
    }
    return fail(KeyDescriptionError::kMalformedTag,
                where() + ": " + std::string(tag->name) + ": " + failure.error().text());
  }

  template <class Member>
  void read_field(der::Fields& value, List& list, Member List::*field, const AuthorizationTag&) {
    read_value(value, list.*field);
  }
  void read_field(der::Fields& value, List& list, TextField field, const AuthorizationTag&) {
    read_value(value, list.*field.member);
  }
  // A number that is no date is left out: a phone that does not know its level is not malformed.
  void read_field(der::Fields& value, List& list, std::optional<PatchLevel> List::*field,
                  const AuthorizationTag& tag) {
    const std::uint64_t number = value.number();
    if (is_patch_level(number)) {
      list.*field = PatchLevel{static_cast<std::uint32_t>(number)};
    } else if (!value.failure()) {
      warn("key-description.patch-level", std::string(tag.name) + " is not a date");
    }
  }

  Result<void> read_unknown(const der::Element& element, List& list) {
    std::string text = "tag " + std::to_string(element.tag.number) + " is not known";
    if (version_ <= kNewestAttestationVersion) {
      return fail(KeyDescriptionError::kUnknownTag,
                  where() + ": " + text + " in version " + std::to_string(version_));
    }
    warn("key-description.unknown-tag", text);
    list.unknown.emplace_back(element.tag.number, element.content);
    return {};
  }

  std::uint64_t version_;
  std::string_view list_name_;
  std::vector<std::string>& warnings_;
  std::vector<std::uint32_t> seen_;
};

KeyDescription read_description(ByteView extension, der::Failure& failure) {
  der::Fields fields = der::Fields::of(extension, der::kSequence, failure);
  KeyDescription description;
  description.attestation_version = fields.number();
  description.attestation_security_level = read_security_level(fields);
  description.key_mint_version = fields.number();
  description.key_mint_security_level = read_security_level(fields);
  description.attestation_challenge = fields.octets();
  description.unique_id = fields.octets();
  const std::uint64_t version = description.attestation_version;
  description.software_enforced =
      ListReader(version, "softwareEnforced", description.warnings).read(fields);
  description.hardware_enforced =
      ListReader(version, "hardwareEnforced", description.warnings).read(fields);
  fields.finish();
  return description;
}

}  // namespace

std::string_view error_id(KeyDescriptionError error) {
  using enum KeyDescriptionError;
  static constexpr auto kIds = error_table<KeyDescriptionError>({
      {kMalformed, "key-description.malformed"},
      {kMalformedTag, "key-description.malformed-tag"},
      {kDuplicateTag, "key-description.duplicate-tag"},
      {kUnknownTag, "key-description.unknown-tag"},
      {kUnknownValue, "key-description.unknown-value"},
  });
  return kIds[error];
}

std::string_view to_string(SecurityLevel level) {
  switch (level) {
    case SecurityLevel::kSoftware:
      return "SOFTWARE";
    case SecurityLevel::kTrustedEnvironment:
      return "TRUSTED_ENVIRONMENT";
    case SecurityLevel::kStrongBox:
      return "STRONG_BOX";
  }
  return "unknown";
}

std::string_view to_string(VerifiedBootState state) {
  switch (state) {
    case VerifiedBootState::kVerified:
      return "VERIFIED";
    case VerifiedBootState::kSelfSigned:
      return "SELF_SIGNED";
    case VerifiedBootState::kUnverified:
      return "UNVERIFIED";
    case VerifiedBootState::kFailed:
      return "FAILED";
  }
  return "unknown";
}

std::string_view to_string(KeyOrigin origin) {
  switch (origin) {
    case KeyOrigin::kGenerated:
      return "GENERATED";
    case KeyOrigin::kDerived:
      return "DERIVED";
    case KeyOrigin::kImported:
      return "IMPORTED";
    case KeyOrigin::kReserved:
      return "RESERVED";
    case KeyOrigin::kSecurelyImported:
      return "SECURELY_IMPORTED";
  }
  return "unknown";
}

Result<KeyDescription> parse_key_description(ByteView extension) {
  der::Failure failure;
  KeyDescription description = read_description(extension, failure);
  if (!failure) return description;
  const Error& error = failure.error();
  for (KeyDescriptionError own :
       {KeyDescriptionError::kMalformed, KeyDescriptionError::kMalformedTag,
        KeyDescriptionError::kDuplicateTag, KeyDescriptionError::kUnknownTag,
        KeyDescriptionError::kUnknownValue}) {
    if (error.is(own)) return tl::unexpected<Error>(error);
  }
  return fail(KeyDescriptionError::kMalformed, error.text());
}

}  // namespace touchmark::verifier::evidence
