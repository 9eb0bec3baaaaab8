/*
 * Dates of HTTP (RFC 9110 section 5.6.7) as Unix seconds. Own arithmetic over the proleptic Gregorian
 * calendar: no locale, no time zone, no lock of the C library's. Pure, nothing is allocated.
 */
#pragma once
#include "base/buf.h"
#include "base/err.h"

enum { HTTP_DATE_LEN = 29 };

/* Appends "Sun, 06 Nov 1994 08:49:37 GMT" (IMF-fixdate). A time before 1970 or after 9999 is written as the
 * nearest one within. */
void http_date_write(struct buf *out, int64_t unix_s);

/*
 * Reads a date in any of the three forms: IMF-fixdate, RFC 850's with two digits for the year, asctime's.
 * Strict: one space where one stands in the grammar, upper and lower case as there, days that the month has,
 * hours up to 23; second 60 only at 23:59. The name of the day must be one, but is not compared with the
 * date: it carries nothing. now_s settles the century of a two-digit year: the latest that is not more than
 * 50 years after now. ERR_INVALID: anything else; *out_s is then as before.
 */
MUST_USE enum err http_date_parse(struct span text, int64_t now_s, int64_t *out_s);
