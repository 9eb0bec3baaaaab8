#include "json/load.h"

#include <stdatomic.h>
#include <stdlib.h>

/*
 * jansson's parser takes some allocations that fail for syntax errors and passes over others, so that a
 * string lacks bytes: a wrong answer instead of none. Its allocator is therefore watched. The hook has no
 * argument to note a failure in, hence these. Threads may parse side by side: each has its own note, and the
 * hook stays once it is there, so that none takes another's hook for the allocator behind it.
 */
static _Thread_local bool allocation_failed;
static _Atomic(json_malloc_t) allocate = malloc;

static void *watched_malloc(size_t size)
{
    void *p = allocate(size);
    if (p == NULL)
        allocation_failed = true;
    return p;
}

static void watch_allocations(void)
{
    json_malloc_t present;
    json_free_t release;
    json_get_alloc_funcs(&present, &release);
    if (present != watched_malloc) {
        allocate = present;
        json_set_alloc_funcs(watched_malloc, release);
    }
    allocation_failed = false;
}

/*
 * Whether the text nests deeper than max, found before the parser sees it, so that its recursion is bounded
 * by us. Up to the first syntax error this counts as the parser does, and the parser goes no further than
 * that.
 */
static bool too_deep(struct span text, int max)
{
    int depth = 0;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (c == '"') {
            for (i++; i < text.len && text.ptr[i] != '"'; i++)
                if (text.ptr[i] == '\\')
                    i++;
        } else if (c == '{' || c == '[') {
            if (++depth > max)
                return true;
        } else if ((c == '}' || c == ']') && depth > 0) {
            depth--;
        }
    }
    return false;
}

/* In our words: jansson's own hold pieces of the text, which may be anything. */
static const char *reason(enum json_error_code code)
{
    switch (code) {
    case json_error_invalid_utf8:
        return "not UTF-8";
    case json_error_premature_end_of_input:
        return "the text ends too early";
    case json_error_end_of_input_expected:
        return "something stands behind the value";
    case json_error_duplicate_key:
        return "a member name occurs twice";
    case json_error_numeric_overflow:
        return "a number is too large";
    case json_error_null_byte_in_key:
        return "a member name holds the character U+0000";
    case json_error_null_character:
        return "a string holds the character U+0000";
    case json_error_unknown:
    case json_error_out_of_memory:
    case json_error_stack_overflow:
    case json_error_cannot_open_file:
    case json_error_invalid_argument:
    case json_error_invalid_syntax:
    case json_error_invalid_format:
    case json_error_wrong_type:
    case json_error_null_value:
    case json_error_item_not_found:
    case json_error_index_out_of_range:
        break;
    }
    return "a syntax error";
}

enum err json_load_strict(struct span text, int max_depth, json_t **out, struct err_detail *detail)
{
    json_error_t error = {0};
    *out = NULL;
    if (text.len == 0)
        return err_set(detail, ERR_INVALID, "malformed JSON: the text is empty");
    /* jansson loses such a byte behind a number, and takes what is left */
    if (memchr(text.ptr, '\0', text.len) != NULL)
        return err_set(detail, ERR_INVALID, "malformed JSON: it holds a byte of 0");
    if (too_deep(text, max_depth))
        return err_set(detail, ERR_INVALID, "malformed JSON: nested deeper than %d levels", max_depth);
    watch_allocations();
    *out = json_loadb(text.ptr, text.len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL, &error);
    if (allocation_failed) {
        json_decref(*out);
        *out = NULL;
        return err_set(detail, ERR_NOMEM, "no memory for the JSON text");
    }
    if (*out != NULL)
        return OK;
    return err_set(detail, ERR_INVALID, "malformed JSON at line %d, column %d: %s", error.line, error.column,
                   reason(json_error_code(&error)));
}
