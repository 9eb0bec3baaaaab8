#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>

enum err err_set(struct err_detail *detail, enum err e, const char *format, ...)
{
    if (detail != NULL && detail->text[0] == '\0') {
        va_list args;
        va_start(args, format);
        vsnprintf(detail->text, sizeof detail->text, format, args);
        va_end(args);
    }
    return e;
}

const char *err_name(enum err e)
{
    static const char *const names[ERR_COUNT] = {
        [OK] = "ok",
        [ERR_NOT_FOUND] = "not found",
        [ERR_CONFLICT] = "conflict",
        [ERR_INVALID] = "invalid",
        [ERR_EXPIRED] = "expired",
        [ERR_DENIED] = "denied",
        [ERR_TOO_LARGE] = "too large",
        [ERR_BUSY] = "busy",
        [ERR_FULL] = "full",
        [ERR_IO] = "i/o failure",
        [ERR_NOMEM] = "out of memory",
    };
    return e < ERR_COUNT ? names[e] : "unknown";
}
