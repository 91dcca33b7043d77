#pragma once

// One launch of a whole_array design: what it multiplies, how its images lie in device memory, and
// the sequence that moves them. The configuration is the same whatever stands here.

#include <cstdint>
#include <vector>

#include "program/array_program.h"
#include "program/sequence.h"
#include "tilewave/quantisation.h"
#include "tilewave/status.h"

namespace tilewave::program {

/// A product or a strided batch of products.
struct ProductShape {
  int64_t batch = 1;
  int64_t m = 0;
  int64_t k = 0;
  int64_t n = 0;
  bool a_shared = false;  ///< One A for the whole batch.
  bool b_shared = false;
  RequantShift requant;  ///< Read if the design requantises.
  /// Of an A that lies in device memory already: from one row to the next, a multiple of a word,
  /// and from one matrix to the next. 0: A is an image of its own.
  int64_t a_row_bytes = 0;
  int64_t a_matrix_bytes = 0;
};

/// The images of one launch in device memory: extents rounded up to what the array moves. A is
/// m_padded x k_padded, row-major; B as the design's layout says (row: k_padded x n_padded, col:
/// n_padded x k_padded, packed: for each tile_n columns, k_padded x tile_n in blocks); C is
/// m_padded x n_padded, row-major. What lies beyond the product must be 0 in B along K, so that
/// anything does in A, but in no other place: what reads of A run into beyond K, be it the next
/// row, is multiplied by zeros. Beyond M and N anything does, as it only reaches elements of C that
/// nobody reads.
struct ImageLayout {
  int64_t m_padded = 0;
  int64_t k_padded = 0;
  int64_t n_padded = 0;
  int64_t a_row_bytes = 0;  ///< From one row of A to the next.
  int64_t a_bytes = 0;      ///< From one matrix to the next, as all of these.
  int64_t b_bytes = 0;
  int64_t c_bytes = 0;
  int64_t a_matrices = 1;  ///< 1 if shared, else the batch.
  int64_t b_matrices = 1;
  int64_t c_matrices = 1;
  int64_t row_blocks = 0;     ///< Of tile_m times all rows of cores, along M.
  int64_t column_blocks = 0;  ///< Of tile_n times all columns, along N.

  /// Of the launch's buffers A, B and C.
  std::vector<int64_t> ArgumentBytes() const {
    return {a_bytes * a_matrices, b_bytes * b_matrices, c_bytes * c_matrices};
  }
  /// Bytes that the launch reads of A, from its first to its last.
  int64_t a_extent_bytes() const {
    return ((a_matrices - 1) * a_bytes) + ((m_padded - 1) * a_row_bytes) + k_padded;
  }
};

/// kOutOfRange if extents or images overflow what 62 bits count. REQUIRES: a spec that Lower
/// accepts, extents and batch >= 1.
[[nodiscard]] Result<ImageLayout> ImageLayoutOf(const DesignSpec& spec, const ProductShape& shape);

/// Descriptors of one shim tile and direction run out after so many rounds; a round's descriptors
/// are used again once its tokens have come.
inline constexpr int kRoundsInFlight = 4;

/// The launch's sequence for buffers {A, B, C} of the images' sizes. For each block of rows and up
/// to 64 blocks of columns there is one task per channel: A is read again for each block of
/// columns, B moves on; at most kRoundsInFlight rounds wait. kOutOfRange if a count has no 32 bits,
/// or the stream would not fit the device's memory for instructions. REQUIRES: `layout` is
/// ImageLayoutOf(program.spec, shape).
[[nodiscard]] Result<Sequence> WholeArraySequence(const ArrayProgram& program,
                                                  const ProductShape& shape,
                                                  const ImageLayout& layout);

/// The stream of that sequence, without the list in between: replaces what is in `words`, and
/// allocates only if they do not fit. Errors: also those of StreamWriter.
/// REQUIRES: as WholeArraySequence.
[[nodiscard]] Status EncodeWholeArray(const ArrayProgram& program, const ProductShape& shape,
                                      const ImageLayout& layout, std::vector<uint32_t>* words);

}  // namespace tilewave::program
