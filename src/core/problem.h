#pragma once

// The problem as plain values: what is to be multiplied (Problem) and where it lies (Operands).
// Above this file there are user types, below it only these.

#include <array>
#include <cstddef>
#include <cstdint>

#include "tilewave/problem.h"

namespace tilewave::core {

/// In elements; 0 repeats.
struct Strides {
  int64_t row = 0;
  int64_t col = 0;
  int64_t batch = 0;

  bool operator==(const Strides&) const = default;
};

/// How an operand comes to be integers.
enum class Quantise : uint8_t {
  kNone,                 ///< It already is.
  kPerVector,            ///< f32 -> s8, A per row, B per column.
  kPerTensor,            ///< f32 -> s8, one scale.
  kAsymmetricPerTensor,  ///< f32 -> u8 with zero point, one scale.
};

/// Whether a Parameter is there and how many numbers it has.
enum class ParameterForm : uint8_t { kAbsent, kOne, kVector };

template <typename T>
ParameterForm FormOf(const Parameter<T>& p) {
  if (!p.present) return ParameterForm::kAbsent;
  return p.data == nullptr || (p.stride == 0 && p.batch_stride == 0) ? ParameterForm::kOne
                                                                     : ParameterForm::kVector;
}

enum class RequantKind : uint8_t { kNone, kShift, kScale };

/// One matmul or strided batch of matmuls: everything that a plan depends on, and nothing that
/// changes from call to call (pointers, scale values). Equal problems share a plan.
struct Problem {
  int64_t batch = 1;
  int64_t m = 0;
  int64_t k = 0;
  int64_t n = 0;
  ElementType a_type = ElementType::kS8;  ///< As given: kF32 if quantised inside the call.
  ElementType b_type = ElementType::kS8;
  ElementType c_type = ElementType::kS32;
  Strides a;
  Strides b;
  Strides c;
  Quantise quantise_a = Quantise::kNone;
  Quantise quantise_b = Quantise::kNone;
  ParameterForm zero_a = ParameterForm::kAbsent;
  ParameterForm zero_b = ParameterForm::kAbsent;
  ParameterForm scale_a = ParameterForm::kAbsent;
  ParameterForm scale_b = ParameterForm::kAbsent;
  ParameterForm bias_s32 = ParameterForm::kAbsent;
  ParameterForm bias_f32 = ParameterForm::kAbsent;
  Activation activation = Activation::kNone;
  RequantKind requant = RequantKind::kNone;
  RequantShift shift = {};  ///< Read if requant == kShift.
  ParameterForm requant_scale = ParameterForm::kAbsent;
  int32_t requant_zero = 0;  ///< Read if requant == kScale.
  bool b_prepacked = false;  ///< B is Weights: device payloads may exist.
  bool accumulate = false;   ///< Reserved.

  /// A lies in memory of the device that computes, with the strides of `a`: so many bytes from its
  /// first element on. 0: host memory.
  int64_t a_device_bytes = 0;
  bool c_on_device = false;  ///< C may stay in device memory, as the plan lays it out.

  bool operator==(const Problem& other) const;
};

/// batch * M * K * N, at most the largest int64_t.
int64_t MacsOf(const Problem& problem);

/// Every field of a problem, small ones side by side: problems are equal exactly if their keys are.
/// Comparing and hashing whole words is part of every call.
struct ProblemKey {
  std::array<uint64_t, 18> words;

  bool operator==(const ProblemKey& other) const {
    // Word by word, unrolled: read in vectors, what has just been written so would be waited for.
#pragma GCC unroll 18
    for (size_t i = 0; i < words.size(); ++i) {
      if (words[i] != other.words[i]) return false;
    }
    return true;
  }
};
ProblemKey KeyOf(const Problem& problem);

size_t HashOf(const ProblemKey& key);

/// The type that is multiplied: a_type or b_type, or what f32 is quantised to.
ElementType MultipliedType(ElementType given, Quantise quantise);

inline ElementType MultipliedA(const Problem& p) { return MultipliedType(p.a_type, p.quantise_a); }
inline ElementType MultipliedB(const Problem& p) { return MultipliedType(p.b_type, p.quantise_b); }

/// Largest |(a - zero_a) * (b - zero_b)| of two 8-bit types: with a zero point of its own type an
/// operand reaches 255 in magnitude.
constexpr int64_t LargestProduct(ElementType a, ElementType b, bool zero_a, bool zero_b) {
  const int64_t largest_a = zero_a || a == ElementType::kU8 ? 255 : 128;
  const int64_t largest_b = zero_b || b == ElementType::kU8 ? 255 : 128;
  return largest_a * largest_b;
}

inline bool IsFloat(ElementType t) { return t == ElementType::kF32 || t == ElementType::kBF16; }

/// Where the values of one call lie. Borrowed; the caller keeps all of it alive.
struct Operands {
  const void* a = nullptr;
  const void* b = nullptr;
  void* c = nullptr;
  Parameter<int32_t> zero_a = {};
  Parameter<int32_t> zero_b = {};
  Parameter<float> scale_a = {};
  Parameter<float> scale_b = {};
  Parameter<int32_t> bias_s32 = {};
  Parameter<float> bias_f32 = {};
  Parameter<float> requant_scale = {};
};

}  // namespace tilewave::core
