/* How long the write-ahead log is, as of the last commit that is known of: when to copy it back
 * (checkpoint.c). In memory that the pool shares, or a connection's own. Not for other rooms. */
#pragma once
#include <stdatomic.h>
#include <stdint.h>

struct store_wal {
    _Atomic uint32_t pages;  /* in the log */
    _Atomic uint32_t copied; /* of these, from its beginning, in the database too */
};
