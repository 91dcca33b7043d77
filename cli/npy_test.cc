#include "cli/npy.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/npy_bytes.h"

namespace tilewave::cli {
namespace {

using testing::Bytes;
using testing::DataBytes;
using testing::DictWithShape;
using testing::ExpectRefused;
using testing::File;
using testing::kReadable;
using testing::kSmallDict;
using testing::Shape;
using testing::Shapes;

Result<NpyHeader> ParseDict(std::string_view dict) {
  return ParseNpyHeader(Bytes(File(1, dict)), "A.npy");
}

std::string DictWithDescr(std::string_view descr) {
  return "{'descr': " + std::string(descr) + ", 'fortran_order': False, 'shape': (2, 3), }";
}

void ExpectDictRefused(std::string_view dict, StatusCode code, std::string_view part) {
  SCOPED_TRACE(dict);
  const Status status = ParseDict(dict).status();
  ExpectRefused(status, code, part);
  EXPECT_TRUE(status.message().starts_with("A.npy")) << status.message();
}

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

}  // namespace
}  // namespace tilewave::cli
