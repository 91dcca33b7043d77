#include "cli/npy_file.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <limits>
#include <numeric>
#include <string_view>
#include <utility>

#include "cli/atomic_file.h"
#include "tests/support/npy_bytes.h"

// Sanitizers reserve terabytes of addresses, so that they cannot run below a limit on these.
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || \
    __has_feature(memory_sanitizer)
#define TW_TEST_SANITIZED 1
#endif
#elif defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define TW_TEST_SANITIZED 1
#endif

namespace tilewave::cli {
namespace {

namespace fs = std::filesystem;
using testing::Bytes;
using testing::DataBytes;
using testing::DictWithShape;
using testing::ExpectRefused;
using testing::File;
using testing::kReadable;
using testing::kSmallDict;
using testing::Shape;
using testing::Shapes;

// A directory of its own for every test.
class NpyFileTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::path(::testing::TempDir()) / "npy_test.XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    directory_ = pattern;
  }
  void TearDown() override { fs::remove_all(directory_); }

  std::string Path(std::string_view name) const { return (directory_ / name).string(); }

  std::string Store(std::string_view name, std::string_view contents) const {
    std::ofstream file(Path(name), std::ios::binary);
    file.write(contents.data(), static_cast<std::streamsize>(contents.size()));
    EXPECT_TRUE(file.good());
    return Path(name);
  }

  std::string Load(std::string_view name) const {
    std::ifstream file(Path(name), std::ios::binary);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  }

  // Names of all that is in the directory, hidden files too.
  std::vector<std::string> Entries() const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(directory_)) {
      names.push_back(entry.path().filename().string());
    }
    std::sort(names.begin(), names.end());
    return names;
  }

  fs::path directory_;
};

using Names = std::vector<std::string>;

std::string Pattern(size_t bytes) {
  std::string data(bytes, '\0');
  for (size_t i = 0; i < bytes; ++i) data[i] = static_cast<char>(i * 37 + 11);
  return data;
}

TEST_F(NpyFileTest, RoundTrips) {
  for (const ElementType type : kReadable) {
    for (const Shape& shape : Shapes()) {
      const std::string data = Pattern(DataBytes(type, shape));
      const std::string path = Path("A.npy");
      const Status written = WriteNpy(path, type, shape, Bytes(data));
      ASSERT_TRUE(written.ok()) << written.ToString();
      const Result<NpyArray> array = ReadNpy(path);
      ASSERT_TRUE(array.ok()) << array.status().ToString();
      EXPECT_EQ(array->header.type, type);
      EXPECT_EQ(array->header.shape, shape);
      EXPECT_FALSE(array->header.fortran_order);
      ASSERT_EQ(array->data.bytes(), data.size());
      EXPECT_EQ(reinterpret_cast<uintptr_t>(array->data.data()) % 64, 0u);
      EXPECT_EQ(std::string_view(array->data.data<char>(), data.size()), data);
    }
  }
  EXPECT_EQ(Entries(), Names{"A.npy"});
}

TEST_F(NpyFileTest, FortranOrderOfEveryType) {
  for (const ElementType type : kReadable) {
    for (const Shape& shape : Shapes()) {
      const std::string data = Pattern(DataBytes(type, shape));
      const std::string path = Store("A.npy", NpyHeaderText(type, true, shape) + data);
      const Result<NpyArray> array = ReadNpy(path);
      ASSERT_TRUE(array.ok()) << array.status().ToString();
      EXPECT_TRUE(array->header.fortran_order);
      EXPECT_EQ(array->header.shape, shape);
      EXPECT_EQ(std::string_view(array->data.data<char>(), array->data.bytes()), data);
    }
  }
}

TEST_F(NpyFileTest, ReadsEveryVersion) {
  const std::array<float, 2> values = {1.5f, -2.0f};
  const std::string data(reinterpret_cast<const char*>(values.data()), sizeof(values));
  for (const int version : {1, 2, 3}) {
    const Result<NpyArray> array = ReadNpy(Store("A.npy", File(version, kSmallDict, data)));
    ASSERT_TRUE(array.ok()) << array.status().ToString();
    EXPECT_EQ(array->header.version, version);
    EXPECT_EQ(array->data.data<float>()[0], 1.5f);
    EXPECT_EQ(array->data.data<float>()[1], -2.0f);
  }
}

