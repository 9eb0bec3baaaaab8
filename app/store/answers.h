/*
 * Answers that are given again to a repeat of their request (Idempotency-Key), and the tidying away of what has a
 * time to end. An answer is kept in the very transaction of the change that it tells of: both are there after a
 * crash, or neither is.
 */
#pragma once
#include "store/store.h"

#define STORE_ANSWER_LIFE_MS (INT64_C(24) * 3600 * 1000)

/* Who asked, at which address, by which key. */
struct store_answer_key {
    struct span subject, target, key;
};
struct store_answer {
    struct span request; /* a hash of the request's body */
    int status;
    struct span head, body; /* header lines, and what follows them */
};

/* The answer to that key, not older than STORE_ANSWER_LIFE_MS; its spans live in the arena. ERR_NOT_FOUND. Inside
 * store_batch_begin…end nobody else can put one meanwhile. */
MUST_USE enum err store_answer_get(struct store *store, const struct store_answer_key *key, int64_t now_ms,
                                   struct arena *arena, struct store_answer *out, struct err_detail *detail);
/* Keeps an answer in place of an older one; about: the profile that it is about, with which it is deleted. Only
 * inside store_batch_begin…end. */
MUST_USE enum err store_answer_put(struct store *store, const struct store_answer_key *key,
                                   const struct store_answer *answer, struct span about, int64_t now_ms,
                                   struct err_detail *detail);
/*
 * Deletes answers that are too old and revoked tokens that have long expired, some hundreds at most, and looks
 * first whether there are any. *more: there may be more of them. OK too when somebody else writes just now: later,
 * then.
 */
MUST_USE enum err store_prune(struct store *store, int64_t now_ms, bool *more, struct err_detail *detail);
