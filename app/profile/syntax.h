/*
 * The grammars of the fields that have one. Pure predicates over text that has been through
 * profile_text_clean; none of them allocates, and none looks anything up: a zone or a language tag is judged
 * by its form alone.
 */
#pragma once
#include "base/span.h"

/*
 * An absolute https URL: a URI of RFC 3986 with scheme https (any case), a host and no userinfo (RFC 9110
 * section 4.2.4: it lends itself to deceit). The host is a DNS name, an IPv4 address or an IP literal in
 * brackets; a name whose last label is a number counts as an address and must be one. ASCII only: an IRI is
 * to be sent as its URI.
 */
bool profile_syntax_url(struct span s);

/* A well-formed language tag, RFC 5646 section 2.1, with neither variants nor singletons repeated. */
bool profile_syntax_locale(struct span s);

/* A known area (or one of the old names without any) and the form of a name in the IANA time zone database,
 * as "America/Argentina/Buenos_Aires" or "Etc/GMT+5". */
bool profile_syntax_zone(struct span s);

/*
 * A mailbox, RFC 5321 section 4.1.2: a dot-atom or a quoted string, '@', a domain or an address literal; with
 * UTF-8 on both sides as RFC 6531 section 3.3 allows. At most 64 bytes before the '@', 254 in all.
 */
bool profile_syntax_email(struct span s);

/* E.164: '+', then 2 to 15 digits of which the first is not 0; no spaces or hyphens. */
bool profile_syntax_phone(struct span s);

/* OpenID Connect Core section 5.1: YYYY-MM-DD, YYYY, or 0000-MM-DD where the year is kept back; days that
 * exist. */
bool profile_syntax_date(struct span s);

/* Shared by URL and mailbox. A DNS name: labels of 1 to 63 letters, digits, '_' and inner '-', 253 bytes in
 * all; with utf8, bytes of non-ASCII characters count as letters. A last label of digits alone is refused. */
bool profile_syntax_domain(struct span s, bool utf8);
/* Four decimal numbers up to 255 without leading zeros. */
bool profile_syntax_ipv4(struct span s);
/* RFC 4291 section 2.2, without a zone. */
bool profile_syntax_ipv6(struct span s);
