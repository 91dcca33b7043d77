// The C interface: translates structs and Status, adds nothing. No exception leaves it.

#include "tilewave/c.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "base/out_of_memory.h"
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

/// The last failure of this thread. Holds the Status itself: keeping it allocates nothing, also
/// when what failed was an allocation.
Status& LastError() {
  thread_local Status status;
  return status;
}

tw_status Report(const Status& status) {
  if (!status.ok()) LastError() = status;
  return CodeOf(status.code());
}

/// Runs the body of a C function.
template <typename Body>
tw_status Guarded(Body body) {
  return Report(tilewave::base::WithoutExceptions<Status>(body));
}

Status Invalid(const char* sentence) { return {StatusCode::kInvalidArgument, sentence}; }

/// Copies a caller's struct of an older or equal version into a whole one.
template <typename T>
Status Adopt(const T* given, T* whole) {
  if (given == nullptr) return Invalid("the struct pointer is NULL");
  if (given->struct_size < sizeof(size_t) || given->struct_size > sizeof(T)) {
    return Invalid("struct_size is not the sizeof of a struct of this or an older version");
  }
  std::memcpy(static_cast<void*>(whole), given, given->struct_size);
  return {};
}

/// An enumeration with 8 bits from a C integer; what does not fit becomes 255, which names nothing
/// and is refused by the library.
template <typename E>
E EnumOf(int32_t value) {
  return static_cast<E>(value < 0 || value > 254 ? 255 : value);
}

template <typename View>
View ViewOf(const tw_matrix& m) {
  View view;
  view.data = m.data;
  view.type = EnumOf<tilewave::ElementType>(m.type);
  view.rows = m.rows;
  view.cols = m.cols;
  view.batch = m.batch == 0 ? 1 : m.batch;
  if (m.row_stride == 0 && m.col_stride == 0 && m.batch_stride == 0) return view;
  view.row_stride = m.row_stride;
  view.col_stride = m.col_stride;
  view.batch_stride = m.batch_stride;
  return view;
}

template <typename T, typename CVector>
tilewave::Parameter<T> ParameterOf(const CVector& v) {
  const bool absent = v.data == nullptr && v.stride == 0 && v.batch_stride == 0;
  if (absent) return {};
  return {true, T{}, v.data, v.stride, v.batch_stride};
}

/// Modes are one more than the library's, so that 0 can be the default.
template <typename E>
E ModeOf(int32_t value, E by_default) {
  if (value == 0) return by_default;
  return EnumOf<E>(value < 0 ? value : value - 1);
}

tilewave::RequantShift ShiftOf(const tw_matmul& call) {
  const tilewave::RequantShift defaults;
  return {call.shift, ModeOf(call.rounding, defaults.rounding),
          ModeOf(call.saturation, defaults.saturation)};
}

Status RequantisationOf(const tw_matmul& call, tilewave::Requantisation* out) {
  switch (call.requantisation) {
    case TW_NO_REQUANTISATION:
      return {};
    case TW_REQUANT_SHIFT:
      *out = ShiftOf(call);
      return {};
    case TW_REQUANT_SCALE:
      *out = tilewave::RequantScale{ParameterOf<float>(call.requant_scale), call.requant_zero};
      return {};
    default:
      return Invalid("the requantisation is not one of tw_requantisation");
  }
}

template <size_t kBytes>
void CopyText(std::string_view text, char (&to)[kBytes]) {
  const size_t count = std::min(text.size(), kBytes - 1);
  std::memcpy(to, text.data(), count);
  to[count] = 0;
}

/// As much as the caller's version of the struct has.
void FillStats(const tilewave::CallStats& stats, tw_stats* given) {
  tw_stats whole = {};
  whole.struct_size = given->struct_size;
  if (stats.part_count > 0) {
    const tilewave::CallStats::Part& last = stats.parts[static_cast<size_t>(stats.part_count - 1)];
    CopyText(last.device, whole.device);
    CopyText(last.kernel, whole.kernel);
    CopyText(last.reason, whole.reason);
    whole.time_kind = static_cast<int32_t>(last.time_kind);
    whole.launches = last.launches;
  }
  if (!stats.failure.ok()) CopyText(stats.failure.message(), whole.failure);
  whole.failed_attempts = stats.failed_attempts;
  whole.macs = stats.macs;
  whole.total_us = stats.total_us;
  whole.pack_us = stats.phases.pack_us;
  whole.launch_us = stats.phases.launch_us;
  whole.wait_us = stats.phases.wait_us;
  std::memcpy(static_cast<void*>(given), &whole, given->struct_size);
}

