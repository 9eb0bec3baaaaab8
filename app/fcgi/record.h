/*
 * The records of FastCGI (specification sections 3, 5 and 8), for who cannot use libfcgi, which waits for one
 * peer at a time: bytes in as they come, a request's variables out; and an answer as records. Pure: no I/O.
 *
 * One request a connection, of the responder's role. The body is read to its end and thrown away. What no
 * front server sends (management records, a second request, other roles) ends the connection.
 */
#pragma once
#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

enum {
    FCGI_RECORD_HEADER = 8,
    FCGI_PARAMS_MOST =
        384 * 1024, /* of variables: what a front lets through (nginx 4 of 64 KB), and the address twice */
    FCGI_BODY_MOST = 32 * 1024 * 1024, /* thrown away: more than any front lets through */
};

/* Zeroed is the beginning. */
struct fcgi_intake {
    unsigned char header[FCGI_RECORD_HEADER]; /* of the record at hand */
    unsigned header_len;
    uint32_t content_left, padding_left; /* of it, not seen yet */
    unsigned char begin[8];              /* the content of BEGIN_REQUEST */
    unsigned begin_len;
    bool begun, params_ended, body_ended;
    uint16_t id;
    uint32_t body_len;
    struct buf params; /* the variables as they came */
};

/*
 * Takes bytes in. ERR_NOT_FOUND: more are needed. OK: the request is whole; what came behind it is not looked
 * at. ERR_INVALID: it is no such request, or the peer has taken it back. ERR_TOO_LARGE, ERR_NOMEM.
 */
MUST_USE enum err fcgi_intake_feed(struct fcgi_intake *in, struct span bytes);
void fcgi_intake_fini(struct fcgi_intake *in);

/* The variables of a whole request, "NAME=value" each, NULL behind the last, in the arena. ERR_INVALID: they
 * are cut short, or hold a NUL. ERR_NOMEM. */
MUST_USE enum err fcgi_params_read(struct span params, struct arena *arena, char ***out);

/* Appends an answer, head and body, and its end. */
void fcgi_answer_write(struct buf *out, uint16_t id, struct span head, struct span body);
