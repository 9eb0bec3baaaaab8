/*
 * Brings the settings together: defaults, then the INI file, then the environment (PROFILED_<SECTION>_<KEY>), then flags ("section.key=value").
 * The first thing that is wrong ends it, with file and line, variable or flag named in the detail.
 */
#pragma once
#include "config/settings.h"

struct config_source {
    const char *path;         /* NULL: CONFIG_DEFAULT_PATH if it is there, else no file */
    char *const *environment; /* NULL-terminated NAME=value; usually environ */
    const char *const *flags; /* flag_count texts "section.key=value" */
    size_t flag_count;
};

#define CONFIG_DEFAULT_PATH "/etc/profiled/profiled.conf"

/* OK: *out is filled, to be given to config_fini. ERR_NOT_FOUND, ERR_INVALID, ERR_IO, ERR_NOMEM: *out is empty and detail says what is wrong and where. */
MUST_USE enum err config_load(const struct config_source *source, struct config_settings *out, struct err_detail *detail);
void config_fini(struct config_settings *s);
