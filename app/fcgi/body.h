/*
 * A request's body as FastCGI brings it, piece by piece: read whole by the worker, or handed to a handler as
 * a stream. Some front servers send no length for a chunked body, or an empty one; a body cut short is found
 * out either way, and is never taken for one that ended. In a worker, single thread; each read is watched by
 * deadline.h.
 */
#pragma once
#include "http/request.h"

#include <fcgiapp.h>

struct fcgi_body {
    FCGX_Stream *in;
    int fd;          /* of the connection, for the deadline */
    bool known;      /* the request tells the length */
    uint64_t length; /* what it tells */
    uint64_t got;
    size_t max;
    int64_t until_us; /* by when the whole of it must be there */
    enum err failed;  /* what the next read gives; OK: it goes on */
    bool ended;       /* read to its end, and whole */
};

/* For a body of at most max bytes. The whole of it may take some 14 s, or whoever sends slowly, and needs no
 * token for that, would hold a worker until it is killed. One that tells that it is longer than max is
 * ERR_TOO_LARGE at the first read, a length that is no number ERR_INVALID. */
void fcgi_body_begin(struct fcgi_body *body, const struct http_request *request, FCGX_Stream *in, int fd,
                     size_t max);
/* http_stream_read; data is the struct fcgi_body. */
enum err fcgi_body_read(void *data, char *to, size_t size, size_t *len);
/* Reads what is left, a little beyond max at most: Apache sends the end of a body by itself, and answers 503
 * when a worker has answered and closed before that. true: nothing is left. */
bool fcgi_body_finish(struct fcgi_body *body);
