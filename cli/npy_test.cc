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

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr std::string_view kSmallDict =
    "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2), }\n";

std::span<const std::byte> Bytes(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

// A file of the given version around a header text, byte by byte.
std::string File(int version, std::string_view dict, std::string_view data = "") {
  std::string file(kMagic);
  file += static_cast<char>(version);
  file += '\0';
  const int length_bytes = version == 1 ? 2 : 4;
  for (int i = 0; i < length_bytes; ++i) {
    file += static_cast<char>(dict.size() >> (8 * i) & 0xff);
  }
  return file.append(dict).append(data);
}

Result<NpyHeader> ParseDict(std::string_view dict) {
  return ParseNpyHeader(Bytes(File(1, dict)), "A.npy");
}

std::string DictWithDescr(std::string_view descr) {
  return "{'descr': " + std::string(descr) + ", 'fortran_order': False, 'shape': (2, 3), }";
}

std::string DictWithShape(std::string_view shape) {
  return "{'descr': '<f4', 'fortran_order': False, 'shape': " + std::string(shape) + ", }";
}

void ExpectRefused(const Status& status, StatusCode code, std::string_view part) {
  ASSERT_FALSE(status.ok()) << "expected: " << part;
  EXPECT_EQ(status.code(), code) << status.ToString();
  EXPECT_NE(status.message().find(part), std::string::npos)
      << "message: " << status.message() << "\nexpected: " << part;
  EXPECT_EQ(status.message().find('\n'), std::string::npos) << status.message();
}

void ExpectDictRefused(std::string_view dict, StatusCode code, std::string_view part) {
  SCOPED_TRACE(dict);
  const Status status = ParseDict(dict).status();
  ExpectRefused(status, code, part);
  EXPECT_TRUE(status.message().starts_with("A.npy")) << status.message();
}

// A directory of its own for every test.
class NpyFileTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::path(testing::TempDir()) / "npy_test.XXXXXX").string();
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
using Shape = std::vector<int64_t>;

const std::vector<Shape>& Shapes() {
  static const std::vector<Shape> shapes = {
      {}, {1}, {7}, {3, 4}, {1, 129}, {2, 3, 5}, {0}, {3, 0, 2}, {1, 2, 1, 3, 1, 2, 1, 2}};
  return shapes;
}

constexpr std::array kReadable = {ElementType::kS8, ElementType::kU8, ElementType::kS32,
                                  ElementType::kF32};

size_t DataBytes(ElementType type, const Shape& shape) {
  return ElementBytes(type) * static_cast<size_t>(std::accumulate(shape.begin(), shape.end(),
                                                                  int64_t{1}, std::multiplies<>()));
}

std::string Pattern(size_t bytes) {
  std::string data(bytes, '\0');
  for (size_t i = 0; i < bytes; ++i) data[i] = static_cast<char>(i * 37 + 11);
  return data;
}

// ---- Headers ----

TEST(NpyHeaderTest, WrittenHeadersParseBack) {
  for (const ElementType type : kReadable) {
    for (const Shape& shape : Shapes()) {
      for (const bool fortran_order : {false, true}) {
        const std::string text = NpyHeaderText(type, fortran_order, shape);
        EXPECT_EQ(text.size() % 64, 0u);
        EXPECT_EQ(text.back(), '\n');
        const Result<NpyHeader> header = ParseNpyHeader(Bytes(text), "A.npy");
        ASSERT_TRUE(header.ok()) << header.status().ToString();
        EXPECT_EQ(*header,
                  (NpyHeader{1, type, fortran_order, shape, text.size(), DataBytes(type, shape)}));
      }
    }
  }
}

TEST(NpyHeaderTest, TextIsThatOfNumpy) {
  const std::string dict = "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }";
  EXPECT_EQ(NpyHeaderText(ElementType::kF32, false, Shape{3, 4}),
            File(1, dict + std::string(128 - 10 - dict.size() - 1, ' ') + "\n"));
  const auto has = [](const std::string& text, std::string_view part) {
    return text.find(part) != std::string::npos;
  };
  EXPECT_TRUE(has(NpyHeaderText(ElementType::kS8, true, Shape{5}),
                  "{'descr': '|i1', 'fortran_order': True, 'shape': (5,), }"));
  EXPECT_TRUE(has(NpyHeaderText(ElementType::kBF16, false, Shape{}),
                  "{'descr': '<V2', 'fortran_order': False, 'shape': (), }"));
}

TEST(NpyHeaderTest, LargestHeaderFitsVersion1) {
  const Shape shape(kMaxNpyDims, std::numeric_limits<int64_t>::max());
  const std::string text = NpyHeaderText(ElementType::kS32, false, shape);
  EXPECT_EQ(text.size() % 64, 0u);
  ExpectRefused(ParseNpyHeader(Bytes(text), "A.npy").status(), StatusCode::kOutOfRange,
                "overflows");
}

