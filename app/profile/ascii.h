/* Classes of ASCII characters, deaf to the locale. */
#pragma once
#include "base/span.h"

static inline bool profile_ascii_digit(char c)
{
    return c >= '0' && c <= '9';
}
static inline bool profile_ascii_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
static inline bool profile_ascii_alphanumeric(char c)
{
    return profile_ascii_letter(c) || profile_ascii_digit(c);
}
static inline char profile_ascii_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}
static inline bool profile_ascii_all_digits(struct span s)
{
    for (size_t i = 0; i < s.len; i++)
        if (!profile_ascii_digit(s.ptr[i]))
            return false;
    return true;
}
static inline bool profile_ascii_all_letters(struct span s)
{
    for (size_t i = 0; i < s.len; i++)
        if (!profile_ascii_letter(s.ptr[i]))
            return false;
    return true;
}
