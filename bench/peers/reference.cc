#include "bench/peers/reference.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "bench/peers/buffer.h"
#include "bench/peers/inputs.h"
#include "bench/peers/protocol.h"

namespace peers {
namespace {

/// c = a * b for b stored as k x n. 32-bit arithmetic on 16-bit copies: nothing that any of the
/// compared libraries does.
#if defined(__x86_64__)
__attribute__((target_clones("avx512f", "avx2", "default")))
#endif
void
Multiply(const int16_t* a, const int16_t* b, int32_t* c, int64_t m, int64_t k, int64_t n) {
  constexpr int64_t kColumns = 512;  // A strip of c stays in the nearest cache.
  for (int64_t j0 = 0; j0 < n; j0 += kColumns) {
    const int64_t j1 = std::min(n, j0 + kColumns);
    for (int64_t i = 0; i < m; ++i) {
      int32_t* row = c + i * n;
      for (int64_t j = j0; j < j1; ++j) row[j] = 0;
      for (int64_t p = 0; p < k; ++p) {
        const int32_t factor = a[i * k + p];
        const int16_t* terms = b + p * n;
        for (int64_t j = j0; j < j1; ++j) row[j] += factor * terms[j];
      }
    }
  }
}

/// An operand as whole numbers, and the scale of each of its vectors (rows of A, columns of B).
struct Whole {
  Buffer<int16_t> values;
  Buffer<float> scales;
};

/// Symmetric s8 per vector: docs/numerics.md. Element i of vector v stands at v*vector + i*step.
void QuantiseVectors(const float* data, int64_t vectors, int64_t length, int64_t vector,
                     int64_t step, int16_t* values, float* scales) {
  for (int64_t v = 0; v < vectors; ++v) {
    const float* x = data + v * vector;
    int16_t* q = values + v * vector;
    float amax = 0;
    for (int64_t i = 0; i < length; ++i) amax = std::max(amax, std::fabs(x[i * step]));
    scales[v] = amax > 0 ? amax / 127.0f : 1.0f;
    const float inverse = amax > 0 ? 127.0f / amax : 0.0f;
    for (int64_t i = 0; i < length; ++i) {
      q[i * step] =
          static_cast<int16_t>(std::clamp(std::nearbyint(x[i * step] * inverse), -127.0f, 127.0f));
    }
  }
}

/// u8 with a zero point for the whole tensor, as ONNX DynamicQuantizeLinear; values less the zero.
void QuantiseTensor(const float* data, int64_t count, int16_t* values, float* scale) {
  const auto [least, most] = std::minmax_element(data, data + count);
  const float low = std::min(0.0f, *least);
  *scale = (std::max(0.0f, *most) - low) / 255.0f;
  const float zero = std::clamp(std::nearbyint(-low / *scale), 0.0f, 255.0f);
  for (int64_t i = 0; i < count; ++i) {
    const float q = std::clamp(std::nearbyint(data[i] / *scale) + zero, 0.0f, 255.0f);
    values[i] = static_cast<int16_t>(q - zero);
  }
}

double Gelu(double x) { return 0.5 * x * std::erfc(-x * 0.70710678118654752440); }

struct Stored {
  Buffer<float> a_f32, b_f32;
  Buffer<int16_t> a, b;  ///< b is k x n here, whatever it is in the file.
  Buffer<float> scale_b, bias;
};

/// b from n x k to k x n.
template <typename T>
Buffer<T> Straight(const Case& wanted, Buffer<T> b) {
  if (!wanted.b_transposed) return b;
  Buffer<T> turned(b.size());
  for (int64_t batch = 0; batch < wanted.batch; ++batch) {
    const T* from = b.data() + batch * wanted.k * wanted.n;
    T* to = turned.data() + batch * wanted.k * wanted.n;
    for (int64_t j = 0; j < wanted.n; ++j) {
      for (int64_t p = 0; p < wanted.k; ++p) to[p * wanted.n + j] = from[j * wanted.k + p];
    }
  }
  return turned;
}

/// `bits`: of each value, at most 8.
template <typename T>
Buffer<int16_t> WriteBytes(Random random, int64_t count, int bits, const std::string& path) {
  Buffer<T> bytes(count);
  Buffer<int16_t> wide(count);
  for (int64_t i = 0; i < count; ++i) {
    bytes[i] = static_cast<T>(static_cast<T>(random.Next() >> 56) >> (8 - bits));
    wide[i] = static_cast<int16_t>(+bytes[i]);
  }
  WriteFile(path, bytes.data(), count);
  return wide;
}

Buffer<float> WriteFloats(Random random, int64_t count, float scale, const std::string& path) {
  Buffer<float> values(count);
  for (int64_t i = 0; i < count; ++i) values[i] = scale * random.Normal();
  WriteFile(path, values.data(), count);
  return values;
}

/// Value and tolerance of each element of an f32 C, from whole numbers and scales.
void WriteFloatReference(const Case& wanted, const Stored& in, const Whole& a, const Whole& b,
                         bool tensor, const std::string& path) {
  Buffer<int32_t> sums(wanted.c_count());
  std::vector<double> out(static_cast<size_t>(2 * wanted.c_count()));
  for (int64_t batch = 0; batch < wanted.batch; ++batch) {
    int32_t* c = sums.data() + batch * wanted.m * wanted.n;
    Multiply(a.values.data() + batch * wanted.m * wanted.k,
             b.values.data() + batch * wanted.k * wanted.n, c, wanted.m, wanted.k, wanted.n);
    for (int64_t i = 0; i < wanted.m; ++i) {
      for (int64_t j = 0; j < wanted.n; ++j) {
        const double scale_a = a.scales[batch * wanted.m + i];
        const double scale_b = b.scales[batch * wanted.n + j];
        double value = c[i * wanted.n + j] * scale_a * scale_b;
        if (wanted.kind == Kind::kLayer) value = Gelu(value + in.bias[j]);
        const size_t at = static_cast<size_t>(2 * ((batch * wanted.m + i) * wanted.n + j));
        out[at] = value;
        // f32 rounding of a sum of this size. Per tensor the library divides where the reference
        // may multiply: up to two elements on a tie may be one step away, each times at most 255.
        out[at + 1] = 1e-5 * (1 + std::fabs(value)) + (tensor ? 2 * 255 * scale_a * scale_b : 0);
      }
    }
  }
  WriteFile(path, out.data(), static_cast<int64_t>(out.size()));
}

Whole Vectors(int64_t count, int64_t vectors) {
  return {Buffer<int16_t>(count), Buffer<float>(vectors)};
}

void WriteFloatReferences(const Case& wanted, Stored& in, const std::string& dir) {
  for (const bool tensor : {false, true}) {
    Whole a = Vectors(wanted.a_count(), wanted.batch * wanted.m);
    Whole b = Vectors(wanted.b_count(), wanted.batch * wanted.n);
    if (tensor) {
      QuantiseTensor(in.a_f32.data(), wanted.a_count(), a.values.data(), a.scales.data());
      std::fill_n(a.scales.data(), a.scales.size(), a.scales[0]);
    } else {
      QuantiseVectors(in.a_f32.data(), wanted.batch * wanted.m, wanted.k, wanted.k, 1,
                      a.values.data(), a.scales.data());
    }
    if (wanted.kind == Kind::kLayer) {
      std::copy_n(in.b.data(), in.b.size(), b.values.data());
      std::copy_n(in.scale_b.data(), wanted.n, b.scales.data());
    } else if (tensor) {
      QuantiseTensor(in.b_f32.data(), wanted.b_count(), b.values.data(), b.scales.data());
      std::fill_n(b.scales.data(), b.scales.size(), b.scales[0]);
    } else {
      for (int64_t batch = 0; batch < wanted.batch; ++batch) {
        const int64_t at = batch * wanted.k * wanted.n;
        QuantiseVectors(in.b_f32.data() + at, wanted.n, wanted.k, 1, wanted.n, b.values.data() + at,
                        b.scales.data() + batch * wanted.n);
      }
    }
    WriteFloatReference(wanted, in, a, b, tensor, dir + (tensor ? "/tensor" : "/row"));
  }
}

}  // namespace

void WriteInputs(const Case& wanted, const std::string& dir) {
  Stored in;
  const float spread = 1.0f / std::sqrt(static_cast<float>(wanted.k));
  if (wanted.kind == Kind::kGemm) {
    in.a = wanted.a_signed ? WriteBytes<int8_t>(Random(1), wanted.a_count(), 8, dir + "/a")
                           : WriteBytes<uint8_t>(Random(1), wanted.a_count(), 8, dir + "/a");
  } else {
    in.a_f32 = WriteFloats(Random(1), wanted.a_count(), 1, dir + "/a");
  }
  if (wanted.kind == Kind::kHeads) {
    in.b_f32 = Straight(wanted, WriteFloats(Random(2), wanted.b_count(), 1, dir + "/b"));
  } else {
    in.b = Straight(wanted,
                    WriteBytes<int8_t>(Random(2), wanted.b_count(), wanted.b_bits, dir + "/b"));
  }
  if (wanted.kind == Kind::kLayer) {
    in.scale_b = Buffer<float>(wanted.n);
    Random random(3);
    for (int64_t j = 0; j < wanted.n; ++j) {
      in.scale_b[j] = spread / 74.0f * (1.0f + 0.2f * std::tanh(random.Normal()));
    }
    WriteFile(dir + "/scale_b", in.scale_b.data(), wanted.n);
    in.bias = WriteFloats(Random(4), wanted.n, 0.1f, dir + "/bias");
  }
  if (wanted.kind != Kind::kGemm) return WriteFloatReferences(wanted, in, dir);
  Buffer<int32_t> c(wanted.c_count());
  for (int64_t batch = 0; batch < wanted.batch; ++batch) {
    Multiply(in.a.data() + batch * wanted.m * wanted.k, in.b.data() + batch * wanted.k * wanted.n,
             c.data() + batch * wanted.m * wanted.n, wanted.m, wanted.k, wanted.n);
  }
  WriteFile(dir + "/exact", c.data(), c.size());
}

std::string Compare(const Case& wanted, const std::string& dir, const std::string& file,
                    const std::string& numerics) {
  const int64_t count = wanted.c_count();
  int64_t wrong = 0;
  double worst = 0;
  if (wanted.kind == Kind::kGemm) {
    Buffer<int32_t> expected(count);
    Buffer<int32_t> found(count);
    ReadFile(dir + "/exact", expected.data(), count);
    ReadFile(file, found.data(), count);
    for (int64_t i = 0; i < count; ++i) {
      if (found[i] == expected[i]) continue;
      ++wrong;
      worst = std::max(worst, std::fabs(static_cast<double>(found[i]) - expected[i]));
    }
  } else {
    Buffer<double> expected(2 * count);
    Buffer<float> found(count);
    ReadFile(dir + "/" + numerics, expected.data(), 2 * count);
    ReadFile(file, found.data(), count);
    for (int64_t i = 0; i < count; ++i) {
      const double off = std::fabs(found[i] - expected[2 * i]);
      if (off <= expected[2 * i + 1]) continue;  // Not so for a NaN.
      ++wrong;
      worst = std::max(worst, off);
    }
  }
  if (wrong == 0) return "";
  return std::to_string(wrong) + " of " + std::to_string(count) + " elements, by up to " +
         std::to_string(worst);
}

}  // namespace peers
