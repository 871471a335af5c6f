#include "cli/io/console.h"

#include <fmt/format.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "cli/io/text.h"

namespace touchmark::cli::io {

std::string_view error_id(ConsoleError error) {
  using enum ConsoleError;
  static constexpr auto kIds = error_table<ConsoleError>({
      {kNoSpace, "console.no-space"},
      {kClosed, "console.closed"},
      {kTooLong, "console.too-long"},
  });
  return kIds[error];
}

namespace {

constexpr char kCtrlC = '\x03';

// Turns the terminal's echo off for as long as it lives, and its signals too: a Ctrl-C that ended
// the process here would leave the user's shell without echo. It arrives as a character instead.
class HiddenInput {
 public:
  HiddenInput() {
    if (tcgetattr(STDIN_FILENO, &before_) != 0) return;
    termios hidden = before_;
    hidden.c_lflag &= ~static_cast<tcflag_t>(ECHO | ISIG);
    changed_ = tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden) == 0;
  }
  ~HiddenInput() {
    if (changed_) tcsetattr(STDIN_FILENO, TCSAFLUSH, &before_);
  }
  HiddenInput(const HiddenInput&) = delete;
  HiddenInput& operator=(const HiddenInput&) = delete;

 private:
  termios before_{};
  bool changed_ = false;
};

class StandardConsole final : public Console {
 public:
  void print(std::string_view text) override {
    end_bar();
    write(stdout, printable(text) + '\n');
  }

  void note(std::string_view text) override {
    end_bar();
    write(stderr, printable(text) + '\n');
  }

  bool interactive() const override { return isatty(STDIN_FILENO) && isatty(STDERR_FILENO); }

  bool prints_to_terminal() const override { return isatty(STDOUT_FILENO) != 0; }

  std::optional<std::string> ask(std::string_view prompt, Echo echo) override {
    if (!interactive()) return std::nullopt;
    end_bar();
    write(stderr, printable(prompt) + ' ');
    std::optional<HiddenInput> hidden;
    if (echo == Echo::kHide) hidden.emplace();
    std::string line;
    int c = 0;
    while ((c = std::fgetc(stdin)) != EOF && c != '\n') {
      if (c == kCtrlC) break;
      line += static_cast<char>(c);
    }
    if (echo == Echo::kHide) write(stderr, "\n");
    if (c == kCtrlC || (c == EOF && line.empty())) return std::nullopt;
    return line;
  }

  Result<std::string> read_input(std::size_t max_bytes) override {
    std::string all;
    char piece[4096];
    std::size_t got = 0;
    while ((got = std::fread(piece, 1, sizeof piece, stdin)) > 0) {
      all.append(piece, got);
      if (all.size() > max_bytes) {
        return fail(ConsoleError::kTooLong,
                    "standard input is longer than " + std::to_string(max_bytes) + " bytes");
      }
    }
    while (!all.empty() && (all.back() == '\n' || all.back() == '\r')) all.pop_back();
    return all;
  }

  void progress(std::string_view what, std::uint64_t done, std::uint64_t total) override {
    if (total == 0 || !isatty(STDERR_FILENO)) return;
    const std::uint64_t percent = done * 100 / total;
    if (percent == percent_) return;
    percent_ = percent;
    constexpr std::uint64_t kWidth = 30;
    const std::size_t filled = static_cast<std::size_t>(percent * kWidth / 100);
    write(stderr, fmt::format("\r{} [{:-<{}}] {:>3}% of {}\x1b[K", printable(what),
                              std::string(filled, '#'), kWidth, percent, human_size(total)));
    bar_drawn_ = true;
  }

  Result<void> flush() override {
    end_bar();
    if (std::fflush(stdout) != 0 && error_ == 0) error_ = errno;
    if (error_ == 0) return {};
    const std::string why = std::strerror(error_);
    if (error_ == ENOSPC || error_ == EDQUOT || error_ == EFBIG) {
      return fail(ConsoleError::kNoSpace, "the output could not be written: " + why);
    }
    return fail(ConsoleError::kClosed, "the output could not be written: " + why);
  }

 private:
  void write(FILE* stream, std::string_view text) {
    if (std::fwrite(text.data(), 1, text.size(), stream) != text.size() && stream == stdout &&
        error_ == 0) {
      error_ = errno;
    }
  }
  void end_bar() {
    if (!bar_drawn_) return;
    bar_drawn_ = false;
    percent_ = kNoPercent;
    write(stderr, "\r\x1b[K");
  }

  int error_ = 0;  // the first errno of a failed write to standard output
  static constexpr std::uint64_t kNoPercent = 101;
  std::uint64_t percent_ = kNoPercent;
  bool bar_drawn_ = false;
};

}  // namespace

std::unique_ptr<Console> standard_console() { return std::make_unique<StandardConsole>(); }

}  // namespace touchmark::cli::io
