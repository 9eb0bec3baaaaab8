#include "http/query.h"

#include "http/percent.h"
#include "http/utf8.h"

enum err http_query_next(struct http_query *query, struct arena *arena, struct span *name, struct span *value)
{
    struct span pair = {NULL, 0};
    enum err e;

    *name = *value = (struct span){NULL, 0};
    while (pair.len == 0) {
        if (query->rest.ptr == NULL)
            return ERR_NOT_FOUND;
        pair = span_cut(&query->rest, '&');
    }
    struct span raw_value = pair;
    struct span raw_name = span_cut(&raw_value, '=');
    if (raw_name.len == 0)
        return ERR_INVALID;
    struct span decoded_name, decoded_value;
    if ((e = http_percent_decode_form(raw_name, arena, &decoded_name)) != OK ||
        (e = http_percent_decode_form(raw_value, arena, &decoded_value)) != OK)
        return e;
    if (!http_utf8_valid(decoded_name) || !http_utf8_valid(decoded_value))
        return ERR_INVALID;
    *name = decoded_name;
    *value = decoded_value;
    return OK;
}
