/*
 * The small grammar that header fields share (RFC 9110 section 5.6): tokens, quoted strings, optional white
 * space. Each function takes something off the front of *rest. Pure, nothing is allocated or copied.
 */
#pragma once
#include "base/span.h"

/* tchar of section 5.6.2 */
bool http_is_token_char(char c);
/* The longest token at the front; empty when there is none. */
struct span http_take_token(struct span *rest);
/*
 * A quoted string at the front (section 5.6.4): true, and *inside is what stands between the quotes,
 * backslashes included. false when none begins here or it does not end; *rest and *inside are then as before.
 */
bool http_take_quoted(struct span *rest, struct span *inside);
/* This one character, if it is next. */
bool http_take_char(struct span *rest, char c);
/* Spaces and tabs (OWS, section 5.6.3), any number. */
void http_take_space(struct span *rest);
/* A token or a quoted string: the value of a parameter (section 5.6.6). false, with nothing taken, when
 * neither is next. */
bool http_take_word(struct span *rest, struct span *word);
