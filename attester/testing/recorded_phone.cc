#include "attester/testing/recorded_phone.h"

#include <sys/stat.h>

#include <algorithm>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <tuple>

#include "attester/checks/process_integrity.h"
#include "attester/testing/little_endian.h"
#include "attester/testing/package.h"
#include "attester/testing/recorded_art.h"

namespace touchmark::attester::testing {
namespace {

using checks::FileStatus;
using checks::RawFileError;

class RecordedFile final : public checks::OpenFile {
 public:
  RecordedFile(std::shared_ptr<const Bytes> content, const FileStatus& status)
      : content_(std::move(content)), status_(status) {}
  Result<FileStatus> status() const override { return status_; }
  Result<std::size_t> read_some(std::uint64_t offset, std::span<std::byte> out) const override {
    if (offset >= content_->size()) return std::size_t{0};
    const std::size_t size =
        std::min(out.size(), content_->size() - static_cast<std::size_t>(offset));
    std::copy_n(content_->begin() + static_cast<std::ptrdiff_t>(offset), size, out.begin());
    return size;
  }

 private:
  std::shared_ptr<const Bytes> content_;
  FileStatus status_;
};

std::string hex(std::uint64_t value) {
  std::ostringstream out;
  out << std::hex << value;
  return out.str();
}

std::vector<std::string> split(const std::string& text, char by) {
  std::vector<std::string> out;
  std::istringstream in(text);
  for (std::string piece; std::getline(in, piece, by);) {
    if (!piece.empty()) out.push_back(piece);
  }
  return out;
}

void replace_all(std::string& text, const std::string& what, const std::string& with) {
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at)) {
    text.replace(at, what.size(), with);
    at += with.size();
  }
}

std::string isa_name(Machine machine) {
  switch (machine) {
    case Machine::kArm:
      return "arm";
    case Machine::kArm64:
      return "arm64";
    case Machine::kX86:
      return "x86";
    case Machine::kX86_64:
      break;
  }
  return "x86_64";
}

// One image for all phones that have the very same.
const PhoneImage& image_of(const PhoneImagePlan& plan) {
  static std::vector<PhoneImage> made;
  const auto same = [&plan](const PhoneImage& image) { return image.plan == plan; };
  const auto found = std::ranges::find_if(made, same);
  if (found != made.end()) return *found;
  made.reserve(4096);  // what was given stays where it is
  if (made.size() == made.capacity()) throw std::logic_error("so many images");
  return made.emplace_back(make_image(plan));
}

using Files = std::map<std::string, std::string>;
const std::string& package_of(const Files& files, const std::string& split = "",
                              const Files& stored = {}, std::uint64_t alignment = 4096) {
  static std::map<std::tuple<Files, std::string, Files, std::uint64_t>, std::string> made;
  std::string& out = made[{files, split, stored, alignment}];
  if (out.empty()) out = signed_package(files, split, stored, alignment);
  return out;
}

// jni.h: JNINativeInterface and, behind it, JNIInvokeInterface, with those that are reserved.
constexpr std::uint64_t kFunctions = 233;
constexpr std::uint64_t kTableEntries = kFunctions + 8;
constexpr std::uint32_t kPublic = 1, kStatic = 8, kFinal = 16, kNative = 0x100;

std::string name_of(const std::string& path) { return path.substr(path.rfind('/') + 1); }

}  // namespace

// --- The kernel.

void RecordedKernel::put_file(const std::string& path, Bytes content, std::uint32_t owner) {
  ++next_inode_;
  files_[path] = {std::make_shared<const Bytes>(std::move(content)), owner, next_inode_,
                  next_inode_, false};
}

std::uint64_t RecordedKernel::inode_of(const Area& area) const {
  if (area.inode != 0) return area.inode;
  const auto file = files_.find(area.path);
  return file == files_.end() ? 4711 : file->second.inode;
}

void RecordedKernel::move_folder(const std::string& from, const std::string& to) {
  for (Area& area : areas_) {
    if (!area.path.starts_with(from + "/")) continue;
    area.inode = inode_of(area);
    area.path += " (deleted)";
  }
  const std::map<std::string, File> before = files_;
  for (const auto& [path, file] : before) {
    if (!path.starts_with(from + "/")) continue;
    files_[to + path.substr(from.size())] = file;
    files_.erase(path);
  }
}

std::string RecordedKernel::list_memory(bool with_pages) const {
  std::string out;
  for (const Area& area : areas_) {
    out += hex(area.start) + "-" + hex(area.end()) + " " + area.mode + " " + hex(area.offset) +
           " fe:00 " + std::to_string(inode_of(area)) + "    " + area.path + "\n";
    if (!with_pages) continue;
    out += "Size: " + std::to_string(area.bytes.size() / 1024) + " kB\nRss: 4 kB\n";
    out += "Anonymous: " + std::to_string(4 * area.written.size()) + " kB\nSwap: 0 kB\n";
    out += "VmFlags: rd ex mr mw me\n";
  }
  return out;
}