TEST(NpyHeaderTest, AllVersionsByteByByte) {
  for (const int version : {1, 2, 3}) {
    const std::string file = File(version, kSmallDict, "12345678");
    const Result<NpyHeader> header = ParseNpyHeader(Bytes(file), "A.npy");
    ASSERT_TRUE(header.ok()) << header.status().ToString();
    EXPECT_EQ(*header, (NpyHeader{version, ElementType::kF32, false, {1, 2}, file.size() - 8, 8}));
    EXPECT_TRUE(CheckNpyFileBytes(*header, file.size(), "A.npy").ok());
  }
}

TEST(NpyHeaderTest, SpellingsOfTheDict) {
  const std::string_view spellings[] = {
      "{'shape':(2,3),'descr':'<i4','fortran_order':True}",
      "{\"descr\": \"<i4\", \"fortran_order\": True, \"shape\": (2, 3)}",
      "{\"fortran_order\": True, 'descr': \"<i4\", 'shape': (2L, 3L), }",
      " \t\r\n{ 'descr' : '<i4' , 'fortran_order' : True , 'shape' : ( 2 , 3 , ) , } \n",
      "{'descr': 'i4', 'fortran_order': True, 'shape': (2, 3,)}",
      "{\n'descr': '=i4',\n'fortran_order': True,\n'shape': (\n2,\n3)\n}\n\n",
  };
  for (const std::string_view dict : spellings) {
    SCOPED_TRACE(dict);
    const Result<NpyHeader> header = ParseDict(dict);
    ASSERT_TRUE(header.ok()) << header.status().ToString();
    EXPECT_EQ(*header, (NpyHeader{1, ElementType::kS32, true, {2, 3}, 10 + dict.size(), 24}));
  }
}

TEST(NpyHeaderTest, SpellingsOfDtypes) {
  const std::pair<std::string_view, ElementType> spellings[] = {
      {"|i1", ElementType::kS8},  {"<i1", ElementType::kS8},  {">i1", ElementType::kS8},
      {"=i1", ElementType::kS8},  {"i1", ElementType::kS8},   {"|u1", ElementType::kU8},
      {">u1", ElementType::kU8},  {"<i4", ElementType::kS32}, {"=i4", ElementType::kS32},
      {"<f4", ElementType::kF32}, {"=f4", ElementType::kF32}, {"f4", ElementType::kF32},
  };
  for (const auto& [descr, type] : spellings) {
    const Result<NpyHeader> header = ParseDict(DictWithDescr("'" + std::string(descr) + "'"));
    ASSERT_TRUE(header.ok()) << header.status().ToString();
    EXPECT_EQ(header->type, type);
  }
}

TEST(NpyHeaderTest, DtypesRefusedByName) {
  const StatusCode code = StatusCode::kInvalidArgument;
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"'>f4'", "A.npy: dtype '>f4' is big-endian; convert it with a.astype('<f4')"},
      {"'>i4'", "is big-endian; convert it with a.astype('<i4')"},
      {"'|O'", "dtype '|O' holds Python objects; expected int8, uint8, int32 or float32"},
      {"'O'", "holds Python objects"},
      {"'<f8'",
       "A.npy: dtype '<f8' is not supported; expected int8, uint8, int32 or float32; convert with "
       "a.astype(np.float32)"},
      {"'>f8'", "dtype '>f8' is not supported"},
      {"'<f2'", "convert with a.astype(np.float32)"},
      {"'<i2'", "convert with a.astype(np.int32)"},
      {"'<i8'", "dtype '<i8' is not supported"},
      {"'<u4'", "dtype '<u4' is not supported"},
      {"'|b1'", "convert with a.astype(np.uint8)"},
      {"'<c8'", "dtype '<c8' is not supported"},
      {"'<U5'", "dtype '<U5' is not supported"},
      {"'|S5'", "dtype '|S5' is not supported"},
      {"'|V7'", "dtype '|V7' is not supported"},
      {"'<V2'", "dtype '<V2' is not supported"},
      {"'<V2'", "a.view(ml_dtypes.bfloat16).astype(np.float32)"},
      {"'|i4'", "dtype '|i4' is not supported"},
      {"''", "dtype '' is not supported"},
      {"'<'", "dtype '<' is not supported"},
      {"'<<i4'", "dtype '<<i4' is not supported"},
      {"' <i4'", "dtype ' <i4' is not supported"},
      {"'\x1b[31m'", "dtype '\\x1b[31m' is not supported"},
      {"'\x7f\xe9'", "dtype '\\x7f\\xe9' is not supported"},
      {"[('x', '<f4'), ('y', '<f4')]", "A.npy has a structured dtype; expected int8"},
      {"('<f4', (2,))", "structured dtype"},
  };
  for (const auto& [descr, part] : cases) ExpectDictRefused(DictWithDescr(descr), code, part);
}

