/* Values of a request's headers, its target and its query, of any bytes: each parser by the first byte. */
#include "support_fuzz.h"

#include "http/bearer.h"
#include "http/date.h"
#include "http/etag.h"
#include "http/media_type.h"
#include "http/precondition.h"
#include "http/prefer.h"
#include "http/query.h"
#include "http/target.h"

static void read_query(struct span raw, struct arena *arena)
{
    struct http_query query = {raw};
    struct span name, value;
    while (http_query_next(&query, arena, &name, &value) == OK)
        continue;
}

static void read_target(struct span uri, struct arena *arena)
{
    struct span path, query;
    if (http_target_split(uri, &path, &query) != OK)
        return;
    if (path.len == 0)
        __builtin_trap(); /* "/" at least */
    if (http_target_unmount(&path, SPAN("/mount")) == OK)
        read_query(query, arena);
    if (http_target_compose(uri, path, arena, &path) != OK)
        return;
}

static void read_conditions(struct span value)
{
    static const struct span tags[] = {SPAN_INIT("\"9f-1p1\""), SPAN_INIT("\"9f-1o2\"")};
    const struct http_current current = {
        .exists = true, .tags = tags, .tag_count = 2, .modified_s = 1000000000};
    for (enum http_header h = HTTP_HEADER_IF_MATCH; h <= HTTP_HEADER_IF_UNMODIFIED_SINCE; h++) {
        struct http_request request = {.method = HTTP_GET};
        request.headers[h] = value;
        (void)http_precondition_evaluate(&request, &current, 1300000000);
    }
    bool strong = http_etag_list_matches(value, tags, 2, HTTP_ETAG_STRONG);
    if (strong && !http_etag_list_matches(value, tags, 2, HTTP_ETAG_WEAK))
        __builtin_trap(); /* what matches strongly matches weakly */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span value = span_of((const char *)data + 1, size - 1), found;
    struct arena arena = {0};
    struct err_detail detail = {0};
    int64_t date;
    unsigned type;
    if (size == 0)
        return 0;
    switch (data[0] % 7) {
    case 0:
        read_target(value, &arena);
        break;
    case 1:
        read_query(value, &arena);
        break;
    case 2:
        read_conditions(value);
        break;
    case 3:
        if (http_date_parse(value, 1300000000, &date) == OK) {
            struct buf text = {0};
            http_date_write(&text, date);
            if (text.len != HTTP_DATE_LEN)
                __builtin_trap();
            buf_fini(&text);
        }
        break;
    case 4:
        if (http_media_type_parse(value, HTTP_MEDIA_JSON | HTTP_MEDIA_MERGE_PATCH, &type, &detail) == OK &&
            type != HTTP_MEDIA_JSON && type != HTTP_MEDIA_MERGE_PATCH)
            __builtin_trap();
        break;
    case 5:
        (void)http_prefer_find(value, SPAN("return"), &found);
        (void)http_prefer_return(value);
        break;
    default:
        if (http_bearer_token(value, &found) == OK && found.len == 0)
            __builtin_trap();
        break;
    }
    arena_fini(&arena);
    return 0;
}
