#include "cli/published_rows.h"

namespace tilewave::cli {
namespace {

using program::BLayout;
using program::TileOutput;
constexpr PublishedUnit kTops = PublishedUnit::kTops;
constexpr PublishedUnit kRate = PublishedUnit::kMacsPerCycle;
constexpr BLayout kCol = BLayout::kColumnMajor;
constexpr BLayout kRow = BLayout::kRowMajor;

// Taka et al., arXiv:2512.13282. XDNA is a Ryzen 9 7940HS at 1.0 GHz, XDNA2 a Ryzen AI 7 350; C is
// kept in the output's type between steps over K.
constexpr std::string_view kTable1 = "arXiv:2512.13282 table 1";
constexpr std::string_view kTable23 = "arXiv:2512.13282 tables 2, 3";
constexpr std::string_view kDram = "arXiv:2512.13282 5.2.1";
constexpr std::string_view kRowMajorB = "arXiv:2512.13282 5.2.3";
constexpr std::string_view kDoubleC = "arXiv:2512.13282 5.3.2";
constexpr std::string_view kSilicon = "jdominick05/ignite-xdna SILICON.md";

constexpr std::string_view kAbout4K = "about 4K square: extents chosen here, k_mt not published";
constexpr std::string_view kAverage = "the table's best row less the average loss of all shapes";

constexpr TileOutput kS8 = TileOutput::kS8Lossy;
constexpr TileOutput kS16 = TileOutput::kS16Lossy;
constexpr TileOutput kS32 = TileOutput::kS32;

constexpr PublishedRow kRows[] = {
    {kTable1, "phoenix", "chess", kRate, kS8, 64, 232, 64, 0, kCol, 1, 0, 0, 0, 233.0, ""},
    {kTable1, "phoenix", "chess", kRate, kS16, 64, 216, 64, 0, kCol, 1, 0, 0, 0, 217.6, ""},
    {kTable1, "phoenix", "chess", kRate, kS32, 48, 280, 48, 0, kCol, 1, 0, 0, 0, 192.0, ""},
    {kTable1, "krackan", "chess", kRate, kS8, 64, 232, 64, 0, kCol, 1, 0, 0, 0, 450.6, ""},
    {kTable1, "krackan", "chess", kRate, kS16, 64, 216, 64, 0, kCol, 1, 0, 0, 0, 419.8, ""},
    {kTable1, "krackan", "chess", kRate, kS32, 48, 280, 48, 0, kCol, 1, 0, 0, 0, 384.0, ""},
    {kSilicon, "hawk-point", "peano-mm", kRate, kS32, 64, 64, 64, 0, kCol, 1, 0, 0, 0, 103.3,
     "with the bank conflict"},
    {kSilicon, "hawk-point", "peano-mm", kRate, kS32, 64, 64, 32, 0, kCol, 1, 0, 0, 0, 100.4, ""},
    {kTable23, "phoenix", "chess", kTops, kS8, 112, 112, 112, 448, kCol, 1, 4032, 4032, 4032, 6.52,
     ""},
    {kTable23, "phoenix", "chess", kTops, kS8, 112, 104, 128, 0, kCol, 1, 4032, 4160, 4096, 6.48,
     ""},
    {kTable23, "phoenix", "chess", kTops, kS16, 96, 112, 96, 448, kCol, 1, 4224, 4032, 4224, 5.85,
     ""},
    {kTable23, "phoenix", "chess", kTops, kS16, 80, 104, 128, 0, kCol, 1, 4160, 4160, 4096, 5.75,
     ""},
    {kTable23, "phoenix", "chess", kTops, kS32, 80, 88, 96, 352, kCol, 1, 4160, 4224, 4224, 4.42,
     ""},
    {kTable23, "phoenix", "chess", kTops, kS32, 64, 80, 128, 0, kCol, 1, 4096, 4160, 4096, 4.09,
     ""},
    {kTable23, "krackan", "chess", kTops, kS8, 144, 72, 144, 432, kCol, 1, 4032, 4320, 4608, 37.35,
     ""},
    {kTable23, "krackan", "chess", kTops, kS8, 160, 64, 144, 0, kCol, 1, 4480, 4224, 4608, 36.13,
     ""},
    {kDram, "phoenix", "chess", kTops, kS16, 64, 216, 64, 432, kCol, 1, 4096, 4320, 4096, 4.03,
     kAbout4K},
    {kDram, "krackan", "chess", kTops, kS16, 64, 216, 64, 432, kCol, 1, 4096, 4320, 4096, 17.86,
     kAbout4K},
    {kRowMajorB, "phoenix", "chess", kTops, kS8, 112, 112, 112, 448, kRow, 1, 4032, 4032, 4032,
     6.52 * (1 - 0.048), kAverage},
    {kRowMajorB, "phoenix", "chess", kTops, kS16, 96, 112, 96, 448, kRow, 1, 4224, 4032, 4224,
     5.85 * (1 - 0.044), kAverage},
    {kRowMajorB, "krackan", "chess", kTops, kS8, 144, 72, 144, 432, kRow, 1, 4032, 4320, 4608,
     37.35 * (1 - 0.191), kAverage},
    {kDoubleC, "krackan", "chess", kTops, kS16, 112, 48, 96, 384, kCol, 2, 4032, 4224, 4608, 26.1,
     kAbout4K},
};

constexpr LeftOut kLeftOut[] = {
    {"i8-i16 at 30.77 TOPS (arXiv:2512.13282) and what is measured against it (-25.2 % with B "
     "row-major, 5.2 ms, 22.21 TOPS without overlapped descriptors)",
     "its tile is not published with the figure"},
    {"validate's gemm figures of 51.0 TOPS (amd/IRON issue 55, ROCm/FastFlowLM issue 625)",
     "neither shape, tile nor types are published"},
    {"5.04 TOPS of Fang et al. 2025", "quoted second hand, without a tile"},
    {"int8 16x16x16 on one core, 0.444 ms (the origin report's machine)",
     "what the scalar16 model was set by; bench --suite report has that machine"},
    {"a 64x64x64 buffer call of 3160 to 3274 cycles (jdominick05/ignite-xdna SILICON.md)",
     "what loop_cycles of peano-mm was set by"},
    {"launch figures of sections D and F", "no product: constants of the profiles"},
};

}  // namespace

std::span<const PublishedRow> PublishedRows() { return kRows; }

std::span<const LeftOut> PublishedLeftOut() { return kLeftOut; }

}  // namespace tilewave::cli
