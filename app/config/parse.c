#include "config/parse.h"

#include "config/nearest.h"
#include "config/value.h"

#include <ini.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* What stands between two calls of inih's reader and handler. */
struct parser {
    struct span rest; /* what has not been read yet */
    int line;         /* the one being read, from 1 */
    const char *path;
    struct config_settings *settings;
    struct span section;          /* the last section's name; absent before the first */
    struct config_issuer *issuer; /* the last section's, or NULL */
    char **list;                  /* the text that an indented line may go on, or NULL */
    enum config_id list_id;       /* whose it is; CONFIG_ID_COUNT: an issuer's scopes */
    bool continued;               /* the line that the handler is about to get goes on with the list */
    enum err e;                   /* the first thing wrong ends it */
    struct err_detail *detail;
};

static enum err refuse(struct parser *p, enum err e, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Remembers what is wrong with this line; returns e. */
static enum err refuse(struct parser *p, enum err e, const char *format, ...)
{
    struct err_detail why = {0};
    va_list args;
    va_start(args, format);
    vsnprintf(why.text, sizeof why.text, format, args);
    va_end(args);
    p->e = e;
    return err_set(p->detail, e, "%s:%d: %s", p->path, p->line, why.text);
}

static bool is_comment(struct span s)
{
    return s.len > 0 && (s.ptr[0] == '#' || s.ptr[0] == ';');
}

static bool section_known(struct span name)
{
    for (int id = 0; id < CONFIG_ID_COUNT; id++)
        if (span_eq(name, span_str(config_row((enum config_id)id)->section)))
            return true;
    return false;
}

static enum err unknown_section(struct parser *p, struct span name)
{
    struct config_nearest nearest = {0}, issuer = {0};
    struct span first_word = name;
    config_nearest_try(&issuer, span_cut(&first_word, ' '), SPAN("issuer"));
    if (issuer.name.ptr != NULL)
        return refuse(p, ERR_INVALID, "unknown section [%.*s]; did you mean [issuer NAME]?", SPAN_ARG(name));
    for (int id = 0; id < CONFIG_ID_COUNT; id++)
        config_nearest_try(&nearest, name, span_str(config_row((enum config_id)id)->section));
    if (nearest.name.ptr != NULL)
        return refuse(p, ERR_INVALID, "unknown section [%.*s]; did you mean [%.*s]?", SPAN_ARG(name),
                      SPAN_ARG(nearest.name));
    return refuse(p, ERR_INVALID, "unknown section [%.*s]", SPAN_ARG(name));
}

static bool issuer_name_valid(struct span name)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!letter && !(c >= '0' && c <= '9') && c != '.' && c != '_' && c != '-')
            return false;
    }
    return name.len >= 1 && name.len <= CONFIG_MAX_ISSUER_NAME;
}

static enum err begin_issuer(struct parser *p, struct span name)
{
    struct config_settings *s = p->settings;
    if (!issuer_name_valid(name))
        return refuse(p, ERR_INVALID,
                      "an issuer's section is [issuer NAME], NAME 1 to %d of A-Z a-z 0-9 . _ -",
                      CONFIG_MAX_ISSUER_NAME);
    for (size_t i = 0; i < s->issuer_count; i++)
        if (span_eq(name, span_str(s->issuers[i].name)))
            return refuse(p, ERR_INVALID, "a second section [issuer %.*s]; the first is on line %d",
                          SPAN_ARG(name), s->issuers[i].line);
    if (s->issuer_count == CONFIG_MAX_ISSUERS)
        return refuse(p, ERR_INVALID, "more than %d issuers", CONFIG_MAX_ISSUERS);
    struct config_issuer *issuer = &s->issuers[s->issuer_count++];
    issuer->line = p->line;
    issuer->name = strndup(name.ptr, name.len);
    issuer->scopes = strdup(CONFIG_ISSUER_SCOPES);
    if (issuer->name == NULL || issuer->scopes == NULL)
        return refuse(p, ERR_NOMEM, "out of memory");
    p->issuer = issuer;
    return OK;
}

