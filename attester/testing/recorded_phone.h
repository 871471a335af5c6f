// Recorded process images of phones: what the kernel of a phone of an API level would show the
// checks of an app's process. Made from phones.table, whose lines say which source of AOSP has each
// fact; then attacks are made on it as they are made on phones.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "attester/checks/check.h"
#include "attester/core/integrity.h"
#include "attester/testing/phone_image.h"
#include "attester/testing/property_area.h"

namespace touchmark::attester::testing {

// Where the app's libraries are.
enum class Packaging {
  kExtracted,  // in files that the installer took out (android:extractNativeLibs)
  kInBase,     // mapped from base.apk, as Gradle's default
  kInSplit,    // mapped from split_config.<abi>.apk, as an app bundle's
  kInFeature,  // mapped from the split of a dynamic feature
};

// Whether this program can hold a phone's addresses: one of 32 bits has none for one of 64.
constexpr bool can_play(Machine machine) { return !is_wide(machine) || is_wide(kOwnMachine); }

struct PhoneOptions {
  int level = 34;
  Machine machine = can_play(Machine::kArm64) ? Machine::kArm64 : Machine::kArm;
  Packaging packaging = Packaging::kInBase;
  std::uint64_t page = 4096;
  int user = 0;          // of the device; 10 is a work profile
  std::string app = {};  // the app's folder; "" for the level's usual one
};

// A piece of memory, as a line of maps has it.
struct Area {
  std::uint64_t start = 0;
  std::string mode;  // "r-xp"
  std::uint64_t offset = 0;
  std::string path;  // "" for anonymous memory; with " (deleted)" where the kernel says so
  Bytes bytes;
  std::set<std::uint64_t> written;  // pages of a file that the process has copies of

  std::uint64_t inode = 0;  // 0: that of the file of this path

  std::uint64_t end() const { return start + bytes.size(); }
};

class RecordedKernel final : public checks::Kernel {
 public:
  Result<std::unique_ptr<checks::OpenFile>> open(const std::string& path) const override;
  Result<checks::FileStatus> status(const std::string& path) const override;
  Result<std::vector<std::string>> list_folder(const std::string& path) const override;
  std::size_t copy_memory(std::uintptr_t address, std::span<std::byte> out) const override;
  checks::KernelAnswers answers() const override { return given; }
  checks::ProcessorMarks processor() const override { return processor_marks; }

  void put_file(const std::string& path, Bytes content, std::uint32_t owner = 0);
  const Bytes& file(const std::string& path) const { return *files_.at(path).content; }
  void hide_file(const std::string& path) { files_.at(path).hidden = true; }
  void remove_file(const std::string& path) { files_.erase(path); }
  // As a link to the new folder and the end of the old one; what is mapped from there says so.
  void move_folder(const std::string& from, const std::string& to);
  void set_owner(const std::string& path, std::uint32_t owner) { files_.at(path).owner = owner; }
  Area& add_area(Area area);
  std::vector<Area>& areas() { return areas_; }
  Area& area_at(std::uint64_t address);
  // Writes as a debugger does, whatever the mode.
  void write(std::uint64_t address, ByteView bytes);
  bool memory_list_is_readable = true;  // /proc/self/smaps
  // How often each file was opened.
  const std::map<std::string, int>& opened() const { return opened_; }
  checks::KernelAnswers given = checks::answers_of_linux();
  checks::ProcessorMarks processor_marks;

 private:
  struct File {
    std::shared_ptr<const Bytes> content;
    std::uint32_t owner = 0;
    std::uint64_t inode = 0;
    std::uint64_t changed = 0;
    bool hidden = false;
  };
  std::string list_memory(bool with_pages) const;
  std::uint64_t inode_of(const Area& area) const;
  std::optional<Bytes> proc_file(const std::string& path) const;

