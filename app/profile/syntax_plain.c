#include "profile/ascii.h"
#include "profile/syntax.h"

/* The areas of the IANA time zone database, and the names without one that it keeps for old times' sake.
 * Cities come and go with each release; areas do not. */
static const struct span zone_areas[] = {
    SPAN_INIT("Africa"), SPAN_INIT("America"),  SPAN_INIT("Antarctica"), SPAN_INIT("Arctic"),
    SPAN_INIT("Asia"),   SPAN_INIT("Atlantic"), SPAN_INIT("Australia"),  SPAN_INIT("Brazil"),
    SPAN_INIT("Canada"), SPAN_INIT("Chile"),    SPAN_INIT("Etc"),        SPAN_INIT("Europe"),
    SPAN_INIT("Indian"), SPAN_INIT("Mexico"),   SPAN_INIT("Pacific"),    SPAN_INIT("US"),
};
static const struct span zone_names[] = {
    SPAN_INIT("CET"),       SPAN_INIT("CST6CDT"),  SPAN_INIT("Cuba"),      SPAN_INIT("EET"),
    SPAN_INIT("EST"),       SPAN_INIT("EST5EDT"),  SPAN_INIT("Egypt"),     SPAN_INIT("Eire"),
    SPAN_INIT("GB"),        SPAN_INIT("GB-Eire"),  SPAN_INIT("GMT"),       SPAN_INIT("GMT+0"),
    SPAN_INIT("GMT-0"),     SPAN_INIT("GMT0"),     SPAN_INIT("Greenwich"), SPAN_INIT("HST"),
    SPAN_INIT("Hongkong"),  SPAN_INIT("Iceland"),  SPAN_INIT("Iran"),      SPAN_INIT("Israel"),
    SPAN_INIT("Jamaica"),   SPAN_INIT("Japan"),    SPAN_INIT("Kwajalein"), SPAN_INIT("Libya"),
    SPAN_INIT("MET"),       SPAN_INIT("MST"),      SPAN_INIT("MST7MDT"),   SPAN_INIT("NZ"),
    SPAN_INIT("NZ-CHAT"),   SPAN_INIT("Navajo"),   SPAN_INIT("PRC"),       SPAN_INIT("PST8PDT"),
    SPAN_INIT("Poland"),    SPAN_INIT("Portugal"), SPAN_INIT("ROC"),       SPAN_INIT("ROK"),
    SPAN_INIT("Singapore"), SPAN_INIT("Turkey"),   SPAN_INIT("UCT"),       SPAN_INIT("UTC"),
    SPAN_INIT("Universal"), SPAN_INIT("W-SU"),     SPAN_INIT("WET"),       SPAN_INIT("Zulu"),
};

static bool is_one_of(struct span s, const struct span *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (span_eq(list[i], s))
            return true;
    return false;
}

bool profile_syntax_zone(struct span s)
{
    struct span rest = s;
    struct span area = span_cut(&rest, '/');
    if (rest.ptr == NULL)
        return is_one_of(area, zone_names, sizeof zone_names / sizeof zone_names[0]);
    if (!is_one_of(area, zone_areas, sizeof zone_areas / sizeof zone_areas[0]))
        return false;
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
