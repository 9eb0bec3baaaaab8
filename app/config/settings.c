#include "config/settings.h"

#include "config/load.h"
#include "config/value.h"

#include <stdlib.h>

static const struct config_row rows[CONFIG_ID_COUNT] = {
#define X(section, key, type, def, least, most, choices, help)                                               \
    {#section, #key, CONFIG_##type, def, least, most, choices, help},
    CONFIG_SETTINGS(X)
#undef X
};

static const struct config_issuer_row issuer_rows[CONFIG_ISSUER_KEY_COUNT] = {
#define X(key, may_be_empty, help) {#key, may_be_empty, help},
    CONFIG_ISSUER_KEYS(X)
#undef X
};

const struct config_row *config_row(enum config_id id)
{
    return &rows[id];
}

const struct config_issuer_row *config_issuer_row(enum config_issuer_key key)
{
    return &issuer_rows[key];
}

enum config_id config_find(struct span section, struct span key)
{
    for (int id = 0; id < CONFIG_ID_COUNT; id++)
        if (span_eq(section, span_str(rows[id].section)) && span_eq(key, span_str(rows[id].key)))
            return (enum config_id)id;
    return CONFIG_ID_COUNT;
}

enum config_issuer_key config_issuer_find(struct span key)
{
    for (int i = 0; i < CONFIG_ISSUER_KEY_COUNT; i++)
        if (span_eq(key, span_str(issuer_rows[i].key)))
            return (enum config_issuer_key)i;
    return CONFIG_ISSUER_KEY_COUNT;
}

char **config_issuer_field(struct config_issuer *issuer, enum config_issuer_key key)
{
    char **const fields[CONFIG_ISSUER_KEY_COUNT] = {
#define X(key, may_be_empty, help) &issuer->key,
        CONFIG_ISSUER_KEYS(X)
#undef X
    };
    return fields[key];
}

enum err config_set(struct config_settings *s, enum config_id id, struct span text, enum config_origin origin,
                    int line, struct err_detail *detail)
{
    struct config_value *value = &s->values[id];
    int64_t number = 0;
    enum err e = config_value_parse(&rows[id], text, &number, detail);
    if (e != OK)
        return e;
    char *copy = strndup(text.ptr, text.len);
    if (copy == NULL)
        return err_set(detail, ERR_NOMEM, "out of memory");
    free(value->text);
    *value = (struct config_value){copy, number, origin, line};
    return OK;
}

enum err config_defaults(struct config_settings *s)
{
    for (int id = 0; id < CONFIG_ID_COUNT; id++) {
        enum err e = config_set(s, (enum config_id)id, span_str(rows[id].def), CONFIG_FROM_DEFAULT, 0, NULL);
        if (e != OK)
            return e;
    }
    return OK;
}

void config_fini(struct config_settings *s)
{
    free(s->path);
    for (int id = 0; id < CONFIG_ID_COUNT; id++)
        free(s->values[id].text);
    for (size_t i = 0; i < s->issuer_count; i++) {
        struct config_issuer *issuer = &s->issuers[i];
        free(issuer->name);
        for (int key = 0; key < CONFIG_ISSUER_KEY_COUNT; key++)
            free(*config_issuer_field(issuer, (enum config_issuer_key)key));
    }
    *s = (struct config_settings){0};
}

static void write_upper(struct buf *out, const char *text)
{
    for (; *text != '\0'; text++)
        buf_char(out, *text >= 'a' && *text <= 'z' ? (char)(*text - 'a' + 'A') : *text);
}

void config_variable_write(enum config_id id, struct buf *out)
{
    buf_lit(out, "PROFILED_");
    write_upper(out, rows[id].section);
    buf_char(out, '_');
    write_upper(out, rows[id].key);
}

void config_origin_write(const struct config_settings *s, enum config_id id, struct buf *out)
{
    switch (s->values[id].origin) {
    case CONFIG_FROM_DEFAULT:
        buf_lit(out, "default");
        return;
    case CONFIG_FROM_FILE:
        buf_printf(out, "%s:%d", s->path == NULL ? "(file)" : s->path, s->values[id].line);
        return;
    case CONFIG_FROM_ENVIRONMENT:
        buf_lit(out, "variable ");
        config_variable_write(id, out);
        return;
    case CONFIG_FROM_FLAG:
        buf_printf(out, "flag -o %s.%s", rows[id].section, rows[id].key);
        return;
    }
}
