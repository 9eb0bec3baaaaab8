/*
 * The conditions of a read, and what they make of its answer: one place for all who answer GET and HEAD with
 * validators.
 */
#pragma once
#include "http/exchange.h"
#include "http/precondition.h"

enum handlers_condition {
    HANDLERS_WHOLE,        /* the status is 200: lines and body are to be added */
    HANDLERS_NOT_MODIFIED, /* the status is 304: the lines that RFC 9110 section 15.4.5 asks for, no body */
    HANDLERS_REFUSED,      /* answered with 412 */
};

/* Judges the request's preconditions by what there is now, and sets the status. Nothing else is written. */
enum handlers_condition handlers_condition(struct http_exchange *x, const struct http_current *current);
