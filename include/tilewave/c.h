#ifndef TILEWAVE_C_H_
#define TILEWAVE_C_H_

/* C interface to tilewave, for bindings and for programs that are not C++.
 *
 * Conventions
 *   Results: every function that can fail returns a tw_status, 0 for success; the sentence that
 *     explains the calling thread's last failure is tw_last_error().
 *   Objects are made by ..._create or ..._prepare and freed by ..._destroy, which accept NULL. An
 *     engine may be used from many threads at once and must outlive the calls on it; weights may
 *     outlive the engine.
 *   Structs begin with struct_size, which the caller sets to sizeof the struct, and are otherwise
 *     zero-initialised: a library with more fields than the program knows reads those as zero, and
 *     one with fewer refuses the struct. 0 or NULL is always the default.
 *       tw_matmul call = {.struct_size = sizeof(call)};
 *   Enumerations in structs are plain integers, so that a wrong value can be refused.
 *   Extents, strides, types and errors are those of tilewave/problem.h. */

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum tw_status {
  TW_OK = 0,
  TW_INVALID_ARGUMENT = 1,
  TW_OUT_OF_RANGE = 2,
  TW_FAILED_PRECONDITION = 3,
  TW_NOT_FOUND = 4,
  TW_UNIMPLEMENTED = 5,
  TW_UNAVAILABLE = 6,
  TW_RESOURCE_EXHAUSTED = 7,
  TW_DEADLINE_EXCEEDED = 8,
  TW_DATA_LOSS = 9,
  TW_PERMISSION_DENIED = 10,
  TW_INTERNAL = 11
} tw_status;

typedef enum tw_type {
  TW_S8 = 0,
  TW_U8 = 1,
  TW_S16 = 2,
  TW_S32 = 3,
  TW_F32 = 4,
  TW_BF16 = 5
} tw_type;

typedef enum tw_activation { TW_NONE = 0, TW_RELU = 1, TW_GELU = 2, TW_SILU = 3 } tw_activation;

typedef enum tw_requantisation {
  TW_NO_REQUANTISATION = 0,
  TW_REQUANT_SHIFT = 1,
  TW_REQUANT_SCALE = 2
} tw_requantisation;

/* How TW_REQUANT_SHIFT rounds. But for the default, one more than the AIE vector unit's value. */
typedef enum tw_rounding {
  TW_ROUND_DEFAULT = 0,   /* TW_CONV_EVEN */
  TW_FLOOR = 1,           /* Toward negative infinity. */
  TW_CEIL = 2,            /* Toward positive infinity. */
  TW_SYMMETRIC_FLOOR = 3, /* Toward zero. */
  TW_SYMMETRIC_CEIL = 4,  /* Away from zero. */
  TW_NEGATIVE_INF = 9,    /* Nearest, ties toward negative infinity. */
  TW_POSITIVE_INF = 10,   /* Nearest, ties toward positive infinity. */
  TW_SYMMETRIC_ZERO = 11, /* Nearest, ties toward zero. */
  TW_SYMMETRIC_INF = 12,  /* Nearest, ties away from zero. */
  TW_CONV_EVEN = 13,      /* Nearest, ties to even. */
  TW_CONV_ODD = 14        /* Nearest, ties to odd. */
} tw_rounding;

/* What TW_REQUANT_SHIFT does with values that do not fit. Likewise. */
typedef enum tw_saturation {
  TW_SATURATE_DEFAULT = 0, /* TW_SATURATE */
  TW_WRAP = 1,             /* Keep the low 8 bits. */
  TW_SATURATE = 2,         /* Clamp to the type. */
  TW_SYMMETRIC = 4         /* Clamp to -127 .. 127; for u8 the same as TW_SATURATE. */
} tw_saturation;

/* How an f32 operand is quantised inside a call. */
typedef enum tw_dynamic_quantisation {
  TW_PER_VECTOR = 0,
  TW_PER_TENSOR = 1,
  TW_ASYMMETRIC_PER_TENSOR = 2
} tw_dynamic_quantisation;

/* A strided batch of matrices; strides in elements. A batch of 0 is read as 1. If all strides are
   0, the matrices are dense, row after row and one after another. */
typedef struct tw_matrix {
  void* data;   /* Inputs are not written. */
  int32_t type; /* A tw_type. */
  int64_t rows, cols, batch;
  int64_t row_stride, col_stride, batch_stride;
} tw_matrix;

/* One number per row or column; all zero means absent. stride 0 uses data[0] for all. */
typedef struct tw_floats {
  const float* data;
  int64_t stride, batch_stride;
} tw_floats;

typedef struct tw_ints {
  const int32_t* data;
  int64_t stride, batch_stride;
} tw_ints;

