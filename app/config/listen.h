/*
 * The address that the pool listens on, from server.listen: unix:PATH or tcp:ADDRESS:PORT. Pure: no name is
 * looked up.
 */
#pragma once
#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"
#include "config/settings.h"

#include <netinet/in.h>
#include <sys/un.h>

enum config_listen_kind { CONFIG_LISTEN_UNIX, CONFIG_LISTEN_TCP };

struct config_listen {
    enum config_listen_kind kind;
    socklen_t len; /* of the address */
    union {
        struct sockaddr any;
        struct sockaddr_un unix_path; /* NUL-terminated */
        struct sockaddr_in ip4;
        struct sockaddr_in6 ip6;
    } address;
};

/* ERR_INVALID: detail says what would be right; *out is zeroed. An IPv6 address stands in brackets; a port is
 * 1 to 65535. */
MUST_USE enum err config_listen_parse(struct span text, struct config_listen *out, struct err_detail *detail);
/* The mode of server.listen_mode: three octal digits, or four beginning with 0. ERR_INVALID: *out is as it
 * was. */
MUST_USE enum err config_listen_mode(struct span text, unsigned *out, struct err_detail *detail);
/* Appends where requests that wait for changes come in: server.changes_listen, or what follows from
 * server.listen. ERR_NOT_FOUND: nowhere, since it is off, or there is no Unix socket to name it after, or its
 * path would be too long; out is as it was. */
MUST_USE enum err config_changes_listen(const struct config_settings *settings, struct buf *out);
