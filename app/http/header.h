/*
 * The request headers that the server reads, as one table: enum, field name (RFC 9110 section 5.1, compared
 * without case) and the name under which FastCGI and CGI hand it over (RFC 3875 section 4.1.18).
 */
#pragma once
#include "base/span.h"

/* X(enum, field name, CGI variable) */
#define HTTP_HEADERS(X)                                                                                      \
    X(AUTHORIZATION, "Authorization", "HTTP_AUTHORIZATION")                                                  \
    X(ACCEPT, "Accept", "HTTP_ACCEPT")                                                                       \
    X(CONTENT_TYPE, "Content-Type", "CONTENT_TYPE")                                                          \
    X(CONTENT_LENGTH, "Content-Length", "CONTENT_LENGTH")                                                    \
    X(IF_MATCH, "If-Match", "HTTP_IF_MATCH")                                                                 \
    X(IF_NONE_MATCH, "If-None-Match", "HTTP_IF_NONE_MATCH")                                                  \
    X(IF_MODIFIED_SINCE, "If-Modified-Since", "HTTP_IF_MODIFIED_SINCE")                                      \
    X(IF_UNMODIFIED_SINCE, "If-Unmodified-Since", "HTTP_IF_UNMODIFIED_SINCE")                                \
    X(PREFER, "Prefer", "HTTP_PREFER")                                                                       \
    X(HOST, "Host", "HTTP_HOST")                                                                             \
    X(IDEMPOTENCY_KEY, "Idempotency-Key", "HTTP_IDEMPOTENCY_KEY")                                            \
    X(ORIGIN, "Origin", "HTTP_ORIGIN")                                                                       \
    X(ACCESS_CONTROL_REQUEST_METHOD, "Access-Control-Request-Method", "HTTP_ACCESS_CONTROL_REQUEST_METHOD")  \
    X(ACCESS_CONTROL_REQUEST_HEADERS, "Access-Control-Request-Headers", "HTTP_ACCESS_CONTROL_REQUEST_HEADERS")

enum http_header {
#define X(name, field, variable) HTTP_HEADER_##name,
    HTTP_HEADERS(X)
#undef X
        HTTP_HEADER_COUNT
};

/* The field name, static. */
const char *http_header_name(enum http_header h);
/* The CGI variable, static. */
const char *http_header_variable(enum http_header h);
