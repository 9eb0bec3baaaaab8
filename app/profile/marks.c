#include "profile/marks.h"

#include <stdlib.h>
#include <utf8proc.h>

/* A character's place: the number of starters up to it, its combining class, where it stood. Sorted by this,
 * a string keeps its starters where they are and sorts what stands between them. */
struct place {
    uint32_t starters;
    uint32_t class_and_index; /* class << 24 | index */
    utf8proc_int32_t cp;
};

static int compare(const void *a, const void *b)
{
    const struct place *x = a, *y = b;
    if (x->starters != y->starters)
        return x->starters < y->starters ? -1 : 1;
    return x->class_and_index < y->class_and_index ? -1 : x->class_and_index > y->class_and_index;
}

struct span profile_marks_sort(struct span s, struct arena *arena)
{
    const struct span absent = {NULL, 0};
    struct place *places = s.len > SIZE_MAX / sizeof *places ? NULL : malloc(s.len * sizeof *places + 1);
    char *text = arena_alloc(arena, s.len + 1);
    uint32_t count = 0, starters = 0;
    size_t len = 0;
    if (places == NULL || text == NULL) {
        free(places);
        return absent;
    }
    for (size_t at = 0; at < s.len;) {
        utf8proc_int32_t cp;
        utf8proc_ssize_t n =
            utf8proc_iterate((const utf8proc_uint8_t *)s.ptr + at, (utf8proc_ssize_t)(s.len - at), &cp);
        if (n <= 0)
            break;
        uint32_t class = (uint32_t)utf8proc_get_property(cp)->combining_class;
        starters += class == 0;
        places[count] = (struct place){starters, class << 24 | count, cp};
        count++;
        at += (size_t)n;
    }
    qsort(places, count, sizeof *places, compare);
    for (uint32_t i = 0; i < count; i++)
        len += (size_t)utf8proc_encode_char(places[i].cp, (utf8proc_uint8_t *)text + len);
    free(places);
    text[len] = '\0';
    return span_of(text, len);
}