  std::map<std::string, File> files_;
  std::vector<Area> areas_;  // ascending
  std::uint64_t next_inode_ = 100;
  mutable std::map<std::string, int> opened_;
};

// An image in the process.
struct Loaded {
  std::string path;
  PhoneImage image;
  std::uint64_t bias = 0;
  std::uint64_t base = 0;  // of the image in its file
  std::string role;        // a kind of the table, or "app"
  std::set<std::string> made_up;

  std::uint64_t at(std::uint64_t linked) const { return bias + linked; }
  // What its functions are for others: an indirect one is what it chose.
  std::optional<std::uint64_t> find(const std::string& name) const;
};

class RecordedPhone {
 public:
  explicit RecordedPhone(const PhoneOptions& options);

  const PhoneOptions& options() const { return options_; }
  RecordedKernel& kernel() { return kernel_; }
  const std::string& app_folder() const { return app_; }
  std::string base_path() const { return app_ + "/base.apk"; }
  // The package that holds the app's libraries.
  std::string library_package() const;
  checks::Rules rules() const;
  Inspection inspect() const;
  const std::string& storage_folder() const { return storage_; }
  std::uint32_t app_user() const;

  // What the platform and its virtual machine say.
  checks::Observed observed;
  checks::PlatformMarks marks{.build_tags = "release-keys",
                              .hardware = "qcom",
                              .product = "phone",
                              .fingerprint = "maker/phone/phone:user/release-keys",
                              .manufacturer = "Maker",
                              .model = "Phone"};
  // The method's record, of `observed`.
  checks::JavaMethod& method(const std::string& name);
  // Writes the function of a native method into its record, or where compiled code enters it.
  void set_function(const std::string& method, std::uint64_t target);
  void set_entry(const std::string& method, std::uint64_t target);
  void set_flags(const std::string& method, std::uint32_t flags);
  // Sets a property, as init or, with `changes`, somebody later.
  void set_property(const RecordedProperty& property);
  void add_mount(const std::string& line);
  void add_thread(int number, const std::string& name);
  // As an installer does that adds a split to the running app.
  void move_app(const std::string& folder);

  // The image whose file or soname is called so; the app's own library is libtouchmark.so.
  Loaded& loaded(const std::string& name);
  std::uint64_t address_of(const std::string& library, const std::string& function);
  std::vector<std::uint64_t> slots_of(const std::string& library, const std::string& function);
  void write_pointer(std::uint64_t slot, std::uint64_t target);

  // Maps an image of a file that is there, or of memory ("" for `path`), and gives where it is.
  Loaded& map_image(const std::string& path, PhoneImage image, std::uint64_t base = 0,
                    const std::string& role = "library");
  std::uint64_t map_memory(const std::string& name, const std::string& mode, Bytes bytes);
  PhoneImagePlan plan_of(const std::string& soname) const;

 private:
  struct Line;
  std::vector<Line> read_table() const;
  std::string expand(std::string path) const;
  void add(const Line& line);
  void add_system_image(const Line& line);
  void install_app();
  void link();
  void answer();
  void link_one(Loaded& loaded);
  void put_properties();
  void start_machine();
  std::uint64_t code_in(const std::string& library, std::uint64_t at);
  void add_method(const std::string& name, std::uint32_t modifiers, std::uint64_t function,
                  std::uint64_t entry, bool registered);
  std::optional<std::uint64_t> look_up(const Loaded& from, const std::string& name) const;
  const Loaded* by_soname(const std::string& soname) const;
  std::uint64_t take_room(std::uint64_t size);

  PhoneOptions options_;
  std::string app_;
  std::string storage_;
  std::uint64_t methods_ = 0;  // where ART's next record goes
  std::vector<RecordedProperty> properties_;
  std::string mounts_;
  RecordedKernel kernel_;
  std::vector<std::unique_ptr<Loaded>> loaded_;
  std::uint64_t next_address_ = 0;
};

// The levels that the table is about.
inline constexpr int kLowestLevel = 23;
inline constexpr int kHighestLevel = 36;

}  // namespace touchmark::attester::testing
