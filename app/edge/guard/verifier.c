#include "guard/verifier.h"

#include "base/file.h"
#include "crypto/init.h"
#include "guard/keys.h"
#include "guard/list.h"
#include "guard/memo.h"
#include "guard/revoked.h"
#include "guard/watch.h"
#include "http/bearer.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

enum { LOOK_US = 1000000 };
#define NEVER INT64_MIN

/* Of the verifiers of this process: how many there were, and which of them heard the pool last. */
static _Atomic uint64_t numbered, last_hearer;

struct guard_verifier {
    uint64_t number; /* from 1; none is given twice */
    struct guard_keys *keys;
    struct guard_memo *memo;
    struct guard_revoked *revoked;
    struct token_policy policy;
    int64_t max_lag_us;
    char *revocations;
    struct guard_watch watch;
    _Atomic int64_t next_look_us;
    atomic_flag looking;      /* one at a time */
    _Atomic int64_t heard_us; /* NEVER */
    /* Under lock: how far what is known reaches. */
    pthread_mutex_t lock;
    int64_t list_position;  /* of the newest list; -1: none */
    int64_t first_position; /* where the pool's own words begin; -1: none were heard */
    int64_t last_position;
    _Atomic bool reaches; /* list_position >= first_position, both there */
};

/* As the server has it (store_revocations_read): a token lives so long, and two clocks differ by leeway each
 * way. */
static int64_t reach_s(const struct token_policy *policy)
{
    return policy->max_ttl_s == 0 ? -1 : policy->max_ttl_s + 2 * policy->leeway_s;
}

enum err guard_verifier_new(const struct guard_verifier_options *options, struct guard_verifier **out,
                            struct err_detail *detail)
{
    struct guard_verifier *v = calloc(1, sizeof *v);
    enum err e = v == NULL ? ERR_NOMEM : crypto_init();
    *out = NULL;
    if (v != NULL) {
        (void)pthread_mutex_init(&v->lock, NULL); /* cannot fail with default attributes */
        v->number = atomic_fetch_add(&numbered, 1) + 1;
        v->policy = options->policy;
        v->max_lag_us = options->max_lag_us;
        v->list_position = v->first_position = v->last_position = -1;
        atomic_init(&v->heard_us, NEVER);
        atomic_flag_clear(&v->looking);
    }
    if (e == OK && options->revocations != NULL && options->revocations[0] != '\0' &&
        (v->revocations = strdup(options->revocations)) == NULL)
        e = ERR_NOMEM;
    if (e == OK && (e = guard_keys_new(&v->keys)) == OK &&
        (e = guard_memo_new(options->tokens, &v->memo)) == OK &&
        (e = guard_revoked_new(GUARD_REVOKED_MAX, reach_s(&v->policy), &v->revoked)) == OK &&
        (e = guard_keys_add(v->keys, &options->own, options->jwks, detail)) == OK) {
        *out = v;
        return OK;
    }
    guard_verifier_free(&v);
    return err_set(detail, e, "%s", err_name(e));
}

void guard_verifier_free(struct guard_verifier **v)
{
    if (*v == NULL)
        return;
    guard_keys_free(&(*v)->keys);
    guard_memo_free(&(*v)->memo);
    guard_revoked_free(&(*v)->revoked);
    (void)pthread_mutex_destroy(&(*v)->lock);
    free((*v)->revocations);
    free(*v);
    *v = NULL;
}

enum err guard_verifier_add_issuer(struct guard_verifier *v, const struct token_issuer_options *options,
                                   const char *jwks, struct err_detail *detail)
{
    return guard_keys_add(v->keys, options, jwks, detail);
}

/* Under lock. */
static void judge_reach(struct guard_verifier *v)
{
    atomic_store(&v->reaches,
                 v->first_position >= 0 && v->list_position >= 0 && v->list_position >= v->first_position);
}

/* Reads the list if there is a new one. */
static enum err look_at_list(struct guard_verifier *v, int64_t now_s, struct err_detail *detail)
{
    struct buf text = {0};
    int64_t position = -1;
    if (v->revocations == NULL || !guard_watch_changed(&v->watch, v->revocations))
        return OK;
    enum err e = file_read(v->revocations, GUARD_LIST_MAX_LEN, &text, detail);
    if (e == OK)
        e = guard_list_read(v->keys, buf_span(&text), &v->policy, now_s, v->revoked, &position, detail);
    buf_fini(&text);
    if (e != OK)
        return e;
    (void)pthread_mutex_lock(&v->lock);
    if (position > v->list_position)
        v->list_position = position;
    judge_reach(v);
    (void)pthread_mutex_unlock(&v->lock);
    return OK;
}

static void look(struct guard_verifier *v, int64_t now_us, int64_t now_s, struct guard_report *report)
{
    int64_t next = atomic_load_explicit(&v->next_look_us, memory_order_relaxed);
    /* the error is in the report; the old keys, or none, stay in force */
    enum err e = guard_keys_refresh(v->keys, now_us, &report->keys);
    if (now_us >= next && !atomic_flag_test_and_set(&v->looking)) {
        atomic_store(&v->next_look_us, now_us + LOOK_US);
        e = look_at_list(v, now_s, &report->revocations);
        atomic_flag_clear(&v->looking);
    }
    (void)e;
}

