/*
 * From the text of one value to its number, by the type and range of its row. Pure; allocates nothing.
 */
#pragma once
#include "config/settings.h"

/*
 * OK: *number is set (0 for STRING and LIST). ERR_INVALID: detail names section.key, the text, and what would
 * be right; *number is as it was. Whatever the type, text with control characters, a NUL or bytes that are
 * not UTF-8 is refused.
 */
MUST_USE enum err config_value_parse(const struct config_row *row, struct span text, int64_t *number,
                                     struct err_detail *detail);

/* UTF-8 (RFC 3629) without control characters; a tab is let through. */
bool config_text_valid(struct span text);