typedef struct tw_engine tw_engine;
typedef struct tw_weights tw_weights;

/* The program's own threads: calls task(context, i) once for each i in [0, tasks), on any threads
   and in any order, and returns when all have returned, without running other work on the calling
   thread. Tasks neither block nor call it, and want 128 KiB of stack. May be called from several
   threads at once. */
typedef void (*tw_task)(void* context, int64_t i);
typedef void (*tw_parallel_for)(void* user, int64_t tasks, tw_task task, void* context);

typedef struct tw_engine_options {
  size_t struct_size;
  const char* device;     /* "auto" (NULL), "host", ... */
  const char* cpu_kernel; /* NULL: the best one. */
  int32_t threads;        /* Most per call; 0: as many as CPUs to be had. */
  int32_t validate_submissions;
  tw_parallel_for parallel_for; /* NULL: threads of the engine's own. */
  void* parallel_for_user;      /* Passed through; must outlive the engine. */
  int32_t parallel_for_threads; /* How many work at a time, 1 to 1024. */
  int32_t reserved;             /* Not read: padding in older versions. */
  int32_t retries;              /* Of a call that an NPU failed, up to 100; 0: 2 times, -1: none. */
  int32_t no_host_fallback;     /* An NPU that fails is an error, not the host's work. */
} tw_engine_options;

/* Where a time comes from. */
typedef enum tw_time_kind { TW_MEASURED = 0, TW_SIMULATED = 1, TW_PREDICTED = 2 } tw_time_kind;

/* What a call did. Texts end with a zero byte and are cut to fit. */
typedef struct tw_stats {
  size_t struct_size;
  char device[64];         /* That computed C, or its last part: "host", "vnpu:phoenix", ... */
  char kernel[128];        /* That ran there. */
  char reason[96];         /* Why there: "requested", ... */
  char failure[256];       /* What the device said when it first failed; empty if it did not. */
  int32_t failed_attempts; /* How often it failed before C was there. */
  int32_t time_kind;       /* A tw_time_kind; total_us and failed attempts have their own. */
  int64_t launches;
  int64_t macs;     /* batch * M * K * N */
  double total_us;  /* Of the whole call, measured. */
  double pack_us;   /* Operands into the device's layout, quantising on the way. */
  double launch_us; /* Inside submissions; on the host: the product itself. */
  double wait_us;   /* For the device. */
} tw_stats;

typedef struct tw_weights_options {
  size_t struct_size;
  tw_ints zero;     /* Of B. Copied. */
  int32_t quantise; /* A tw_dynamic_quantisation, read if B is f32. */
  int32_t reserved; /* Not read. */
} tw_weights_options;

typedef struct tw_matmul {
  size_t struct_size;
  tw_matrix a;
  tw_matrix b;               /* Ignored if weights is not NULL. */
  const tw_weights* weights; /* Prepacked B, or NULL. */
  tw_matrix c;
  tw_ints zero_a, zero_b;
  int32_t quantise_a; /* A tw_dynamic_quantisation, read if A is f32. */
  int32_t quantise_b; /* Likewise for B. */
  tw_floats scale_a, scale_b;
  tw_ints bias_s32;
  tw_floats bias_f32;
  int32_t activation;      /* A tw_activation. */
  int32_t requantisation;  /* A tw_requantisation. */
  int32_t shift;           /* TW_REQUANT_SHIFT */
  int32_t rounding;        /* TW_REQUANT_SHIFT: a tw_rounding */
  int32_t saturation;      /* TW_REQUANT_SHIFT: a tw_saturation */
  tw_floats requant_scale; /* TW_REQUANT_SCALE */
  int32_t requant_zero;    /* TW_REQUANT_SCALE */
  int32_t accumulate;      /* Reserved: must be 0. */
  int64_t time_limit_ns;   /* 0: the default. */
  tw_stats* stats;         /* NULL, or filled if the call ends well; struct_size is the caller's. */
} tw_matmul;

/* "0.1.0" */
const char* tw_version(void);

/* The sentence of the calling thread's last failure; valid until its next call that fails. */
const char* tw_last_error(void);

/* options may be NULL. */
tw_status tw_engine_create(const tw_engine_options* options, tw_engine** engine);
void tw_engine_destroy(tw_engine* engine);

/* Computes C and returns when it is written; on an error C is as it was. */
tw_status tw_run(tw_engine* engine, const tw_matmul* call);

/* Copies and prepacks B for many calls; the view may go away afterwards. options may be NULL. */
tw_status tw_weights_prepare(tw_engine* engine, const tw_matrix* b,
                             const tw_weights_options* options, tw_weights** weights);
void tw_weights_destroy(tw_weights* weights);

#ifdef __cplusplus
}
#endif

#endif /* TILEWAVE_C_H_ */
