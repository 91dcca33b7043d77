# Compiles the files of profiles/ in, so that a program needs no file beside it. Sets
# TILEWAVE_BUILTIN_PROFILES_SOURCE to the generated source.
file(GLOB TILEWAVE_PROFILES CONFIGURE_DEPENDS RELATIVE ${PROJECT_SOURCE_DIR}/profiles
     ${PROJECT_SOURCE_DIR}/profiles/*.json)
# By name: with its suffix, "a-b" would sort before "a".
list(TRANSFORM TILEWAVE_PROFILES REPLACE "\\.json$" "")
list(SORT TILEWAVE_PROFILES)
set(TILEWAVE_BUILTIN_PROFILES "")
foreach(name IN LISTS TILEWAVE_PROFILES)
  set(file ${PROJECT_SOURCE_DIR}/profiles/${name}.json)
  # The glob notices files that come and go, this notices edits.
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${file})
  file(READ ${file} text)
  # Quoted, as CMake takes ';' and '[' in unquoted text for those of a list.
  string(APPEND TILEWAVE_BUILTIN_PROFILES
         "    {\"${name}\", R\"tilewave(${text})tilewave\"},\n")
endforeach()
set(TILEWAVE_BUILTIN_PROFILES_SOURCE ${CMAKE_CURRENT_BINARY_DIR}/profile/builtin.cc)
configure_file(${CMAKE_CURRENT_LIST_DIR}/builtin.cc.in ${TILEWAVE_BUILTIN_PROFILES_SOURCE} @ONLY)
