/* The secret that purges bear, out of the setting edge.key: itself, or in a file. */
#pragma once
#include "base/buf.h"
#include "base/err.h"

/*
 * Appends the secret. Of file:PATH it is the first line, and others may neither read nor write the file.
 * ERR_INVALID, ERR_TOO_LARGE: it can be none (config/edge.h); ERR_DENIED: modes; ERR_NOT_FOUND, ERR_IO: the
 * file. detail names the setting, and never what is in it. Reads a file.
 */
MUST_USE enum err edge_key_read(const char *setting, struct buf *out, struct err_detail *detail);
