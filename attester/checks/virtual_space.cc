// Apps that run other apps inside themselves: VirtualXposed, Parallel Space and their like. Inside
// one, the platform's answers are made up and calls of libc lead elsewhere. The kernel sees the
// host: its user, its folders.
//
// A second installation by the platform itself is none: a work profile, a second user, the makers'
// dual apps are users of Android, with folders and a user number of their own.
#include "attester/checks/check.h"

namespace touchmark::attester::checks {
namespace {

using protocol::FindingId;

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
  const Result<Bytes> process = read_status(context.kernel);
  const auto user = process ? status_number(*process, "Uid:") : std::nullopt;
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
