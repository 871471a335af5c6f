// A configuration file of `touchmark serve`, through every step up to the plan of a start. Whatever
// is in it is either a plan, or a list of problems that each say where and what.
#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

#include "cli/line/command.h"
#include "cli/serve/option_sources.h"
#include "cli/serve/options.h"

using namespace touchmark::cli;

namespace {

// A file in memory, by the path that opens it.
class File {
 public:
  File() : descriptor_(::memfd_create("touchmark.toml", MFD_CLOEXEC)) {
    if (descriptor_ < 0) std::abort();
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() { ::close(descriptor_); }

  void write(const std::uint8_t* data, std::size_t size) const {
    if (::ftruncate(descriptor_, 0) != 0) std::abort();
    if (::pwrite(descriptor_, data, size, 0) != static_cast<::ssize_t>(size)) std::abort();
  }
  std::string path() const { return "/proc/self/fd/" + std::to_string(descriptor_); }

 private:
  int descriptor_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const File file;
  static line::Root root("serve", "", "");
  static serve::GivenFlags* const flags = [] {
    auto* made = new serve::GivenFlags;
    serve::add_options(root.command(), *made);
    return made;
  }();
  file.write(data, size);
  const serve::Configuration read =
      serve::read_configuration(*flags, {.environment = {}, .default_file = file.path()});
  if (!read.file && read.problems.empty()) std::abort();  // it was not read
  if (read.origins.size() != serve::option_table().size()) std::abort();
  for (const serve::OptionProblem& problem : read.problems) {
    if (problem.where.empty() || problem.message.empty()) std::abort();
    if (serve::to_string(problem).size() > 64 * 1024) std::abort();
  }
  for (const serve::OptionRow& row : serve::option_table()) {
    (void)serve::values_in_force(row, read);
    if (serve::origin_text(row, read.origin_of(row.name)).empty()) std::abort();
  }
  if (!read.problems.empty()) return 0;
  const auto plan = serve::make_plan(read.options);
  if (!plan && plan.error().message().empty()) std::abort();
  return 0;
}