Status RunCall(tw_engine* engine, const tw_matmul* given) {
  if (engine == nullptr) return Invalid("engine is NULL");
  tw_matmul call = {};
  if (Status s = Adopt(given, &call); !s.ok()) return s;
  tilewave::Matmul m;
  m.a = ViewOf<tilewave::ConstMatrix>(call.a);
  if (call.weights != nullptr) {
    m.b = call.weights->weights;
  } else {
    m.b = ViewOf<tilewave::ConstMatrix>(call.b);
  }
  m.c = ViewOf<tilewave::Matrix>(call.c);
  m.zero_a = ParameterOf<int32_t>(call.zero_a);
  m.zero_b = ParameterOf<int32_t>(call.zero_b);
  m.quantise_a = EnumOf<tilewave::DynamicQuantisation>(call.quantise_a);
  m.quantise_b = EnumOf<tilewave::DynamicQuantisation>(call.quantise_b);
  m.epilogue.scale_a = ParameterOf<float>(call.scale_a);
  m.epilogue.scale_b = ParameterOf<float>(call.scale_b);
  m.epilogue.bias_s32 = ParameterOf<int32_t>(call.bias_s32);
  m.epilogue.bias_f32 = ParameterOf<float>(call.bias_f32);
  m.epilogue.activation = EnumOf<tilewave::Activation>(call.activation);
  m.epilogue.accumulate = call.accumulate != 0;
  if (Status s = RequantisationOf(call, &m.epilogue.requantisation); !s.ok()) return s;
  tilewave::RunOptions options;
  options.time_limit = std::chrono::nanoseconds(call.time_limit_ns);
  if (call.stats == nullptr) return engine->engine.Run(m, options);
  tw_stats checked = {};
  if (Status s = Adopt(call.stats, &checked); !s.ok()) return s;
  tilewave::CallStats stats;
  options.stats = &stats;
  Status status = engine->engine.Run(m, options);
  if (status.ok()) FillStats(stats, call.stats);
  return status;
}

/// A C function as an Executor.
class CExecutor final : public tilewave::Executor {
 public:
  explicit CExecutor(const tw_engine_options& options)
      : function_(options.parallel_for),
        user_(options.parallel_for_user),
        threads_(options.parallel_for_threads) {}

  int threads() const override { return threads_; }
  void ParallelFor(int64_t tasks, Task task, void* context) override {
    function_(user_, tasks, task, context);
  }

 private:
  tw_parallel_for function_;
  void* user_;
  int threads_;
};

Status CreateEngine(const tw_engine_options* given, tw_engine** engine) {
  if (engine == nullptr) return Invalid("engine is NULL");
  *engine = nullptr;
  tilewave::EngineOptions options;
  if (given != nullptr) {
    tw_engine_options whole = {};
    if (Status s = Adopt(given, &whole); !s.ok()) return s;
    if (whole.device != nullptr) options.device = whole.device;
    if (whole.cpu_kernel != nullptr) options.cpu_kernel = whole.cpu_kernel;
    options.threads = whole.threads;
    options.validate_submissions = whole.validate_submissions != 0;
    if (whole.retries != 0) options.retries = whole.retries == -1 ? 0 : whole.retries;
    options.host_fallback = whole.no_host_fallback == 0;
    if (whole.parallel_for != nullptr) options.executor = std::make_shared<CExecutor>(whole);
  }
  tilewave::Result<tilewave::Engine> made = tilewave::Engine::Create(options);
  if (!made.ok()) return made.status();
  *engine = std::make_unique<tw_engine>(tw_engine{*std::move(made)}).release();
  return {};
}

Status PrepareWeights(tw_engine* engine, const tw_matrix* b, const tw_weights_options* given,
                      tw_weights** weights) {
  if (weights == nullptr) return Invalid("weights is NULL");
  *weights = nullptr;
  if (engine == nullptr) return Invalid("engine is NULL");
  if (b == nullptr) return Invalid("b is NULL");
  tilewave::WeightsOptions options;
  if (given != nullptr) {
    tw_weights_options whole = {};
    if (Status s = Adopt(given, &whole); !s.ok()) return s;
    options.zero = ParameterOf<int32_t>(whole.zero);
    options.quantise = EnumOf<tilewave::DynamicQuantisation>(whole.quantise);
  }
  tilewave::Result<tilewave::Weights> made =
      engine->engine.Prepare(ViewOf<tilewave::ConstMatrix>(*b), options);
  if (!made.ok()) return made.status();
  *weights = std::make_unique<tw_weights>(tw_weights{*std::move(made)}).release();
  return {};
}

}  // namespace

const char* tw_version(void) { return tilewave::Version().data(); }

const char* tw_last_error(void) { return LastError().message().c_str(); }

tw_status tw_engine_create(const tw_engine_options* options, tw_engine** engine) {
  return Guarded([&] { return CreateEngine(options, engine); });
}

void tw_engine_destroy(tw_engine* engine) { std::unique_ptr<tw_engine>{engine}; }

tw_status tw_run(tw_engine* engine, const tw_matmul* call) {
  return Guarded([&] { return RunCall(engine, call); });
}

tw_status tw_weights_prepare(tw_engine* engine, const tw_matrix* b,
                             const tw_weights_options* options, tw_weights** weights) {
  return Guarded([&] { return PrepareWeights(engine, b, options, weights); });
}

void tw_weights_destroy(tw_weights* weights) { std::unique_ptr<tw_weights>{weights}; }
