// Where Java's methods lead: what ART records of them (ArtMethod), and the tables of functions that
// native code calls Java by.
//
// No header of ART's is public, and its record of a method changed five times from API 23 to 30 and
// may change with any update of its module. So the layout is not believed, it is found: of the
// SDK's own native methods it is known which function stands in each record, and the place where
// most records hold theirs is the place. The word behind it is, in all versions, where compiled
// code enters the method. Where no place is found the version's known one serves, if what stands
// there can be code at all; else nothing is said.
#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "attester/checks/check.h"

namespace touchmark::attester::checks {
namespace {

using protocol::FindingId;

constexpr std::uint32_t kNative = 0x100;  // java.lang.reflect.Modifier.NATIVE
constexpr std::size_t kRecordSize = 64;   // no version's is longer

// Where art/runtime/art_method.h has the function of a native method, up to the given level.
struct KnownLayout {
  int last_level;
  std::size_t before;  // bytes before the pointers, rounded up to a pointer's size
  std::size_t word;    // which of the pointers
};
constexpr std::array<KnownLayout, 5> kKnown = {
    {{23, 28, 1}, {25, 20, 2}, {27, 20, 1}, {29, 20, 0}, {1000, 16, 0}}};

// Libraries that run code of another processor. What they give native code for JNI is theirs, as is
// what they give ART for a native method, and leads into memory that they write.
constexpr std::array<std::string_view, 3> kTranslators = {"libhoudini.so", "libndk_translation.so",
                                                          "libnb.so"};

struct Record {
  const JavaMethod* method = nullptr;
  Bytes bytes;
};

class JavaCheck {
 public:
  JavaCheck(const Context& context, Findings& out)
      : context_(context),
        out_(out),
        word_(pointer_size(context.rules.machine)),
        machine_(context.observed.machine) {}

  void run() {
    check_modifiers();
    // Java's other machines put code that they make into these tables.
    if (!context_.rules.phone || is_translated()) return;
    // jni.h, JNINativeInterface and JNIInvokeInterface: first those that are reserved.
    check_table(machine_.functions, 4, 233, "JNI's functions");
    check_table(machine_.invoke_functions, 3, 8, "the functions of the virtual machine");
    read_records();
    if (const auto place = find_place()) check_records(*place);
  }

 private:
  enum class Target { kRight, kForeign, kNoCode };

  bool is_translated() const {
    return std::ranges::any_of(context_.modules, [this](const Module& module) {
      return std::ranges::find(kTranslators, file_name(module.path)) != kTranslators.end() &&
             is_system_file(context_.rules, module.path);
    });
  }

  const Mapping* mapping_at(std::uintptr_t address) const {
    return find_mapping(context_.maps, address);
  }

  std::uintptr_t pointer_at(ByteView bytes, std::size_t at) const {
    return pointer_in(bytes, at, context_.rules.machine);
  }

  // Memory where ART's compiler works while the app runs (art/runtime/jit/jit_memory_region.cc).
  static bool is_compilers(const Mapping& mapping) {
    if (mapping.of_file()) return false;
    const std::string_view name = mapping.path;
    const auto holds = [name](std::string_view part) {
      return name.find(part) != std::string_view::npos;
    };
    return holds("jit-code-cache") || holds("jit-cache") || holds("jit-zygote-cache");
  }

  Target judge(std::uintptr_t address, bool compiled) const {
    const Mapping* mapping = mapping_at(address);
    if (mapping == nullptr || !mapping->executable) return Target::kNoCode;
    if (mapping->of_file()) {
      if (is_system_file(context_.rules, mapping->path) || is_own_file(context_, mapping->path)) {
        return Target::kRight;
      }
      const OwnPackage& own = context_.own;
      const std::string& folder = context_.rules.compiled_code_folder;
      const bool installers = !own.package_path.empty() && !folder.empty() &&
                              is_below(mapping->path, own.folder() + folder);
      return installers ? Target::kRight : Target::kForeign;
    }
    return compiled && is_compilers(*mapping) ? Target::kRight : Target::kForeign;
  }

  std::string describe(std::uintptr_t address) const {
    const Mapping* mapping = mapping_at(address);
    if (mapping == nullptr) return hex_text(address) + " in no memory";
    return mapping->path.empty() ? "anonymous memory" : mapping->path;
  }

  void check_table(std::uintptr_t table, std::size_t first, std::size_t end,
                   const std::string& what) {
    if (table == 0) return;
    const Mapping* mapping = mapping_at(table);
    if (mapping == nullptr || !is_system_file(context_.rules, mapping->path)) {
      return report(out_, FindingId::kHookJni, what + " are listed in " + describe(table));
    }
    Bytes bytes(end * word_);
    if (context_.kernel.copy_memory(table, bytes) != bytes.size()) return;
    for (std::size_t i = first; i < end; ++i) {
      const std::uintptr_t target = pointer_at(bytes, i * word_);
      if (target == 0) continue;
      const Mapping* code = mapping_at(target);
      const bool right =
          code != nullptr && code->executable && is_system_file(context_.rules, code->path);
      if (right) continue;
      report(out_, FindingId::kHookJni,
             "number " + std::to_string(i) + " of " + what + " leads to " + describe(target));
    }
  }

