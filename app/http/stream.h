/*
 * Bytes that come when they are asked for: the body of a request that is too large to be held whole, or of an
 * answer. Who gives them has its own state behind data, which lives as long as the exchange. Nothing here
 * allocates.
 */
#pragma once
#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

/*
 * Puts the next bytes, at most size of them, at to; *len says how many, and 0 that there are no more. Blocks.
 * A request's body: ERR_TOO_LARGE, it is longer than it may be; ERR_IO, the peer died on the way, and what
 * came is not what was sent. An answer's: anything but OK means that it cannot be ended as it was begun.
 * After a failure it fails again.
 */
typedef enum err (*http_stream_read)(void *data, char *to, size_t size, size_t *len);

struct http_stream {
    http_stream_read read; /* NULL: there is none */
    void *data;
    uint64_t len; /* of an answer's: the bytes that will come, no more and no fewer. A request's: 0 */
};
