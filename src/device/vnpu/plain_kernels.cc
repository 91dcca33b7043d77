#include "device/vnpu/plain_kernels.h"

#include <algorithm>
#include <cstring>

namespace tilewave::device::vnpu {
namespace {

void Zero(const program::Kernel& kernel, KernelArguments arguments, size_t element_bytes) {
  std::memset(arguments[0], 0, static_cast<size_t>(kernel.m * kernel.n) * element_bytes);
}

// --- Matrix products on blocks ---

/// A piece of A and of B, widened and with K innermost in both: what vectorises best.
constexpr int64_t kPanelSide = 64;
constexpr int64_t kPanelDepth = 128;
using Panel = int16_t[kPanelSide * kPanelDepth];

/// Blocks of A (or, along columns, of B) from one on; `count` of them in one direction, and
/// `depth_blocks` along K. All counted in blocks.
struct Piece {
  int64_t first = 0;
  int64_t count = 0;
  int64_t first_depth = 0;
  int64_t depth = 0;
};

int16_t Widened(int8_t element) { return element; }

void WidenA(const program::Kernel& kernel, const int8_t* a, const Piece& piece, int16_t* panel) {
  const auto [r, s, t] = kernel.block;
  for (int64_t bi = 0; bi < piece.count; ++bi) {
    for (int64_t bk = 0; bk < piece.depth; ++bk) {
      const int64_t block = ((piece.first + bi) * (kernel.k / s)) + piece.first_depth + bk;
      const int8_t* from = a + (block * r * s);
      for (int64_t i = 0; i < r; ++i) {
        int16_t* row = panel + (((bi * r) + i) * piece.depth * s) + (bk * s);
        for (int64_t x = 0; x < s; ++x) row[x] = Widened(from[(i * s) + x]);
      }
    }
  }
}

void WidenB(const program::Kernel& kernel, const int8_t* b, const Piece& piece, int16_t* panel) {
  const auto [r, s, t] = kernel.block;
  const int64_t x_step = kernel.b_transposed ? 1 : t;
  const int64_t j_step = kernel.b_transposed ? s : 1;
  for (int64_t bj = 0; bj < piece.count; ++bj) {
    for (int64_t bk = 0; bk < piece.depth; ++bk) {
      const int64_t block = ((piece.first_depth + bk) * (kernel.n / t)) + piece.first + bj;
      const int8_t* from = b + (block * s * t);
      for (int64_t j = 0; j < t; ++j) {
        int16_t* column = panel + (((bj * t) + j) * piece.depth * s) + (bk * s);
        for (int64_t x = 0; x < s; ++x) column[x] = Widened(from[(x * x_step) + (j * j_step)]);
      }
    }
  }
}

int32_t Dot(const int16_t* left, const int16_t* right, int64_t count) {
  int32_t sum = 0;
  for (int64_t x = 0; x < count; ++x) sum += left[x] * right[x];
  return sum;
}

/// C += of one piece of A and one of B.
void AddPanels(const program::Kernel& kernel, const Piece& rows, const int16_t* a,
               const Piece& columns, const int16_t* b, uint32_t* c) {
  const auto [r, s, t] = kernel.block;
  const int64_t depth = rows.depth * s;
  for (int64_t bi = 0; bi < rows.count; ++bi) {
    for (int64_t bj = 0; bj < columns.count; ++bj) {
      uint32_t* block = c + ((((rows.first + bi) * (kernel.n / t)) + columns.first + bj) * r * t);
      for (int64_t i = 0; i < r; ++i) {
        const int16_t* left = a + (((bi * r) + i) * depth);
        for (int64_t j = 0; j < t; ++j) {
          const int16_t* right = b + (((bj * t) + j) * depth);
          block[(i * t) + j] += static_cast<uint32_t>(Dot(left, right, depth));
        }
      }
    }
  }
}

/// As MatmulS32, one block after another: for blocks that are no part of a panel.
void MatmulBlocksS32(const program::Kernel& kernel, const int8_t* a, const int8_t* b, uint32_t* c) {
  const auto [r, s, t] = kernel.block;
  const int64_t k_blocks = kernel.k / s;
  const int64_t n_blocks = kernel.n / t;
  const int64_t x_step = kernel.b_transposed ? 1 : t;
  const int64_t j_step = kernel.b_transposed ? s : 1;
  for (int64_t bi = 0; bi < kernel.m / r; ++bi) {
    for (int64_t bj = 0; bj < n_blocks; ++bj) {
      uint32_t* c_block = c + (((bi * n_blocks) + bj) * r * t);
      for (int64_t bk = 0; bk < k_blocks; ++bk) {
        const int8_t* a_block = a + (((bi * k_blocks) + bk) * r * s);
        const int8_t* b_block = b + (((bk * n_blocks) + bj) * s * t);
        for (int64_t i = 0; i < r; ++i) {
          for (int64_t x = 0; x < s; ++x) {
            const int8_t left = a_block[(i * s) + x];
            for (int64_t j = 0; j < t; ++j) {
              c_block[(i * t) + j] +=
                  static_cast<uint32_t>(left * b_block[(x * x_step) + (j * j_step)]);
            }
          }
        }
      }
    }
  }
}

// --- Shift, round, saturate ---

// The vector unit's numbers for its modes. The first four are directed, from 8 on they round to
// nearest and differ in ties.
enum : uint32_t {
  kFloor = 0,
  kCeil = 1,
  kSymmetricFloor = 2,
  kSymmetricCeil = 3,
  kFirstNearest = 8,
  kPositiveInf = 9,
  kSymmetricZero = 10,
  kSymmetricInf = 11,
  kConvEven = 12,
  kConvOdd = 13,
};
enum : uint32_t { kWrap = 0, kSaturate = 1, kSaturateSymmetric = 3 };

bool IsSymmetric(uint32_t rounding) {
  return rounding == kSymmetricFloor || rounding == kSymmetricCeil || rounding == kSymmetricZero ||
         rounding == kSymmetricInf;
}
bool IsConvergent(uint32_t rounding) { return rounding == kConvEven || rounding == kConvOdd; }

/// Whether the mode rounds up where its plain counterpart does not.
bool IsInverted(uint32_t rounding) {
  return rounding == kCeil || rounding == kSymmetricCeil || rounding == kPositiveInf ||
         rounding == kSymmetricInf || rounding == kConvOdd;
}

/// `sum` / 2^shift after AMD's model of the unit: the guard bit is the highest one shifted out,
/// the sticky bit says whether any below it is set.
int64_t Shifted(int32_t sum, uint32_t shift, uint32_t rounding) {
  const int64_t wide = sum;
  const int64_t kept = wide >> shift;
  const int64_t out = wide - (kept << shift);  // The bits shifted out, as a number of its own.
  const int64_t half = shift > 0 ? int64_t{1} << (shift - 1) : 0;
  const bool guard = shift > 0 && out >= half;
  const bool sticky = shift > 0 && (out & (half - 1)) != 0;
  bool decides = IsConvergent(rounding) ? (kept & 1) != 0 : IsSymmetric(rounding) && sum < 0;
  if (IsInverted(rounding)) decides = !decides;
  const bool up =
      rounding >= kFirstNearest ? guard && (decides || sticky) : decides && (guard || sticky);
  return kept + (up ? 1 : 0);
}

int8_t Saturated(int64_t value, uint32_t saturation) {
  if (saturation == kWrap) return static_cast<int8_t>(static_cast<uint8_t>(value & 0xFF));
  const int64_t least = saturation == kSaturateSymmetric ? -127 : -128;
  return static_cast<int8_t>(std::clamp<int64_t>(value, least, 127));
}

}  // namespace

bool IsRounding(uint32_t mode) {
  return mode <= kSymmetricCeil || (mode >= kFirstNearest && mode <= kConvOdd);
}

bool IsSaturation(uint32_t mode) {
  return mode == kWrap || mode == kSaturate || mode == kSaturateSymmetric;
}

void ZeroS32(const program::Kernel& kernel, KernelArguments arguments, KernelScalars /*scalars*/) {
  Zero(kernel, arguments, sizeof(int32_t));
}
void ZeroS16(const program::Kernel& kernel, KernelArguments arguments, KernelScalars /*scalars*/) {
  Zero(kernel, arguments, sizeof(int16_t));
}
void ZeroS8(const program::Kernel& kernel, KernelArguments arguments, KernelScalars /*scalars*/) {
  Zero(kernel, arguments, sizeof(int8_t));
}

void MatmulS32(const program::Kernel& kernel, KernelArguments arguments,
               KernelScalars /*scalars*/) {
  const auto* a = reinterpret_cast<const int8_t*>(arguments[0]);
  const auto* b = reinterpret_cast<const int8_t*>(arguments[1]);
  auto* c = reinterpret_cast<uint32_t*>(arguments[2]);
  const auto [r, s, t] = kernel.block;
  if (std::max(r, t) > kPanelSide || s > kPanelDepth) return MatmulBlocksS32(kernel, a, b, c);
  const int64_t m_blocks = kernel.m / r;
  const int64_t k_blocks = kernel.k / s;
  const int64_t n_blocks = kernel.n / t;
  alignas(64) Panel a_panel;
  alignas(64) Panel b_panel;
  for (int64_t bk = 0; bk < k_blocks; bk += kPanelDepth / s) {
    const int64_t depth = std::min(kPanelDepth / s, k_blocks - bk);
    for (int64_t bi = 0; bi < m_blocks; bi += kPanelSide / r) {
      const Piece rows{bi, std::min(kPanelSide / r, m_blocks - bi), bk, depth};
      WidenA(kernel, a, rows, a_panel);
      for (int64_t bj = 0; bj < n_blocks; bj += kPanelSide / t) {
        const Piece columns{bj, std::min(kPanelSide / t, n_blocks - bj), bk, depth};
        WidenB(kernel, b, columns, b_panel);
        AddPanels(kernel, rows, a_panel, columns, b_panel, c);
      }
    }
  }
}

void MatmulRowMajorS32(const program::Kernel& kernel, KernelArguments arguments,
                       KernelScalars /*scalars*/) {
  const auto* a = reinterpret_cast<const int8_t*>(arguments[0]);
  const auto* b = reinterpret_cast<const int8_t*>(arguments[1]);
  auto* c = reinterpret_cast<uint32_t*>(arguments[2]);
  for (int64_t i = 0; i < kernel.m; ++i) {
    for (int64_t x = 0; x < kernel.k; ++x) {
      const int8_t left = a[(i * kernel.k) + x];
      for (int64_t j = 0; j < kernel.n; ++j) {
        c[(i * kernel.n) + j] += static_cast<uint32_t>(left * b[(x * kernel.n) + j]);
      }
    }
  }
}

void MatmulRowMajorLossyS8(const program::Kernel& kernel, KernelArguments arguments,
                           KernelScalars /*scalars*/) {
  const auto* a = reinterpret_cast<const int8_t*>(arguments[0]);
  const auto* b = reinterpret_cast<const int8_t*>(arguments[1]);
  auto* c = reinterpret_cast<int8_t*>(arguments[2]);
  for (int64_t i = 0; i < kernel.m; ++i) {
    for (int64_t j = 0; j < kernel.n; ++j) {
      int32_t sum = 0;
      for (int64_t x = 0; x < kernel.k; ++x) {
        sum += a[(i * kernel.k) + x] * b[(x * kernel.n) + j];
      }
      c[(i * kernel.n) + j] =
          static_cast<int8_t>(std::clamp(sum >> program::kLossyShift, -128, 127));
    }
  }
}

void RequantiseS32S8(const program::Kernel& kernel, KernelArguments arguments,
                     KernelScalars scalars) {
  const uint32_t shift = scalars[0];
  const uint32_t rounding = scalars[1];
  const uint32_t saturation = scalars[2];
  // Upwards: if both are one buffer, a byte overwrites only sums that have been read.
  for (int64_t i = 0; i < kernel.m * kernel.n; ++i) {
    int32_t sum = 0;
    std::memcpy(&sum, arguments[0] + (i * static_cast<int64_t>(sizeof(sum))), sizeof(sum));
    const int8_t out = Saturated(Shifted(sum, shift, rounding), saturation);
    std::memcpy(arguments[1] + i, &out, sizeof(out));
  }
}

}  // namespace tilewave::device::vnpu
