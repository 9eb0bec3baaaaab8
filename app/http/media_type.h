/*
 * What a request's body says it is (RFC 9110 section 8.3), as bits, so that a handler can name the set it
 * takes. Pure.
 */
#pragma once
#include "base/buf.h"
#include "base/err.h"

enum http_media_type {
    HTTP_MEDIA_JSON = 1 << 0,        /* application/json */
    HTTP_MEDIA_MERGE_PATCH = 1 << 1, /* application/merge-patch+json, RFC 7396 */
    HTTP_MEDIA_JSON_PATCH = 1 << 2,  /* application/json-patch+json, RFC 6902 */
    HTTP_MEDIA_FORM = 1 << 3,        /* application/x-www-form-urlencoded */
};

/*
 * Reads the value of Content-Type (absent: ERR_INVALID). Type, subtype and charset are compared without case;
 * a charset other than utf-8 is refused (RFC 8259 section 8.1), other parameters are passed over. OK: *out is
 * one of accepted. ERR_INVALID, to be answered with 415: malformed, of another type or charset; *out is 0 and
 * detail says what is taken.
 */
MUST_USE enum err http_media_type_parse(struct span value, unsigned accepted, unsigned *out,
                                        struct err_detail *detail);
/* Appends a list such as "application/merge-patch+json, application/json-patch+json", for Accept and
 * Accept-Patch (RFC 5789 section 3.1). */
void http_media_type_list(struct buf *out, unsigned types);
