#include "config/load.h"

#include "base/file.h"
#include "config/check.h"
#include "config/nearest.h"
#include "config/parse.h"

#include <stdlib.h>

enum { MAX_FILE = 1 << 20 };

/* The variable's value; NULL when it is not there or empty. */
static const char *variable(char *const *environment, const char *name)
{
    size_t len = strlen(name);
    for (; environment != NULL && *environment != NULL; environment++)
        if (strncmp(*environment, name, len) == 0 && (*environment)[len] == '=' &&
            (*environment)[len + 1] != '\0')
            return *environment + len + 1;
    return NULL;
}

/* Reads the file that is named, or the default one if there is one. */
static enum err load_file(const struct config_source *source, struct config_settings *s,
                          struct err_detail *detail)
{
    struct buf text = {0};
    const char *path = source->path;
    if (path == NULL)
        path = variable(source->environment, CONFIG_PATH_VARIABLE);
    bool named = path != NULL;
    if (!named)
        path = CONFIG_DEFAULT_PATH;

    struct err_detail why = {0};
    enum err e = file_read(path, MAX_FILE, &text, &why);
    if (e == ERR_NOT_FOUND && !named) {
        e = OK;
        goto out;
    }
    if (e != OK) {
        err_set(detail, e, "%s", why.text);
        goto out;
    }
    if ((s->path = strdup(path)) == NULL)
        e = err_set(detail, ERR_NOMEM, "out of memory");
    else
        e = config_parse(buf_span(&text), path, s, detail);
out:
    buf_fini(&text);
    return e;
}

/* Sets section.key, or says that there is none; the caller says where. */
static enum err set_named(struct config_settings *s, struct span section, struct span key, struct span value,
                          enum config_origin origin, struct err_detail *why)
{
    struct config_nearest nearest = {0};
    enum config_id id = config_find(section, key);
    if (id != CONFIG_ID_COUNT)
        return config_set(s, id, value, origin, 0, why);
    for (int i = 0; i < CONFIG_ID_COUNT; i++) {
        const struct config_row *row = config_row((enum config_id)i);
        if (span_eq(section, span_str(row->section)))
            config_nearest_try(&nearest, key, span_str(row->key));
    }
    if (nearest.name.ptr != NULL)
        return err_set(why, ERR_INVALID, "unknown key `%.*s` in [%.*s]; did you mean `%.*s`?", SPAN_ARG(key),
                       SPAN_ARG(section), SPAN_ARG(nearest.name));
    return err_set(why, ERR_INVALID, "unknown key `%.*s` in [%.*s]", SPAN_ARG(key), SPAN_ARG(section));
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

/* Whether name, less the prefix, begins with SECTION_ in capitals; *key is then what follows. */
static bool section_matches(struct span name, const char *section, struct span *key)
{
    size_t len = strlen(section);
    if (name.len <= len || name.ptr[len] != '_')
        return false;
    for (size_t i = 0; i < len; i++)
        if (name.ptr[i] == section[i] || lower(name.ptr[i]) != section[i])
            return false;
    *key = span_from(name, len + 1);
    return true;
}

/* The key in small letters, as the table has it; false when it is not in capitals. */
static bool fold_key(struct span name, char out[64], struct span *key)
{
    if (name.len > 63)
        name.len = 63;
    for (size_t i = 0; i < name.len; i++) {
        if (name.ptr[i] >= 'a' && name.ptr[i] <= 'z')
            return false;
        out[i] = lower(name.ptr[i]);
    }
    *key = span_of(out, name.len);
    return true;
}

static enum err take_variable(struct config_settings *s, const char *text, struct err_detail *detail)
{
    struct span rest = span_from(span_str(text), strlen("PROFILED_"));
    struct span name = span_cut(&rest, '=');
    struct span key = {NULL, 0};
    struct err_detail why = {0};
    const char *section = NULL;
    char folded[64];

    for (int id = 0; id < CONFIG_ID_COUNT && section == NULL; id++)
        if (section_matches(name, config_row((enum config_id)id)->section, &key))
            section = config_row((enum config_id)id)->section;
    if (section_matches(name, "issuer", &key))
        return err_set(detail, ERR_INVALID, "variable PROFILED_%.*s: issuers are set in the file alone",
                       (int)(name.len > 80 ? 80 : name.len), name.ptr);
    if (section == NULL || rest.ptr == NULL)
        return OK;
    enum err e = fold_key(key, folded, &key)
                     ? set_named(s, span_str(section), key, rest, CONFIG_FROM_ENVIRONMENT, &why)
                     : err_set(&why, ERR_INVALID, "the name of a variable is written in capitals");
    if (e != OK)
        return err_set(detail, e, "variable PROFILED_%.*s: %s", (int)(name.len > 80 ? 80 : name.len),
                       name.ptr, why.text);
    return OK;
}

static enum err take_flag(struct config_settings *s, const char *text, struct err_detail *detail)
{
    struct span value = span_str(text);
    struct span key = span_cut(&value, '=');
    struct span named = key;
    struct span section = span_cut(&key, '.');
    struct err_detail why = {0};
    int shown = (int)(named.len > 80 ? 80 : named.len);

    if (value.ptr == NULL || key.ptr == NULL)
        return err_set(detail, ERR_INVALID, "flag -o %.*s: it is written section.key=value", shown,
                       named.ptr);
    enum err e = set_named(s, section, key, value, CONFIG_FROM_FLAG, &why);
    if (e != OK)
        return err_set(detail, e, "flag -o %.*s: %s", shown, named.ptr, why.text);
    return OK;
}

static enum err load_all(const struct config_source *source, struct config_settings *s,
                         struct err_detail *detail)
{
    enum err e;
    if ((e = config_defaults(s)) != OK)
        return err_set(detail, e, "out of memory");
    if ((e = load_file(source, s, detail)) != OK)
        return e;
    for (char *const *v = source->environment; v != NULL && *v != NULL; v++)
        if (strncmp(*v, "PROFILED_", strlen("PROFILED_")) == 0 && (e = take_variable(s, *v, detail)) != OK)
            return e;
    for (size_t i = 0; i < source->flag_count; i++)
        if ((e = take_flag(s, source->flags[i], detail)) != OK)
            return e;
    return config_check(s, detail);
}

enum err config_load(const struct config_source *source, struct config_settings *out,
                     struct err_detail *detail)
{
    *out = (struct config_settings){0};
    enum err e = load_all(source, out, detail);
    if (e != OK)
        config_fini(out);
    return e;
}
