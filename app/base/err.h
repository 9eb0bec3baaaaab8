/*
 * Outcomes. Every function that can fail for a reason its caller must act on returns an enum err: 0 is OK,
 * the rest are few and say what kind of thing happened. What exactly happened goes, in words, into an
 * err_detail that the caller owns; the innermost cause is kept and never overwritten. Nothing here allocates
 * or logs.
 */
#pragma once
#include <stdbool.h>

#define MUST_USE __attribute__((warn_unused_result))

enum err {
    OK = 0,
    ERR_NOT_FOUND, /* there is no such thing */
    ERR_CONFLICT,  /* it is there already, or has changed meanwhile */
    ERR_INVALID,   /* malformed, or refused by a rule */
    ERR_EXPIRED,   /* was right once, or will be: outside its time */
    ERR_DENIED,    /* well formed, and not allowed */
    ERR_TOO_LARGE, /* over a limit */
    ERR_BUSY,      /* somebody else holds it; try again later */
    ERR_FULL,      /* no room left on the disk */
    ERR_IO,        /* the storage or the network failed */
    ERR_NOMEM,     /* no memory */
    ERR_COUNT
};

/* Why, in one line for a person. Empty when text[0] is 0. */
struct err_detail {
    char text[256];
};

/* Writes the reason, unless detail is NULL or already holds one, and returns e. Longer text is cut. */
enum err err_set(struct err_detail *detail, enum err e, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The outcome's name in lower case, "ok" for OK; static. */
const char *err_name(enum err e);
