#ifndef TILEWAVE_C_H_
#define TILEWAVE_C_H_

/* C interface to tilewave, for bindings and for programs that are not C++.
 *
 * Conventions: every function that can fail returns a tw_status, 0 for success; the sentence
 * that explains the last failure of the calling thread is tw_last_error(). Objects are made by
 * ..._create or ..._prepare and freed by ..._destroy, which accept NULL. An engine may be used
 * from many threads at once and must outlive the calls on it. Structs are zero-initialised by
 * the caller (`tw_matmul call = {0};`), so that new fields keep old programs correct.
 * Extents, strides and errors are those of tilewave/problem.h. */

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

/* A strided batch of matrices; strides in elements. A batch of 0 is read as 1. */
typedef struct tw_matrix {
  void* data;   /* Inputs are not written. */
  int32_t type; /* A tw_type; fields are plain integers so that a wrong value can be refused. */
  int64_t rows, cols, batch;
  int64_t row_stride, col_stride, batch_stride;
} tw_matrix;

/* One number per row or column; NULL data means absent. stride 0 uses data[0] for all. */
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

typedef struct tw_matmul {
  tw_matrix a;
  tw_matrix b;               /* Ignored if weights is not NULL. */
  const tw_weights* weights; /* Prepacked B, or NULL. */
  tw_matrix c;
  tw_ints zero_a, zero_b;
  tw_floats scale_a, scale_b;
  tw_ints bias_s32;
  tw_floats bias_f32;
  int32_t activation;      /* A tw_activation. */
  int32_t requantisation;  /* A tw_requantisation. */
  int32_t shift;           /* TW_REQUANT_SHIFT */
  int32_t rounding;        /* TW_REQUANT_SHIFT: values of tilewave::Rounding */
  int32_t saturation;      /* TW_REQUANT_SHIFT: values of tilewave::Saturation */
  tw_floats requant_scale; /* TW_REQUANT_SCALE */
  int32_t requant_zero;    /* TW_REQUANT_SCALE */
} tw_matmul;

/* "0.1.0" */
const char* tw_version(void);

/* The sentence of the calling thread's last failure; valid until its next failing call. */
const char* tw_last_error(void);

/* device: "auto", "host", ... or NULL for "auto". */
tw_status tw_engine_create(const char* device, tw_engine** engine);
void tw_engine_destroy(tw_engine* engine);

/* Computes C and returns when it is written; on an error C is as it was. */
tw_status tw_run(tw_engine* engine, const tw_matmul* call);

/* Copies and prepacks B (with its zero points) for many calls; the view may go away afterwards. */
tw_status tw_weights_prepare(tw_engine* engine, const tw_matrix* b, const tw_ints* zero,
                             tw_weights** weights);
void tw_weights_destroy(tw_weights* weights);

#ifdef __cplusplus
}
#endif

#endif /* TILEWAVE_C_H_ */
