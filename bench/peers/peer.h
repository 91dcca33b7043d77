#pragma once

// What a library must do to be compared. Each library is one program: this interface, one
// peer_*.cc that implements it, and worker_main.cc. A process of its own keeps the OpenMP and TBB
// runtimes of the libraries apart, lets each have the environment it likes, and lets the driver
// stop its spinning threads while another one is measured.

#include <cstdint>
#include <memory>
#include <string>

namespace peers {

enum class Kind {
  kGemm,   ///< 8-bit A and B, s32 C.
  kLayer,  ///< f32 A quantised in the call, s8 weights with scales, bias, GELU, f32 C.
  kHeads,  ///< f32 A and B, both quantised in the call, f32 C.
};

/// One product, or a batch of them: (batch x) M x K times K x N.
struct Case {
  Kind kind = Kind::kGemm;
  int64_t m = 0;
  int64_t k = 0;
  int64_t n = 0;
  int64_t batch = 1;
  bool a_signed = true;       ///< kGemm: A is s8, else u8. B is s8 always.
  int b_bits = 8;             ///< kGemm and kLayer: values of B fit as many, with the sign.
  bool b_transposed = false;  ///< B is stored as N x K, row-major.
  bool prepacked = true;      ///< B may be brought into any form before the clock starts.
  int threads = 1;

  int64_t a_count() const { return batch * m * k; }
  int64_t b_count() const { return batch * k * n; }
  int64_t c_count() const { return batch * m * n; }
};

/// All 64-byte aligned; they outlive the Product. C is row-major.
struct Operands {
  const void* a = nullptr;         ///< s8, u8 or f32; row-major.
  const void* b = nullptr;         ///< s8; kHeads: f32.
  const float* scale_b = nullptr;  ///< kLayer: one per column.
  const float* bias = nullptr;     ///< kLayer: one per column.
  void* c = nullptr;               ///< s32 or f32.
};

/// A case made ready. Failures are exceptions.
class Product {
 public:
  virtual ~Product() = default;
  virtual void Run() = 0;
  /// Brings into C what Run left elsewhere. Called when C is to be read; not timed.
  virtual void Finish() {}
};

struct Made {
  std::unique_ptr<Product> product;  ///< Null if the library has no such call.
  std::string note;                  ///< How it is done, or why not.
  /// kLayer and kHeads: "row" (symmetric, per row and column, as tilewave) or "tensor"
  /// (asymmetric u8 per tensor, as ONNX DynamicQuantizeLinear).
  std::string numerics = "row";
};

// One definition per program, in its peer_*.cc.

/// Called once, before anything else.
void Begin(int threads);
std::string Version();
Made Make(const Case& wanted, const Operands& operands);

inline Made Unsupported(std::string why) { return {nullptr, std::move(why), "row"}; }

}  // namespace peers
