#include "base/json_document.h"

#include <algorithm>

#include "base/encoding.h"
#include "base/plain_json.h"

namespace touchmark {
namespace {

std::string member_name(const char* name) { return "member \"" + std::string(name) + "\""; }

Result<JsonView> get_member(JsonView object, const char* name) {
  if (!object.is_object()) return fail(JsonError::kWrongType, "not an object");
  const auto found = object.find(name);
  if (!found) return fail(JsonError::kMissingMember, member_name(name) + " is missing");
  return *found;
}

Result<std::string_view> get_text(JsonView object, const char* name, std::size_t max_bytes) {
  const auto value = get_member(object, name);
  if (!value) return pass(value);
  if (!value->is_string()) {
    return fail(JsonError::kWrongType, member_name(name) + " is not a string");
  }
  const std::string_view text = value->text();
  if (text.size() > max_bytes) {
    return fail(JsonError::kTooLarge,
                member_name(name) + " is over " + std::to_string(max_bytes) + " bytes");
  }
  return text;
}

}  // namespace

// --- Documents -----------------------------------------------------------------------------------

JsonDocument::JsonDocument(const Json& tree) : root_(node_of(tree)) {}

JsonDocument::Slice JsonDocument::keep(std::string_view text) {
  const auto begin = static_cast<std::uint32_t>(text_.size());
  text_ += text;
  return {begin, static_cast<std::uint32_t>(text.size())};
}

JsonDocument::Node JsonDocument::node_of(const Json& tree) {
  Node out;
  std::vector<Node> children;
  switch (tree.type()) {
    case Json::value_t::boolean:
      out.kind = Kind::kBoolean;
      out.truth = tree.get<bool>();
      return out;
    case Json::value_t::number_integer:
      out.kind = Kind::kInteger;
      out.integer = tree.get<std::int64_t>();
      return out;
    case Json::value_t::number_unsigned:
      out.kind = Kind::kUnsigned;
      out.natural = tree.get<std::uint64_t>();
      return out;
    case Json::value_t::number_float:
      out.kind = Kind::kFloat;
      out.real = tree.get<double>();
      return out;
    case Json::value_t::string:
      out.kind = Kind::kString;
      out.slice = keep(tree.get_ref<const std::string&>());
      return out;
    case Json::value_t::array:
      out.kind = Kind::kArray;
      for (const Json& element : tree) children.push_back(node_of(element));
      break;
    case Json::value_t::object:
      out.kind = Kind::kObject;
      for (const auto& [name, value] : tree.get_ref<const Json::object_t&>()) {
        Node child = node_of(value);
        child.name = keep(name);
        children.push_back(child);
      }
      break;
    default:
      return out;
  }
  out.slice = {static_cast<std::uint32_t>(nodes_.size()),
               static_cast<std::uint32_t>(children.size())};
  nodes_.insert(nodes_.end(), children.begin(), children.end());
  return out;
}

JsonView JsonDocument::root() const { return {*this, root_}; }

Result<JsonDocument> parse_json_document(std::string text, JsonLimits limits) {
  // Whatever is unusual, its size among it, goes the other way.
  if (text.size() <= limits.max_bytes) {
    if (auto plain = PlainJson::read(text, limits.max_depth)) return std::move(*plain);
  }
  const auto tree = parse_json(text, limits);
  if (!tree) return pass(tree);
  return JsonDocument(*tree);
}

// --- Values --------------------------------------------------------------------------------------

std::size_t JsonView::size() const { return is_array() || is_object() ? node_->slice.size : 0; }

JsonView JsonView::operator[](std::size_t index) const {
  return {*document_, document_->nodes_[node_->slice.begin + index]};
}

std::optional<JsonView> JsonView::find(std::string_view name) const {
  if (!is_object()) return std::nullopt;
  const auto begin = document_->nodes_.begin() + static_cast<std::ptrdiff_t>(node_->slice.begin);
  const auto end = begin + static_cast<std::ptrdiff_t>(node_->slice.size);
  const auto found = std::lower_bound(begin, end, name, [this](const Node& node, auto wanted) {
    return document_->text(node.name) < wanted;
  });
  if (found == end || document_->text(found->name) != name) return std::nullopt;
  return JsonView(*document_, *found);
}

Json JsonView::to_json() const {
  switch (node_->kind) {
    case Kind::kNull:
      return nullptr;
    case Kind::kBoolean:
      return node_->truth;
    case Kind::kInteger:
      return node_->integer;
    case Kind::kUnsigned:
      return node_->natural;
    case Kind::kFloat:
      return node_->real;
    case Kind::kString:
      return text();
    case Kind::kArray: {
      Json::array_t out;
      out.reserve(size());
      for (const JsonView element : *this) out.push_back(element.to_json());
      return out;
    }
    case Kind::kObject: {
      Json::object_t out;
      for (const JsonView member : *this) {
        out.emplace_hint(out.end(), member.name(), member.to_json());
      }
      return out;
    }
  }
  return nullptr;
}

// --- Members -------------------------------------------------------------------------------------

Result<std::string> get_string(JsonView object, const char* name, std::size_t max_bytes) {
  const auto text = get_text(object, name, max_bytes);
  if (!text) return pass(text);
  return std::string(*text);
}

Result<std::int64_t> get_int(JsonView object, const char* name, std::int64_t min,
                             std::int64_t max) {
  const auto value = get_member(object, name);
  if (!value) return pass(value);
  if (!value->is_integer()) {
    return fail(JsonError::kWrongType, member_name(name) + " is not an integer");
  }
  // Over the signed range a number is held as unsigned.
  const bool over =
      value->is_unsigned() && value->natural() > static_cast<std::uint64_t>(INT64_MAX);
  const std::int64_t number = over                   ? 0
                              : value->is_unsigned() ? static_cast<std::int64_t>(value->natural())
                                                     : value->integer();
  if (over || number < min || number > max) {
    return fail(JsonError::kOutOfRange, member_name(name) + " is not within " +
                                            std::to_string(min) + " and " + std::to_string(max));
  }
  return number;
}

Result<Bytes> get_base64url(JsonView object, const char* name, std::size_t max_bytes) {
  const auto text = get_text(object, name, max_bytes / 3 * 4 + 4);
  if (!text) return pass(text);
  auto bytes = base64url_decode(*text);
  if (!bytes) {
    return fail(JsonError::kWrongType,
                member_name(name) + " is not base64url: " + bytes.error().message());
  }
  if (bytes->size() > max_bytes) {
    return fail(JsonError::kTooLarge,
                member_name(name) + " is over " + std::to_string(max_bytes) + " bytes");
  }
  return bytes;
}

std::optional<std::string_view> find_string(JsonView object, const char* name) {
  const auto value = object.find(name);
  return value && value->is_string() ? std::optional(value->text()) : std::nullopt;
}

std::optional<JsonView> find_object(JsonView object, const char* name) {
  const auto value = object.find(name);
  return value && value->is_object() ? value : std::nullopt;
}

std::optional<JsonView> find_array(JsonView object, const char* name) {
  const auto value = object.find(name);
  return value && value->is_array() ? value : std::nullopt;
}

}  // namespace touchmark
