// Where a command's words go and where its answers come from. Commands know only this interface, so
// tests capture what a user would see.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"

namespace touchmark::cli::io {

enum class ConsoleError { kNoSpace, kClosed, kTooLong };
std::string_view error_id(ConsoleError error);

enum class Echo { kShow, kHide };

// Used from one thread.
class Console {
 public:
  virtual ~Console() = default;

  // One line (or several, joined by '\n') of the answer, on standard output. What scripts read.
  virtual void print(std::string_view text) = 0;
  // One line beside the answer, on standard error.
  virtual void note(std::string_view text) = 0;
  // True when a person can be asked: standard input and standard error are terminals.
  virtual bool interactive() const = 0;
  // True when what print() prints is for a person's eyes alone: standard output is a terminal.
  virtual bool prints_to_terminal() const = 0;
  // Asks on the terminal; nullopt when not interactive(), or at end of input.
  virtual std::optional<std::string> ask(std::string_view prompt, Echo echo) = 0;
  // All of standard input, without the line break at its end.
  virtual Result<std::string> read_input(std::size_t max_bytes) = 0;
  // How far a transfer is, in bytes; drawn only on a terminal. The next line takes its place.
  virtual void progress(std::string_view what, std::uint64_t done, std::uint64_t total) = 0;
  // Hands everything to the system; fails when the disk behind standard output is full.
  virtual Result<void> flush() = 0;
};

// Over the process's standard streams. Control characters from outside (an app's label, a message
// of the service) are printed escaped, so that they cannot drive the terminal.
std::unique_ptr<Console> standard_console();

}  // namespace touchmark::cli::io
