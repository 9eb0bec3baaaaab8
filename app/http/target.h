/*
 * The request target (RFC 9112 section 3.2): from what a front server hands over to the path and query that
 * routes are matched with. Where the server gives REQUEST_URI, that is split; where it gives only the decoded
 * SCRIPT_NAME and PATH_INFO (RFC 3875), a path is put together from them and encoded again, so that the rest
 * works alike. Then the mount is taken off. Pure.
 */
#pragma once
#include "base/arena.h"
#include "base/err.h"
#include "http/percent.h"

/*
 * Splits a target at its "?". Origin-form ("/path?query") and absolute-form ("http://host/path?query", also
 * https) are taken; the latter's authority is dropped and an empty path is "/". *path begins with "/" and is
 * still encoded; *query is absent when there is no "?". Both borrow from uri. ERR_INVALID: any other form
 * (RFC 9112 sections 3.2.3 and 3.2.4: "host:port" and "*" ask for nothing that is here), a "#", white space
 * or a control character; both are then absent.
 */
MUST_USE enum err http_target_split(struct span uri, struct span *path, struct span *query);

/*
 * The path of a decoded SCRIPT_NAME and PATH_INFO (either may be absent or empty), encoded again, in the
 * arena: "%", "?", "#" and all else that a path may not hold raw. An encoded slash cannot be told from a
 * slash any more: the front server has decoded it. A path without "/" in front is ERR_INVALID, as is a NUL.
 * ERR_NOMEM. *path is then absent.
 */
MUST_USE enum err http_target_compose(struct span script_name, struct span path_info, struct arena *arena,
                                      struct span *path);

/*
 * Takes the mount off the path's front: whole segments only, so that "/profiles" is no part of "/profilesx".
 * The mount is plain text, such as "/profiles", with or without a slash behind it; "" and "/" are none. A
 * path that writes a character of it as %XX still fits (RFC 3986 section 6.2.2), but an encoded slash is no
 * slash. What is left begins with "/". ERR_NOT_FOUND: the path lies outside the mount; *path is then as
 * before.
 */
MUST_USE enum err http_target_unmount(struct span *path, struct span mount);