TEST(NpyHeaderTest, LongTextIsCutInMessages) {
  const std::string descr = "'" + std::string(60000, 'x') + "'";
  const Status status = ParseDict(DictWithDescr(descr)).status();
  ExpectRefused(status, StatusCode::kInvalidArgument, "xxx...'");
  EXPECT_LT(status.message().size(), 200u);
}

TEST(NpyHeaderTest, KeysAreChecked) {
  const StatusCode code = StatusCode::kDataLoss;
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"{}", "the key 'descr' is missing"},
      {"{'descr': '<f4', 'shape': (2,)}", "the key 'fortran_order' is missing"},
      {"{'descr': '<f4', 'fortran_order': False, }", "the key 'shape' is missing"},
      {"{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (2,)}",
       "the key 'descr' is there twice"},
      {"{'shape': (2,), 'shape': (2,), 'descr': '<f4', 'fortran_order': False}",
       "the key 'shape' is there twice"},
      {"{'fortran_order': True, \"fortran_order\": True}", "'fortran_order' is there twice"},
      {"{'descr': '<f4', 'fortran_order': False, 'shape': (2,), 'x': 1}", "unknown key 'x'"},
      {"{'Descr': '<f4'}", "unknown key 'Descr'"},
      {"{'': '<f4'}", "unknown key ''"},
  };
  for (const auto& [dict, part] : cases) ExpectDictRefused(dict, code, part);
}

TEST(NpyHeaderTest, DamagedDicts) {
  const StatusCode code = StatusCode::kDataLoss;
  const std::pair<std::string, std::string_view> cases[] = {
      {"", "expected '{' at byte 10"},
      {"('descr')", "expected '{' at byte 10"},
      {std::string(4, '\0'), "expected '{' at byte 10"},
      {"{", "a key in quotes at byte 11"},
      {"{,}", "a key in quotes at byte 11"},
      {"{1: 2}", "a key in quotes"},
      {"{'descr", "a closing '"},
      {"{'descr\": '<f4'}", "unknown key 'descr\": '"},
      {"{\"descr': 1", "a closing \""},
      {"{'de\\x73cr': '<f4'}", "a closing '"},
      {"{'de\nscr': '<f4'}", "a closing '"},
      {"{'''descr''': '<f4'}", "unknown key ''"},
      {"{'descr' '<f4'}", "expected ':'"},
      {"{'descr': }", "a dtype in quotes"},
      {"{'descr': b'<f4'}", "a dtype in quotes"},
      {"{'descr': '<f4' 'shape': (2,)}", "',' or '}'"},
      {"{'descr': '<f4',, 'shape': (2,)}", "a key in quotes"},
      {"{'fortran_order': 0}", "True or False"},
      {"{'fortran_order': 'True'}", "True or False"},
      {"{'fortran_order': Truely}", "',' or '}'"},
      {"{'fortran_order': Tru", "True or False"},
      {DictWithShape("(2, 3)") + "x", "nothing but white space after the '}'"},
      {DictWithShape("(2, 3)") + "\n{}", "nothing but white space after the '}'"},
      {DictWithShape("(2, 3)") + std::string(1, '\0'), "nothing but white space"},
      {std::string(60000, '('), "expected '{'"},
      {"{" + std::string(60000, '{'), "a key in quotes"},
  };
  for (const auto& [dict, part] : cases) ExpectDictRefused(dict, code, part);
}

TEST(NpyHeaderTest, DamagedShapes) {
  const StatusCode code = StatusCode::kDataLoss;
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"(3)", "a tuple such as (2, 3) or (4,)"},
      {"3", "a tuple such as (2, 3)"},
      {"[2, 3]", "a tuple such as (2, 3)"},
      {"(,)", "an extent or ')'"},
      {"(2,,3)", "an extent or ')'"},
      {"(2 3)", "',' or ')'"},
      {"(2.0, 3)", "',' or ')'"},
      {"(1e3,)", "',' or ')'"},
      {"(1_0,)", "',' or ')'"},
      {"(0x10,)", "',' or ')'"},
      {"(2LL, 3)", "',' or ')'"},
      {"(2 L, 3)", "',' or ')'"},
      {"(+2, 3)", "an extent or ')'"},
      {"(L, 3)", "an extent or ')'"},
      {"(010, 3)", "an extent without leading zeros"},
      {"((2, 3))", "an extent or ')'"},
      {"('2', 3)", "an extent or ')'"},
      {"(2, 3", "an extent or ')'"},
      {"(-2, 3)", "A.npy has a damaged header: the shape (-2, 3) has a negative extent"},
      {"(2, -0)", "the shape (2, -0) has a negative extent"},
  };
  for (const auto& [shape, part] : cases) ExpectDictRefused(DictWithShape(shape), code, part);
  // Nesting costs no stack.
  ExpectDictRefused(DictWithShape(std::string(60000, '(')), code, "an extent or ')'");
}

