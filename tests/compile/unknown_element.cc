// Elements that tilewave does not have are refused by name when a view of them is compiled.

#include "tilewave/tensors.h"

tilewave::Matrix ViewOfDoubles(double* data) { return tilewave::RowMajor(data, 2, 3); }
