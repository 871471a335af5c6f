// An iPhone for tests: maps an app's Mach-O images as dyld does (segments at their addresses and a
// slide, pointers rebased and bound), and answers what the checks ask.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "attester/checks/ios/iphone.h"
#include "base/error.h"

namespace touchmark::attester::testing {

class PlayedIphone final : public checks::ios::Iphone {
 public:
  // With the system's own library, which all that the app imports is bound to.
  PlayedIphone();

  // Puts the app of an IPA on it, and loads its main executable and its libraries.
  Result<void> install(ByteView ipa);
  // Loads one image. Of a universal file the one for arm64, else the first of 64 bits. Returns
  // where its header is. Fails with an error of package/ios.
  Result<std::uint64_t> load(const std::string& path, ByteView file);
  // Where an image of the app begins, by its path in the bundle.
  std::uint64_t header_of(const std::string& name) const;
  void write(std::uint64_t address, ByteView bytes);
  Bytes read(std::uint64_t address, std::size_t size) const;

  std::string bundle = "/private/var/containers/Bundle/Application/6F1C/Example.app/";
  std::set<std::string> files;  // that exist
  std::map<std::string, std::string> variables;
  std::optional<bool> traced = false;
  bool simulator = false;
  Bytes started;  // hash of the code directory that the kernel started
  // Pointers that were rebased where nobody may write: none, in an image of a sound linker.
  std::size_t fixed_rebases = 0;

  std::vector<checks::ios::ListedImage> images() const override { return images_; }
  std::size_t copy_memory(std::uint64_t address, std::span<std::byte> out) const override;
  std::optional<Bytes> read_file(const std::string& path, std::size_t max_bytes) const override;
  bool exists(const std::string& path) const override { return files.contains(path); }
  std::string environment(const char* name) const override;
  std::optional<bool> is_traced() const override { return traced; }
  Bytes code_directory_hash() const override { return started; }
  bool is_simulator() const override { return simulator; }

 private:
  std::vector<checks::ios::ListedImage> images_;
  std::map<std::uint64_t, Bytes> memory_;  // stretches, by where they begin
  std::map<std::string, Bytes> contents_;
  std::uint64_t next_ = 0x104000000;
  std::uint64_t system_function_ = 0;
};

}  // namespace touchmark::attester::testing
