/* A profile as a client sends it: refused with faults, or taken, and then both views are JSON again, and so
 * is every part of them. The same bytes as a view's text: refused, or cut within their bounds. */
#include "support_fuzz.h"

#include "profile/parse.h"
#include "profile/part.h"
#include "json/load.h"

enum { ALL = (1u << PROFILE_MEMBER_COUNT) - 1 };

/* A part is what the parser finds in the whole under these names. */
static void check_part(struct span text, const json_t *whole, uint32_t members)
{
    struct buf part = {0}, name = {0};
    json_t *again = NULL;
    size_t expected = 0;
    if (profile_part_write(text, members, &part) != OK ||
        json_load_strict(buf_span(&part), JSON_MAX_DEPTH + 1, &again, NULL) != OK)
        __builtin_trap();
    for (size_t i = 0; i < PROFILE_MEMBER_COUNT; i++) {
        buf_clear(&name);
        profile_part_names(UINT32_C(1) << i, &name);
        json_t *value = json_object_get(whole, buf_text(&name));
        if ((members >> i & 1) == 0 || value == NULL)
            continue;
        expected++;
        if (!json_equal(value, json_object_get(again, buf_text(&name))))
            __builtin_trap();
    }
    if (json_object_size(again) != expected)
        __builtin_trap();
    json_decref(again);
    buf_fini(&part);
    buf_fini(&name);
}

static void check_bounds(struct span text)
{
    struct buf part = {0};
    if (profile_part_write(text, ALL, &part) == OK ? part.len > text.len : part.len != 0)
        __builtin_trap();
    buf_fini(&part);
}

static void check_view(const struct profile *p, enum profile_view view)
{
    struct buf text = {0};
    json_t *again = NULL;
    profile_view_write(p, view, &text);
    if (json_load_strict(buf_span(&text), JSON_MAX_DEPTH + 1, &again, NULL) != OK)
        __builtin_trap();
    for (size_t i = 0; i < PROFILE_MEMBER_COUNT; i++) {
        check_part(buf_span(&text), again, UINT32_C(1) << i);
        check_part(buf_span(&text), again, ALL & ~(UINT32_C(1) << i));
    }
    json_decref(again);
    buf_fini(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct profile_rules rules = {.id = SPAN("ann"), .attributes_max = 16384, .admin = true};
    struct profile_faults faults = {.count = 0};
    struct arena arena = {0};
    struct profile p;
    json_t *doc = NULL;
    check_bounds(span_of((const char *)data, size));
    if (json_load_strict(span_of((const char *)data, size), JSON_MAX_DEPTH, &doc, NULL) != OK)
        return 0;
    enum err e = profile_parse(doc, &rules, &arena, &p, &faults);
    for (enum profile_view view = 0; view < PROFILE_VIEW_COUNT && e == OK; view++)
        check_view(&p, view);
    if (e == ERR_INVALID && faults.count == 0)
        __builtin_trap(); /* a refusal says why */
    arena_fini(&arena);
    json_decref(doc);
    return 0;
}
