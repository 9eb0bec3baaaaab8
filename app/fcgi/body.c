#include "fcgi/body.h"

#include "base/clock.h"
#include "fcgi/deadline.h"

#include <limits.h>

/* with the last piece, which may take 15 s more, it stays below the request_timeout of 30 s */
enum { WHOLE_US = 14 * 1000 * 1000, BEYOND = 256 * 1024 };

void fcgi_body_begin(struct fcgi_body *body, const struct http_request *request, FCGX_Stream *in, int fd,
                     size_t max)
{
    struct span length = http_request_header(request, HTTP_HEADER_CONTENT_LENGTH);
    *body = (struct fcgi_body){
        .in = in, .fd = fd, .known = length.len > 0, .max = max, .until_us = clock_monotonic_us() + WHOLE_US};
    if (body->known && !span_to_u64(length, UINT64_MAX, &body->length))
        body->failed = ERR_INVALID;
    else if (body->known && body->length > max)
        body->failed = ERR_TOO_LARGE;
}

/* One piece, whatever there was before. */
static enum err take(struct fcgi_body *body, char *to, size_t size, size_t *len)
{
    int64_t now_us = clock_monotonic_us();
    *len = 0;
    if (now_us > body->until_us)
        return ERR_IO;
    fcgi_deadline_watch(body->fd, now_us);
    int n = FCGX_GetStr(to, size > INT_MAX ? INT_MAX : (int)size, body->in);
    fcgi_deadline_rest();
    *len = n > 0 ? (size_t)n : 0;
    body->got += *len;
    if (*len == size)
        return OK;
    if (FCGX_GetError(body->in) != 0 || (body->known && body->got != body->length))
        return ERR_IO;
    body->ended = true;
    return OK;
}

enum err fcgi_body_read(void *data, char *to, size_t size, size_t *len)
{
    struct fcgi_body *body = data;
    *len = 0;
    if (body->failed != OK || body->ended)
        return body->failed;
    body->failed = take(body, to, size, len);
    if (body->failed == OK && body->got > body->max)
        body->failed = ERR_TOO_LARGE;
    if (body->failed != OK)
        *len = 0;
    return body->failed;
}

bool fcgi_body_finish(struct fcgi_body *body)
{
    char away[8192];
    size_t len;
    while (!body->ended && body->got <= (uint64_t)body->max + BEYOND)
        if (take(body, away, sizeof away, &len) != OK)
            return false;
    return body->ended;
}
