// JSON from outside, read without a tree: two blocks of memory hold a whole document. What
// parse_json() takes, parse_json_document() takes, as the same value; what one refuses, the other
// refuses with the same error. For what every attestation reads; all else reads a Json.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"
#include "base/json.h"

namespace touchmark {

class JsonView;

// Immutable. A view of it ends when it is moved or destroyed.
class JsonDocument {
 public:
  // The value of `tree`.
  explicit JsonDocument(const Json& tree);
  JsonView root() const;

 private:
  friend class JsonView;
  friend class PlainJson;
  friend Result<JsonDocument> parse_json_document(std::string text, JsonLimits limits);

  enum class Kind : std::uint8_t {
    kNull,
    kBoolean,
    kInteger,  // below zero
    kUnsigned,
    kFloat,
    kString,
    kArray,
    kObject,
  };
  struct Slice {
    std::uint32_t begin;
    std::uint32_t size;
  };
  struct Node {
    Slice name{};  // of text_; of a member
    union {
      Slice slice{};  // kString: of text_. kArray, kObject: of nodes_
      std::int64_t integer;
      std::uint64_t natural;
      double real;
      bool truth;
    };
    Kind kind = Kind::kNull;
  };

  JsonDocument() = default;
  std::string_view text(Slice slice) const {
    return std::string_view(text_).substr(slice.begin, slice.size);
  }
  Slice keep(std::string_view text);
  Node node_of(const Json& tree);

  std::string text_;
  std::vector<Node> nodes_;  // children of one value lie side by side, members by name
  Node root_;
};

// A value in a document.
class JsonView {
 public:
  bool is_boolean() const { return is(Kind::kBoolean); }
  bool is_integer() const { return is(Kind::kInteger) || is(Kind::kUnsigned); }
  bool is_unsigned() const { return is(Kind::kUnsigned); }
  bool is_string() const { return is(Kind::kString); }
  bool is_array() const { return is(Kind::kArray); }
  bool is_object() const { return is(Kind::kObject); }

  std::string_view name() const { return document_->text(node_->name); }   // of a member
  std::string_view text() const { return document_->text(node_->slice); }  // of a string
  std::uint64_t natural() const { return node_->natural; }                 // if is_unsigned()
  std::int64_t integer() const { return node_->integer; }                  // if is_integer()
  std::size_t size() const;                      // elements or members; 0 of what has neither
  JsonView operator[](std::size_t index) const;  // index < size()
  // nullopt: there is no such member, or this is no object.
  std::optional<JsonView> find(std::string_view name) const;
  Json to_json() const;

  // Elements in their order, members in the order of their names.
  class Iterator {
   public:
    Iterator(const JsonView& of, std::size_t index) : of_(&of), index_(index) {}
    JsonView operator*() const { return (*of_)[index_]; }
    Iterator& operator++() {
      ++index_;
      return *this;
    }
    bool operator==(const Iterator&) const = default;

   private:
    const JsonView* of_;
    std::size_t index_;
  };
  Iterator begin() const { return {*this, 0}; }
  Iterator end() const { return {*this, size()}; }

 private:
  friend class JsonDocument;
  using Kind = JsonDocument::Kind;
  using Node = JsonDocument::Node;

  JsonView(const JsonDocument& document, const Node& node) : document_(&document), node_(&node) {}
  bool is(Kind kind) const { return node_->kind == kind; }

  const JsonDocument* document_;
  const Node* node_;
};

// Never throws; fails as parse_json() does.
Result<JsonDocument> parse_json_document(std::string text, JsonLimits limits = {});

// As those of json.h.
Result<std::string> get_string(JsonView object, const char* name, std::size_t max_bytes = 4096);
Result<std::int64_t> get_int(JsonView object, const char* name, std::int64_t min, std::int64_t max);
Result<Bytes> get_base64url(JsonView object, const char* name, std::size_t max_bytes = 4096);
// The text of a member, when it is there and a string.
std::optional<std::string_view> find_string(JsonView object, const char* name);
std::optional<JsonView> find_object(JsonView object, const char* name);
std::optional<JsonView> find_array(JsonView object, const char* name);

}  // namespace touchmark
