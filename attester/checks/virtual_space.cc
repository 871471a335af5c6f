// Apps that run other apps inside themselves: VirtualXposed, Parallel Space and their like. Inside
// one, the platform's answers are made up and calls of libc lead elsewhere. The kernel sees the
// host: its user, its folders.
//
// A second installation by the platform itself is none: a work profile, a second user, the makers'
// dual apps are users of Android, with folders and a user number of their own.
#include <charconv>

#include "attester/checks/check.h"

namespace touchmark::attester::checks {
namespace {

using protocol::FindingId;

// "Uid:\t10123\t10123\t10123\t10123": the first is the real one (proc(5)).
std::optional<std::uint32_t> own_user(const Kernel& kernel) {
  constexpr std::string_view kField = "\nUid:";
  const Result<Bytes> status = read_whole(kernel, "/proc/self/status", 64 * 1024);
  if (!status) return std::nullopt;
  const std::string_view text = as_text(*status);
  const std::size_t at = text.find(kField);
  if (at == std::string_view::npos) return std::nullopt;
  const std::size_t value = text.find_first_not_of(" \t", at + kField.size());
  if (value == std::string_view::npos) return std::nullopt;
  std::uint32_t out = 0;
  const auto [end, error] = std::from_chars(text.data() + value, text.data() + text.size(), out);
  if (error != std::errc()) return std::nullopt;
  return out;
}

void check_code(const Context& context, const std::string& package, Findings& out) {
  const std::string& path = context.own.library_path;
  const std::optional<DataPath> data = parse_data_path(path);
  if (data && data->package != package) {
    report(out, FindingId::kAppVirtualSpace, path + " lies in the data of " + data->package);
  }
}

void check_storage(const Context& context, const std::string& package, Findings& out) {
  const std::string& folder = context.app.storage_folder;
  const std::optional<DataPath> data = parse_data_path(folder);
  if (!data) return;
  const auto refuse = [&](const std::string& reason) {
    report(out, FindingId::kAppVirtualSpace, folder + " " + reason);
  };
  if (data->package != package) return refuse("is not the data of " + package);
  const Result<FileStatus> status = context.kernel.status(folder);
  // The app has just written there: it was somewhere else.
  if (!status) return refuse("is not where the app writes to: " + status.error().text());
  const std::optional<std::uint32_t> user = own_user(context.kernel);
  if (user && status->owner != *user) {
    refuse("belongs to user " + std::to_string(status->owner) + ", the process to " +
           std::to_string(*user));
  }
}

}  // namespace

void check_virtual_space(const Context& context, Findings& out) {
  const std::string& package = context.app.package_name;
  if (!context.rules.phone || package.empty()) return;
  check_code(context, package, out);
  check_storage(context, package, out);
}

}  // namespace touchmark::attester::checks
