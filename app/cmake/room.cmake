# room(NAME [DIR folder] [USES room…] [LIBS target…]): a static library of the folder's .c files.
# Headers are included as "room/file.h". A room sees only the headers of the rooms it USES: each has an
# include root of its own that holds a single link to its folder.
function(room name)
  cmake_parse_arguments(ARG "" "DIR" "USES;LIBS" ${ARGN})
  if(NOT ARG_DIR)
    set(ARG_DIR app/${name})
  endif()
  file(GLOB sources CONFIGURE_DEPENDS ${ARG_DIR}/*.c)
  add_library(${name} STATIC ${sources})
  set(root ${CMAKE_BINARY_DIR}/rooms/${name})
  file(MAKE_DIRECTORY ${root})
  file(CREATE_LINK ${CMAKE_SOURCE_DIR}/${ARG_DIR} ${root}/${name} SYMBOLIC)
  target_include_directories(${name} PUBLIC ${root})
  target_link_libraries(${name} PRIVATE profiled_options ${ARG_LIBS} ${ARG_USES})
endfunction()
