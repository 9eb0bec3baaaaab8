/*
 * Whether a request may have what is in Varnish's cache: the whole of what vmod_profiled knows, without any
 * of Varnish. Keys (keys.h), remembered verdicts (memo.h), revocations: pushed by the pool (revoked.h) and
 * pulled, as a signed list (list.h).
 *
 * It only ever says yes when it is sure, and then the origin need not be asked. Whatever it is not sure of
 * goes to the origin, whose answer is right in any case: a refused token is answered by the origin, in the
 * origin's words. Sure also means current:
 *
 *   - the pool was heard within max_lag (it sends a word every few seconds, with its position in the change
 *     log, up to which all purges and revocations were sent here), and
 *   - a list was read that reaches as far as the first position heard: what is later was pushed; and
 *   - no other verifier of this process has heard the pool since. Each VCL has its own, and the pool's words
 * go to that of the VCL in use: one that is taken up again missed some, and begins anew.
 *
 * A token that does not say when it was issued is the origin's to judge where tokens have a longest life:
 * what was revoked longer ago than that is kept neither here nor in the list, and would count for it.
 *
 * Called by any of Varnish's threads once it is configured. Files are looked at once a second at most, on
 * whichever thread comes along.
 */
#pragma once
#include "base/err.h"
#include "token/verify.h"

struct guard_verifier; /* opaque */

struct guard_verifier_options {
    struct token_issuer_options own; /* as the server's section [token]; an audience is required here */
    const char *jwks;                /* file with its keys */
    const char *revocations; /* file with the signed list; NULL or "": none, it is then never current */
    struct token_policy policy;
    int64_t max_lag_us;
    size_t tokens; /* how many are remembered */
};

/* Why the files could not be taken, for a log; said once for each change of them. */
struct guard_report {
    struct err_detail keys;
    struct err_detail revocations;
};

/* ERR_INVALID, ERR_NOT_FOUND, ERR_DENIED, ERR_IO, ERR_NOMEM with why; *out is then NULL. A list that is not
 * there, or not good, is no error: it may yet come. Everything is copied. */
MUST_USE enum err guard_verifier_new(const struct guard_verifier_options *options,
                                     struct guard_verifier **out, struct err_detail *detail);
void guard_verifier_free(struct guard_verifier **v);
/* A foreign issuer; as guard_keys_add. Only while configuring. */
MUST_USE enum err guard_verifier_add_issuer(struct guard_verifier *v,
                                            const struct token_issuer_options *options, const char *jwks,
                                            struct err_detail *detail);

/* Whether it may be trusted now. Looks at the files. */
bool guard_verifier_current(struct guard_verifier *v, int64_t now_us, int64_t now_s,
                            struct guard_report *report);
/* Whether the value of Authorization holds a token that counts now and holds the scopes; *subject (room for
 * IDENT_MAX_LEN bytes) then names whom it speaks for. detail says why not. Does not ask whether it is
 * current. */
bool guard_verifier_authorised(struct guard_verifier *v, struct span authorization, unsigned scopes,
                               int64_t now_s, struct span *subject, char *room, struct err_detail *detail);
/* The pool was heard, with these revocations (a header's value, absent if none) and this position (absent or
 * 0: it does not know one, which is no word). all: it dropped everything, and what was before may not have
 * been sent. false: they could not be kept, and it is not current until a new list was read. */
bool guard_verifier_hear(struct guard_verifier *v, struct span revoked, struct span position, bool all,
                         int64_t now_us, int64_t now_s);
/* How long ago the pool was heard; INT64_MAX: never. */
int64_t guard_verifier_lag_us(const struct guard_verifier *v, int64_t now_us);
/* How many tokens are remembered, and how many at most. */
size_t guard_verifier_remembered(struct guard_verifier *v);
size_t guard_verifier_room(const struct guard_verifier *v);
