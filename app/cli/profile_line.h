/* A profile as a JSON line: what import reads and export writes. */
#pragma once
#include "base/arena.h"
#include "base/buf.h"
#include "profile/parse.h"

/*
 * Reads one line (without its newline). OK: *out is ready to be stored, its spans in the arena. Otherwise
 * reason holds, in one line for a person, every fault with its JSON pointer. now_ms: for the id of a profile
 * that brings none. base_url: as in struct profile_rules.
 */
MUST_USE enum err cli_profile_read(struct span line, int64_t now_ms, size_t attributes_max,
                                   struct span base_url, struct arena *arena, struct profile *out,
                                   struct buf *reason);