  // Frameworks make a method native to have their own function called for it.
  void check_modifiers() {
    for (const JavaMethod& method : machine_.methods) {
      if ((method.modifiers & kNative) == 0 || method.native) continue;
      made_native_.insert(&method);
      report(out_, FindingId::kHookJavaMethod, method.name + " was made native");
    }
  }

  void read_records() {
    for (const JavaMethod& method : machine_.methods) {
      if (method.address == 0 || method.address % 4 != 0) continue;
      Bytes bytes(kRecordSize);
      bytes.resize(context_.kernel.copy_memory(method.address, bytes));
      if (bytes.size() >= 2 * word_) records_.push_back({&method, std::move(bytes)});
    }
  }

  std::size_t matches_at(std::size_t place) const {
    return static_cast<std::size_t>(std::ranges::count_if(records_, [&](const Record& record) {
      return record.method->registered != 0 && place + word_ <= record.bytes.size() &&
             pointer_at(record.bytes, place) == record.method->registered;
    }));
  }

  // Where the records have the function of a native method.
  std::optional<std::size_t> find_place() const {
    const auto natives = static_cast<std::size_t>(std::ranges::count_if(
        records_, [](const Record& record) { return record.method->registered != 0; }));
    if (natives == 0) return std::nullopt;
    for (std::size_t place = 16; place + 2 * word_ <= kRecordSize; place += word_) {
      if (2 * matches_at(place) > natives) return place;
    }
    const std::optional<std::size_t> known = known_place();
    if (!known) return std::nullopt;
    const bool plausible = std::ranges::all_of(records_, [&](const Record& record) {
      if (record.method->registered == 0) return true;
      return *known + 2 * word_ <= record.bytes.size() &&
             judge(pointer_at(record.bytes, *known), false) != Target::kNoCode;
    });
    return plausible ? known : std::nullopt;
  }

  std::optional<std::size_t> known_place() const {
    for (const KnownLayout& layout : kKnown) {
      if (machine_.api_level < 23 || machine_.api_level > layout.last_level) continue;
      return (layout.before + word_ - 1) / word_ * word_ + layout.word * word_;
    }
    return std::nullopt;
  }

  void check_records(std::size_t place) {
    const std::optional<std::size_t> flags = find_flags();
    for (const Record& record : records_) {
      if (place + 2 * word_ > record.bytes.size()) continue;
      const JavaMethod& method = *record.method;
      const std::uintptr_t function = pointer_at(record.bytes, place);
      if (method.registered != 0 && function != method.registered) {
        report(out_, FindingId::kHookJni, method.name + " leads to " + describe(function));
      }
      // Of the platform's native methods: a function of the system, or of the app.
      if (method.registered == 0 && (method.modifiers & kNative) != 0 &&
          judge(function, false) == Target::kForeign) {
        report(out_, FindingId::kHookJni, method.name + " leads to " + describe(function));
      }
      const std::uintptr_t entry = pointer_at(record.bytes, place + word_);
      if (judge(entry, true) == Target::kForeign) {
        report(out_, FindingId::kHookJavaMethod, method.name + " is entered at " + describe(entry));
      }
      if (flags && !method.native && (flags_in(record, *flags) & kNative) != 0 &&
          !made_native_.contains(&method)) {
        report(out_, FindingId::kHookJavaMethod, method.name + " was made native");
      }
    }
  }

  static std::uint32_t flags_in(const Record& record, std::size_t at) {
    std::uint32_t value = 0;
    for (std::size_t i = 2; i-- > 0;) {
      value = value << 8 | std::to_integer<std::uint32_t>(record.bytes[at + i]);
    }
    return value;
  }

  // The place of the access flags, of which reflection gives the lower half: one of two.
  std::optional<std::size_t> find_flags() const {
    constexpr std::uint32_t kSaid = 0xffff;
    for (const std::size_t at : {std::size_t{4}, std::size_t{12}}) {
      const auto same = std::ranges::count_if(records_, [&](const Record& record) {
        return flags_in(record, at) == (record.method->modifiers & kSaid);
      });
      if (2 * static_cast<std::size_t>(same) > records_.size()) return at;
    }
    return std::nullopt;
  }

  const Context& context_;
  Findings& out_;
  std::size_t word_;
  const VirtualMachine& machine_;
  std::vector<Record> records_;
  std::set<const JavaMethod*> made_native_;
};

}  // namespace

void check_java(const Context& context, Findings& out) {
  JavaCheck(context, out).run();
  const std::string& frames = context.observed.surroundings.foreign_frames;
  if (!frames.empty()) {
    report(out, FindingId::kHookJavaMethod, "between the SDK's own calls stands " + frames);
  }
}

}  // namespace touchmark::attester::checks
