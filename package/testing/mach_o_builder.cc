#include "package/testing/mach_o_builder.h"

#include "formats/testing/bytes_writer.h"

namespace touchmark::package::testing {
namespace {

constexpr std::size_t kTextOffset = 0x800;  // behind the header and its commands
constexpr std::uint32_t kPureInstructions = 0x80000400;

std::string fixed(std::string text, std::size_t size) {
  text.resize(size, '\0');
  return text;
}

std::string path_command(std::uint32_t type, const std::string& path, std::string_view middle) {
  const std::size_t head = 12 + middle.size();
  const std::size_t size = (head + path.size() + 8) / 8 * 8;
  return u32(type) + u32(size) + u32(head) + std::string(middle) + fixed(path, size - head);
}

struct Section {
  const char* name;
  std::uint64_t offset;
  std::uint64_t size;
  std::uint32_t flags;
  std::uint32_t first_symbol = 0;
};

std::string segment(const std::string& name, std::uint64_t address, std::uint64_t offset,
                    std::uint64_t size, std::uint64_t memory, std::uint32_t protection,
                    const std::vector<Section>& sections) {
  std::string out = u32(0x19) + u32(72 + 80 * sections.size()) + fixed(name, 16) + u64(address) +
                    u64(memory) + u64(offset) + u64(size) + u32(protection) + u32(protection) +
                    u32(sections.size()) + u32(0);
  for (const Section& section : sections) {
    out += fixed(section.name, 16) + fixed(name, 16) + u64(address + section.offset - offset) +
           u64(section.size) + u32(section.offset) + u32(2) + u32(0) + u32(0) + u32(section.flags) +
           u32(section.first_symbol) + u32(0) + u32(0);
  }
  return out;
}

}  // namespace

std::string mach_o_image(const MachOSpec& spec, std::size_t size, std::size_t signature_size) {
  // The last page, whole or not, is __LINKEDIT, the one before __DATA, all others __TEXT.
  const std::size_t link_at = (size - 1) / kMachOPage * kMachOPage;
  const std::size_t data_at = link_at - kMachOPage;
  const std::size_t text_size = data_at - kTextOffset - 0x300;
  const std::uint64_t base = spec.file_type == 2 ? kMachOBase : 0;

  std::string strings(1, '\0');
  std::string symbols;
  std::string indirect;
  std::uint32_t count = 0;
  for (const auto* list : {&spec.got, &spec.lazy}) {
    for (const auto& [name, ordinal] : *list) {
      // Undefined, external; the ordinal is in the description's upper byte.
      symbols += u32(strings.size()) + u8(1) + u8(0) +
                 u16(static_cast<std::uint64_t>(ordinal) << 8) + u64(0);
      strings += name + '\0';
      indirect += u32(count++);
    }
  }
  const std::size_t indirect_at = link_at + symbols.size();
  const std::size_t strings_at = indirect_at + indirect.size();

  std::string commands;
  std::uint32_t commands_count = 0;
  const auto add = [&](const std::string& command) {
    commands += command;
    ++commands_count;
  };
  if (spec.has_signature) add(u32(0x1d) + u32(16) + u32(size) + u32(signature_size));
  add(u32(0x2c) + u32(24) + u32(0) + u32(0) + u32(spec.encrypted ? 1 : 0) + u32(0));
  if (spec.file_type == 2) add(segment("__PAGEZERO", 0, 0, 0, base, 0, {}));
  const std::uint64_t text_end = kTextOffset + text_size;
  add(segment("__TEXT", base, 0, data_at, data_at, 5,
              {{"__text", kTextOffset, text_size, kPureInstructions},
               {"__stubs", text_end, 0x60, kPureInstructions | 8},
               {"__cstring", text_end + 0x60, 0xa0, 2},
               {"__const", text_end + 0x100, 0x1f0, 0}}));
  add(segment("__DATA", base + data_at, data_at, kMachOPage, kMachOPage, 3,
              {{"__got", data_at, spec.got.size() * 8, 6, 0},
               {"__la_symbol_ptr", data_at + 0x400, spec.lazy.size() * 8, 7,
                static_cast<std::uint32_t>(spec.got.size())},
               {"__data", data_at + 0x800, 0x100, 0}}));
  const std::size_t link_size = size - link_at + (spec.has_signature ? signature_size : 0);
  add(segment("__LINKEDIT", base + link_at, link_at, link_size,
              (link_size + kMachOPage - 1) / kMachOPage * kMachOPage, 1, {}));
  add(u32(0x2) + u32(24) + u32(link_at) + u32(count) + u32(strings_at) + u32(strings.size()));
  add(u32(0xb) + u32(80) + std::string(48, '\0') + u32(indirect_at) + u32(count) +
      std::string(16, '\0'));
  add(u32(0x1b) + u32(24) + std::string(16, spec.seed));
  for (const std::string& library : spec.libraries) {
    add(path_command(0xc, library, u32(2) + u32(0x10000) + u32(0x10000)));
  }
  add(path_command(0x8000001c, "@executable_path/Frameworks", ""));
  if (spec.file_type == 2) add(u32(0x80000028) + u32(24) + u64(kTextOffset) + u64(0));

  std::string code = u32(0xfeedfacf) + u32(spec.cpu_type) + u32(spec.cpu_subtype) +
                     u32(spec.file_type) + u32(commands_count) + u32(commands.size()) + u32(0x85) +
                     u32(0) + commands;
  code.resize(kTextOffset, '\0');
  for (std::size_t i = 0; code.size() < size; ++i) {
    code += static_cast<char>((i * 31 + static_cast<unsigned char>(spec.seed)) % 253);
  }
  code.replace(data_at, kMachOPage, kMachOPage, '\0');
  const std::string link = symbols + indirect + strings;
  code.replace(link_at, link.size(), link);
  return code;
}

}  // namespace touchmark::package::testing
