#include "engine/describe_call.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <variant>

#include "base/checked_math.h"
#include "core/view_strides.h"
#include "runtime/weights.h"

namespace tilewave::engine {
namespace {

template <typename... Args>
Status Invalid(fmt::format_string<Args...> format, Args&&... args) {
  return {StatusCode::kInvalidArgument, fmt::format(format, std::forward<Args>(args)...)};
}

Status CheckQuantisation(const char* operand, DynamicQuantisation wanted) {
  if (wanted <= DynamicQuantisation::kAsymmetricPerTensor) return {};
  return Invalid("the dynamic quantisation of {} is not one of the named values", operand);
}

/// REQUIRES: a named value.
core::Quantise QuantiseOf(ElementType type, DynamicQuantisation wanted) {
  if (type != ElementType::kF32) return core::Quantise::kNone;
  switch (wanted) {
    case DynamicQuantisation::kPerVector:
      return core::Quantise::kPerVector;
    case DynamicQuantisation::kPerTensor:
      return core::Quantise::kPerTensor;
    case DynamicQuantisation::kAsymmetricPerTensor:
      return core::Quantise::kAsymmetricPerTensor;
  }
  return core::Quantise::kNone;
}

/// The form of a parameter; false if it holds something but is not marked present.
template <typename T>
bool Classify(const Parameter<T>& p, core::ParameterForm* form) {
  *form = core::FormOf(p);
  return p.present || (p.data == nullptr && p.stride == 0 && p.batch_stride == 0 && p.value == T{});
}

/// What was given and is not marked present was meant: dropping it would change the result.
Status ClassifyAll(const core::Operands& o, core::Problem* p) {
  static constexpr const char* kNames[] = {
      "the zero points of A", "the zero points of B", "the scales of A",          "the scales of B",
      "the s32 bias",         "the f32 bias",         "the requantisation scales"};
  const bool as_said[] = {Classify(o.zero_a, &p->zero_a),
                          Classify(o.zero_b, &p->zero_b),
                          Classify(o.scale_a, &p->scale_a),
                          Classify(o.scale_b, &p->scale_b),
                          Classify(o.bias_s32, &p->bias_s32),
                          Classify(o.bias_f32, &p->bias_f32),
                          Classify(o.requant_scale, &p->requant_scale)};
  static_assert(std::size(as_said) == std::size(kNames));
  for (size_t i = 0; i < std::size(as_said); ++i) {
    if (as_said[i]) continue;
    return Invalid(
        "{} hold values but are not marked present; make them with Parameter::Of or "
        "Parameter::PerElement",
        kNames[i]);
  }
  return {};
}

void DescribeEpilogue(const Epilogue& e, core::Problem* p, core::Operands* o) {
  o->scale_a = e.scale_a;
  o->bias_s32 = e.bias_s32;
  o->bias_f32 = e.bias_f32;
  p->activation = e.activation;
  p->accumulate = e.accumulate;
  if (const auto* shift = std::get_if<RequantShift>(&e.requantisation)) {
    p->requant = core::RequantKind::kShift;
    p->shift = *shift;
  } else if (const auto* scale = std::get_if<RequantScale>(&e.requantisation)) {
    p->requant = core::RequantKind::kScale;
    p->requant_zero = scale->zero_point;
    o->requant_scale = scale->scale;
  }
}

/// B as Weights: shape and type from the handle, quantisation from what it carries.
Status DescribePrepacked(const Weights& weights, const Matmul& call, core::Problem* p,
                         core::Operands* o) {
  if (weights.empty()) return Invalid("B is an empty Weights; make it with Engine::Prepare");
  if (call.zero_b.present) {
    return {StatusCode::kFailedPrecondition,
            "zero points of B were given, but Weights carry their own from Engine::Prepare"};
  }
  if (call.epilogue.scale_b.present && weights.impl()->scale().present) {
    return {StatusCode::kFailedPrecondition,
            "scales of B were given, but these Weights were quantised from f32 and carry theirs"};
  }
  p->b_prepacked = true;
  const core::Problem& as_b = weights.impl()->problem();
  p->b_type = as_b.b_type;
  p->b = as_b.b;
  o->b = weights.impl()->operands().b;
  o->zero_b = weights.impl()->zero();
  o->scale_b = call.epilogue.scale_b.present ? call.epilogue.scale_b : weights.impl()->scale();
  return {};
}

/// What an operand is, wherever it lies.
struct Shape {
  ElementType type = ElementType::kS8;
  int64_t rows = 0;
  int64_t cols = 0;
  int64_t batch = 1;
};

template <typename Operand>
Shape ShapeOf(const Operand& x) {
  if constexpr (requires { x.type(); }) {
    return {x.type(), x.rows(), x.cols(), x.batch()};
  } else {
    return {x.type, x.rows, x.cols, x.batch};
  }
}

Status CheckShapes(const Shape& a, const Shape& b, bool weights) {
  if (a.cols != b.rows) {
    const StatusCode code =
        weights ? StatusCode::kFailedPrecondition : StatusCode::kInvalidArgument;
    return {code, fmt::format("A is {}x{} and {} {}x{}: the columns of A ({}) must equal the rows "
                              "of B ({})",
                              a.rows, a.cols, weights ? "the Weights are" : "B is", b.rows, b.cols,
                              a.cols, b.rows)};
  }
  const int64_t batch = std::max(a.batch, b.batch);
  if ((a.batch != 1 && a.batch != batch) || (b.batch != 1 && b.batch != batch)) {
    return Invalid("A is a batch of {} and B of {}; they must be equal, or one of them 1", a.batch,
                   b.batch);
  }
  return {};
}

Status CheckResult(const Shape& a, const Shape& b, const Shape& c) {
  if (c.rows != a.rows || c.cols != b.cols) {
    return Invalid("C is {}x{}; the product of {}x{} and {}x{} is {}x{}", c.rows, c.cols, a.rows,
                   a.cols, b.rows, b.cols, a.rows, b.cols);
  }
  const int64_t batch = std::max(a.batch, b.batch);
  if (c.batch != batch) {
    return Invalid("C is a batch of {}; A and B make one of {}", c.batch, batch);
  }
  return {};
}

/// An operand that is a view or a tensor: where it lies, and what it is.
template <typename Operand>
Status DescribeOperand(const char* name, const Operand& operand, DeviceTensor* tensor,
                       core::Strides* strides, const void** data, Shape* shape) {
  if (const auto* given = std::get_if<DeviceTensor>(&operand)) {
    if (given->empty()) return Invalid("{} is an empty DeviceTensor", name);
    *tensor = *given;
    *shape = ShapeOf(*given);
    return {};
  }
  const auto& view = std::get<ConstMatrix>(operand);
  core::SetStrides(view, strides);
  *data = view.data;
  *shape = ShapeOf(view);
  return {};
}

Status DescribeA(const Matmul& call, core::Problem* p, core::Operands* o,
                 runtime::CallTensors* tensors, Shape* shape) {
  Status s = DescribeOperand("A", call.a, &tensors->a, &p->a, &o->a, shape);
  p->a_type = shape->type;
  p->quantise_a = QuantiseOf(shape->type, call.quantise_a);
  return s;
}

Status DescribeB(const Matmul& call, core::Problem* p, core::Operands* o, const Weights** weights,
                 runtime::CallTensors* tensors, Shape* shape) {
  if (const auto* prepacked = std::get_if<Weights>(&call.b)) {
    if (Status s = DescribePrepacked(*prepacked, call, p, o); !s.ok()) return s;
    *weights = prepacked;
    *shape = ShapeOf(*prepacked);
    return {};
  }
  Status s = DescribeOperand("B", call.b, &tensors->b, &p->b, &o->b, shape);
  p->b_type = shape->type;
  p->quantise_b = QuantiseOf(shape->type, call.quantise_b);
  o->zero_b = call.zero_b;
  o->scale_b = call.epilogue.scale_b;
  return s;
}

/// C in the caller's memory, or a tensor that is made here.
Status DescribeC(const Matmul& call, const Shape& a, const Shape& b, uint64_t payload_domain,
                 core::Problem* p, core::Operands* o, runtime::CallTensors* tensors) {
  if (const auto* c = std::get_if<Matrix>(&call.c)) {
    if (Status s = CheckResult(a, b, ShapeOf(*c)); !s.ok()) return s;
    p->c_type = c->type;
    core::SetStrides(*c, &p->c);
    o->c = c->data;
    return {};
  }
  const auto& output = std::get<DeviceOutput>(call.c);
  if (output.tensor == nullptr) return Invalid("C is a DeviceOutput without a tensor to set");
  // Else the problem is refused by name before anything is made of it.
  const bool is_sensible = a.rows > 0 && b.cols > 0 && p->batch > 0;
  const DeviceTensor::Impl::Shape shape =
      is_sensible ? DeviceTensor::Impl::Shape{output.type, p->batch, a.rows, b.cols}
                  : DeviceTensor::Impl::Shape{output.type, 1, 0, 0};
  if (!base::CheckedProduct(
          {p->batch, shape.rows, shape.cols, static_cast<int64_t>(sizeof(int32_t))})) {
    return {StatusCode::kOutOfRange, "the bytes of this C overflow 63 bits"};
  }
  p->c_type = output.type;
  p->c = shape.Dense();
  p->c_on_device = true;
  tensors->c = std::make_shared<DeviceTensor::Impl>(shape, payload_domain);
  return {};
}

}  // namespace

Status DescribeCall(const Matmul& call, uint64_t payload_domain, core::Problem* problem,
                    core::Operands* operands, const Weights** weights,
                    runtime::CallTensors* tensors) {
  if (Status s = CheckQuantisation("A", call.quantise_a); !s.ok()) return s;
  if (Status s = CheckQuantisation("B", call.quantise_b); !s.ok()) return s;
  core::Problem& p = *problem;
  core::Operands& o = *operands;
  DescribeEpilogue(call.epilogue, &p, &o);
  Shape a;
  if (Status s = DescribeA(call, &p, &o, tensors, &a); !s.ok()) return s;
  Shape b;
  if (Status s = DescribeB(call, &p, &o, weights, tensors, &b); !s.ok()) return s;
  if (Status s = CheckShapes(a, b, p.b_prepacked); !s.ok()) return s;
  p.batch = std::max(a.batch, b.batch);
  p.m = a.rows;
  p.k = a.cols;
  p.n = b.cols;
  o.zero_a = call.zero_a;
  if (Status s = DescribeC(call, a, b, payload_domain, &p, &o, tensors); !s.ok()) return s;
  return ClassifyAll(o, &p);
}

Status DescribeCall(const Matmul& call, core::Problem* problem, core::Operands* operands,
                    const Weights** weights) {
  runtime::CallTensors tensors;
  Status s = DescribeCall(call, device::kHostPayloadDomain, problem, operands, weights, &tensors);
  if (s.ok() && !tensors.empty()) {
    return Invalid("a call with device tensors; expected host views");
  }
  return s;
}

Status DescribeWeights(const ConstMatrix& b, const Parameter<int32_t>& zero,
                       DynamicQuantisation quantise, core::Problem* problem,
                       core::Operands* operands) {
  if (Status s = CheckQuantisation("B", quantise); !s.ok()) return s;
  // A and C stand in for those of later calls, so that B meets the same checks as in a call.
  core::Problem& p = *problem;
  p.batch = b.batch;
  p.m = 1;
  p.k = b.rows;
  p.n = b.cols;
  p.b_type = b.type;
  p.b = core::StridesOf(b);
  p.a = {b.rows, 1, 0};
  p.c = {b.cols, 1, b.cols};
  p.quantise_b = QuantiseOf(b.type, quantise);
  p.c_type = p.quantise_b == core::Quantise::kNone ? ElementType::kS32 : ElementType::kF32;
  operands->b = b.data;
  operands->zero_b = zero;
  return ClassifyAll(*operands, &p);
}

}  // namespace tilewave::engine