std::optional<Bytes> RecordedKernel::proc_file(const std::string& path) const {
  if (path == "/proc/self/maps") return to_bytes(list_memory(false));
  if (path == "/proc/self/smaps" && memory_list_is_readable) return to_bytes(list_memory(true));
  return std::nullopt;
}

Result<std::unique_ptr<checks::OpenFile>> RecordedKernel::open(const std::string& path) const {
  ++opened_[path];
  if (std::optional<Bytes> made = proc_file(path)) {
    return std::make_unique<RecordedFile>(std::make_shared<const Bytes>(std::move(*made)),
                                          FileStatus{});
  }
  const auto found = files_.find(path);
  if (found == files_.end()) return fail(RawFileError::kNotFound, path + ": not found");
  if (found->second.hidden) return fail(RawFileError::kPermission, path + ": not allowed");
  return std::make_unique<RecordedFile>(found->second.content, *status(path));
}

Result<FileStatus> RecordedKernel::status(const std::string& path) const {
  const auto found = files_.find(path);
  if (found == files_.end()) return fail(RawFileError::kNotFound, path + ": not found");
  FileStatus out;
  out.inode = found->second.inode;
  out.size = found->second.content->size();
  out.mode = S_IFREG | 0644;
  out.owner = found->second.owner;
  out.change_seconds = static_cast<std::int64_t>(found->second.changed);
  return out;
}

Result<std::vector<std::string>> RecordedKernel::list_folder(const std::string& path) const {
  std::vector<std::string> out;
  for (const auto& [file, content] : files_) {
    if (!file.starts_with(path + "/")) continue;
    const std::string rest = file.substr(path.size() + 1);
    const std::string name = rest.substr(0, rest.find('/'));
    if (out.empty() || out.back() != name) out.push_back(name);
  }
  return out;
}

std::size_t RecordedKernel::copy_memory(std::uintptr_t address, std::span<std::byte> out) const {
  std::size_t total = 0;
  for (const Area& area : areas_) {
    const std::uint64_t at = address + total;
    if (total == out.size() || area.start > at) break;
    if (area.end() <= at) continue;
    if (area.mode[0] != 'r') break;
    const auto from = static_cast<std::size_t>(at - area.start);
    const std::size_t size = std::min(out.size() - total, area.bytes.size() - from);
    std::copy_n(area.bytes.begin() + static_cast<std::ptrdiff_t>(from), size,
                out.begin() + static_cast<std::ptrdiff_t>(total));
    total += size;
  }
  return total;
}

Area& RecordedKernel::add_area(Area area) {
  const auto place = std::ranges::upper_bound(areas_, area.start, {}, &Area::start);
  return *areas_.insert(place, std::move(area));
}

Area& RecordedKernel::area_at(std::uint64_t address) {
  const auto found = std::ranges::find_if(areas_, [address](const Area& area) {
    return address >= area.start && address < area.end();
  });
  if (found == areas_.end()) throw std::logic_error("nothing is mapped at " + hex(address));
  return *found;
}

void RecordedKernel::write(std::uint64_t address, ByteView bytes) {
  for (const std::byte byte : bytes) {
    Area& area = area_at(address);
    area.bytes[static_cast<std::size_t>(address - area.start)] = byte;
    if (area.path.starts_with('/')) area.written.insert(address / 4096);
    ++address;
  }
}

// --- The phone.

std::optional<std::uint64_t> Loaded::find(const std::string& name) const {
  if (made_up.contains(name)) {
    // Somewhere in the code, and the same for the same name.
    const std::uint64_t number =
        static_cast<std::uint64_t>(std::distance(made_up.begin(), made_up.find(name)));
    const PhoneSegment& code = *std::ranges::find_if(
        image.segments, [](const PhoneSegment& segment) { return segment.mode[2] == 'x'; });
    return at(code.address + code.size - 64 - 16 * number);
  }
  if (const auto chosen = image.chosen.find(name); chosen != image.chosen.end()) {
    return at(chosen->second);
  }
  const auto found = image.addresses.find(name);
  if (found == image.addresses.end()) return std::nullopt;
  return at(found->second);
}

struct RecordedPhone::Line {
  std::string kind;
  std::string path;
  std::map<std::string, std::string> words;

  std::vector<std::string> list(const std::string& word) const {
    const auto found = words.find(word);
    return found == words.end() ? std::vector<std::string>() : split(found->second, ',');
  }
  bool is(const std::string& word, const std::string& value) const {
    const auto found = words.find(word);
    return found != words.end() && found->second == value;
  }
};

