// The data folder, and the process that runs on it.
#include <fmt/format.h>

#include "cli/commands/doctor/check.h"
#include "cli/commands/doctor/time.h"
#include "cli/io/text.h"

namespace touchmark::cli::commands::doctor {
namespace {

// A backup that is this much older than it should be is as good as none.
constexpr int kLongMissed = 4;
// Of the room that there should be, less is next to none.
constexpr std::uint64_t kNextToNone = 8;
constexpr std::uint64_t kFewFiles = 1000;
// Of 10: this much of the limit in use.
constexpr std::uint64_t kNearlyAll = 9;

// `judge`: const ProcessFacts& -> Findings.
template <class Judge>
Findings of_process(const Facts& facts, Judge judge) {
  if (!facts.diagnosis) return {untold(facts, facts.diagnosis.error())};
  if (!facts.diagnosis->process) return {skip("the service does not know")};
  return judge(*facts.diagnosis->process);
}

}  // namespace

Findings judge_backup(const Facts& facts) {
  if (!facts.status) return {untold(facts, facts.status.error())};
  const StatusFacts& status = *facts.status;
  if (!status.tells_backup) return {skip("the service does not tell: it is older")};
  const UnixTime now = facts.now + Seconds(facts.clock_ahead);
  const Seconds age = now - status.last_backup.value_or(status.first_start);
  if (status.last_backup && age <= facts.limits.backup_age) {
    return {ok("the last one is of " + io::local_time(*status.last_backup))};
  }
  std::string message =
      status.last_backup
          ? fmt::format("the last one is {} old, of {}", rough(age),
                        io::local_time(*status.last_backup))
          : std::string(
                "none was ever made: with this machine the identity of the service is lost, "
                "and every app is locked out");
  const std::string advice = "`touchmark backup FILE` makes one while the service runs";
  if (age > kLongMissed * facts.limits.backup_age) {
    return {broken("", std::move(message), advice)};
  }
  return {warn("", std::move(message), advice)};
}

Findings judge_master_key(const Facts& facts) {
  return of_process(facts, [](const ProcessFacts& process) -> Findings {
    if (process.master_key_apart) return {ok("it is")};
    return {warn("", "it is in the data folder: a copy of the folder has all secrets open",
                 "stop the service, move master.key elsewhere, and start with --master-key FILE or "
                 "systemd's LoadCredential=master.key:FILE")};
  });
}

Findings judge_token_file(const Facts& facts) {
  return of_process(facts, [](const ProcessFacts& process) {
    Findings out;
    for (const std::string& file : process.token_files) {
      out.push_back(warn(file, "still holds operators' tokens",
                         "remove it when everybody has what they need; `touchmark operator add` "
                         "makes tokens for people"));
    }
    return or_ok(std::move(out), "none is there");
  });
}

Findings judge_disk(const Facts& facts) {
  const std::uint64_t least = facts.limits.least_free;
  return of_process(facts, [least](const ProcessFacts& process) -> Findings {
    if (process.total_bytes == 0) return {skip("the service does not know")};
    const std::string room = fmt::format("{} of {} are free", io::human_size(process.free_bytes),
                                         io::human_size(process.total_bytes));
    const std::string advice = "make room on the disk of " + process.data;
    if (process.free_bytes < least / kNextToNone) return {broken("", room, advice)};
    if (process.free_bytes < least) return {warn("", room, advice)};
    if (process.free_files && *process.free_files < kFewFiles) {
      return {warn("", fmt::format("{} more files fit on it", *process.free_files), advice)};
    }
    return {ok(room)};
  });
}

Findings judge_folder(const Facts& facts) {
  return of_process(facts, [](const ProcessFacts& process) {
    constexpr std::int64_t kOthers = 0077;
    Findings out;
    if (process.data_problem) {
      out.push_back(broken("", "a file cannot be written: " + *process.data_problem,
                           "look at the disk, its mount (read-only?) and the folder's owner"));
    }
    if (process.data_mode && (*process.data_mode & kOthers) != 0) {
      out.push_back(broken("",
                           fmt::format("{} has mode {:04o}: others can enter the folder with the "
                                       "keys",
                                       process.data, *process.data_mode),
                           "chmod 0700 " + process.data));
    }
    return or_ok(std::move(out), process.data);
  });
}

Findings judge_store(const Facts& facts) {
  if (!facts.diagnosis) return {untold(facts, facts.diagnosis.error())};
  Findings out;
  if (facts.diagnosis->store_problem) {
    out.push_back(broken("", *facts.diagnosis->store_problem,
                         "what operators change is refused until it takes changes again; look at "
                         "the disk, its mount and who else has the database open"));
  }
  for (const DiagnosisFacts::Unreadable& one : facts.diagnosis->unreadable) {
    out.push_back(broken(one.what, "could not be read: " + one.error, one.advice));
  }
  return or_ok(std::move(out), "it just took a change");
}

Findings judge_audit(const Facts& facts) {
  if (!facts.audit) return {untold(facts, facts.audit.error())};
  if (facts.audit->intact) return {ok("the chain of hashes is whole")};
  return {broken(
      "", "entries were changed or removed behind the service's back: " + facts.audit->problem,
      "keep the data folder for who looks into it; `touchmark audit list` shows what is "
      "left")};
}

Findings judge_descriptors(const Facts& facts) {
  return of_process(facts, [](const ProcessFacts& process) {
    const std::string advice =
        "raise the limit of open files (LimitNOFILE= of systemd, ulimit -n), and restart";
    Findings out;
    if (process.max_connections < process.wanted_connections) {
      out.push_back(warn("",
                         fmt::format("{} open files are room for {} connections, not for {}",
                                     process.descriptor_limit, process.max_connections,
                                     process.wanted_connections),
                         advice));
    }
    if (process.open_descriptors * 10 > process.descriptor_limit * kNearlyAll) {
      out.push_back(warn(
          "", fmt::format("{} of {} are open", process.open_descriptors, process.descriptor_limit),
          advice));
    }
    return or_ok(std::move(out), fmt::format("{} of {} are open", process.open_descriptors,
                                             process.descriptor_limit));
  });
}

}  // namespace touchmark::cli::commands::doctor