TEST_F(NpyFileTest, HeaderOfTheLargestSize) {
  std::string dict(kSmallDict);
  dict.resize(kMaxNpyHeaderBytes, ' ');
  const Result<NpyArray> array = ReadNpy(Store("A.npy", File(2, dict, "12345678")));
  ASSERT_TRUE(array.ok()) << array.status().ToString();
  EXPECT_EQ(std::string_view(array->data.data<char>(), 8), "12345678");
}

TEST_F(NpyFileTest, TruncatedAnywhereOrTooLongIsRefused) {
  for (const int version : {1, 2, 3}) {
    const std::string file = File(version, kSmallDict, "12345678");
    for (size_t size = 0; size < file.size(); ++size) {
      const Status status = ReadNpy(Store("A.npy", file.substr(0, size))).status();
      ExpectRefused(status, StatusCode::kDataLoss, "A.npy is truncated: ");
    }
    ExpectRefused(ReadNpy(Store("A.npy", file.substr(0, file.size() - 3))).status(),
                  StatusCode::kDataLoss, "header promises 8 bytes of data, the file holds 5");
    ExpectRefused(ReadNpy(Store("A.npy", file + "x")).status(), StatusCode::kDataLoss,
                  "extra bytes at its end: header promises 8 bytes of data, the file holds 9");
  }
}

TEST_F(NpyFileTest, ClaimOfATerabyteFailsBeforeTheAllocation) {
  const std::string dict = DictWithShape("(524288, 524288)");
  // Were the buffer taken first, this limit would make it fail with bad_alloc.
  rlimit old_limit = {};
  ASSERT_EQ(::getrlimit(RLIMIT_AS, &old_limit), 0);
#ifndef TW_TEST_SANITIZED
  const rlimit limit = {rlim_t{1} << 38, old_limit.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_AS, &limit), 0);
#endif
  const std::string path = Store("A.npy", File(1, dict, "1234"));
  const Status status = ReadNpy(path).status();
  ASSERT_EQ(::setrlimit(RLIMIT_AS, &old_limit), 0);
  ExpectRefused(status, StatusCode::kDataLoss,
                "truncated: header promises 1099511627776 bytes of data, the file holds 4");
}

TEST_F(NpyFileTest, WhatCannotBeReadIsNamed) {
  const std::string missing = Path("B.npy");
  ExpectRefused(ReadNpy(missing).status(), StatusCode::kNotFound, missing + ": no such file");
  ExpectRefused(ReadNpy("").status(), StatusCode::kInvalidArgument, "the file name is empty");
  ExpectRefused(ReadNpy(directory_.string()).status(), StatusCode::kInvalidArgument,
                "is a directory; expected a .npy file");
  const std::string file = Store("A.npy", "");
  ExpectRefused(ReadNpy(file + "/B.npy").status(), StatusCode::kNotFound, "Not a directory");
  ASSERT_EQ(::mkfifo(Path("pipe").c_str(), 0600), 0);
  ExpectRefused(ReadNpy(Path("pipe")).status(), StatusCode::kInvalidArgument,
                "is not a regular file");  // And does not wait for a writer.
  ExpectRefused(ReadNpy("/dev/null").status(), StatusCode::kInvalidArgument,
                "is not a regular file");
  if (::geteuid() != 0) {  // Root may read everything.
    ASSERT_EQ(::chmod(file.c_str(), 0), 0);
    ExpectRefused(ReadNpy(file).status(), StatusCode::kPermissionDenied, "Permission denied");
  }
}

// ---- Writing ----

TEST_F(NpyFileTest, WritesBFloat16ButDoesNotReadIt) {
  const std::string path = Path("C.npy");
  ASSERT_TRUE(WriteNpy(path, ElementType::kBF16, Shape{2, 2}, Bytes("abcdefgh")).ok());
  EXPECT_EQ(Load("C.npy"), NpyHeaderText(ElementType::kBF16, false, Shape{2, 2}) + "abcdefgh");
  ExpectRefused(ReadNpy(path).status(), StatusCode::kInvalidArgument, "dtype '<V2'");
}

