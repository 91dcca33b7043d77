#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/random.h"
#include "tilewave/engine.h"

namespace tilewave::testing {

/// A random call with everything it borrows: ragged shapes, padded and transposed strides,
/// batches with broadcast, every type, quantisation and epilogue, full-range data rich in
/// extremes. C stands in poisoned memory with gaps; a second copy of that memory takes the
/// reference's answer.
class RandomCall {
 public:
  struct Limits {
    int64_t m = 70;
    int64_t k = 150;
    int64_t n = 70;
    int64_t batch = 3;
    int64_t least_k = 1;
  };

  RandomCall(base::Random* random, const Limits& limits);
  RandomCall(const RandomCall&) = delete;
  RandomCall& operator=(const RandomCall&) = delete;

  /// Writes to the first copy of C.
  const Matmul& call() const { return call_; }
  /// The same call with B prepared by this engine, if its B can be (it is a host view).
  Result<Matmul> Prepacked(Engine* engine) const;

  /// Fills both copies of C with poison.
  void Poison();
  /// Computes the reference into the second copy.
  Status RunReference();
  /// "" if both copies are equal in every byte, gaps included; else what differs where.
  std::string Difference() const;

  /// One line for failure messages.
  std::string Describe() const;

 private:
  struct View {
    int64_t rows;
    int64_t cols;
    int64_t batch;
    bool broadcast;
  };

  ConstMatrix MakeInput(ElementType type, const View& shape, std::vector<std::byte>* storage);
  void MakeOutput(ElementType type, int64_t rows, int64_t cols, int64_t batch);
  ElementType ChooseInputType();
  Parameter<int32_t> MakeZeros(ElementType type, int64_t count, int64_t batch,
                               std::vector<int32_t>* storage);
  Parameter<float> MakeScales(int64_t count, int64_t batch, float largest,
                              std::vector<float>* storage);
  void ChooseFloatEpilogue(int64_t batch, int64_t m, int64_t n, bool dynamic_a, bool dynamic_b);
  void ChooseIntegerEpilogue(ElementType type, int64_t batch, int64_t n);
  void FillInput(ElementType type, std::vector<std::byte>* storage);

  base::Random* random_;
  Matmul call_;
  std::vector<std::byte> a_;
  std::vector<std::byte> b_;
  std::vector<std::byte> c_;
  std::vector<std::byte> c_reference_;
  std::vector<int32_t> zero_a_;
  std::vector<int32_t> zero_b_;
  std::vector<float> scale_a_;
  std::vector<float> scale_b_;
  std::vector<int32_t> bias_s32_;
  std::vector<float> bias_f32_;
  std::vector<float> requant_scale_;
};

}  // namespace tilewave::testing
