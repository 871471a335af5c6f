#include "attester/checks/observed.h"

#include <link.h>

#include <charconv>

#include "base/json.h"

namespace touchmark::attester::checks {
namespace {

constexpr std::size_t kMaxObservedBytes = 256 * 1024;
constexpr std::size_t kMaxMethods = 1000;

std::uintptr_t address_in(const Json& object, const char* name) {
  const std::string text = find_string(object, name).value_or("");
  std::uint64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value, 16);
  return static_cast<std::uintptr_t>(value);
}

std::int64_t number_in(const Json& object, const char* name) {
  constexpr std::int64_t kMost = std::int64_t{1} << 32;
  return get_int(object, name, 0, kMost).value_or(0);
}

void read_surroundings(const Json& facts, Surroundings& out) {
  out.debuggable = number_in(facts, "debuggable") != 0;
  out.debugger = number_in(facts, "debugger") != 0;
  out.vpn = number_in(facts, "vpn") != 0;
  out.proxy = number_in(facts, "proxy") != 0;
  out.overlaid = number_in(facts, "overlaid") != 0;
  out.accessibility_services = static_cast<int>(number_in(facts, "accessibility_services"));
  out.foreign_frames = find_string(facts, "foreign_frames").value_or("");
  out.framework_class = find_string(facts, "framework_class").value_or("");
  const Json* sensors = find_array(facts, "sensors");
  if (sensors == nullptr) return;
  for (const Json& sensor : *sensors) {
    if (sensor.is_string()) out.sensors.push_back(sensor.get<std::string>());
  }
}

void read_machine(const Json& machine, VirtualMachine& out) {
  out.functions = address_in(machine, "functions");
  out.invoke_functions = address_in(machine, "invoke_functions");
  out.api_level = static_cast<int>(number_in(machine, "api_level"));
  const Json* methods = find_array(machine, "methods");
  if (methods == nullptr) return;
  for (const Json& method : *methods) {
    if (!method.is_object() || out.methods.size() == kMaxMethods) continue;
    out.methods.push_back({.name = find_string(method, "name").value_or(""),
                           .address = address_in(method, "address"),
                           .modifiers = static_cast<std::uint32_t>(number_in(method, "modifiers")),
                           .native = number_in(method, "native") != 0,
                           .registered = address_in(method, "registered")});
  }
}

int add_library(dl_phdr_info* info, std::size_t, void* out) {
  for (std::size_t i = 0; i < info->dlpi_phnum; ++i) {
    const auto& segment = info->dlpi_phdr[i];
    if (segment.p_type != PT_LOAD || (segment.p_flags & PF_X) == 0) continue;
    static_cast<std::vector<ListedLibrary>*>(out)->push_back(
        {info->dlpi_name == nullptr ? "" : info->dlpi_name,
         static_cast<std::uintptr_t>(info->dlpi_addr + segment.p_vaddr)});
    break;
  }
  return 0;
}

}  // namespace

Result<Observed> parse_observed(std::string_view json) {
  const Result<Json> object = parse_json(json, {.max_bytes = kMaxObservedBytes});
  if (!object) return pass(object);
  Observed out;
  if (const Json* facts = find_object(*object, "facts"))
    read_surroundings(*facts, out.surroundings);
  if (const Json* machine = find_object(*object, "machine")) read_machine(*machine, out.machine);
  return out;
}

std::vector<ListedLibrary> list_libraries() {
  std::vector<ListedLibrary> out;
  dl_iterate_phdr(add_library, &out);
  return out;
}

}  // namespace touchmark::attester::checks