TEST_F(NpyFileTest, ArgumentsOfWriteAreChecked) {
  const StatusCode code = StatusCode::kInvalidArgument;
  const std::string path = Path("C.npy");
  ExpectRefused(WriteNpy(path, ElementType::kS16, Shape{2}, Bytes("abcd")), code,
                "this element type has no .npy form here");
  ExpectRefused(WriteNpy(path, ElementType::kS8, Shape{-1, -4}, Bytes("abcd")), code,
                "the shape (-1, -4) is not valid");
  ExpectRefused(WriteNpy(path, ElementType::kS8, Shape(9, 1), Bytes("a")), code, "at most 8");
  ExpectRefused(WriteNpy(path, ElementType::kS32, Shape{2, 2}, Bytes("abcd")), code,
                "4 bytes of data do not fit the shape (2, 2) with 4 bytes per element");
  const int64_t large = int64_t{1} << 32;
  ExpectRefused(WriteNpy(path, ElementType::kS8, Shape{large, large}, {}), code, "do not fit");
  EXPECT_EQ(Entries(), Names{});
}

TEST_F(NpyFileTest, ModeFollowsTheUmask) {
  const mode_t old_mask = ::umask(027);
  const Status status = WriteNpy(Path("C.npy"), ElementType::kS8, Shape{1}, Bytes("a"));
  ::umask(old_mask);
  ASSERT_TRUE(status.ok()) << status.ToString();
  struct stat info = {};
  ASSERT_EQ(::stat(Path("C.npy").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777u, 0640u);
}

TEST_F(NpyFileTest, ModeOfAReplacedFileStays) {
  for (const mode_t mode : {mode_t{0640}, mode_t{0600}, mode_t{0755}}) {
    ASSERT_EQ(::chmod(Store("C.npy", "old").c_str(), mode), 0);
    ASSERT_TRUE(WriteNpy(Path("C.npy"), ElementType::kS8, Shape{1}, Bytes("a")).ok());
    struct stat info = {};
    ASSERT_EQ(::stat(Path("C.npy").c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 07777u, mode);
  }
}

TEST_F(NpyFileTest, ProgressCountsTheBytesOfTheElements) {
  const std::string data = Pattern(1000);
  std::atomic<int64_t> written{0};
  ASSERT_TRUE(WriteNpy(Path("C.npy"), ElementType::kS8, Shape{1000}, Bytes(data), &written).ok());
  EXPECT_EQ(written.load(), 1000);
  std::atomic<int64_t> read{0};
  ASSERT_TRUE(ReadNpy(Path("C.npy"), &read).ok());
  EXPECT_EQ(read.load(), 1000);
}

TEST_F(NpyFileTest, MemoryThatCannotBeHadIsNamed) {
#ifdef TW_TEST_SANITIZED
  GTEST_SKIP() << "sanitizers cannot run below a limit on addresses";
#endif
  const std::string path = Store("A.npy", File(1, DictWithShape("(524288, 524288)")));
  fs::resize_file(path, fs::file_size(path) + (uint64_t{1} << 40));  // A hole.
  rlimit old_limit = {};
  ASSERT_EQ(::getrlimit(RLIMIT_AS, &old_limit), 0);
  const rlimit limit = {rlim_t{1} << 38, old_limit.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_AS, &limit), 0);
  const Status status = ReadNpy(path).status();
  ASSERT_EQ(::setrlimit(RLIMIT_AS, &old_limit), 0);
  ExpectRefused(status, StatusCode::kResourceExhausted,
                path + " needs 1.00 TiB of memory, which cannot be had");
}

TEST_F(NpyFileTest, ReplacesATargetAndFollowsALink) {
  Store("C.npy", "something longer that was there before, and that must be gone afterwards");
  fs::create_directory(directory_ / "links");
  fs::create_symlink("../C.npy", directory_ / "links/link");
  ASSERT_TRUE(WriteNpy(Path("links/link"), ElementType::kS8, Shape{3}, Bytes("xyz")).ok());
  EXPECT_EQ(Load("C.npy"), NpyHeaderText(ElementType::kS8, false, Shape{3}) + "xyz");
  EXPECT_TRUE(fs::is_symlink(directory_ / "links/link"));
  EXPECT_EQ(Entries(), (Names{"C.npy", "links"}));

  fs::create_symlink("nowhere", directory_ / "links/broken");
  ExpectRefused(WriteNpy(Path("links/broken"), ElementType::kS8, Shape{1}, Bytes("x")),
                StatusCode::kNotFound, "cannot follow the symbolic link");
}

TEST_F(NpyFileTest, WritesToTheCurrentDirectoryAndToLongNames) {
  const fs::path old_directory = fs::current_path();
  fs::current_path(directory_);
  const Status status = WriteNpy("C.npy", ElementType::kS8, Shape{1}, Bytes("x"));
  fs::current_path(old_directory);
  EXPECT_TRUE(status.ok()) << status.ToString();
  // The temporary name must not be longer than the name asked for.
  const std::string long_name(255, 'n');
  EXPECT_TRUE(WriteNpy(Path(long_name), ElementType::kS8, Shape{1}, Bytes("x")).ok());
  EXPECT_EQ(Entries(), (Names{"C.npy", long_name}));
}

TEST_F(NpyFileTest, TargetsThatCannotBeWritten) {
  const auto write = [](const std::string& path) {
    return WriteNpy(path, ElementType::kS8, Shape{1}, Bytes("x"));
  };
  Store("file", "old");
  ASSERT_EQ(::mkfifo(Path("pipe").c_str(), 0600), 0);
  fs::create_directory(directory_ / "dir");
  ExpectRefused(write(Path("file/C.npy")), StatusCode::kNotFound,
                "cannot write '" + Path("file/C.npy") + "': Not a directory");
  ExpectRefused(write(Path("none/C.npy")), StatusCode::kNotFound, "No such file or directory");
  ExpectRefused(write(Path("dir")), StatusCode::kInvalidArgument,
                "cannot write '" + Path("dir") + "': Is a directory");
  ExpectRefused(write(Path("dir/")), StatusCode::kInvalidArgument, "Is a directory");
  ExpectRefused(write(Path("pipe")), StatusCode::kInvalidArgument, "it is not a regular file");
  ExpectRefused(write(Path(std::string(256, 'n'))), StatusCode::kInvalidArgument, "too long");
  ExpectRefused(write(""), StatusCode::kNotFound, "cannot write ''");
  if (::geteuid() != 0) {
    ASSERT_EQ(::chmod(Path("file").c_str(), 0400), 0);
    ExpectRefused(write(Path("file")), StatusCode::kPermissionDenied, "Permission denied");
  }
  EXPECT_EQ(Entries(), (Names{"dir", "file", "pipe"}));
  EXPECT_TRUE(fs::is_empty(directory_ / "dir"));
  EXPECT_EQ(Load("file"), "old");
}

// Makes write(2) stop with EFBIG after some bytes, for root too: the nearest thing to a full disk.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) : old_handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    EXPECT_EQ(::getrlimit(RLIMIT_FSIZE, &old_limit_), 0);
    const rlimit limit = {bytes, old_limit_.rlim_max};
    EXPECT_EQ(::setrlimit(RLIMIT_FSIZE, &limit), 0);
  }
  ~FileSizeLimit() {
    EXPECT_EQ(::setrlimit(RLIMIT_FSIZE, &old_limit_), 0);
    std::signal(SIGXFSZ, old_handler_);
  }

 private:
  void (*old_handler_)(int);
  rlimit old_limit_ = {};
};

