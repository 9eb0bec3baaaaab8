# vmod_profiled (app/edge/vmod): built where varnishapi's headers and vmodtool.py are (Debian: libvarnishapi-dev), for that very
# Varnish; else left out with a word. A sanitized module does not load into a varnishd that is not.
if(NOT PROFILED_VMOD OR PROFILED_SANITIZE OR PROFILED_TSAN OR PROFILED_FUZZ)
  return()
endif()
pkg_check_modules(varnishapi QUIET IMPORTED_TARGET varnishapi>=7.1)
find_package(Python3 QUIET COMPONENTS Interpreter)
pkg_get_variable(vmodtool varnishapi vmodtool)
pkg_get_variable(vmoddir varnishapi vmoddir)
if(NOT varnishapi_FOUND OR NOT Python3_FOUND OR NOT EXISTS "${vmodtool}")
  message(STATUS "The Varnish module is left out: it needs Varnish 7.1 or newer with its headers (libvarnishapi-dev) and python3")
  return()
endif()

set(out ${CMAKE_BINARY_DIR}/generated/vmod)
set(vcc ${CMAKE_SOURCE_DIR}/app/edge/vmod/vmod_profiled.vcc)
file(MAKE_DIRECTORY ${out})
file(WRITE ${out}/config.h "") # which the tool includes
add_custom_command(
  OUTPUT ${out}/vcc_if.c ${out}/vcc_if.h
  COMMAND ${Python3_EXECUTABLE} ${vmodtool} -o ${out}/vcc_if ${vcc}
  WORKING_DIRECTORY ${out} DEPENDS ${vcc} ${vmodtool} VERBATIM)

# What the tool writes is Varnish's, and so are its warnings.
add_library(vmod_glue OBJECT ${out}/vcc_if.c)
target_include_directories(vmod_glue SYSTEM PRIVATE ${varnishapi_INCLUDE_DIRS} ${out})
target_compile_definitions(vmod_glue PRIVATE _GNU_SOURCE)
target_compile_options(vmod_glue PRIVATE -fvisibility=default)

add_library(vmod_profiled MODULE app/edge/vmod/module.c $<TARGET_OBJECTS:vmod_glue>)
add_dependencies(vmod_profiled vmod_glue)
set_target_properties(vmod_profiled PROPERTIES PREFIX lib)
target_include_directories(vmod_profiled SYSTEM PRIVATE ${varnishapi_INCLUDE_DIRS} ${out})
target_link_libraries(vmod_profiled PRIVATE profiled_options guard token http base)
# Varnish's are the symbols that are not here; ours are nobody's but for the one that it looks for.
target_link_options(vmod_profiled PRIVATE -Wl,--exclude-libs,ALL -Wl,-z,undefs)
install(TARGETS vmod_profiled LIBRARY DESTINATION "${vmoddir}" OPTIONAL)
