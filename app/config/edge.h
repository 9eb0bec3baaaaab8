/*
 * What section [edge] says of the caches that take purges: their addresses and the secret. Pure; the key's
 * file is read by whoever sends.
 */
#pragma once
#include "base/err.h"
#include "base/span.h"

enum {
    CONFIG_EDGE_MOST = 16,
    CONFIG_EDGE_ADDRESS_MAX = 95,
    CONFIG_EDGE_KEY_MIN = 16,
    CONFIG_EDGE_KEY_MAX = 512
};

/* Whether text is http://HOST:PORT: a name, an IPv4 address or an IPv6 one in brackets; a port of 1 to 65535;
 * nothing behind it. ERR_INVALID: detail says what would be right. */
MUST_USE enum err config_edge_address_check(struct span text, struct err_detail *detail);
/* Takes the next word of the list of addresses off *rest; absent: there are no more. */
struct span config_edge_address_next(struct span *rest);
/* Whether the text can be a secret that a header bears: visible ASCII, of CONFIG_EDGE_KEY_MIN characters or
 * more. ERR_INVALID, ERR_TOO_LARGE. */
MUST_USE enum err config_edge_key_check(struct span key, struct err_detail *detail);
/* "file:PATH", or "/PATH" alone: the path, borrowed from key; NULL: the key is the secret itself. */
const char *config_edge_key_path(const char *key);
