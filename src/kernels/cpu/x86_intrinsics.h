#pragma once

// The intrinsics of x86, without the warnings of their header.

#if defined(__x86_64__)

// g++ 12 warns of its own header (GCC bug 105593: deliberately undefined operands).
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wuninitialized"
#if !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#include <immintrin.h>
#pragma GCC diagnostic pop

#endif
