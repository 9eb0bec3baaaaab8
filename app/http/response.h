/*
 * An answer being made: status, header lines, body. The handler fills it, the boundary sends it. Header lines
 * are kept as text, in the order they were added, each "Name: value\r\n". The same object serves request
 * after request; its memory is kept.
 */
#pragma once
#include "base/buf.h"
#include "base/err.h"

struct http_response {
    int status; /* 0 until it is set */
    struct buf head;
    struct buf body;
};

/* Empties it for the next answer; keeps the memory, but for that of an unusually long one. */
void http_response_reset(struct http_response *r);
void http_response_fini(struct http_response *r);

/* Adds a header line. A value holding CR, LF or NUL is refused: the buf then fails, and the boundary answers
 * 500 instead. */
void http_response_header(struct http_response *r, const char *name, struct span value);
/*
 * The same for a value that is put together: begin writes the name and gives where the value starts, the
 * caller appends it to r->head, end checks it and ends the line.
 */
size_t http_response_header_begin(struct http_response *r, const char *name);
void http_response_header_end(struct http_response *r, size_t start);
/* Whether a line of this name (without case) is there. */
bool http_response_has_header(const struct http_response *r, const char *name);
/* Writes more behind the value of the first line of this name (without case), if there is one. */
void http_response_extend_header(struct http_response *r, const char *name, struct span more);
/* Takes every line of this name (without case) out. */
void http_response_drop_header(struct http_response *r, const char *name);
/* Empties head and body and sets the status: for an answer that replaces one begun. */
void http_response_restart(struct http_response *r, int status);
/* The reason phrase of RFC 9110 section 15, "Unknown" for a status we never send; static. */
const char *http_status_reason(int status);