TEST_F(NpyFileTest, WriteThatStopsHalfWayLeavesNothing) {
  const std::string data = Pattern(100000);
  Store("old.npy", "old contents");
  for (const rlim_t limit : {rlim_t{0}, rlim_t{100}, rlim_t{50000}, rlim_t{100127}}) {
    for (const std::string_view name : {"new.npy", "old.npy"}) {
      Status status;
      {
        const FileSizeLimit full(limit);
        status = WriteNpy(Path(name), ElementType::kU8, Shape{100000}, Bytes(data));
      }
      ExpectRefused(status, StatusCode::kResourceExhausted,
                    "cannot write '" + Path(name) + "': File too large");
      EXPECT_EQ(Entries(), Names{"old.npy"});
      EXPECT_EQ(Load("old.npy"), "old contents");
    }
  }
  const FileSizeLimit enough(100128);
  EXPECT_TRUE(WriteNpy(Path("old.npy"), ElementType::kU8, Shape{100000}, Bytes(data)).ok());
}

TEST_F(NpyFileTest, AtomicFileThatIsNotCommittedLeavesNothing) {
  Store("C.npy", "old contents");
  {
    Result<AtomicFile> file = AtomicFile::Create(Path("C.npy"));
    ASSERT_TRUE(file.ok()) << file.status().ToString();
    const AtomicFile moved = *std::move(file);
    EXPECT_EQ(Entries(), Names{"C.npy"});  // Not even while it is written.
  }
  EXPECT_EQ(Entries(), Names{"C.npy"});
  EXPECT_EQ(Load("C.npy"), "old contents");
}

