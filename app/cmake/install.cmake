# cmake --install: binary, configuration, schema, browser's part, manual and units where Debian expects them. For the
# prefixes /usr and /usr/local the configuration is /etc/profiled, as the program itself looks for it; below any other
# prefix it goes along, for a look. DESTDIR is honoured throughout.
install(TARGETS profiled RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
# www is there for the front servers, as conf/'s configurations name it: /usr/share/profiled/www
install(DIRECTORY schema www DESTINATION ${CMAKE_INSTALL_DATADIR}/profiled)
install(FILES conf/man/profiled.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
install(FILES conf/man/profiled.conf.5 DESTINATION ${CMAKE_INSTALL_MANDIR}/man5)
install(FILES README.md LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR} OPTIONAL)
# the commented example, and the front servers' as far as there are any
install(FILES conf/profiled.conf DESTINATION ${CMAKE_INSTALL_DOCDIR}/examples)
foreach(front IN ITEMS lighttpd apache nginx squid varnish)
  if(IS_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR}/conf/${front})
    install(DIRECTORY conf/${front} DESTINATION ${CMAKE_INSTALL_DOCDIR}/examples)
  endif()
endforeach()
# Sets files' owner and the folders' of state; read by the package manager's triggers, or by hand.
install(FILES conf/systemd/profiled.sysusers DESTINATION lib/sysusers.d RENAME profiled.conf)
install(FILES conf/systemd/profiled.tmpfiles DESTINATION lib/tmpfiles.d RENAME profiled.conf)

# What depends on the prefix that is chosen when installing: the units name the binary, and a configuration that is
# there already is never overwritten.
install(CODE "
  set(units \"${CMAKE_CURRENT_SOURCE_DIR}/conf/systemd\")
  set(scratch \"${CMAKE_CURRENT_BINARY_DIR}/units\")
  set(bindir \"${CMAKE_INSTALL_BINDIR}\")
")
install(CODE [[
  if(NOT IS_ABSOLUTE "${bindir}")
    set(bindir "${CMAKE_INSTALL_PREFIX}/${bindir}")
  endif()
  foreach(unit IN ITEMS profiled.service profiled.socket)
    file(READ "${units}/${unit}" text)
    string(REPLACE "/usr/bin/profiled" "${bindir}/profiled" text "${text}")
    file(WRITE "${scratch}/${unit}" "${text}")
    file(INSTALL "${scratch}/${unit}" DESTINATION "${CMAKE_INSTALL_PREFIX}/lib/systemd/system" TYPE FILE)
  endforeach()
  if(CMAKE_INSTALL_PREFIX MATCHES "^/usr(/local)?/*$")
    set(etc "/etc/profiled")
  else()
    set(etc "${CMAKE_INSTALL_PREFIX}/etc/profiled")
  endif()
  if(EXISTS "$ENV{DESTDIR}${etc}/profiled.conf")
    message(STATUS "Left as it is: $ENV{DESTDIR}${etc}/profiled.conf")
  else()
    file(INSTALL "${units}/../profiled.conf" DESTINATION "${etc}" TYPE FILE)
  endif()
]])
