#include "handlers/revocations.h"

#include "crypto/hash.h"
#include "crypto/hex.h"
#include "handlers/condition.h"
#include "handlers/parameters.h"
#include "handlers/resource.h"
#include "store/watch.h"
#include "token/mint.h"
#include "json/write.h"

enum {
    SAME_S = 60,      /* signed lists of one minute are the same */
    GOOD_S = 10 * 60, /* how long a signed list may be taken for what it says */
};
#define TYP "revocations+jwt"

/* "q=0", "q=0.0" and so on: not acceptable (RFC 9110 section 12.4.2). */
static bool is_refused(struct span parameters)
{
    while (parameters.len > 0) {
        struct span p = span_trim(span_cut(&parameters, ';'));
        if (p.len < 3 || (p.ptr[0] != 'q' && p.ptr[0] != 'Q') || p.ptr[1] != '=')
            continue;
        for (size_t i = 2; i < p.len; i++)
            if (p.ptr[i] != '0' && p.ptr[i] != '.')
                return false;
        return true;
    }
    return false;
}

/* Whoever names the signed form gets it. */
static bool wants_signed(const struct http_request *request)
{
    struct span rest = http_request_header(request, HTTP_HEADER_ACCEPT);
    while (rest.len > 0) {
        struct span parameters = span_cut(&rest, ',');
        struct span type = span_trim(span_cut(&parameters, ';'));
        if (span_eq_nocase(type, SPAN("application/jwt")) && !is_refused(parameters))
            return true;
    }
    return false;
}

struct list {
    struct buf text;
    bool begun;
};

static bool add(void *data, struct span subject, int64_t until_s)
{
    struct list *list = data;
    buf_append(&list->text, list->begun ? SPAN(",{\"subject\":") : SPAN("{\"subject\":"));
    json_write_string(&list->text, subject);
    buf_printf(&list->text, ",\"until\":%lld}", (long long)until_s);
    list->begun = true;
    return !list->text.failed;
}

/* The members that both forms have, without the braces around them. */
static enum err write_members(const struct handlers_revocations *r, struct http_exchange *x, int64_t now_s,
                              struct buf *out)
{
    struct store_snapshot snapshot;
    struct list list = {0};
    struct store *store;
    enum err e = handlers_store(r->context, &store, &x->reason);
    if (e == OK)
        e = store_revocations_read(store, (struct span){NULL, 0},
                                   r->reach_s < 0 ? INT64_MIN : now_s - r->reach_s, add, &list, &snapshot,
                                   &x->reason);
    if (e == OK) {
        buf_printf(out, "\"position\":%lld,\"epoch\":\"%s\",\"max_lag\":%lld,\"revoked\":[",
                   (long long)snapshot.seq, snapshot.epoch, (long long)r->max_lag_s);
        buf_append(out, buf_span(&list.text));
        buf_char(out, ']');
        e = list.text.failed ? ERR_NOMEM : buf_status(out);
    }
    buf_fini(&list.text);
    return e;
}

static bool is_known(void *data, struct span kid)
{
    return token_issuer_key(data, kid) != NULL;
}

static enum err write_signed(const struct handlers_revocations *r, struct http_exchange *x, int64_t now_s,
                             struct span members, struct buf *out)
{
    const struct token_issuer *own = token_keyring_issuer(r->keyring, r->issuer);
    struct token_signer signer;
    struct buf claims = {0};
    enum err e = own == NULL ? err_set(&x->reason, ERR_NOT_FOUND, "no key of %s", r->key_folder)
                             : token_signer_load_known(r->key_folder, is_known, (void *)(uintptr_t)own,
                                                       &signer, &x->reason);
    if (e != OK)
        return e;
    buf_lit(&claims, "{\"iss\":");
    json_write_string(&claims, r->issuer);
    buf_printf(&claims, ",\"iat\":%lld,\"exp\":%lld,", (long long)now_s, (long long)now_s + GOOD_S);
    buf_append(&claims, members);
    buf_char(&claims, '}');
    token_jws_write(out, &signer, TYP, buf_span(&claims));
    token_signer_wipe(&signer);
    e = claims.failed ? ERR_NOMEM : buf_status(out);
    buf_fini(&claims);
    return e;
}

static enum err make_body(const struct handlers_revocations *r, struct http_exchange *x, bool is_signed,
                          struct buf *out)
{
    int64_t now_s = x->now_ms / 1000;
    struct buf members = {0};
    now_s -= now_s % SAME_S;
    enum err e = write_members(r, x, now_s, &members);
    if (e != OK) {
        /* what the store calls so is no answer of ours */
        e = handlers_fault(x, e == ERR_FULL || e == ERR_BUSY || e == ERR_NOMEM ? e : ERR_IO);
    } else if (is_signed) {
        e = write_signed(r, x, now_s, buf_span(&members), out);
        if (e == ERR_NOMEM)
            handlers_fault(x, e);
        else if (e != OK)
            e = handlers_problem(x, HTTP_PROBLEM_NO_SIGNING_KEY, ERR_IO, NULL);
    } else {
        buf_char(out, '{');
        buf_append(out, buf_span(&members));
        buf_char(out, '}');
        if ((e = buf_status(out)) != OK)
            handlers_fault(x, e);
    }
    buf_fini(&members);
    return e;
}

static void write_lines(struct http_exchange *x, struct span etag)
{
    http_response_header(x->response, "Cache-Control", SPAN("private, no-cache"));
    http_response_header(x->response, "Vary", SPAN("Accept"));
    http_response_header(x->response, "ETag", etag);
}

static enum err answer(struct http_exchange *x, struct span body, bool is_signed, struct span etag)
{
    const struct http_current current = {
        .exists = true, .tags = &etag, .tag_count = 1, .modified_s = HTTP_NO_DATE};
    enum handlers_condition condition = handlers_condition(x, &current);
    if (condition == HANDLERS_REFUSED)
        return ERR_CONFLICT;
    if (condition == HANDLERS_WHOLE) {
        http_response_header(x->response, "Content-Type",
                             is_signed ? SPAN("application/jwt") : SPAN("application/json"));
        buf_append(&x->response->body, body);
    }
    write_lines(x, etag);
    return OK;
}

enum err handlers_revocations(void *data, struct http_exchange *x)
{
    const struct handlers_revocations *r = data;
    unsigned char hash[CRYPTO_BLAKE2B_MIN_LEN];
    struct buf body = {0}, etag = {0};
    bool is_signed = wants_signed(x->request);
    enum err e = handlers_no_parameters(x);
    if (e != OK || (e = make_body(r, x, is_signed, &body)) != OK)
        goto out;
    crypto_blake2b(buf_span(&body), (struct span){NULL, 0}, hash, sizeof hash);
    buf_char(&etag, '"');
    crypto_hex_write(&etag, span_of((const char *)hash, sizeof hash));
    buf_char(&etag, '"');
    e = etag.failed ? handlers_fault(x, ERR_NOMEM) : answer(x, buf_span(&body), is_signed, buf_span(&etag));
out:
    buf_fini(&body);
    buf_fini(&etag);
    return e;
}
