# Compiles the sources of the array's tile kernels in as text. Sets TILEWAVE_KERNEL_SOURCES_SOURCE
# to the generated source.
set(kernel_directory ${PROJECT_SOURCE_DIR}/src/kernels/aie)
file(GLOB TILEWAVE_KERNEL_FILES CONFIGURE_DEPENDS RELATIVE ${kernel_directory}
     ${kernel_directory}/*.h ${kernel_directory}/tile_kernels.cc)
# host_*: what runs them on the CPU.
list(FILTER TILEWAVE_KERNEL_FILES EXCLUDE REGEX "^host_")
list(SORT TILEWAVE_KERNEL_FILES)
set(TILEWAVE_KERNEL_SOURCES "")
foreach(name IN LISTS TILEWAVE_KERNEL_FILES)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${kernel_directory}/${name})
  file(READ ${kernel_directory}/${name} text)
  string(APPEND TILEWAVE_KERNEL_SOURCES
         "    {\"${name}\", R\"tilewave(${text})tilewave\"},\n")
endforeach()
set(TILEWAVE_KERNEL_SOURCES_SOURCE ${CMAKE_CURRENT_BINARY_DIR}/emit/kernel_sources.cc)
configure_file(${CMAKE_CURRENT_LIST_DIR}/kernel_sources.cc.in ${TILEWAVE_KERNEL_SOURCES_SOURCE}
               @ONLY)
