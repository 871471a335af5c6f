#include "attester/checks/process_integrity.h"

#include "attester/checks/image.h"
#include "attester/checks/own_package.h"
#include "base/mutex.h"
#include "crypto/crypto.h"
#include "package/package.h"
#include "protocol/check_groups.h"

namespace touchmark::attester::checks {
namespace {

class ProcessIntegrity final : public Integrity {
 public:
  explicit ProcessIntegrity(ProcessIntegrityOptions options) : options_(std::move(options)) {
    platform_path_ = options_.platform_path;
    if (options_.rules.own_code == 0) {
      options_.rules.own_code = reinterpret_cast<std::uintptr_t>(&make_process_integrity);
    }
  }

  Inspection inspect() const override {
    Inspection out;
    const Kernel& kernel = options_.kernel;
    const KernelAnswers answers = kernel.answers();
    const std::string platform_path = this->platform_path();
    const Result<std::vector<Mapping>> maps = own_maps(platform_path);
    if (!maps) return out;  // no group ran: the verifier sees that the checks are missing
    const std::vector<Module> modules = list_modules(*maps, kernel);
    const OwnPackage own =
        find_own_package(options_.rules, modules, platform_path, measured_, out.findings, kernel);
    const Observed observed = options_.observe ? options_.observe() : Observed();
    const Properties properties = options_.rules.phone ? read_properties(kernel) : Properties();
    const Images images(kernel, options_.rules.machine);
    const Context context{
        options_.rules, options_.marks, *maps,      modules,           own, images, kernel,
        options_.app,   observed,       properties, options_.libraries};
    check_own_code(context, out.findings);
    check_virtual_space(context, out.findings);
    out.groups.emplace_back(protocol::kAppChecks);
    check_text(context, out.findings);
    check_imports(context, out.findings);
    check_unknown_code(context, out.findings);
    check_frida_server(context, out.findings);
    check_preload(context, out.findings);
    check_java(context, out.findings);
    check_hidden_code(context, out.findings);
    check_classes(context, out.findings);
    check_threads(context, out.findings);
    out.groups.emplace_back(protocol::kHookChecks);
    check_debugger(context, out.findings);
    out.groups.emplace_back(protocol::kDebugChecks);
    check_root(context, out.findings);
    check_emulator(context, out.findings);
    check_kernel(context, answers, out.findings);
    check_memory_layout(context, answers, out.findings);
    check_processor(kernel.processor(), out.findings);
    check_libc(context, out.findings);
    out.groups.emplace_back(protocol::kRootChecks);
    // The evidence's claim `tls` is most of this group's work.
    check_surroundings(context, out.findings);
    out.groups.emplace_back(protocol::kNetworkChecks);
    out.measurement = own.measurement;
    return out;
  }

  Sha256Digest range_proof(ByteView nonce, std::span<const protocol::Range> ranges) const override {
    crypto::Sha256 digest;
    digest.update(nonce);
    const Kernel& kernel = options_.kernel;
    const Result<std::vector<Mapping>> maps = own_maps(platform_path());
    const std::vector<Module> modules = maps ? list_modules(*maps, kernel) : std::vector<Module>();
    const Module* module = find_module(modules, options_.rules.own_code);
    const auto packages =
        packages_of(module == nullptr ? "" : package_of(module->path, kernel), kernel);
    for (const protocol::Range& range : ranges) {
      const PartPlace place = place_of(packages, range.part);
      const auto source = open_source(kernel, place.package);
      if (!source) continue;
      const Result<Bytes> bytes =
          package::read_part_range(**source, place.name, range.offset, range.length);
      if (bytes) digest.update(*bytes);
    }
    return digest.finish();
  }

  void set_package_path(const std::string& path) override {
    const MutexLock lock(mutex_);
    platform_path_ = path;
  }

 private:
  std::string platform_path() const {
    const MutexLock lock(mutex_);
    return platform_path_;
  }
  Result<std::vector<Mapping>> own_maps(const std::string& platform_path) const {
    Result<std::vector<Mapping>> maps = read_maps(options_.kernel);
    if (maps) {
      follow_moved_package(options_.rules, *maps, platform_path, options_.kernel);
    }
    return maps;
  }

  ProcessIntegrityOptions options_;
  mutable Mutex mutex_;
  std::string platform_path_ GUARDED_BY(mutex_);
  mutable MeasurementCache measured_;
};

}  // namespace

std::unique_ptr<Integrity> make_process_integrity(ProcessIntegrityOptions options) {
  return std::make_unique<ProcessIntegrity>(std::move(options));
}

}  // namespace touchmark::attester::checks
