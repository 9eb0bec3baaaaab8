/*
 * Entity tags (RFC 9110 section 8.8.3), pure: making ours, finding them in If-Match and If-None-Match.
 *
 * What a tag depends on, and nothing else: the database's epoch (drawn anew when it is made or restored), the
 * format number below, the view, and the change-log sequence of the last change that is visible in that view.
 * No body is hashed; workers, restarts, tokens and keys do not come in.
 *
 * A front server that compresses an answer makes another representation of it and says so in the tag: "x"
 * becomes "x-gzip" (Apache, lighttpd; likewise -br, -zstd, -deflate), "x"-gzip in old Apaches. It comes back
 * in a condition as the client got it. Such a tag stands for our "x": the state behind it is the same. nginx
 * makes W/"x" of it: that is a weak tag; If-None-Match takes it, and If-Match, by section 13.1.1, never does.
 */
#pragma once
#include "base/buf.h"
#include "base/span.h"

/* To be raised when the same profile gets other bytes than before: a member added, an order changed. */
enum { HTTP_ETAG_FORMAT = 1 };

/* Letters of the views: no hex digits, so that the parts cannot run into each other. */
#define HTTP_ETAG_PUBLIC 'p'
#define HTTP_ETAG_OWNER  'o'

/* Appends a strong tag such as "9f3a2c1b7d-1p4f2", quotes included. epoch: letters and digits. sequence: not
 * negative. */
void http_etag_write(struct buf *out, struct span epoch, char view, int64_t sequence);

/*
 * Appends the tag of a part of what `tag` stands for: the same with the part's number behind a dot,
 * "9f3a2c1b7d-1p4f2.c8001". A part that is made of the same state in the same way is the same bytes, so it is
 * a strong tag if that is one; it changes whenever the whole does, and costs no look at the part. It is never
 * that of the whole, nor of a part with another number. tag: as http_etag_write made it.
 */
void http_etag_write_part(struct buf *out, struct span tag, uint32_t part);

/* Whether it is one entity tag, strong or weak, as a header or a front server's compression writes it, and
 * nothing else. */
bool http_etag_valid(struct span value);

/* Section 8.8.3.2: strong, both must be strong; weak, either may be. */
enum http_etag_comparison { HTTP_ETAG_STRONG, HTTP_ETAG_WEAK };

/*
 * Whether the value of If-Match or If-None-Match, other than "*", names one of these tags (each as the ETag
 * header has it). The list is read to its end: one that is malformed anywhere matches nothing. Empty elements
 * are passed over (section 5.6.1.2). list may be absent.
 */
bool http_etag_list_matches(struct span list, const struct span *tags, size_t tag_count,
                            enum http_etag_comparison how);
/* Whether the value is "*": any current representation. */
bool http_etag_is_any(struct span value);
