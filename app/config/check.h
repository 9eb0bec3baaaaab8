/*
 * What the settings must be as a whole, and what single values must look like beyond their type: addresses,
 * paths, origins, issuers. Pure: looks at text, not at the machine.
 */
#pragma once
#include "config/settings.h"

/* OK, or ERR_INVALID with where the value came from, its name and what would be right; ERR_NOMEM. */
MUST_USE enum err config_check(const struct config_settings *s, struct err_detail *detail);