std::string RecordedPhone::expand(std::string path) const {
  const bool wide = is_wide(options_.machine);
  replace_all(path, "{bits}", wide ? "64" : "");
  replace_all(path, "{program}", wide ? "64" : "32");
  replace_all(path, "{isa}", isa_name(options_.machine));
  replace_all(path, "{user}", std::to_string(options_.user));
  replace_all(path, "{app}", app_);
  replace_all(path, "{at}", "@");
  return path;
}

std::vector<RecordedPhone::Line> RecordedPhone::read_table() const {
  std::ifstream in(PHONES_TABLE);
  if (!in) throw std::runtime_error(std::string("cannot read ") + PHONES_TABLE);
  std::vector<Line> out;
  for (std::string text; std::getline(in, text);) {
    if (text.empty() || text[0] == '#') continue;
    std::istringstream fields(text);
    std::string levels;
    Line line;
    fields >> levels >> line.kind >> line.path;
    const std::size_t dash = levels.find('-');
    const int from = std::stoi(levels);
    const int to = dash == std::string::npos   ? from
                   : dash + 1 == levels.size() ? kHighestLevel
                                               : std::stoi(levels.substr(dash + 1));
    if (options_.level < from || options_.level > to) continue;
    for (std::string word; fields >> word;) {
      const std::size_t mark = word.find('@');
      if (mark != std::string::npos && word.substr(mark + 1) != isa_name(options_.machine))
        continue;
      word = word.substr(0, mark);
      const std::size_t equals = word.find('=');
      line.words[word.substr(0, equals)] = word.substr(equals + 1);
    }
    line.path = expand(line.path);
    out.push_back(std::move(line));
  }
  return out;
}

RecordedPhone::RecordedPhone(const PhoneOptions& options) : options_(options), app_(options.app) {
  if (app_.empty()) {
    app_ = options_.level < 26   ? "/data/app/org.example.app-1"
           : options_.level < 30 ? "/data/app/org.example.app-Zm9vYmFyMTIzNDU2Nzg5MA=="
                                 : "/data/app/~~c29tZXRoaW5n==/org.example.app-Zm9vYmFyMTIz==";
  }
  next_address_ = is_wide(options_.machine) ? 0x7000'0000'0000 : 0x4000'0000;
  const std::string uid = std::to_string(app_user());
  kernel_.put_file(
      "/proc/self/status",
      to_bytes("Name:\tmain\nState:\tR (running)\nTgid:\t4711\nPid:\t4711\nPPid:\t612\n"
               "TracerPid:\t0\nUid:\t" +
               uid + "\t" + uid + "\n"));
  // With what makers mount over their systems: Xiaomi's and Samsung's overlays of read-only
  // partitions, Qualcomm's firmware.
  for (const char* line :
       {"1 0 253:5 / / ro,nodev,noatime shared:1 - ext4 /dev/root ro",
        "2 1 253:6 / /vendor ro,noatime shared:2 - ext4 /dev/vendor ro",
        "3 1 253:8 / /data rw,nosuid,nodev shared:3 - f2fs /dev/data rw",
        "4 1 0:40 / /data/user rw,nosuid - tmpfs tmpfs rw,mode=751",
        "5 1 0:18 / /dev rw,nosuid shared:9 - tmpfs tmpfs rw,seclabel,mode=755",
        "6 5 0:19 / /dev/usb-ffs/adb rw - functionfs adb rw",
        "7 1 253:7 / /product ro,relatime shared:4 - erofs /dev/block/dm-4 ro,seclabel",
        "8 7 0:34 / /product/overlay ro,relatime shared:26 - overlay overlay "
        "ro,seclabel,lowerdir=/mnt/vendor/mi_ext/product/overlay/:/product/overlay",
        "9 1 0:35 / /system/app ro,relatime shared:27 - overlay overlay "
        "ro,seclabel,lowerdir=/mnt/vendor/mi_ext/system/app:/product/pangu/system/app:/system/app",
        "10 1 0:36 / /system/etc ro - overlay overlay ro,lowerdir=/prism/etc:/system/etc",
        "11 2 259:3 / /vendor/firmware_mnt ro shared:6 - vfat /dev/block/sde4 ro,uid=1000",
        "12 1 7:8 / /apex/com.android.art@340 ro shared:7 - ext4 /dev/block/loop1 ro",
        "13 1 0:21 / /apex rw,nosuid shared:8 - tmpfs tmpfs rw,mode=755",
        "14 1 0:22 / /storage rw,nosuid - tmpfs tmpfs rw,mode=755",
        "15 14 0:50 / /storage/emulated rw,nosuid - fuse /dev/fuse rw",
        "16 3 253:8 /user/0 /data/user/0 rw,nosuid - f2fs /dev/data rw",
        "17 3 253:8 /user/0/org.example.app /data/data/org.example.app rw - f2fs /dev/data rw"}) {
    add_mount(line);
  }
  storage_ =
      (options_.user == 0 && options_.level < 24)
          ? "/data/data/org.example.app/files/touchmark"
          : "/data/user/" + std::to_string(options_.user) + "/org.example.app/files/touchmark";
  kernel_.put_file(storage_, Bytes(), app_user());
  kernel_.put_file("/sys/fs/selinux/enforce", to_bytes("1"));
  kernel_.put_file("/proc/self/attr/current",
                   to_bytes("u:r:untrusted_app:s0:c123,c256,c512,c768" + std::string(1, '\0')));
  kernel_.put_file("/proc/cpuinfo", to_bytes("processor\t: 0\nHardware\t: Qualcomm SM8550\n"));
  int thread = 4242;
  for (const char* name :
       {"org.example.app", "Signal Catcher", "perfetto_hprof_", "Jit thread pool", "HeapTaskDaemon",
        "ReferenceQueueD", "FinalizerDaemon", "Binder:4242_1", "RenderThread", "gmain", "gdbus",
        "OkHttp Dispatch"}) {
    add_thread(thread++, name);
  }
  kernel_.put_file("/proc/self/environ", to_bytes("PATH=/system/bin\n"));
  kernel_.hide_file("/proc/self/environ");  // an app that is not debuggable may not
  kernel_.put_file("/system/build.prop", to_bytes("ro.build.tags=release-keys\n"));
  if (options_.level >= 26) kernel_.hide_file("/system/build.prop");
  for (const Line& line : read_table()) add(line);
  install_app();
  link();
  put_properties();
  start_machine();
  answer();
}

