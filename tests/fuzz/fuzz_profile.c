/* A profile as a client sends it: refused with faults, or taken, and then both views are JSON again. */
#include "support_fuzz.h"

#include "profile/parse.h"
#include "json/load.h"

static void check_view(const struct profile *p, enum profile_view view)
{
    struct buf text = {0};
    json_t *again = NULL;
    profile_view_write(p, view, &text);
    if (json_load_strict(buf_span(&text), JSON_MAX_DEPTH + 1, &again, NULL) != OK)
        __builtin_trap();
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
