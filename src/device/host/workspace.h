#pragma once

#include "base/aligned_buffer.h"

namespace tilewave::device::host {

/// Scratch memory of one product in flight. Grows to the largest need and stays.
struct Workspace {
  base::AlignedBuffer a_block;
  base::AlignedBuffer b_block;
  base::AlignedBuffer zeros;
  base::AlignedBuffer dynamic_a;
  base::AlignedBuffer dynamic_b;
};

}  // namespace tilewave::device::host
