#include "profile/json_patch.h"

#include "profile/equal.h"
#include "profile/iterable.h"
#include "profile/operation.h"
#include "profile/pointer.h"
#include "json/load.h"

/* A patch while it is applied. */
struct patching {
    json_t *doc; /* ours */
    struct buf scratch;
    size_t copied;      /* weight of all copies so far */
    const char *reason; /* why the last step failed; static */
};

enum { NODE_WEIGHT = 32 };

static enum err fail(struct patching *p, enum err e, const char *reason)
{
    p->reason = reason;
    return e;
}

static enum err not_there(struct patching *p)
{
    /* a token that could not be decoded finds nothing either */
    if (p->scratch.failed)
        return fail(p, ERR_NOMEM, "no memory");
    return fail(p, ERR_CONFLICT, "there is no such location in the profile");
}

/* What a copy of the value costs. */
static size_t weight(const json_t *value)
{
    size_t sum = NODE_WEIGHT + json_string_length(value), len;
    const char *key;
    json_t *each, *members = profile_json_iterable(value);
    json_object_keylen_foreach(members, key, len, each)
    {
        sum += len + weight(each);
    }
    for (size_t i = 0; i < json_array_size(value); i++)
        sum += weight(json_array_get(value, i));
    return sum;
}

static size_t deeper(size_t a, size_t b)
{
    return a > b ? a : b;
}

/* A scalar has depth 0, an empty array 1. */
static size_t depth(const json_t *value)
{
    size_t deepest = 0;
    const char *key;
    json_t *each, *members = profile_json_iterable(value);
    json_object_foreach(members, key, each)
    {
        deepest = deeper(deepest, depth(each));
    }
    for (size_t i = 0; i < json_array_size(value); i++)
        deepest = deeper(deepest, depth(json_array_get(value, i)));
    return json_is_object(value) || json_is_array(value) ? deepest + 1 : 0;
}

/* Recursion over the outcome, here and by whoever gets it, is bounded by this check alone. */
static bool too_deep(struct span path, const json_t *value)
{
    size_t tokens = 0;
    for (size_t i = 0; i < path.len; i++)
        tokens += path.ptr[i] == '/';
    return tokens + depth(value) > JSON_MAX_DEPTH;
}

/* Borrowed; NULL when there is none. */
static json_t *find(struct patching *p, struct span path)
{
    json_t *at = p->doc;
    while (at != NULL && path.len > 0) {
        struct span token = profile_pointer_next(&path, &p->scratch);
        at = token.ptr == NULL ? NULL : profile_pointer_step(at, token);
    }
    return at;
}

/* The container that a path other than "" leads into, and the path's last token; NULL when there is none. */
static json_t *find_container(struct patching *p, struct span path, struct span *last)
{
    json_t *at = p->doc;
    *last = profile_pointer_next(&path, &p->scratch);
    while (at != NULL && last->ptr != NULL && path.len > 0) {
        at = profile_pointer_step(at, *last);
        *last = profile_pointer_next(&path, &p->scratch);
    }
    return last->ptr == NULL ? NULL : at;
}

static enum err set_root(struct patching *p, json_t *value)
{
    json_decref(p->doc);
    p->doc = value;
    return OK;
}

/* Section 4.1. Takes the value over, also when it fails; NULL: memory ran out. */
static enum err add(struct patching *p, struct span path, json_t *value)
{
    struct span token;
    size_t index;
    int failed;
    if (value == NULL)
        return fail(p, ERR_NOMEM, "no memory");
    if (too_deep(path, value)) {
        json_decref(value);
        return fail(p, ERR_INVALID, "the outcome is nested too deep");
    }
    if (path.len == 0)
        return set_root(p, value);
    json_t *container = find_container(p, path, &token);
    if (json_is_object(container)) {
        failed = json_object_setn_new_nocheck(container, token.ptr, token.len, value);
    } else if (json_is_array(container) && span_eq(token, SPAN("-"))) {
        failed = json_array_append_new(container, value);
    } else if (json_is_array(container) && profile_pointer_index(token, json_array_size(container), &index)) {
        failed = json_array_insert_new(container, index, value);
    } else {
        json_decref(value);
        return not_there(p);
    }
    return failed ? fail(p, ERR_NOMEM, "no memory") : OK;
}