static enum err begin_section(struct parser *p, struct span line)
{
    struct span rest = span_from(line, 1);
    struct span name = span_cut(&rest, ']');
    if (rest.ptr == NULL)
        return refuse(p, ERR_INVALID, "no ] closes the section's name");
    rest = span_trim(rest);
    if (rest.len > 0 && !is_comment(rest))
        return refuse(p, ERR_INVALID, "nothing may stand behind the ] but a comment");
    p->section = name;
    p->issuer = NULL;
    if (span_starts(name, SPAN("issuer ")))
        return begin_issuer(p, span_trim(span_from(name, 7)));
    if (span_eq(name, SPAN("issuer")))
        return begin_issuer(p, SPAN(""));
    return section_known(name) ? OK : unknown_section(p, name);
}

/* What is wrong with a line before inih looks at it; a section is begun here. */
static enum err look_at(struct parser *p, struct span line, size_t line_max)
{
    struct span text = span_trim(line);
    p->continued = false;
    if (line.len > line_max)
        return refuse(p, ERR_INVALID,
                      "the line has %zu bytes, no more than %zu are read; a list may go on over "
                      "indented lines",
                      line.len, line_max);
    if (!config_text_valid(line))
        return refuse(p, ERR_INVALID, "the line holds control characters, or is not UTF-8");
    if (text.len == 0 || is_comment(text))
        return OK;
    if (text.ptr != line.ptr) {
        if (p->list == NULL)
            return refuse(p, ERR_INVALID,
                          "the line is indented; only lists go on that way, a key begins its line");
        p->continued = true;
        return OK;
    }
    p->list = NULL;
    return text.ptr[0] == '[' ? begin_section(p, text) : OK;
}

/* inih's reader: copies the next line into to, which has room for size bytes; NULL at the end, or when
 * something is wrong. */
static char *read_line(char *to, int size, void *data)
{
    struct parser *p = data;
    if (p->e != OK || p->rest.len == 0 || size < 3)
        return NULL;
    struct span line = span_cut(&p->rest, '\n');
    p->line++;
    if (p->line == 1 && span_starts(line, SPAN("\xef\xbb\xbf")))
        line = span_from(line, 3);
    if (line.len > 0 && line.ptr[line.len - 1] == '\r')
        line.len--;
    /* a newline and a NUL go behind it */
    if (look_at(p, line, (size_t)size - 2) != OK)
        return NULL;
    memcpy(to, line.ptr, line.len);
    to[line.len] = '\n';
    to[line.len + 1] = '\0';
    return to;
}

/* Puts the words behind those that the list holds. */
static enum err continue_list(struct parser *p, struct span words)
{
    struct buf joined = {0};
    struct err_detail why = {0};
    enum err e = ERR_NOMEM;
    buf_printf(&joined, "%s%s", *p->list, **p->list == '\0' ? "" : " ");
    buf_append(&joined, words);
    if (buf_status(&joined) != OK) {
        refuse(p, ERR_NOMEM, "out of memory");
    } else if (p->list_id == CONFIG_ID_COUNT) {
        free(*p->list);
        *p->list = joined.ptr;
        return OK;
    } else if ((e = config_set(p->settings, p->list_id, buf_span(&joined), CONFIG_FROM_FILE,
                               p->settings->values[p->list_id].line, &why)) != OK) {
        refuse(p, e, "%s", why.text);
    }
    buf_fini(&joined);
    return e;
}

static enum err unknown_key(struct parser *p, struct span key)
{
    struct config_nearest nearest = {0};
    for (int i = 0; p->issuer != NULL && i < CONFIG_ISSUER_KEY_COUNT; i++)
        config_nearest_try(&nearest, key, span_str(config_issuer_row((enum config_issuer_key)i)->key));
    for (int id = 0; p->issuer == NULL && id < CONFIG_ID_COUNT; id++) {
        const struct config_row *row = config_row((enum config_id)id);
        if (span_eq(p->section, span_str(row->section)))
            config_nearest_try(&nearest, key, span_str(row->key));
        else if (span_eq(key, span_str(row->key)) && nearest.name.ptr == NULL)
            return refuse(p, ERR_INVALID, "unknown key `%.*s` in [%.*s]; it belongs to [%s]", SPAN_ARG(key),
                          SPAN_ARG(p->section), row->section);
    }
    if (nearest.name.ptr != NULL)
        return refuse(p, ERR_INVALID, "unknown key `%.*s` in [%.*s]; did you mean `%.*s`?", SPAN_ARG(key),
                      SPAN_ARG(p->section), SPAN_ARG(nearest.name));
    return refuse(p, ERR_INVALID, "unknown key `%.*s` in [%.*s]", SPAN_ARG(key), SPAN_ARG(p->section));
}

