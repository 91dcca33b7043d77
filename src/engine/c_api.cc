// The C interface: translates structs and Status, adds nothing.

#include "tilewave/c.h"

#include <new>
#include <string>
#include <utility>

#include "tilewave/engine.h"

struct tw_engine {
  tilewave::Engine engine;
};

struct tw_weights {
  tilewave::Weights weights;
};

namespace {

using tilewave::Status;
using tilewave::StatusCode;

tw_status CodeOf(StatusCode code) {
  switch (code) {
    case StatusCode::kOk:
      return TW_OK;
    case StatusCode::kInvalidArgument:
      return TW_INVALID_ARGUMENT;
    case StatusCode::kOutOfRange:
      return TW_OUT_OF_RANGE;
    case StatusCode::kFailedPrecondition:
      return TW_FAILED_PRECONDITION;
    case StatusCode::kNotFound:
      return TW_NOT_FOUND;
    case StatusCode::kUnimplemented:
      return TW_UNIMPLEMENTED;
    case StatusCode::kUnavailable:
      return TW_UNAVAILABLE;
    case StatusCode::kResourceExhausted:
      return TW_RESOURCE_EXHAUSTED;
    case StatusCode::kDeadlineExceeded:
      return TW_DEADLINE_EXCEEDED;
    case StatusCode::kDataLoss:
      return TW_DATA_LOSS;
    case StatusCode::kPermissionDenied:
      return TW_PERMISSION_DENIED;
    case StatusCode::kInternal:
      return TW_INTERNAL;
  }
  return TW_INTERNAL;
}

std::string& LastError() {
  thread_local std::string text;
  return text;
}

tw_status Report(const Status& status) {
  if (!status.ok()) LastError() = status.message();
  return CodeOf(status.code());
}

tw_status Null(const char* what) {
  return Report({StatusCode::kInvalidArgument, std::string(what) + " is NULL"});
}

template <typename View>
View ViewOf(const tw_matrix& m) {
  return {m.data,
          static_cast<tilewave::ElementType>(m.type),
          m.rows,
          m.cols,
          m.batch == 0 ? 1 : m.batch,
          m.row_stride,
          m.col_stride,
          m.batch_stride};
}

template <typename T, typename CVector>
tilewave::Parameter<T> ParameterOf(const CVector& v) {
  if (v.data == nullptr) return {};
  return {true, T{}, v.data, v.stride, v.batch_stride};
}

tilewave::Requantisation RequantisationOf(const tw_matmul& call) {
  switch (call.requantisation) {
    case TW_REQUANT_SHIFT:
      return tilewave::RequantShift{call.shift, static_cast<tilewave::Rounding>(call.rounding),
                                    static_cast<tilewave::Saturation>(call.saturation)};
    case TW_REQUANT_SCALE:
      return tilewave::RequantScale{ParameterOf<float>(call.requant_scale), call.requant_zero};
    default:
      return {};
  }
}

/// C has no checked enums: a value that names nothing is refused here, before it is converted.
Status CheckEnums(const tw_matmul& call) {
  const auto is_type = [](int32_t type) { return type >= TW_S8 && type <= TW_BF16; };
  if (!is_type(call.a.type) || !is_type(call.c.type) ||
      (call.weights == nullptr && !is_type(call.b.type))) {
    return {StatusCode::kInvalidArgument, "an element type is not one of tw_type"};
  }
  if (call.activation < TW_NONE || call.activation > TW_SILU) {
    return {StatusCode::kInvalidArgument, "the activation is not one of tw_activation"};
  }
  if (call.requantisation < TW_NO_REQUANTISATION || call.requantisation > TW_REQUANT_SCALE) {
    return {StatusCode::kInvalidArgument, "the requantisation is not one of tw_requantisation"};
  }
  const auto is_byte = [](int32_t value) { return value >= 0 && value <= 255; };
  if (!is_byte(call.rounding) || !is_byte(call.saturation)) {
    return {StatusCode::kInvalidArgument, "the rounding or saturation mode is not a named value"};
  }
  return {};
}

}  // namespace

const char* tw_version(void) { return tilewave::Version().data(); }

const char* tw_last_error(void) { return LastError().c_str(); }

tw_status tw_engine_create(const char* device, tw_engine** engine) {
  if (engine == nullptr) return Null("engine");
  *engine = nullptr;
  try {
    tilewave::EngineOptions options;
    if (device != nullptr) options.device = device;
    tilewave::Result<tilewave::Engine> made = tilewave::Engine::Create(options);
    if (!made.ok()) return Report(made.status());
    *engine = std::make_unique<tw_engine>(tw_engine{*std::move(made)}).release();
    return TW_OK;
  } catch (const std::bad_alloc&) {
    return TW_RESOURCE_EXHAUSTED;
  }
}

void tw_engine_destroy(tw_engine* engine) { std::unique_ptr<tw_engine>{engine}; }

tw_status tw_run(tw_engine* engine, const tw_matmul* call) {
  if (engine == nullptr) return Null("engine");
  if (call == nullptr) return Null("call");
  if (Status s = CheckEnums(*call); !s.ok()) return Report(s);
  tilewave::Matmul m;
  m.a = ViewOf<tilewave::ConstMatrix>(call->a);
  if (call->weights != nullptr) {
    m.b = call->weights->weights;
  } else {
    m.b = ViewOf<tilewave::ConstMatrix>(call->b);
  }
  m.c = ViewOf<tilewave::Matrix>(call->c);
  m.zero_a = ParameterOf<int32_t>(call->zero_a);
  m.zero_b = ParameterOf<int32_t>(call->zero_b);
  m.epilogue.scale_a = ParameterOf<float>(call->scale_a);
  m.epilogue.scale_b = ParameterOf<float>(call->scale_b);
  m.epilogue.bias_s32 = ParameterOf<int32_t>(call->bias_s32);
  m.epilogue.bias_f32 = ParameterOf<float>(call->bias_f32);
  m.epilogue.activation = static_cast<tilewave::Activation>(call->activation);
  m.epilogue.requantisation = RequantisationOf(*call);
  return Report(engine->engine.Run(m));
}

tw_status tw_weights_prepare(tw_engine* engine, const tw_matrix* b, const tw_ints* zero,
                             tw_weights** weights) {
  if (engine == nullptr) return Null("engine");
  if (b == nullptr) return Null("b");
  if (weights == nullptr) return Null("weights");
  *weights = nullptr;
  try {
    if (b->type < TW_S8 || b->type > TW_BF16) {
      return Report({StatusCode::kInvalidArgument, "an element type is not one of tw_type"});
    }
    tilewave::WeightsOptions options;
    if (zero != nullptr) options.zero = ParameterOf<int32_t>(*zero);
    tilewave::Result<tilewave::Weights> made =
        engine->engine.Prepare(ViewOf<tilewave::ConstMatrix>(*b), options);
    if (!made.ok()) return Report(made.status());
    *weights = std::make_unique<tw_weights>(tw_weights{*std::move(made)}).release();
    return TW_OK;
  } catch (const std::bad_alloc&) {
    return TW_RESOURCE_EXHAUSTED;
  }
}

void tw_weights_destroy(tw_weights* weights) { std::unique_ptr<tw_weights>{weights}; }
