/*
 * The text of a profile: UTF-8 (RFC 3629) in Normalization Form C (UAX #15), free of what must not be shown.
 * Pure.
 *
 * Refused are control characters (C0 with TAB, DEL, C1), the characters that embed, override or isolate a
 * direction (U+202A to U+202E, U+2066 to U+2069: with them a name can reorder the text around it, Unicode TR
 * 36 section 2.10). The marks U+200E, U+200F and U+061C reorder nothing around them and are
 * let through, as are the joiners that emoji and several scripts need. Prose (`bio`, and
 * `formatted` and `street_address` of an address) may hold newlines: CR LF becomes
 * LF, a lone CR is refused.
 */
#pragma once
#include "base/arena.h"

enum profile_text_flaw {
    PROFILE_TEXT_SOUND,
    PROFILE_TEXT_MALFORMED, /* not UTF-8 */
    PROFILE_TEXT_CONTROL,
    PROFILE_TEXT_BIDI,
    PROFILE_TEXT_LONG, /* more than max code points after normalisation */
    PROFILE_TEXT_NOMEM,
    PROFILE_TEXT_FLAW_COUNT
};

/*
 * Copies s into the arena, normalised. max: the most code points of the outcome; prose: newlines are allowed.
 * SOUND: *out is the copy, and *chars (may be NULL) its length in code points. Anything else: *out is absent.
 */
enum profile_text_flaw profile_text_clean(struct span s, size_t max, bool prose, struct arena *arena,
                                          struct span *out, size_t *chars);

/* Whether cp is certainly left as it is by NFC, whatever stands beside it: the quick way round utf8proc. */
bool profile_text_inert(uint32_t cp);

/* What is wrong, for a person; static. */
const char *profile_text_flaw_detail(enum profile_text_flaw flaw);
