/* What both interfaces share: a request's id, its answer as the front server wants it, its line in the log.
 */
#pragma once
#include "base/log.h"
#include "route/router.h"

/* Fills id with 32 hex digits that are unlike any other's: a keyed hash of a counter, with a key drawn in
 * this process. */
struct fcgi_ids {
    unsigned char key[16]; /* of SipHash */
    uint64_t counter;
};
void fcgi_ids_init(struct fcgi_ids *ids);
void fcgi_ids_next(struct fcgi_ids *ids, char out[33]);

/* The head as CGI has it (RFC 3875 section 6): Status, the header lines, Content-Length, an empty line. A
 * response that failed while it was made becomes a bare 500. */
void fcgi_reply_head(struct buf *out, struct http_response *response);
/* The body to send behind it: empty for HEAD, 204 and 304, and for one that is a stream. */
struct span fcgi_reply_body(const struct http_response *response, enum http_method method);

/*
 * The body that comes as a stream, in pieces of 64 KiB, each given to send; nothing where there is none, or
 * for HEAD, 204 and 304. Other than OK, of the stream or of send: fewer bytes went out than the head told,
 * and the connection must not end as if all was well.
 */
MUST_USE enum err fcgi_reply_stream(const struct http_response *response, enum http_method method,
                                    enum err (*send)(void *data, struct span piece), void *data);

/* A line for the request when access logging is on, and one for each failure of ours (a status of 500 or
 * more) whatever the setting. */
void fcgi_reply_log(const struct log *log, bool access, const struct http_request *request,
                    const struct http_response *response, const struct route_outcome *outcome,
                    int64_t took_us);
