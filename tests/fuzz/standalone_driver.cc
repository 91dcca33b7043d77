// Runs a fuzz target (LLVMFuzzerTestOneInput) without libFuzzer: every corpus file, then a number
// of mutated ones. There is no feedback from coverage; the same arguments and corpus always give
// the same inputs, so that a failure can be repeated anywhere. When the target aborts, the input
// is printed as hexadecimal digits; `xxd -r -p` makes a corpus file of them.
//
// Usage: <fuzz program> [--runs N] [--seed S] CORPUS_DIR...

#include <algorithm>
#include <charconv>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "base/random.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

// There when a sanitizer is linked in: those end the program without SIGABRT.
extern "C" __attribute__((weak)) void __sanitizer_set_death_callback(void (*callback)());

namespace {

namespace fs = std::filesystem;
using Input = std::vector<uint8_t>;
using tilewave::base::Random;

constexpr size_t kMaxInputBytes = 4096;
constexpr size_t kMaxMutations = 5;

struct Options {
  uint64_t runs = 1000;
  uint64_t seed = 1;
  std::vector<std::string> directories;
};

// What runs now, for the report of a crash. Global because a signal handler has no argument.
const Input* running_input = nullptr;

void PrintRunningInput() {
  if (running_input == nullptr) return;
  std::fprintf(stderr, "\ninput of %zu bytes:\n", running_input->size());
  for (const uint8_t byte : *running_input) std::fprintf(stderr, "%02x", byte);
  std::fprintf(stderr, "\n");
}

// Not async-signal-safe, but the program is lost at this point and the input is worth the try.
void HandleFatalSignal(int signal) {
  PrintRunningInput();
  std::signal(signal, SIG_DFL);
  std::raise(signal);
}

void InstallCrashReport() {
  std::signal(SIGABRT, &HandleFatalSignal);
  if (__sanitizer_set_death_callback != nullptr) {
    __sanitizer_set_death_callback(&PrintRunningInput);
    return;
  }
  for (const int signal : {SIGSEGV, SIGFPE, SIGILL, SIGBUS}) {
    std::signal(signal, &HandleFatalSignal);
  }
}

void Run(const Input& input) {
  // A copy of exactly this size on the heap lets a sanitizer see a read past its end.
  const Input copy(input.begin(), input.end());
  running_input = &copy;
  LLVMFuzzerTestOneInput(copy.data(), copy.size());
  running_input = nullptr;
}

// An index into a range of `size` > 0.
size_t Below(Random* random, size_t size) { return static_cast<size_t>(random->Next() % size); }

ptrdiff_t Offset(size_t position) { return static_cast<ptrdiff_t>(position); }

// Bytes on which parsers tend to turn: limits of integers and characters of text formats.
uint8_t InterestingByte(Random* random) {
  static constexpr char kBytes[] =
      "\x00\x01\x02\x03\x04\x07\x08\x10\x20\x40\x7e\x7f\x80\x81\xfe\xff"
      "0123456789-+.,:;'\"\\/()[]{}<>=|# \t\r\nLTFabefiux_";
  return static_cast<uint8_t>(kBytes[Below(random, sizeof(kBytes) - 1)]);
}

// Inserts a piece of `source`, which may be `input` itself, somewhere.
void InsertPiece(const Input& source, Random* random, Input* input) {
  if (source.empty()) return;
  const size_t start = Below(random, source.size());
  const size_t length = 1 + Below(random, std::min<size_t>(source.size() - start, 64));
  const Input piece(source.begin() + Offset(start), source.begin() + Offset(start + length));
  const size_t where = Below(random, input->size() + 1);
  input->insert(input->begin() + Offset(where), piece.begin(), piece.end());
}

// Keeps the start of `input` and appends the end of `other`.
void Splice(const Input& other, Random* random, Input* input) {
  input->resize(Below(random, input->size() + 1));
  const size_t start = Below(random, other.size() + 1);
  input->insert(input->end(), other.begin() + Offset(start), other.end());
}

void Mutate(const std::vector<Input>& corpus, Random* random, Input* input) {
  const Input& other = corpus[Below(random, corpus.size())];
  const uint64_t kind = random->Next() % 8;
  if (input->empty() || kind == 0) {
    const size_t where = Below(random, input->size() + 1);
    input->insert(input->begin() + Offset(where), InterestingByte(random));
    return;
  }
  const size_t at = Below(random, input->size());
  switch (kind) {
    case 1:
      (*input)[at] = static_cast<uint8_t>((*input)[at] ^ (1u << random->Next() % 8));
      break;
    case 2:
      (*input)[at] = InterestingByte(random);
      break;
    case 3: {
      const size_t length = 1 + Below(random, std::min<size_t>(input->size() - at, 16));
      input->erase(input->begin() + Offset(at), input->begin() + Offset(at + length));
      break;
    }
    case 4:
      input->resize(at);
      break;
    case 5:
      Splice(other, random, input);
      break;
    case 6:
      InsertPiece(other, random, input);
      break;
    default:
      InsertPiece(Input(*input), random, input);
      break;
  }
}

std::optional<uint64_t> ParseNumber(std::string_view text) {
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<Options> ParseOptions(const std::vector<std::string>& arguments) {
  Options options;
  for (size_t i = 0; i < arguments.size(); ++i) {
    const std::string& argument = arguments[i];
    if (!argument.starts_with("--")) {
      options.directories.push_back(argument);
      continue;
    }
    uint64_t* const target = argument == "--runs"   ? &options.runs
                             : argument == "--seed" ? &options.seed
                                                    : nullptr;
    if (target == nullptr || i + 1 == arguments.size()) return std::nullopt;
    const std::optional<uint64_t> value = ParseNumber(arguments[++i]);
    if (!value) return std::nullopt;
    *target = *value;
  }
  if (options.directories.empty()) return std::nullopt;
  return options;
}

// Adds the files below `root` (or `root` itself, if it is a file), sorted by name: the order in a
// directory differs between machines. False if something cannot be read.
bool LoadCorpus(const std::string& root, std::vector<Input>* corpus) {
  std::error_code error;
  std::vector<fs::path> paths;
  if (fs::is_regular_file(root, error)) {
    paths.emplace_back(root);
  } else {
    for (fs::recursive_directory_iterator it(root, error), end; !error && it != end;
         it.increment(error)) {
      if (it->is_regular_file()) paths.push_back(it->path());
    }
  }
  if (error) {
    std::fprintf(stderr, "cannot read corpus '%s': %s\n", root.c_str(), error.message().c_str());
    return false;
  }
  std::sort(paths.begin(), paths.end());
  for (const fs::path& path : paths) {
    std::ifstream file(path, std::ios::binary);
    corpus->emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
    if (!file) {
      std::fprintf(stderr, "cannot read corpus file '%s'\n", path.c_str());
      return false;
    }
  }
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  const std::optional<Options> options =
      ParseOptions(std::vector<std::string>(argv + 1, argv + std::max(argc, 1)));
  if (!options) {
    std::fprintf(stderr, "usage: %s [--runs N] [--seed S] CORPUS_DIR...\n", argv[0]);
    return 2;
  }
  std::vector<Input> corpus;
  for (const std::string& directory : options->directories) {
    if (!LoadCorpus(directory, &corpus)) return 2;
  }
  InstallCrashReport();
  for (const Input& input : corpus) Run(input);
  const size_t corpus_files = corpus.size();
  if (corpus.empty()) corpus.emplace_back();  // Something to mutate.
  Random random(options->seed);
  for (uint64_t run = 0; run < options->runs; ++run) {
    Input input = corpus[Below(&random, corpus.size())];
    const size_t mutations = 1 + Below(&random, kMaxMutations);
    for (size_t i = 0; i < mutations; ++i) Mutate(corpus, &random, &input);
    if (input.size() > kMaxInputBytes) input.resize(kMaxInputBytes);
    Run(input);
  }
  std::printf("%zu corpus files and %llu mutated inputs ran, seed %llu\n", corpus_files,
              static_cast<unsigned long long>(options->runs),
              static_cast<unsigned long long>(options->seed));
  return 0;
}
