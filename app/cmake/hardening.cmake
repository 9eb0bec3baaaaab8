# Flags that every room is compiled with: many warnings, and the hardening that Debian's own packages bear.
add_library(profiled_options INTERFACE)
target_compile_options(profiled_options INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition
  -Wwrite-strings -Wpointer-arith -Wcast-qual -Wformat=2 -Wundef -Wvla -Wswitch-enum -Wimplicit-fallthrough
  -fno-common -fstack-protector-strong -fstack-clash-protection -fcf-protection
  $<$<C_COMPILER_ID:GNU>:-Wlogical-op -Wduplicated-cond -Wduplicated-branches>
  $<$<BOOL:${PROFILED_WERROR}>:-Werror>)
target_compile_definitions(profiled_options INTERFACE _GNU_SOURCE
  $<$<NOT:$<BOOL:${PROFILED_SANITIZE}>>:$<$<CONFIG:Release,RelWithDebInfo>:_FORTIFY_SOURCE=2>>)
target_link_options(profiled_options INTERFACE -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack)
if(PROFILED_SANITIZE)
  target_compile_options(profiled_options INTERFACE -fsanitize=address,undefined -fno-omit-frame-pointer
    -fno-sanitize-recover=undefined)
  target_link_options(profiled_options INTERFACE -fsanitize=address,undefined)
endif()
if(PROFILED_TSAN)
  target_compile_options(profiled_options INTERFACE -fsanitize=thread -fno-omit-frame-pointer)
  target_link_options(profiled_options INTERFACE -fsanitize=thread)
endif()
if(PROFILED_FUZZ)
  target_compile_options(profiled_options INTERFACE -fsanitize=fuzzer-no-link)
  target_link_options(profiled_options INTERFACE -fsanitize=fuzzer-no-link)
endif()
