#include "route/match.h"

#include "http/percent.h"
#include "http/query.h"

enum err route_path_split(struct span path, struct arena *arena, struct route_path *out)
{
    *out = (struct route_path){.count = 0};
    if (path.len == 0 || path.ptr[0] != '/')
        return ERR_INVALID;
    struct span rest = span_from(path, 1);
    do {
        struct span segment = span_cut(&rest, '/');
        if (out->count == ROUTE_MAX_SEGMENTS)
            return ERR_NOT_FOUND;
        enum err e = http_percent_decode(segment, arena, &out->segments[out->count]);
        if (e != OK)
            return e;
        out->count++;
    } while (rest.ptr != NULL);
    return OK;
}

/* One segment of a pattern: a name in braces takes any that is not empty, "@{…}" one that begins with "@". */
static bool segment_fits(struct span pattern, struct span segment, struct span *capture)
{
    if (pattern.len > 0 && pattern.ptr[0] == '{') {
        *capture = segment;
        return segment.len > 0;
    }
    if (span_starts(pattern, SPAN("@{"))) {
        *capture = span_from(segment, 1);
        return segment.len > 1 && segment.ptr[0] == '@';
    }
    return span_eq(pattern, segment);
}

/* The pattern's path, and in *parameter what stands behind its "?"; absent: nothing does. */
static struct span pattern_path(const char *pattern, struct span *parameter)
{
    *parameter = span_str(pattern);
    return span_cut(parameter, '?');
}

bool route_pattern_same(const char *a, const char *b)
{
    while (*a == *b && *a != '\0' && *a != '?')
        a++, b++;
    return (*a == '\0' || *a == '?') && (*b == '\0' || *b == '?');
}

bool route_pattern_asked(const char *pattern, struct span query, struct arena *arena)
{
    struct http_query rest = {query};
    struct span wanted, name, value;
    (void)pattern_path(pattern, &wanted);
    if (wanted.ptr == NULL)
        return true;
    while (http_query_next(&rest, arena, &name, &value) == OK)
        if (span_eq(name, wanted))
            return true;
    return false;
}

bool route_pattern_fits(const char *pattern, const struct route_path *path,
                        struct span captures[HTTP_MAX_CAPTURES], size_t *capture_count)
{
    struct span parameter;
    struct span rest = span_from(pattern_path(pattern, &parameter), 1);
    struct span found[HTTP_MAX_CAPTURES];
    size_t at = 0, taken = 0;
    do {
        struct span capture = {NULL, 0};
        if (at == path->count || !segment_fits(span_cut(&rest, '/'), path->segments[at], &capture))
            return false;
        if (capture.ptr != NULL) {
            if (taken == HTTP_MAX_CAPTURES)
                return false;
            found[taken++] = capture;
        }
        at++;
    } while (rest.ptr != NULL);
    if (at != path->count)
        return false;
    for (size_t i = 0; i < taken; i++)
        captures[i] = found[i];
    *capture_count = taken;
    return true;
}
