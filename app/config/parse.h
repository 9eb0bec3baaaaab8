/*
 * From the file's bytes to settings: the sole place where inih is used. Pure: text in, settings or a reason
 * out.
 *
 * inih cuts lines and splits keys from values. What it passes over in silence is refused here, before it sees
 * the line: a line longer than its buffer (it would read the rest as another line), NUL bytes, text behind a
 * section's bracket, an indented line that would be glued to the value above (only a list may go on that
 * way), an empty section that nobody knows. A comment is a line that begins with # or ;, or what follows " ;"
 * behind a value.
 */
#pragma once
#include "config/settings.h"

enum { CONFIG_MAX_ISSUER_NAME = 32 };

/*
 * Reads text into s, which holds the defaults. path is for messages and need not exist. ERR_INVALID: detail
 * begins with "path:line: "; s is then half filled. ERR_NOMEM. What concerns several keys at once is left to
 * config_check.
 */
MUST_USE enum err config_parse(struct span text, const char *path, struct config_settings *s,
                               struct err_detail *detail);
