/* The form of a time in a view. Pure. */
#pragma once
#include <stdint.h>

enum { PROFILE_TIME_LEN = 24 };

/* "2026-11-23T09:13:06.123Z" and a NUL; what lies outside of the years 0000 to 9999 is shown as the nearest
 * of them. */
void profile_time_format(int64_t ms, char out[PROFILE_TIME_LEN + 1]);