bool guard_verifier_current(struct guard_verifier *v, int64_t now_us, int64_t now_s,
                            struct guard_report *report)
{
    look(v, now_us, now_s, report);
    return atomic_load(&v->reaches) && atomic_load(&last_hearer) == v->number &&
           guard_verifier_lag_us(v, now_us) <= v->max_lag_us;
}

bool guard_verifier_hear(struct guard_verifier *v, struct span revoked, struct span position, bool all,
                         int64_t now_us, int64_t now_s)
{
    uint64_t place = 0;
    /* before anything else: from here on the other one is not current */
    bool missed = atomic_exchange(&last_hearer, v->number) != v->number;
    bool kept = guard_revoked_put_header(v->revoked, revoked, now_s) == OK;
    /* 0: the pool itself does not know yet; that is no word on anything */
    bool told = span_to_u64(position, INT64_MAX, &place) && place > 0;
    int64_t at = (int64_t)place;
    (void)pthread_mutex_lock(&v->lock);
    if (missed)
        v->first_position = -1;
    if (!kept) {
        /* what is known is not whole any more, until a list comes that is newer than this */
        v->list_position = -1;
        v->first_position = told ? at : missed ? -1 : v->last_position;
    } else if (told && (all || v->first_position < 0 || at < v->last_position)) {
        /* the first word, or what lies before it may not have been sent, or another history than before (a
         * restored database) */
        v->first_position = at;
    }
    if (told)
        v->last_position = at;
    judge_reach(v);
    (void)pthread_mutex_unlock(&v->lock);
    if (told && kept)
        atomic_store(&v->heard_us, now_us);
    return kept;
}

int64_t guard_verifier_lag_us(const struct guard_verifier *v, int64_t now_us)
{
    int64_t heard_us = atomic_load(&v->heard_us);
    if (heard_us == NEVER)
        return INT64_MAX;
    return now_us > heard_us ? now_us - heard_us : 0;
}

/* The long way. ERR_INVALID, ERR_EXPIRED with why. */
static enum err verify(struct guard_verifier *v, struct span token, int64_t now_s, struct guard_verdict *out,
                       struct err_detail *detail)
{
    struct arena arena = {0};
    struct token_identity who;
    uint64_t epoch = 0;
    enum err e = http_bearer_is_b64token(token) ? OK : ERR_INVALID;
    if (e != OK)
        return err_set(detail, e, "the token is malformed");
    e = guard_keys_verify(v->keys, &v->policy, token, now_s, &arena, &who, &epoch, detail);
    if (e == OK && who.subject.len > sizeof out->subject)
        e = err_set(detail, ERR_INVALID, "the subject is too long");
    if (e == OK) {
        *out = (struct guard_verdict){
            .keys_epoch = epoch,
            .expires_s = who.expires_s,
            .not_before_s = who.not_before_s,
            .issued_s = who.issued_s,
            .scopes = who.scopes,
            .subject_len = (unsigned)who.subject.len,
        };
        memcpy(out->subject, who.subject.ptr, who.subject.len);
        token_name(&who, token, out->name);
    }
    arena_fini(&arena);
    return e;
}

/* From the memo, or verified and remembered. Its times hold now. */
static enum err find(struct guard_verifier *v, struct span token, int64_t now_s, struct guard_verdict *out,
                     struct err_detail *detail)
{
    unsigned char hash[GUARD_MEMO_HASH_LEN];
    struct err_detail ignored = {0};
    if (token.len > TOKEN_MAX_LEN)
        return err_set(detail, ERR_INVALID, "the token is too long");
    guard_memo_hash(v->memo, token, hash);
    if (guard_memo_find(v->memo, hash, out) == OK && out->keys_epoch == guard_keys_epoch(v->keys)) {
        const struct token_identity who = {
            .expires_s = out->expires_s, .not_before_s = out->not_before_s, .issued_s = out->issued_s};
        if (token_identity_judge_times(&who, &v->policy, now_s, &ignored) == OK)
            return OK;
    }
    enum err e = verify(v, token, now_s, out, detail);
    if (e == OK)
        guard_memo_put(v->memo, hash, out);
    return e;
}

bool guard_verifier_authorised(struct guard_verifier *v, struct span authorization, unsigned scopes,
                               int64_t now_s, struct span *subject, char *room, struct err_detail *detail)
{
    struct span token;
    struct guard_verdict verdict;
    *subject = (struct span){NULL, 0};
    if (http_bearer_token(authorization, &token) != OK) {
        err_set(detail, ERR_INVALID, "no token");
        return false;
    }
    if (find(v, token, now_s, &verdict, detail) != OK)
        return false;
    struct span who = span_of(verdict.subject, verdict.subject_len);
    if (verdict.issued_s == TOKEN_NO_TIME && v->policy.max_ttl_s > 0) {
        err_set(detail, ERR_DENIED, "the token does not say when it was issued");
        return false;
    }
    if (guard_revoked_has(v->revoked, who, verdict.issued_s) ||
        guard_revoked_has_token(v->revoked, verdict.name)) {
        err_set(detail, ERR_DENIED, "the token has been revoked");
        return false;
    }
    if ((verdict.scopes & scopes) != scopes) {
        err_set(detail, ERR_DENIED, "the token does not hold the scope");
        return false;
    }
    memcpy(room, who.ptr, who.len);
    *subject = span_of(room, who.len);
    return true;
}

size_t guard_verifier_remembered(struct guard_verifier *v)
{
    return guard_memo_count(v->memo);
}

size_t guard_verifier_room(const struct guard_verifier *v)
{
    return guard_memo_size(v->memo);
}
