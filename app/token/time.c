#include "token/time.h"

#include <math.h>

static const int64_t LAST_S = 253402300799; /* 9999-12-31T23:59:59Z */

bool token_time_numeric(const json_t *value, struct token_time *out)
{
    *out = (struct token_time){0};
    if (json_is_integer(value)) {
        json_int_t s = json_integer_value(value);
        if (s < 0 || s > LAST_S)
            return false;
        out->s = s;
        return true;
    }
    if (json_is_real(value)) {
        double real = json_real_value(value);
        if (!(real >= 0 && real < (double)LAST_S)) /* NaN fails too */
            return false;
        out->s = (int64_t)real;
        out->ns = (int32_t)((real - floor(real)) * 1e9);
        if (out->ns == 0 && real > floor(real))
            out->ns = 1;
        return true;
    }
    return false;
}

/* Takes that many digits, and then the separator unless it is 0. */
static bool take_number(struct span *rest, size_t digits, char separator, int64_t *out)
{
    uint64_t value = 0;
    size_t len = digits + (separator != 0);
    if (rest->len < len || !span_to_u64(span_of(rest->ptr, digits), 9999, &value) ||
        (separator != 0 && rest->ptr[digits] != separator))
        return false;
    *out = (int64_t)value;
    *rest = span_from(*rest, len);
    return true;
}

static bool take_fraction(struct span *rest, int32_t *ns)
{
    int32_t unit = 100000000;
    size_t n = 1;
    if (rest->len == 0 || rest->ptr[0] != '.')
        return true;
    for (; n < rest->len && rest->ptr[n] >= '0' && rest->ptr[n] <= '9'; n++) {
        int32_t digit = rest->ptr[n] - '0';
        if (unit > 0)
            *ns += digit * unit;
        else if (digit > 0 && *ns == 0)
            *ns = 1;
        unit /= 10;
    }
    *rest = span_from(*rest, n);
    return n > 1;
}

/* "Z" or "+hh:mm", to its end. */
static bool take_offset(struct span rest, int64_t *offset_s)
{
    int64_t hours = 0, minutes = 0;
    if (rest.len == 1 && (rest.ptr[0] == 'Z' || rest.ptr[0] == 'z'))
        return true;
    if (rest.len != 6 || (rest.ptr[0] != '+' && rest.ptr[0] != '-'))
        return false;
    bool behind = rest.ptr[0] == '-';
    rest = span_from(rest, 1);
    if (!take_number(&rest, 2, ':', &hours) || !take_number(&rest, 2, 0, &minutes) || hours > 23 ||
        minutes > 59)
        return false;
    *offset_s = (hours * 3600 + minutes * 60) * (behind ? -1 : 1);
    return true;
}

static int64_t days_in_month(int64_t year, int64_t month)
{
    static const int64_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return month == 2 && leap ? 29 : days[month - 1];
}

/* Days from 1970-01-01 in the Gregorian calendar. Years begin in March here, so that the leap day is the
 * last. */
static int64_t days_from_date(int64_t year, int64_t month, int64_t day)
{
    year -= month <= 2;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t leap_days = year / 4 - year / 100 + year / 400;
    return year * 365 + leap_days + day_of_year - 719468;
}

bool token_time_rfc3339(struct span text, struct token_time *out)
{
    struct span rest = text;
    int64_t year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, offset_s = 0;
    int32_t ns = 0;
    *out = (struct token_time){0};
    if (!take_number(&rest, 4, '-', &year) || !take_number(&rest, 2, '-', &month) ||
        !take_number(&rest, 2, 0, &day) || month < 1 || month > 12 || day < 1 ||
        day > days_in_month(year, month))
        return false;
    if (rest.len == 0 || (rest.ptr[0] != 'T' && rest.ptr[0] != 't'))
        return false;
    rest = span_from(rest, 1);
    if (!take_number(&rest, 2, ':', &hour) || !take_number(&rest, 2, ':', &minute) ||
        !take_number(&rest, 2, 0, &second) || hour > 23 || minute > 59 || second > 60)
        return false;
    if (!take_fraction(&rest, &ns) || !take_offset(rest, &offset_s))
        return false;
    int64_t s = days_from_date(year, month, day) * 86400 + hour * 3600 + minute * 60 + second - offset_s;
    if (s < 0 || s > LAST_S || (second == 60 && s % 86400 != 0))
        return false;
    *out = (struct token_time){s, ns};
    return true;
}

struct date {
    int64_t year;
    int64_t month;
    int64_t day;
};

/* The other way round, for days since 1970 that are not negative. */
static struct date date_from_days(int64_t days)
{
    days += 719468;
    int64_t era = days / 146097; /* of 400 years */
    int64_t in_era = days % 146097;
    int64_t year = (in_era - in_era / 1460 + in_era / 36524 - in_era / 146096) / 365;
    int64_t in_year = in_era - (365 * year + year / 4 - year / 100);
    int64_t month = (5 * in_year + 2) / 153; /* from March */
    struct date d = {
        .year = year + era * 400 + (month >= 10),
        .month = month + (month < 10 ? 3 : -9),
        .day = in_year - (153 * month + 2) / 5 + 1,
    };
    return d;
}

static void write_seconds(struct buf *out, int64_t unix_s)
{
    if (unix_s < 0)
        unix_s = 0;
    if (unix_s > LAST_S)
        unix_s = LAST_S;
    struct date d = date_from_days(unix_s / 86400);
    int in_day = (int)(unix_s % 86400);
    buf_printf(out, "%04d-%02d-%02dT%02d:%02d:%02d", (int)d.year, (int)d.month, (int)d.day, in_day / 3600,
               in_day / 60 % 60, in_day % 60);
}

void token_time_write(struct buf *out, int64_t unix_s)
{
    write_seconds(out, unix_s);
    buf_char(out, 'Z');
}

void token_time_write_ms(struct buf *out, int64_t unix_ms)
{
    write_seconds(out, unix_ms / 1000);
    buf_printf(out, ".%03dZ", (int)(unix_ms < 0 ? 0 : unix_ms % 1000));
}
