#include "http/cors.h"

/* What a page may read beyond the few headers that are always open to it. */
#define EXPOSED                                                                                              \
    "ETag, Link, Location, RateLimit, RateLimit-Policy, Retry-After, X-Request-Id, "                         \
    "Content-Location, Cache-Status, Age, Server-Timing"
/* What a page may send. "*" would not cover Authorization. */
#define SENDABLE                                                                                             \
    "Authorization, Content-Type, If-Match, If-None-Match, If-Modified-Since, If-Unmodified-Since, Prefer, " \
    "Idempotency-Key"
/* Two hours: the longest that every browser heeds. */
#define PREFLIGHT_MAX_AGE_S "7200"

static bool is_alpha(char c)
{
    return c >= 'a' && c <= 'z';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* of a scheme's characters, RFC 3986 section 3.1, those that may not be its first */
static bool is_scheme_tail(char c)
{
    return is_digit(c) || c == '+' || c == '-' || c == '.';
}

/* A scheme, already in lower case, with the "://" behind it. */
static bool take_scheme(struct span *rest, struct span *scheme)
{
    size_t n = 0;
    while (n < rest->len && (is_alpha(rest->ptr[n]) || (n > 0 && is_scheme_tail(rest->ptr[n]))))
        n++;
    *scheme = span_of(rest->ptr, n);
    *rest = span_from(*rest, n);
    if (n == 0 || !span_starts(*rest, SPAN("://")))
        return false;
    *rest = span_from(*rest, 3);
    return true;
}

/* A name or an address; of IPv6 ones, in brackets, only the characters are looked at. */
static bool take_host(struct span *rest)
{
    bool bracket = rest->len > 0 && rest->ptr[0] == '[';
    size_t n = bracket ? 1 : 0, begin = n;
    while (n < rest->len) {
        char c = rest->ptr[n];
        bool fits = bracket ? is_digit(c) || (c >= 'a' && c <= 'f') || c == ':' || c == '.'
                            : is_digit(c) || is_alpha(c) || c == '-' || c == '.' || c == '_';
        if (!fits)
            break;
        n++;
    }
    bool found = n > begin;
    if (bracket) {
        found = found && n < rest->len && rest->ptr[n] == ']';
        n++;
    }
    *rest = span_from(*rest, n);
    return found;
}

/* Checks an origin in lower case and drops the port that its scheme implies; false when no browser would send
 * such a one. */
static bool normalise(struct span *origin)
{
    struct span rest = *origin, scheme;
    uint64_t port;
    if (!take_scheme(&rest, &scheme) || !take_host(&rest))
        return false;
    if (rest.len == 0)
        return true;
    size_t port_len = rest.len;
    if (rest.ptr[0] != ':' || !span_to_u64(span_from(rest, 1), 65535, &port) || rest.ptr[1] == '0')
        return false;
    if ((port == 443 && span_eq(scheme, SPAN("https"))) || (port == 80 && span_eq(scheme, SPAN("http"))))
        origin->len -= port_len;
    return true;
}

/* The next word of the setting, empty at its end. */
static struct span next_word(struct span *rest)
{
    struct span word = {NULL, 0};
    while (word.len == 0 && rest->ptr != NULL)
        word = span_cut(rest, ' ');
    return word;
}

static void lower(char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (text[i] >= 'A' && text[i] <= 'Z')
            text[i] = (char)(text[i] + ('a' - 'A'));
}

enum err http_cors_parse(struct span setting, struct arena *arena, struct http_cors *out,
                         struct err_detail *detail)
{
    *out = (struct http_cors){0};
    if (span_eq(span_trim(setting), SPAN("*"))) {
        out->any = true;
        return OK;
    }
    size_t count = 0;
    for (struct span rest = setting; next_word(&rest).len > 0;)
        count++;
    if (count == 0)
        return OK;
    struct span *origins = arena_alloc(arena, count * sizeof *origins);
    char *text = arena_alloc(arena, setting.len);
    if (origins == NULL || text == NULL)
        return err_set(detail, ERR_NOMEM, "no memory for the origins");
    memcpy(text, setting.ptr, setting.len);
    lower(text, setting.len);
    struct span rest = span_of(text, setting.len);
    for (size_t i = 0; i < count; i++) {
        origins[i] = next_word(&rest);
        if (!normalise(&origins[i]))
            return err_set(detail, ERR_INVALID,
                           "\"%.*s\" is no origin: scheme://host or scheme://host:port, without a path",
                           SPAN_ARG(origins[i]));
    }
    *out = (struct http_cors){.origins = origins, .count = count};
    return OK;
}

static bool is_named(const struct http_cors *cors, struct span origin)
{
    for (size_t i = 0; i < cors->count; i++)
        if (span_eq_nocase(cors->origins[i], origin))
            return true;
    return false;
}

static void write_preflight(unsigned methods, struct http_response *response)
{
    size_t start = http_response_header_begin(response, "Access-Control-Allow-Methods");
    http_method_list(&response->head, methods);
    http_response_header_end(response, start);
    http_response_header(response, "Access-Control-Allow-Headers", SPAN(SENDABLE));
    http_response_header(response, "Access-Control-Max-Age", SPAN(PREFLIGHT_MAX_AGE_S));
}

void http_cors_write(const struct http_cors *cors, const struct http_request *request, unsigned methods,
                     struct http_response *response)
{
    struct span origin = http_request_header(request, HTTP_HEADER_ORIGIN);

    if (cors->any) {
        http_response_header(response, "Access-Control-Allow-Origin", SPAN("*"));
    } else if (cors->count > 0) {
        /* also where the request has no Origin: a cache must not give what it got then to a page (RFC 9110
         * section 12.5.5) */
        http_response_header(response, "Vary", SPAN("Origin"));
        if (origin.ptr == NULL || !is_named(cors, origin))
            return;
        http_response_header(response, "Access-Control-Allow-Origin", origin);
    } else {
        return;
    }
    http_response_header(response, "Access-Control-Expose-Headers", SPAN(EXPOSED));
    if (request->method == HTTP_OPTIONS &&
        http_request_has(request, HTTP_HEADER_ACCESS_CONTROL_REQUEST_METHOD))
        write_preflight(methods, response);
}
