/*
 * Cross-origin requests (the Fetch standard, "HTTP-CORS protocol"): which web pages may read our answers.
 * Tokens travel in a header that the page itself sets, so credentials mode is never needed and
 * Access-Control-Allow-Credentials never sent. The setting is parsed once, at start; the rest is pure.
 *
 *   setting       | answers
 *   --------------+----------------------------------------------------------------------------------
 *   empty         | no CORS line, no Vary: Origin
 *   "*"           | Access-Control-Allow-Origin: * on every answer, since a cache may hand to a page
 *                 | what something else has asked for
 *   names origins | Vary: Origin on every answer, and the origin echoed to those that are named
 */
#pragma once
#include "base/arena.h"
#include "base/err.h"
#include "http/request.h"
#include "http/response.h"

struct http_cors {
    bool any;
    const struct span *origins; /* scheme://host[:port] in lower case, in the arena they were parsed with */
    size_t count;
};

/*
 * Parses http.cors_origins: "*", or origins separated by spaces, compared as scheme://host[:port] in lower
 * case; the port that the scheme implies (80, 443) is dropped, as browsers do. ERR_INVALID: "*" beside
 * others, "null", a path, a wildcard inside, whatever no browser would send; detail names it. ERR_NOMEM. *out
 * is then empty. It lives as long as the arena.
 */
MUST_USE enum err http_cors_parse(struct span setting, struct arena *arena, struct http_cors *out,
                                  struct err_detail *detail);

/*
 * Adds the CORS lines and, where origins are named, Vary: Origin. To be called once for each answer,
 * problems, 304s and 204s included, after all that might restart the response. methods: those of the
 * resource, for a preflight (OPTIONS with Access-Control-Request-Method), which gets the allowed methods and
 * headers as well.
 */
void http_cors_write(const struct http_cors *cors, const struct http_request *request, unsigned methods,
                     struct http_response *response);
