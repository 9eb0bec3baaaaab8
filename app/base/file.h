/*
 * Whole small files: read at once under a limit, written so that a reader sees the old one or the new one and
 * never half of it, also after a loss of power. Blocks on the disk.
 */
#pragma once
#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"

#include <sys/types.h>

/* Appends the file's bytes to out. ERR_NOT_FOUND, ERR_TOO_LARGE (over max bytes), ERR_IO; out is then as
 * before. */
MUST_USE enum err file_read(const char *path, size_t max, struct buf *out, struct err_detail *detail);
/* Writes a new file beside path with this mode, syncs it, renames it over path and syncs the folder.
 * ERR_FULL, ERR_IO; nothing is left behind then. */
MUST_USE enum err file_write(const char *path, struct span bytes, mode_t mode, struct err_detail *detail);