std::uint32_t RecordedPhone::app_user() const {
  return static_cast<std::uint32_t>(options_.user) * 100'000 + 10'123;
}

void RecordedPhone::add_mount(const std::string& line) {
  mounts_ += line + "\n";
  kernel_.put_file("/proc/self/mountinfo", to_bytes(mounts_));
}

void RecordedPhone::add_thread(int number, const std::string& name) {
  kernel_.put_file("/proc/self/task/" + std::to_string(number) + "/comm", to_bytes(name + "\n"));
}

// --- Properties: in one file to API 23, then one for each context of SELinux.

void RecordedPhone::put_properties() {
  for (const char* name :
       {"ro.build.id", "ro.build.version.release", "persist.sys.timezone", "sys.boot_completed",
        "dalvik.vm.heapsize", "init.svc.zygote", "init.svc.adbd", "gsm.version.baseband"}) {
    properties_.push_back({name, "value", std::string_view(name).starts_with("ro.") ? 0U : 3U});
  }
  const std::vector<RecordedProperty> sound = {{"ro.boot.verifiedbootstate", "green"},
                                               {"ro.boot.vbmeta.device_state", "locked"},
                                               {"ro.debuggable", "0"},
                                               {"ro.secure", "1"},
                                               {"ro.adb.secure", "1"},
                                               {"ro.build.type", "user"},
                                               {"ro.hardware", "qcom"},
                                               {"ro.boot.hardware", "qcom"},
                                               {"ro.product.board", "kalama"},
                                               {"ro.board.platform", "kalama"},
                                               {"qemu.hw.mainkeys", "0"},
                                               {"ro.boot.qemu", "0"},
                                               {"ro.vendor.long", std::string(200, 'v')}};
  properties_.insert(properties_.end(), sound.begin(), sound.end());
  set_property({"ro.build.tags", "release-keys"});
}

void RecordedPhone::set_property(const RecordedProperty& property) {
  std::erase_if(properties_,
                [&property](const RecordedProperty& other) { return other.name == property.name; });
  properties_.push_back(property);
  if (options_.level < 24) {
    return kernel_.put_file("/dev/__properties__", make_property_area(properties_));
  }
  const std::string place = "/dev/__properties__/u:object_r:";
  if (options_.level < 28) {
    return kernel_.put_file(place + "default_prop:s0", make_property_area(properties_));
  }
  std::vector<RecordedProperty> boot, build;
  for (const RecordedProperty& one : properties_) {
    (one.name.starts_with("ro.boot.") ? boot : build).push_back(one);
  }
  const bool old = options_.level < 31;
  kernel_.put_file(place + (old ? "exported_default_prop:s0" : "bootloader_prop:s0"),
                   make_property_area(boot));
  kernel_.put_file(place + (old ? "exported2_default_prop:s0" : "build_prop:s0"),
                   make_property_area(build));
}

// --- The virtual machine.

std::uint64_t RecordedPhone::code_in(const std::string& library, std::uint64_t at) {
  const Loaded& image = loaded(library);
  const PhoneSegment& code = *std::ranges::find_if(
      image.image.segments, [](const PhoneSegment& segment) { return segment.mode[2] == 'x'; });
  return image.at(code.address + code.size / 2 / 16 * 16 + at);
}

