# Whether there is an XRT that seam_xrt.cc can be built with: hardware contexts, run lists, wait2.
# Sets TILEWAVE_XRT_SOURCE, and TILEWAVE_XRT_REASON if there is none. An XRT that stands elsewhere:
# CMAKE_PREFIX_PATH.
include(CheckCXXSourceCompiles)
find_path(TILEWAVE_XRT_INCLUDE xrt/xrt_kernel.h PATHS /opt/xilinx/xrt/include)
find_library(TILEWAVE_XRT_LIBRARY xrt_coreutil PATHS /opt/xilinx/xrt/lib)
set(TILEWAVE_XRT_SOURCE device/xrt/seam_absent.cc)
if(NOT TILEWAVE_XRT_INCLUDE OR NOT TILEWAVE_XRT_LIBRARY)
  set(TILEWAVE_XRT_REASON "CMake found no XRT")
else()
  set(CMAKE_REQUIRED_INCLUDES ${TILEWAVE_XRT_INCLUDE})
  set(CMAKE_REQUIRED_LIBRARIES ${TILEWAVE_XRT_LIBRARY} Threads::Threads)
  check_cxx_source_compiles(
    "#include <xrt/experimental/xrt_kernel.h>
     #include <xrt/xrt_hw_context.h>
     int main() {
       xrt::runlist list{xrt::hw_context()};
       xrt::run run;
       return run.wait2(std::chrono::milliseconds(1)) == std::cv_status::timeout ? list.poll() : 0;
     }"
    TILEWAVE_XRT_IS_CURRENT)
  unset(CMAKE_REQUIRED_INCLUDES)
  unset(CMAKE_REQUIRED_LIBRARIES)
  if(TILEWAVE_XRT_IS_CURRENT)
    set(TILEWAVE_XRT_SOURCE device/xrt/seam_xrt.cc)
  else()
    set(TILEWAVE_XRT_REASON
        "the XRT that CMake found has no hw_context, runlist or wait2 (Debian's 2.13 is too old)")
  endif()
endif()
