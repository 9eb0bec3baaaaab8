#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void buf_clear(struct buf *b)
{
    b->len = 0;
    b->failed = false;
    if (b->ptr != NULL)
        b->ptr[0] = '\0';
}

void buf_fini(struct buf *b)
{
    free(b->ptr);
    *b = (struct buf){0};
}

char *buf_reserve(struct buf *b, size_t n)
{
    if (b->failed)
        return NULL;
    if (n > SIZE_MAX / 4 - b->len || (b->limit != 0 && b->len + n > b->limit)) {
        b->failed = true;
        return NULL;
    }
    if (b->len + n + 1 > b->size) {
        size_t size = b->size == 0 ? 256 : b->size;
        while (size < b->len + n + 1)
            size *= 2;
        char *ptr = realloc(b->ptr, size);
        if (ptr == NULL) {
            b->failed = true;
            return NULL;
        }
        ptr[b->len] = '\0';
        b->ptr = ptr;
        b->size = size;
    }
    return b->ptr + b->len;
}

void buf_extend(struct buf *b, size_t n)
{
    if (b->failed)
        return;
    b->len += n;
    b->ptr[b->len] = '\0';
}

void buf_append(struct buf *b, struct span s)
{
    char *to = buf_reserve(b, s.len);
    if (to == NULL)
        return;
    if (s.len > 0)
        memcpy(to, s.ptr, s.len);
    buf_extend(b, s.len);
}

void buf_char(struct buf *b, char c)
{
    buf_append(b, span_of(&c, 1));
}

void buf_u64(struct buf *b, uint64_t value)
{
    char digits[20];
    size_t at = sizeof digits;
    do {
        digits[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    buf_append(b, span_of(digits + at, sizeof digits - at));
}

void buf_i64(struct buf *b, int64_t value)
{
    if (value < 0)
        buf_char(b, '-');
    buf_u64(b, value < 0 ? 0 - (uint64_t)value : (uint64_t)value);
}

void buf_printf(struct buf *b, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    char *to = n < 0 ? NULL : buf_reserve(b, (size_t)n);
    if (to != NULL) {
        vsnprintf(to, (size_t)n + 1, format, again);
        buf_extend(b, (size_t)n);
    } else {
        b->failed = true;
    }
    va_end(again);
}

void buf_truncate(struct buf *b, size_t len)
{
    if (len < b->len) {
        b->len = len;
        b->ptr[len] = '\0';
    }
}

enum err buf_status(const struct buf *b)
{
    if (!b->failed)
        return OK;
    return b->limit != 0 ? ERR_TOO_LARGE : ERR_NOMEM;
}