// Makes the kernel refuse files without a name, or links to them, for the rest of the process.
bool RefuseSystemCall(uint32_t number, uint32_t argument, uint32_t bits, int error) {
  constexpr auto kArgument = [](uint32_t i) { return 16 + (8 * i); };  // Of struct seccomp_data.
  sock_filter program[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 3),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, kArgument(argument)),
      BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, bits, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | static_cast<uint32_t>(error)),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog filter = {std::size(program), program};
  return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

// A process that got no such filter leaves with kNoFilter.
constexpr int kNoFilter = 77;
bool EndedWell(int status) {
  return WIFEXITED(status) && (WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == kNoFilter);
}

using NpyFileDeathTest = NpyFileTest;

TEST_F(NpyFileDeathTest, WorksWhereFilesHaveNames) {
  const std::string data = Pattern(100000);
  const std::string expected = NpyHeaderText(ElementType::kU8, false, Shape{100000}) + data;
  Store("old.npy", "old contents");
  ASSERT_EQ(::chmod(Path("old.npy").c_str(), 0640), 0);
  const auto write_both = [&](uint32_t number, uint32_t argument, uint32_t bits, bool named) {
    if (!RefuseSystemCall(number, argument, bits, EOPNOTSUPP)) std::_Exit(kNoFilter);
    for (const char* name : {"old.npy", "new.npy"}) {
      Result<AtomicFile> file = AtomicFile::Create(Path(name));
      if (!file.ok()) std::_Exit(1);
      const size_t temporaries = Entries().size() - (fs::exists(Path("new.npy")) ? 2 : 1);
      if (temporaries != (named ? 1 : 0)) std::_Exit(2);
      if (!file->Write(Bytes(expected)).ok() || !file->Commit().ok()) std::_Exit(3);
    }
    std::_Exit(0);
  };
  const auto open_flags = static_cast<uint32_t>(O_TMPFILE & ~O_DIRECTORY);
  const auto follow = static_cast<uint32_t>(AT_SYMLINK_FOLLOW);
  for (const bool named : {true, false}) {
    const auto run = [&] {
      named ? write_both(SYS_openat, 2, open_flags, true)
            : write_both(SYS_linkat, 4, follow, false);
    };
    EXPECT_EXIT(run(), EndedWell, "");
    if (Entries().size() == 1) GTEST_SKIP() << "no filters of system calls here";
    EXPECT_EQ(Entries(), (Names{"new.npy", "old.npy"}));
    EXPECT_EQ(Load("old.npy"), expected);
    EXPECT_EQ(Load("new.npy"), expected);
    struct stat info = {};
    ASSERT_EQ(::stat(Path("old.npy").c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777u, 0640u);
    fs::remove(directory_ / "new.npy");
  }
}

TEST_F(NpyFileTest, RenameThatFailsLeavesNothing) {
  {
    Result<AtomicFile> file = AtomicFile::Create(Path("C.npy"));
    ASSERT_TRUE(file.ok()) << file.status().ToString();
    ASSERT_TRUE(file->Write(Bytes("new")).ok());
    fs::create_directory(directory_ / "C.npy");
    ExpectRefused(file->Commit(), StatusCode::kInvalidArgument,
                  "cannot write '" + Path("C.npy") + "': Is a directory");
  }
  EXPECT_EQ(Entries(), Names{"C.npy"});
  EXPECT_TRUE(fs::is_empty(directory_ / "C.npy"));
}

TEST_F(NpyFileTest, TwoWritersOfOneTargetDoNotMix) {
  Result<AtomicFile> first = AtomicFile::Create(Path("C.npy"));
  Result<AtomicFile> second = AtomicFile::Create(Path("C.npy"));
  ASSERT_TRUE(first.ok() && second.ok());
  ASSERT_TRUE(first->Write(Bytes("first")).ok());
  ASSERT_TRUE(second->Write(Bytes("second")).ok());
  ASSERT_TRUE(second->Commit().ok());
  ASSERT_TRUE(first->Commit().ok());
  EXPECT_EQ(Load("C.npy"), "first");
  EXPECT_EQ(Entries(), Names{"C.npy"});
}

}  // namespace
}  // namespace tilewave::cli
