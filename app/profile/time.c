#include "profile/time.h"

#include "profile/profile.h"

enum { MS_PER_DAY = 86400000 };
static const int64_t ms_first = -62167219200000; /* 0000-01-01T00:00:00.000Z */
static const int64_t ms_last = 253402300799999;  /* 9999-12-31T23:59:59.999Z */

static void digits(char *to, int width, int64_t value)
{
    while (width > 0) {
        to[--width] = (char)('0' + value % 10);
        value /= 10;
    }
}

/*
 * Days since 1970-01-01 to a date of the proleptic Gregorian calendar. Counted from 1 March of a year 0 that
 * starts an era of 400 years (146,097 days), the leap day is the last of its year and months follow a fixed
 * pattern of 153 days to five months.
 */
static void civil_date(int64_t days, char out[])
{
    int64_t since = days + 719468 + 146097; /* one era more, so that nothing below is negative */
    int64_t era = since / 146097, day_of_era = since % 146097;
    int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t month_from_march = (5 * day_of_year + 2) / 153;
    int64_t day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    int64_t month = month_from_march < 10 ? month_from_march + 3 : month_from_march - 9;
    digits(out, 4, (era - 1) * 400 + year_of_era + (month <= 2 ? 1 : 0));
    digits(out + 5, 2, month);
    digits(out + 8, 2, day);
}

void profile_time_format(int64_t ms, char out[PROFILE_TIME_LEN + 1])
{
    ms = ms < ms_first ? ms_first : ms > ms_last ? ms_last : ms;
    int64_t of_day = (ms % MS_PER_DAY + MS_PER_DAY) % MS_PER_DAY;
    memcpy(out, "0000-00-00T00:00:00.000Z", PROFILE_TIME_LEN + 1);
    civil_date((ms - of_day) / MS_PER_DAY, out);
    digits(out + 11, 2, of_day / 3600000);
    digits(out + 14, 2, of_day / 60000 % 60);
    digits(out + 17, 2, of_day / 1000 % 60);
    digits(out + 20, 3, of_day % 1000);
}

void profile_time_write(int64_t ms, struct buf *out)
{
    char text[PROFILE_TIME_LEN + 1];
    profile_time_format(ms, text);
    buf_append(out, span_of(text, PROFILE_TIME_LEN));
}