void RecordedPhone::add_method(const std::string& name, std::uint32_t modifiers,
                               std::uint64_t function, std::uint64_t entry, bool registered) {
  // Flags of ART's own stand in the upper half.
  const Bytes record =
      art_method(options_.level, is_wide(options_.machine),
                 {.access_flags = 0x1008'0000 | modifiers, .function = function, .entry = entry});
  kernel_.write(methods_, record);
  const bool native = (modifiers & kNative) != 0;
  observed.machine.methods.push_back(
      {.name = name,
       .address = static_cast<std::uintptr_t>(methods_),
       .modifiers = modifiers,
       .native = native,
       .registered = registered ? static_cast<std::uintptr_t>(function) : 0});
  methods_ += record.size();
}

// art/runtime/jni/jni_internal.cc: the tables are read-only data of libart.
// art/runtime/class_linker.cc and oat_file: where methods are entered.
void RecordedPhone::start_machine() {
  const Loaded& art = loaded("libart.so");
  const std::uint64_t word = pointer_size(options_.machine);
  const std::uint64_t table = art.at(art.image.table);
  for (std::uint64_t i = 4; i < kTableEntries; ++i) {
    if (i >= kFunctions && i < kFunctions + 3) continue;
    write_pointer(table + i * word, code_in("libart.so", 16 * i));
  }
  observed.machine.functions = static_cast<std::uintptr_t>(table);
  observed.machine.invoke_functions = static_cast<std::uintptr_t>(table + kFunctions * word);
  observed.machine.api_level = options_.level;
  methods_ = map_memory(options_.level < 29 ? "/dev/ashmem/dalvik-LinearAlloc (deleted)"
                                            : "[anon:dalvik-LinearAlloc]",
                        "rw-p", Bytes(2 * options_.page));
  const std::uint64_t bridge = code_in("libart.so", 8);  // for what is interpreted
  const std::uint64_t generic = code_in("libart.so", 24);
  const std::uint64_t compiled = code_in("base.odex", 64);
  const char* boot_name = options_.level < 26 ? "system@framework@boot.oat" : "boot-framework.oat";
  const std::uint64_t boot = code_in(boot_name, 64);
  std::uint64_t at = 0;
  for (const char* name : {"open", "fetchToken", "discardTokens", "pinAllows", "isProtected",
                           "sameHost", "deviceId", "configVersion", "version"}) {
    at += 32;
    add_method(name, kStatic | kNative, code_in("libtouchmark.so", at),
               at % 64 == 0 ? compiled : generic, true);
  }
  add_method("addToken", kPublic, 0, compiled, false);
  add_method("getInstance", kPublic | kStatic, 0x7fff'1234, bridge, false);
  // What this level's compiler has made of a method by now.
  for (const Area& area : kernel_.areas()) {
    if (area.path.find("jit") == std::string::npos || area.mode[2] != 'x') continue;
    add_method("hot" + hex(area.start), kPublic, 0x7fff'1234, area.start + 256, false);
  }
  add_method("java.security.KeyStore.getKey", kPublic | kFinal, 0, boot, false);
  add_method("java.lang.reflect.Method.invoke", kPublic | kNative,
             code_in("libandroid_runtime.so", 32), boot, false);
  add_method("java.lang.Thread.currentThread", kPublic | kStatic | kNative,
             code_in("libart.so", 48), generic, false);
}

checks::JavaMethod& RecordedPhone::method(const std::string& name) {
  const auto found = std::ranges::find(observed.machine.methods, name, &checks::JavaMethod::name);
  if (found == observed.machine.methods.end()) throw std::logic_error("no method " + name);
  return *found;
}

void RecordedPhone::set_function(const std::string& name, std::uint64_t target) {
  write_pointer(method(name).address + function_offset(options_.level, is_wide(options_.machine)),
                target);
}

void RecordedPhone::set_entry(const std::string& name, std::uint64_t target) {
  const bool wide = is_wide(options_.machine);
  write_pointer(method(name).address + function_offset(options_.level, wide) + (wide ? 8 : 4),
                target);
}

void RecordedPhone::set_flags(const std::string& name, std::uint32_t flags) {
  Bytes bytes;
  append_number(bytes, flags, 4);
  kernel_.write(method(name).address + flags_offset(options_.level), bytes);
}

// What the calls say of a process that zygote's child is.
void RecordedPhone::answer() {
  checks::KernelAnswers& out = kernel_.given;
  out.process = out.thread = 4711;
  out.parent = 612;
  out.user = app_user();
  const auto area = [this](const std::string& path) {
    return static_cast<std::uintptr_t>(
        std::ranges::find(kernel_.areas(), path, &Area::path)->start);
  };
  const auto image = [this](const std::string& role) {
    return static_cast<std::uintptr_t>((*std::ranges::find(loaded_, role, [](const auto& loaded) {
                                         return loaded->role;
                                       }))->at(0x40));
  };
  out.stack = out.random = area("[stack]") + 16;
  out.heap = area(options_.level < 30 ? "[anon:libc_malloc]" : "[anon:scudo:primary]") + 16;
  out.kernel_page = area("[vdso]");
  out.program = image("program");
  out.loader = image("linker");
  out.hardware_features = 0xff;
  for (std::size_t i = 0; const std::string_view mode : {"rw-", "r--", "---"}) {
    const std::uint64_t at = map_memory("", std::string(mode) + "p", Bytes(16));
    out.pages[i++] = {static_cast<std::uintptr_t>(at), mode};
  }
}

std::uint64_t RecordedPhone::take_room(std::uint64_t size) {
  constexpr std::uint64_t kStep = 0x10000;
  const std::uint64_t at = next_address_;
  next_address_ += (size + 2 * kStep - 1) / kStep * kStep;
  return at;
}

PhoneImagePlan RecordedPhone::plan_of(const std::string& soname) const {
  PhoneImagePlan plan;
  plan.machine = options_.machine;
  plan.soname = soname;
  plan.page = options_.page;
  return plan;
}

void RecordedPhone::add(const Line& line) {
  const auto mode = line.words.find("mode");
  if (line.kind == "memory") {
    std::string name = line.path == "-" ? "" : line.path;
    std::ranges::replace(name, '+', ' ');
    map_memory(name, mode->second, Bytes(4 * options_.page));
  } else if (line.kind == "file") {
    kernel_.put_file(line.path, to_bytes(std::string(5000, 'd')));
    map_memory(line.path, mode->second, Bytes(2 * options_.page));
  } else {
    add_system_image(line);
  }
}

void RecordedPhone::add_system_image(const Line& line) {
  PhoneImagePlan plan = plan_of("");
  if (const auto soname = line.words.find("soname"); soname != line.words.end()) {
    plan.soname = soname->second;
  }
  plan.seed = line.path;
  plan.needs = line.list("needs");
  plan.imports = line.list("imports");
  plan.interposed = line.list("interposed");
  for (const std::string& symbol : line.list("exports")) {
    const std::size_t colon = symbol.find(':');
    const std::string form = colon == std::string::npos ? "" : symbol.substr(colon + 1);
    plan.exports[symbol.substr(0, colon)] = form == "indirect" ? SymbolKind::kIndirect
                                            : form == "plain"  ? SymbolKind::kPlain
                                                               : SymbolKind::kFunction;
  }
  plan.unreadable_text = line.is("text", "unreadable");
  plan.two_segments = line.is("segments", "two");
  plan.old_hash = line.is("hash", "old");
  plan.packed = line.is("relocations", "packed");
  plan.global = line.is("global", "yes");
  if (plan.soname == "libart.so") plan.table_size = kTableEntries * pointer_size(plan.machine);
  if (line.is("relative", "android")) plan.relative = PhoneImagePlan::Relative::kAndroid;
  if (line.is("relative", "relr")) plan.relative = PhoneImagePlan::Relative::kRelr;
  const PhoneImage& image = image_of(plan);
  std::uint64_t base = 0;
  Bytes content = image.bytes;
  if (line.kind == "package-library") {
    base = std::stoull(line.words.at("within"), nullptr, 16);
    content.insert(content.begin(), static_cast<std::size_t>(base), std::byte{'P'});
  }
  kernel_.put_file(line.path, content);
  Loaded& loaded = map_image(line.path, image, base, line.kind);
  for (const std::string& name : line.list("makes")) loaded.made_up.insert(name);
  if (line.is("replaced", "yes")) {
    for (Area& area : kernel_.areas()) {
      if (area.path == line.path) area.path += " (deleted)";
    }
    kernel_.put_file(line.path, make_image(plan_of("newer")).bytes);
  }
  if (line.is("hidden", "yes")) kernel_.hide_file(line.path);
}

Loaded& RecordedPhone::map_image(const std::string& path, PhoneImage image, std::uint64_t base,
                                 const std::string& role) {
  const std::uint64_t page = options_.page;
  const std::uint64_t bias = take_room(image.bytes.size() + page);
  for (const PhoneSegment& segment : image.segments) {
    const std::uint64_t begin = segment.address / page * page;
    const std::uint64_t end = (segment.address + segment.size + page - 1) / page * page;
    const std::uint64_t offset = base + segment.offset / page * page;
    Bytes bytes(end - begin);
    const Bytes& file = path.empty() ? image.bytes : kernel_.file(path);
    const std::uint64_t first = path.empty() ? offset - base : offset;
    for (std::uint64_t i = 0; i < bytes.size() && first + i < file.size(); ++i) {
      bytes[i] = file[first + i];
    }
    kernel_.add_area({bias + begin, segment.mode, path.empty() ? 0 : offset, path, bytes, {}});
  }
  const PhoneSegment& last = image.segments.back();
  const std::uint64_t data_end = (last.address + last.size + page - 1) / page * page;
  kernel_.add_area(
      {bias + data_end, "rw-p", 0, options_.level < 26 ? "" : "[anon:.bss]", Bytes(page), {}});
  next_address_ += page;
  loaded_.push_back(std::make_unique<Loaded>(Loaded{path, std::move(image), bias, base, role, {}}));
  return *loaded_.back();
}

std::uint64_t RecordedPhone::map_memory(const std::string& name, const std::string& mode,
                                        Bytes bytes) {
  bytes.resize((bytes.size() + options_.page - 1) / options_.page * options_.page);
  const std::uint64_t at = take_room(bytes.size());
  // Of a file, what is in it; the tables of fonts and resources are of no interest.
  if (name.starts_with('/') && name.find("(deleted)") == std::string::npos &&
      kernel_.status(name).has_value()) {
    const Bytes& content = kernel_.file(name);
    std::copy_n(content.begin(), std::min(content.size(), bytes.size()), bytes.begin());
  }
  kernel_.add_area({at, mode, 0, name, std::move(bytes), {}});
  return at;
}

std::string RecordedPhone::library_package() const {
  std::string abi(abi_name(options_.machine));
  std::ranges::replace(abi, '-', '_');
  switch (options_.packaging) {
    case Packaging::kInSplit:
      return app_ + "/split_config." + abi + ".apk";
    case Packaging::kInFeature:
      return app_ + "/split_feature.apk";
    case Packaging::kExtracted:
    case Packaging::kInBase:
      break;
  }
  return base_path();
}

// The app: its package or packages, and two libraries of it, as the phone would have them.
void RecordedPhone::install_app() {
  const std::string abi(abi_name(options_.machine));
  PhoneImagePlan other = plan_of("libother.so");
  other.seed = "the app's";
  other.page = 16384;
  other.needs = {"libc.so"};
  other.imports = {"malloc", "open"};
  other.exports = {{"other_work", SymbolKind::kFunction}, {"spare", SymbolKind::kFunction}};
  PhoneImagePlan own = plan_of("libtouchmark.so");
  own.seed = "the SDK's";
  own.page = 16384;  // what the build asks of the linker
  own.needs = {"libother.so", "liblog.so", "libm.so", "libdl.so", "libc.so"};
  own.imports = {"open",
                 "read",
                 "write",
                 "sigaction",
                 "signal",
                 "sigprocmask",
                 "dlopen",
                 "dladdr",
                 "dlsym",
                 "dl_iterate_phdr",
                 "memcpy",
                 "malloc",
                 "strlen",
                 "sin",
                 "other_work",
                 "__errno",
                 "__android_log_print"};
  own.exports = {{"JNI_OnLoad", SymbolKind::kFunction}};
  own.packed = true;  // --pack-dyn-relocs=android
  std::map<std::string, PhoneImage> images;
  images.emplace("libother.so", image_of(other));
  images.emplace("libtouchmark.so", image_of(own));

  std::map<std::string, std::string> files = {{"classes.dex", "code of the app"}};
  std::map<std::string, std::string> libraries;
  for (const auto& [name, image] : images) {
    libraries["lib/" + abi + "/" + name] = to_string(image.bytes);
  }
  const std::uint64_t alignment = options_.page;
  constexpr std::uint32_t kSystem = 1000;
  const auto put = [&](const std::string& path, const std::string& content) {
    kernel_.put_file(path, to_bytes(content), kSystem);
  };
  switch (options_.packaging) {
    case Packaging::kExtracted: {
      files.insert(libraries.begin(), libraries.end());
      put(base_path(), package_of(files));
      break;
    }
    case Packaging::kInBase:
      put(base_path(), package_of(files, "", libraries, alignment));
      break;
    case Packaging::kInSplit: {
      std::string split_name = "config." + abi;
      std::ranges::replace(split_name, '-', '_');
      put(base_path(), package_of(files));
      put(library_package(), package_of({}, split_name, libraries, alignment));
      put(app_ + "/split_config.de.apk", package_of({{"assets/a", "de"}}, "config.de"));
      break;
    }
    case Packaging::kInFeature:
      put(base_path(), package_of(files));
      put(library_package(),
          package_of({{"classes.dex", "code of the feature"}}, "feature", libraries, alignment));
      break;
  }
  if (options_.packaging == Packaging::kExtracted) {
    for (auto& [name, image] : images) {
      const std::string path = app_ + "/lib/" + isa_name(options_.machine) + "/" + name;
      kernel_.put_file(path, image.bytes, kSystem);
      map_image(path, std::move(image), 0, "app");
    }
  } else {
    // Resources of the same file first, as the asset manager maps them.
    const Bytes& package = kernel_.file(library_package());
    map_memory(library_package(), "r--p", Bytes(2 * options_.page));
    for (auto& [name, image] : images) {
      const auto found = std::ranges::search(package, image.bytes);
      map_image(library_package(), image,
                static_cast<std::uint64_t>(found.begin() - package.begin()), "app");
    }
  }
}

const Loaded* RecordedPhone::by_soname(const std::string& soname) const {
  for (const auto& entry : loaded_) {
    if (entry->image.plan.soname == soname) return entry.get();
  }
  return nullptr;
}

// Android's order (bionic/linker/linker.cpp, soinfo_do_lookup): the program and what is marked
// global, then the caller and what it needs, breadth first; at last what the linker itself makes
// up.
std::optional<std::uint64_t> RecordedPhone::look_up(const Loaded& from,
                                                    const std::string& name) const {
  for (const auto& entry : loaded_) {
    if (entry->role != "program" && !entry->image.plan.global) continue;
    if (const auto found = entry->find(name)) return found;
  }
  std::vector<const Loaded*> group{&from};
  for (std::size_t i = 0; i < group.size(); ++i) {
    if (const auto found = group[i]->find(name); found && group[i]->role != "linker") return found;
    for (const std::string& needed : group[i]->image.plan.needs) {
      const Loaded* next = by_soname(needed);
      if (next != nullptr && std::ranges::find(group, next) == group.end()) group.push_back(next);
    }
  }
  for (const auto& entry : loaded_) {
    if (entry->role != "linker") continue;
    if (const auto found = entry->find(name)) return found;
  }
  return std::nullopt;
}

void RecordedPhone::link_one(Loaded& loaded) {
  for (const auto& [name, slot] : loaded.image.slots) {
    const auto target = look_up(loaded, name);
    if (!target) throw std::logic_error(loaded.path + " needs " + name + ", which nobody has");
    write_pointer(loaded.at(slot), *target);
  }
  for (const std::uint64_t place : loaded.image.relative) {
    write_pointer(loaded.at(place), loaded.at(0x40));
  }
  if (loaded.image.text_word != 0) {
    write_pointer(loaded.at(loaded.image.text_word), loaded.at(0x40));
  }
}

void RecordedPhone::link() {
  for (const auto& entry : loaded_) {
    if (entry->role != "compiled") link_one(*entry);
  }
}

checks::Rules RecordedPhone::rules() const {
  checks::Rules rules = checks::android_rules();
  rules.machine = options_.machine;
  rules.frida_port = 1;  // nobody listens there
  rules.own_code = static_cast<std::uintptr_t>(*by_soname("libtouchmark.so")->find("JNI_OnLoad"));
  return rules;
}

void RecordedPhone::move_app(const std::string& folder) {
  kernel_.move_folder(app_, folder);
  app_ = folder;
}

Inspection RecordedPhone::inspect() const {
  const auto libraries = [this] {
    std::vector<checks::ListedLibrary> out;
    for (const auto& image : loaded_) {
      const auto code =
          std::ranges::find_if(image->image.segments,
                               [](const PhoneSegment& segment) { return segment.mode[2] == 'x'; });
      if (image->role == "compiled" || code == image->image.segments.end()) continue;
      out.push_back({image->path, static_cast<std::uintptr_t>(image->at(code->address))});
    }
    return out;
  };
  checks::PlatformMarks said = marks;
  said.api_level = options_.level;
  return checks::make_process_integrity(
             {.rules = rules(),
              .marks = said,
              .platform_path = base_path(),
              .app = {.package_name = "org.example.app", .storage_folder = storage_},
              .observe = [this] { return observed; },
              .libraries = libraries,
              .kernel = kernel_})
      ->inspect();
}

Loaded& RecordedPhone::loaded(const std::string& name) {
  for (const auto& entry : loaded_) {
    if (entry->image.plan.soname == name || name_of(entry->path) == name) return *entry;
  }
  throw std::logic_error("no image " + name);
}

std::uint64_t RecordedPhone::address_of(const std::string& library, const std::string& function) {
  const auto found = loaded(library).find(function);
  if (!found) throw std::logic_error(library + " has no " + function);
  return *found;
}

std::vector<std::uint64_t> RecordedPhone::slots_of(const std::string& library,
                                                   const std::string& function) {
  const Loaded& from = loaded(library);
  std::vector<std::uint64_t> out;
  const auto [begin, end] = from.image.slots.equal_range(function);
  for (auto entry = begin; entry != end; ++entry) out.push_back(from.at(entry->second));
  if (out.empty()) throw std::logic_error(library + " does not import " + function);
  return out;
}

void RecordedPhone::write_pointer(std::uint64_t slot, std::uint64_t target) {
  Bytes bytes;
  append_number(bytes, target, pointer_size(options_.machine));
  kernel_.write(slot, bytes);
}

}  // namespace touchmark::attester::testing
