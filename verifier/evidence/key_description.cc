#include "verifier/evidence/key_description.h"

#include "base/utf.h"
#include "verifier/evidence/authorization_tags.h"

namespace touchmark::verifier::evidence {
namespace {

using List = AuthorizationList;

// A phone's own counts are below ten; a list of more than this many is made to cost time.
constexpr std::size_t kMaxListEntries = 256;

Result<std::uint64_t> read_number(der::Reader& reader, der::Tag tag) {
  auto element = reader.read(tag);
  if (!element) return pass(element);
  return der::decode_uint64(element->content);
}

template <class Enum>
Result<Enum> to_enum(std::uint64_t number, Enum last, std::string_view what) {
  if (number > static_cast<std::uint64_t>(last)) {
    return fail(KeyDescriptionError::kUnknownValue,
                std::string(what) + " " + std::to_string(number) + " is not defined");
  }
  return static_cast<Enum>(number);
}

Result<SecurityLevel> read_security_level(der::Reader& reader) {
  auto number = read_number(reader, der::kEnumerated);
  if (!number) return pass(number);
  return to_enum(*number, SecurityLevel::kStrongBox, "security level");
}

// Readers of the values of tags: each takes the content of the tag's explicit wrapper.

Result<void> read_value(der::Reader& reader, List::Integer& out) {
  auto number = read_number(reader, der::kInteger);
  if (!number) return pass(number);
  out = *number;
  return {};
}

Result<void> read_value(der::Reader& reader, List::IntegerSet& out) {
  auto set = reader.enter(der::kSet);
  if (!set) return pass(set);
  out.emplace();
  while (!set->at_end()) {
    auto number = read_number(*set, der::kInteger);
    if (!number) return pass(number);
    if (out->size() == kMaxListEntries) {
      return fail(KeyDescriptionError::kMalformed, "a set has too many members");
    }
    out->push_back(*number);
  }
  return {};
}

Result<void> read_value(der::Reader& reader, List::Octets& out) {
  auto octets = reader.read(der::kOctetString);
  if (!octets) return pass(octets);
  out = octets->content;
  return {};
}

// Flags have the type NULL: being there is their meaning.
Result<void> read_value(der::Reader& reader, bool& out) {
  auto null = reader.read(der::kNull);
  if (!null) return pass(null);
  out = true;
  return der::decode_null(null->content);
}

Result<void> read_value(der::Reader& reader, std::optional<KeyOrigin>& out) {
  auto number = read_number(reader, der::kInteger);
  if (!number) return pass(number);
  auto origin = to_enum(*number, KeyOrigin::kSecurelyImported, "key origin");
  if (!origin) return pass(origin);
  out = *origin;
  return {};
}

Result<void> read_value(der::Reader& reader, std::optional<RootOfTrust>& out) {
  auto fields = reader.enter(der::kSequence);
  if (!fields) return pass(fields);
  RootOfTrust root;
  auto key = fields->read(der::kOctetString);
  if (!key) return pass(key);
  root.verified_boot_key = key->content;
  auto locked = fields->read(der::kBoolean);
  if (!locked) return pass(locked);
  // Some phones write TRUE as 01.
  auto is_locked = der::decode_boolean(locked->content, /*any_true=*/true);
  if (!is_locked) return pass(is_locked);
  root.device_locked = *is_locked;
  auto number = read_number(*fields, der::kEnumerated);
  if (!number) return pass(number);
  auto state = to_enum(*number, VerifiedBootState::kFailed, "verified boot state");
  if (!state) return pass(state);
  root.verified_boot_state = *state;
  auto hash = fields->read_optional(der::kOctetString);
  if (!hash) return pass(hash);
  if (*hash) root.verified_boot_hash = (*hash)->content;
  out = root;
  return fields->finish();
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

// A number that is no date is left out: a phone that does not know its level is not malformed.
Result<bool> read_patch_level(der::Reader& reader, std::optional<PatchLevel>& out) {
  auto number = read_number(reader, der::kInteger);
  if (!number) return pass(number);
  if (!is_patch_level(*number)) return false;
  out = PatchLevel{static_cast<std::uint32_t>(*number)};
  return true;
}

Result<void> read_packages(der::Reader& reader, AttestationApplicationId& out) {
  auto set = reader.enter(der::kSet);
  if (!set) return pass(set);
  while (!set->at_end()) {
    auto fields = set->enter(der::kSequence);
    if (!fields) return pass(fields);
    auto name = fields->read(der::kOctetString);
    if (!name) return pass(name);
    auto version = read_number(*fields, der::kInteger);
    if (!version) return pass(version);
    if (auto end = fields->finish(); !end) return end;
    if (!is_utf8(as_text(name->content)) || out.packages.size() == kMaxListEntries) {
      return fail(KeyDescriptionError::kMalformed, "a package name is not UTF-8, or too many");
    }
    out.packages.push_back({name->content, *version});
  }
  return {};
}

// AttestationApplicationId is DER within an OCTET STRING.
Result<void> read_value(der::Reader& reader, std::optional<AttestationApplicationId>& out) {
  auto octets = reader.read(der::kOctetString);
  if (!octets) return pass(octets);
  auto outer = der::parse(octets->content, der::kSequence);
  if (!outer) return pass(outer);
  der::Reader fields(outer->content);
  AttestationApplicationId id;
  if (auto packages = read_packages(fields, id); !packages) return packages;
  auto digests = fields.enter(der::kSet);
  if (!digests) return pass(digests);
  while (!digests->at_end()) {
    auto digest = digests->read(der::kOctetString);
    if (!digest) return pass(digest);
    if (id.signature_digests.size() == kMaxListEntries) {
      return fail(KeyDescriptionError::kMalformed, "too many signature digests");
    }
    id.signature_digests.push_back(digest->content);
  }
  out = std::move(id);
  return fields.finish();
}

class ListReader {
 public:
  ListReader(std::uint64_t version, std::string_view list_name, std::vector<std::string>& warnings)
      : version_(version), list_name_(list_name), warnings_(warnings) {}

  Result<List> read(der::Reader& parent) {
    auto reader = parent.enter(der::kSequence);
    if (!reader) return pass(reader);
    List list;
    while (!reader->at_end()) {
      auto element = reader->read();
      if (!element) return pass(element);
      if (element->tag != der::context(element->tag.number)) {
        return fail(KeyDescriptionError::kMalformed,
                    where() + ": " + der::to_string(element->tag) + " is no authorization");
      }
      if (auto order = check_order(element->tag.number, list); !order) return pass(order);
      if (auto read = read_tag(*element, list); !read) return pass(read);
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
    der::Reader value(element.content);
    auto read =
        std::visit([&](auto field) { return read_field(value, list, field, *tag); }, tag->field);
    if (read) read = value.finish();
    if (read || read.error().is(KeyDescriptionError::kUnknownValue)) return read;
    return fail(KeyDescriptionError::kMalformedTag,
                where() + ": " + std::string(tag->name) + ": " + read.error().text());
  }

  template <class Member>
  Result<void> read_field(der::Reader& value, List& list, Member List::*field,
                          const AuthorizationTag&) {
    return read_value(value, list.*field);
  }
  Result<void> read_field(der::Reader& value, List& list, TextField field,
                          const AuthorizationTag&) {
    return read_value(value, list.*field.member);
  }
  Result<void> read_field(der::Reader& value, List& list, std::optional<PatchLevel> List::*field,
                          const AuthorizationTag& tag) {
    auto is_date = read_patch_level(value, list.*field);
    if (!is_date) return pass(is_date);
    if (!*is_date) {
      warn("key-description.patch-level", std::string(tag.name) + " is not a date");
    }
    return {};
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

Result<KeyDescription> read_description(ByteView extension) {
  auto outer = der::parse(extension, der::kSequence);
  if (!outer) return pass(outer);
  der::Reader reader(outer->content);
  KeyDescription description;
  auto version = read_number(reader, der::kInteger);
  if (!version) return pass(version);
  description.attestation_version = *version;
  auto attestation_level = read_security_level(reader);
  if (!attestation_level) return pass(attestation_level);
  description.attestation_security_level = *attestation_level;
  auto key_mint_version = read_number(reader, der::kInteger);
  if (!key_mint_version) return pass(key_mint_version);
  description.key_mint_version = *key_mint_version;
  auto key_mint_level = read_security_level(reader);
  if (!key_mint_level) return pass(key_mint_level);
  description.key_mint_security_level = *key_mint_level;
  for (ByteView* octets : {&description.attestation_challenge, &description.unique_id}) {
    auto element = reader.read(der::kOctetString);
    if (!element) return pass(element);
    *octets = element->content;
  }
  ListReader software(*version, "softwareEnforced", description.warnings);
  auto software_list = software.read(reader);
  if (!software_list) return pass(software_list);
  description.software_enforced = std::move(*software_list);
  ListReader hardware(*version, "hardwareEnforced", description.warnings);
  auto hardware_list = hardware.read(reader);
  if (!hardware_list) return pass(hardware_list);
  description.hardware_enforced = std::move(*hardware_list);
  if (auto end = reader.finish(); !end) return pass(end);
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
  auto description = read_description(extension);
  if (description) return description;
  const Error& error = description.error();
  for (KeyDescriptionError own :
       {KeyDescriptionError::kMalformed, KeyDescriptionError::kMalformedTag,
        KeyDescriptionError::kDuplicateTag, KeyDescriptionError::kUnknownTag,
        KeyDescriptionError::kUnknownValue}) {
    if (error.is(own)) return description;
  }
  return fail(KeyDescriptionError::kMalformed, error.text());
}

}  // namespace touchmark::verifier::evidence
