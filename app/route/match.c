#include "route/match.h"

#include "http/percent.h"

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

bool route_pattern_fits(const char *pattern, const struct route_path *path,
                        struct span captures[HTTP_MAX_CAPTURES], size_t *capture_count)
{
    struct span rest = span_str(pattern + 1);
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