TEST(NpyHeaderTest, ShapesOutOfRange) {
  const StatusCode code = StatusCode::kOutOfRange;
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"(9223372036854775808,)", "A.npy: the shape (9223372036854775808,) overflows"},
      {"(99999999999999999999999, 3)", "the shape (99999999999999999999999, 3) overflows"},
      {"(9223372036854775807,)", "overflows"},  // Times four bytes.
      {"(2305843009213693952,)", "overflows"},  // 2^61 * 4.
      {"(4294967296, 4294967296)", "the shape (4294967296, 4294967296) overflows"},
      {"(0, 4294967296, 4294967296)", "overflows"},
      {"(4294967296, 4294967296, 0)", "overflows"},
      {"(1, 1, 1, 1, 1, 1, 1, 1, 1)", "more than 8 dimensions"},
  };
  for (const auto& [shape, part] : cases) ExpectDictRefused(DictWithShape(shape), code, part);
  const Status status = ParseDict(DictWithShape("(" + std::string(60000, '9') + ",)")).status();
  ExpectRefused(status, code, "999... overflows");

  const Result<NpyHeader> largest = ParseDict(DictWithShape("(2305843009213693951,)"));
  ASSERT_TRUE(largest.ok()) << largest.status().ToString();
  EXPECT_EQ(largest->data_bytes, size_t{9223372036854775804u});
  // The end of such a file would lie beyond int64_t; still no more than a truncated file.
  ExpectRefused(CheckNpyFileBytes(*largest, 128, "A.npy"), StatusCode::kDataLoss, "truncated");
}

TEST(NpyHeaderTest, MagicVersionAndLength) {
  const auto status_of = [](std::string_view file) {
    return ParseNpyHeader(Bytes(file), "A.npy").status();
  };
  ExpectRefused(status_of("PK\x03\x04 an .npz file"), StatusCode::kInvalidArgument,
                "A.npy is not a .npy file");
  ExpectRefused(status_of("\x93NUMPX"), StatusCode::kInvalidArgument, "is not a .npy file");
  ExpectRefused(status_of("1,2,3\n"), StatusCode::kInvalidArgument, "written by np.save");
  ExpectRefused(status_of(""), StatusCode::kDataLoss, "the file ends after 0 bytes");
  for (const int version : {0, 4, 255}) {
    ExpectRefused(status_of(File(version, kSmallDict)), StatusCode::kInvalidArgument,
                  "is not supported; expected 1.0, 2.0 or 3.0");
  }
  std::string minor = File(1, kSmallDict);
  minor[7] = 1;
  ExpectRefused(status_of(minor), StatusCode::kInvalidArgument,
                "A.npy: .npy version 1.1 is not supported");
  ExpectRefused(status_of(File(2, std::string(65537, ' '))), StatusCode::kOutOfRange,
                "claims a header of 65537 bytes; expected at most 65536");
  std::string huge = File(2, kSmallDict);
  std::fill_n(huge.begin() + 8, 4, '\xff');
  ExpectRefused(status_of(huge), StatusCode::kOutOfRange, "a header of 4294967295 bytes");

  std::string padded(kSmallDict);
  padded.resize(65535, ' ');
  EXPECT_TRUE(ParseDict(padded).ok());
  padded.resize(65536, ' ');
  EXPECT_TRUE(ParseNpyHeader(Bytes(File(3, padded)), "A.npy").ok());
}

TEST(NpyHeaderTest, EveryPrefixOfAHeaderIsTruncated) {
  for (const int version : {1, 2, 3}) {
    const std::string file = File(version, kSmallDict);
    for (size_t size = 0; size < file.size(); ++size) {
      // A copy of exactly this size, so that a sanitizer sees reads past the end.
      const std::vector<char> prefix(file.begin(), file.begin() + static_cast<ptrdiff_t>(size));
      ExpectRefused(ParseNpyHeader(std::as_bytes(std::span(prefix)), "A.npy").status(),
                    StatusCode::kDataLoss, "inside the .npy header");
    }
  }
}

TEST(NpyHeaderTest, EveryOtherByteIsSafe) {
  const std::string file = File(1, kSmallDict);
  for (size_t i = 0; i < file.size(); ++i) {
    for (int value = 0; value < 256; ++value) {
      std::string changed = file;
      changed[i] = static_cast<char>(value);
      const Result<NpyHeader> header = ParseNpyHeader(Bytes(changed), "A.npy");
      if (header.ok()) {
        EXPECT_LE(header->data_offset, changed.size());
      } else {
        EXPECT_FALSE(header.status().message().empty());
      }
    }
  }
}

// ---- Reading ----

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