/* Section 4.3: as add, but something must be there, and in an array nothing moves. */
static enum err replace(struct patching *p, struct span path, const json_t *value)
{
    struct span token;
    size_t index;
    if (find(p, path) == NULL)
        return not_there(p);
    if (path.len > 0) {
        json_t *container = find_container(p, path, &token);
        if (json_is_array(container) &&
            profile_pointer_index(token, json_array_size(container) - 1, &index)) {
            if (too_deep(path, value))
                return fail(p, ERR_INVALID, "the outcome is nested too deep");
            return json_array_set_new(container, index, json_deep_copy(value)) == 0
                       ? OK
                       : fail(p, ERR_NOMEM, "no memory");
        }
    }
    return add(p, path, json_deep_copy(value));
}

/* Section 4.2. The whole document cannot be removed: nothing would be left to be a profile. */
static enum err take_out(struct patching *p, struct span path)
{
    struct span token;
    size_t index;
    if (path.len == 0)
        return fail(p, ERR_CONFLICT, "the whole document cannot be removed");
    json_t *container = find_container(p, path, &token);
    if (json_is_object(container) && json_object_deln(container, token.ptr, token.len) == 0)
        return OK;
    if (json_array_size(container) > 0 &&
        profile_pointer_index(token, json_array_size(container) - 1, &index) &&
        json_array_remove(container, index) == 0)
        return OK;
    return not_there(p);
}

/* Section 4.4. */
static enum err move(struct patching *p, struct span from, struct span path)
{
    enum err e;
    json_t *value = find(p, from);
    if (value == NULL)
        return not_there(p);
    if (span_eq(from, path))
        return OK;
    json_incref(value);
    if ((e = take_out(p, from)) != OK) {
        json_decref(value);
        return e;
    }
    return add(p, path, value);
}

/* Section 4.5. */
static enum err copy(struct patching *p, struct span from, struct span path)
{
    const json_t *value = find(p, from);
    if (value == NULL)
        return not_there(p);
    p->copied += weight(value);
    if (p->copied > PROFILE_PATCH_MAX_COPIED)
        return fail(p, ERR_TOO_LARGE, "the patch copies too much");
    return add(p, path, json_deep_copy(value));
}

/* Section 4.6. */
static enum err test(struct patching *p, struct span path, const json_t *value)
{
    const json_t *there = find(p, path);
    if (there == NULL)
        return not_there(p);
    return profile_json_equal(there, value) ? OK : fail(p, ERR_CONFLICT, "the value there is another");
}

static enum err apply(struct patching *p, const struct profile_operation *o)
{
    switch (o->kind) {
    case PROFILE_OPERATION_TEST:
        return test(p, o->path, o->value);
    case PROFILE_OPERATION_REMOVE:
        return take_out(p, o->path);
    case PROFILE_OPERATION_ADD:
        return add(p, o->path, json_deep_copy(o->value));
    case PROFILE_OPERATION_REPLACE:
        return replace(p, o->path, o->value);
    case PROFILE_OPERATION_MOVE:
        return move(p, o->from, o->path);
    case PROFILE_OPERATION_COPY:
        return copy(p, o->from, o->path);
    case PROFILE_OPERATION_COUNT:
        break;
    }
    return fail(p, ERR_INVALID, "unknown");
}

/* The whole patch is read before anything is applied, so that what is malformed is said to be so. */
static enum err check_all(const json_t *patch, struct err_detail *detail)
{
    struct profile_operation o;
    const char *reason;
    if (!json_is_array(patch))
        return err_set(detail, ERR_INVALID, "a JSON Patch must be an array of operations");
    if (json_array_size(patch) > PROFILE_PATCH_MAX_OPERATIONS)
        return err_set(detail, ERR_TOO_LARGE, "a patch may have at most %d operations",
                       PROFILE_PATCH_MAX_OPERATIONS);
    for (size_t i = 0; i < json_array_size(patch); i++)
        if (profile_operation_read(json_array_get(patch, i), &o, &reason) != OK)
            return err_set(detail, ERR_INVALID, "operation %zu: %s", i, reason);
    return OK;
}

enum err profile_json_patch(const json_t *target, const json_t *patch, json_t **out,
                            struct err_detail *detail)
{
    struct patching p = {0};
    struct profile_operation o;
    enum err e;
    *out = NULL;
    if ((e = check_all(patch, detail)) != OK)
        return e;
    if ((p.doc = json_deep_copy(target)) == NULL)
        return err_set(detail, ERR_NOMEM, "no memory");
    for (size_t i = 0; i < json_array_size(patch); i++) {
        if ((e = profile_operation_read(json_array_get(patch, i), &o, &p.reason)) == OK)
            e = apply(&p, &o);
        if (e != OK) {
            err_set(detail, e, "operation %zu (%s): %s", i, profile_operation_name(o.kind), p.reason);
            goto out;
        }
    }
    *out = p.doc;
    p.doc = NULL;
out:
    json_decref(p.doc);
    buf_fini(&p.scratch);
    return e;
}
