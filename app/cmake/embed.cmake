# embed_files(TARGET NAMESPACE name FILES_GLOB glob): the files as C arrays in a table NAME_files, sorted by name, so that
# the binary needs nothing beside it. The generated header declares the table; see app/cmake/embed-files.cmake.
function(embed_files target)
  cmake_parse_arguments(ARG "" "NAMESPACE;FILES_GLOB" "" ${ARGN})
  file(GLOB files CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${ARG_FILES_GLOB})
  set(out ${CMAKE_BINARY_DIR}/generated/${ARG_NAMESPACE})
  string(REPLACE ";" "," list "${files}")
  add_custom_command(
    OUTPUT ${out}.c ${out}.h
    COMMAND ${CMAKE_COMMAND} -DNAMESPACE=${ARG_NAMESPACE} -DOUT=${out} -DFILES=${list}
            -P ${CMAKE_SOURCE_DIR}/app/cmake/embed-files.cmake
    DEPENDS ${files} ${CMAKE_SOURCE_DIR}/app/cmake/embed-files.cmake VERBATIM)
  add_library(${target} STATIC ${out}.c ${out}.h)
  target_include_directories(${target} PUBLIC ${CMAKE_BINARY_DIR}/generated)
endfunction()