static enum err set_issuer_key(struct parser *p, struct span key, struct span value)
{
    struct config_issuer *issuer = p->issuer;
    enum config_issuer_key number = config_issuer_find(key);
    if (number == CONFIG_ISSUER_KEY_COUNT)
        return unknown_key(p, key);
    if (issuer->lines[number] != 0)
        return refuse(p, ERR_INVALID, "`%.*s` is given twice; first on line %d", SPAN_ARG(key),
                      issuer->lines[number]);
    if (value.len == 0 && !config_issuer_row(number)->may_be_empty)
        return refuse(p, ERR_INVALID, "`%.*s` must not be empty", SPAN_ARG(key));
    char *copy = strndup(value.ptr, value.len);
    if (copy == NULL)
        return refuse(p, ERR_NOMEM, "out of memory");
    char **field = config_issuer_field(issuer, number);
    free(*field);
    *field = copy;
    issuer->lines[number] = p->line;
    if (number == CONFIG_ISSUER_scopes) {
        p->list = field;
        p->list_id = CONFIG_ID_COUNT;
    }
    return OK;
}

static enum err set_key(struct parser *p, struct span key, struct span value)
{
    struct err_detail why = {0};
    enum config_id id = config_find(p->section, key);
    if (id == CONFIG_ID_COUNT)
        return unknown_key(p, key);
    struct config_value *old = &p->settings->values[id];
    if (old->origin == CONFIG_FROM_FILE)
        return refuse(p, ERR_INVALID, "`%.*s` is given twice; first on line %d", SPAN_ARG(key), old->line);
    enum err e = config_set(p->settings, id, value, CONFIG_FROM_FILE, p->line, &why);
    if (e != OK)
        return refuse(p, e, "%s", why.text);
    if (config_row(id)->type == CONFIG_LIST) {
        p->list = &old->text;
        p->list_id = id;
    }
    return OK;
}

/* What people are used to write elsewhere, and what would silently become part of a path here. */
static enum err look_at_value(struct parser *p, struct span value)
{
    if (value.len > 0 && value.ptr[0] == '"')
        return refuse(p, ERR_INVALID, "a value is written without quotes");
    for (size_t i = 1; i < value.len; i++)
        if (value.ptr[i] == '#' && (value.ptr[i - 1] == ' ' || value.ptr[i - 1] == '\t'))
            return refuse(p, ERR_INVALID,
                          "a comment behind a value begins with ;, one with # stands on its own line");
    return OK;
}

/* inih's handler: non-zero is success. The section is our own record of it: inih cuts long names. */
static int handle(void *data, const char *section, const char *name, const char *text)
{
    struct parser *p = data;
    struct span key = span_str(name), value = span_str(text);
    enum err e;
    (void)section;
    if (key.len > 60)
        key.len = 60;
    if ((e = look_at_value(p, value)) != OK)
        return 0;
    if (p->continued)
        e = continue_list(p, value);
    else if (p->section.ptr == NULL)
        e = refuse(p, ERR_INVALID, "the key `%.*s` stands before any [section]", SPAN_ARG(key));
    else if (p->issuer != NULL)
        e = set_issuer_key(p, key, value);
    else
        e = set_key(p, key, value);
    return e == OK;
}

enum err config_parse(struct span text, const char *path, struct config_settings *s,
                      struct err_detail *detail)
{
    struct err_detail why = {0};
    struct parser p = {.rest = text, .path = path, .settings = s, .detail = &why};
    int first_wrong = ini_parse_stream(read_line, &p, handle, &p);
    if (first_wrong < 0)
        return err_set(detail, ERR_NOMEM, "%s: out of memory", path);
    /* inih goes on behind a line that it cannot read, so what we found may come later */
    if (first_wrong > 0 && (p.e == OK || first_wrong < p.line))
        return err_set(detail, ERR_INVALID, "%s:%d: neither [section] nor key = value", path, first_wrong);
    return p.e == OK ? OK : err_set(detail, p.e, "%s", why.text);
}
