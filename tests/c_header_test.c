/* Compiled as C: the header is C, and a C program can multiply. Called from c_api_test.cc. */

#include "tilewave/c.h"

int MultiplyInC(int32_t c[4]);

static tw_matrix Dense(void* data, int32_t type, int64_t rows, int64_t cols) {
  tw_matrix m = {0};
  m.data = data;
  m.type = type;
  m.rows = rows;
  m.cols = cols;
  m.row_stride = cols;
  m.col_stride = 1;
  return m;
}

/* Returns 0 if everything worked; c receives a 2x2 product. */
int MultiplyInC(int32_t c[4]) {
  int8_t a[6] = {1, 2, 3, 4, 5, 6};
  int8_t b[6] = {1, -1, 2, -2, 3, -3};
  tw_engine* engine = NULL;
  tw_engine_options options = {.struct_size = sizeof(options)};
  options.device = "host";
  if (tw_engine_create(&options, &engine) != TW_OK) return 1;
  tw_matmul call = {.struct_size = sizeof(call)};
  call.a = Dense(a, TW_S8, 2, 3);
  call.b = Dense(b, TW_S8, 3, 2);
  call.c = Dense(c, TW_S32, 2, 2);
  tw_status status = tw_run(engine, &call);
  if (status == TW_OK) {
    tw_weights* weights = NULL;
    status = tw_weights_prepare(engine, &call.b, NULL, &weights);
    call.weights = weights;
    c[0] = c[1] = c[2] = c[3] = 0;
    if (status == TW_OK) status = tw_run(engine, &call);
    tw_weights_destroy(weights);
  }
  tw_engine_destroy(engine);
  return (int)status;
}
