/*
 * From the variables of CGI (RFC 3875 section 4.1), which FastCGI sends as well, to a request. Pure: no I/O.
 */
#pragma once
#include "base/arena.h"
#include "base/err.h"
#include "http/request.h"

/*
 * variables is NULL-terminated, "NAME=value" each; the request's spans point into it, or into the arena where
 * something had to be put together. The path comes from REQUEST_URI less the mount ("" for none), or from
 * SCRIPT_NAME and PATH_INFO where that is all there is. The body and the id are the caller's to fill.
 * ERR_INVALID: no usable method or path, or the path lies outside the mount (*out then holds what was found,
 * with an empty path). ERR_NOMEM.
 */
MUST_USE enum err fcgi_variables_read(char *const *variables, struct span mount, struct arena *arena,
                                      struct http_request *out);
