/*
 * Brings the settings together: defaults, then the INI file (parse.h), then the environment
 * (PROFILED_<SECTION>_<KEY>), then flags ("section.key=value"); checks them as a whole at the end (check.h).
 * The first thing that is wrong ends it, with file and line, variable or flag named in the detail.
 *
 * A PROFILED_ variable whose next word is no section (PROFILED_CONFIG, say) is somebody else's and left
 * alone; an unknown key of a known section is an error. Issuers are set in the file alone: whom to trust is
 * not a matter for a stray variable.
 */
#pragma once
#include "config/settings.h"

struct config_source {
    const char
        *path; /* NULL: what PROFILED_CONFIG names; else CONFIG_DEFAULT_PATH if it is there, else no file */
    char *const *environment; /* NULL-terminated NAME=value; usually environ. NULL: none */
    const char *const *flags; /* flag_count texts "section.key=value"; a later one wins */
    size_t flag_count;
};

#define CONFIG_DEFAULT_PATH  "/etc/profiled/profiled.conf"
#define CONFIG_PATH_VARIABLE "PROFILED_CONFIG"

/*
 * OK: *out is filled, to be given to config_fini. ERR_NOT_FOUND (the file that was named), ERR_INVALID,
 * ERR_TOO_LARGE, ERR_IO, ERR_NOMEM: *out is empty and detail says what is wrong and where. Reads one file;
 * blocks on the disk.
 */
MUST_USE enum err config_load(const struct config_source *source, struct config_settings *out,
                              struct err_detail *detail);
/* Frees everything and zeroes it. A zeroed one is fine. */
void config_fini(struct config_settings *s);
