#include "profile/ascii.h"
#include "profile/syntax.h"

bool profile_syntax_zone(struct span s)
{
    struct span rest = s;
    do {
        struct span part = span_cut(&rest, '/');
        if (part.len == 0 || !profile_ascii_letter(part.ptr[0]))
            return false;
        for (size_t i = 0; i < part.len; i++)
            if (!profile_ascii_alphanumeric(part.ptr[i]) && part.ptr[i] != '_' && part.ptr[i] != '+' &&
                part.ptr[i] != '-')
                return false;
    } while (rest.ptr != NULL);
    return true;
}

bool profile_syntax_phone(struct span s)
{
    if (s.len < 3 || s.len > 16 || s.ptr[0] != '+' || s.ptr[1] == '0')
        return false;
    for (size_t i = 1; i < s.len; i++)
        if (!profile_ascii_digit(s.ptr[i]))
            return false;
    return true;
}

/* The last day of a month of the Gregorian calendar; year 0, which stands for any, may have a 29th of
 * February. */
static uint64_t last_day(uint64_t year, uint64_t month)
{
    static const uint64_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return month == 2 && leap ? 29 : days[month - 1];
}

bool profile_syntax_date(struct span s)
{
    uint64_t year, month, day;
    if ((s.len != 4 && s.len != 10) || !span_to_u64(span_of(s.ptr, 4), 9999, &year))
        return false;
    if (s.len == 4)
        return year > 0;
    if (s.ptr[4] != '-' || s.ptr[7] != '-' || !span_to_u64(span_of(s.ptr + 5, 2), 12, &month) ||
        !span_to_u64(span_of(s.ptr + 8, 2), 31, &day))
        return false;
    return month >= 1 && day >= 1 && day <= last_day(year, month);
}
