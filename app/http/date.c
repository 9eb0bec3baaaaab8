#include "http/date.h"

enum { DAY_S = 86400, YEAR_MAX = 9999, FORM_COUNT = 3 };
#define DATE_MAX_S ((int64_t)253402300799) /* 9999-12-31T23:59:59Z */

static const char *const days_short[7] = {"Thu", "Fri", "Sat", "Sun",
                                          "Mon", "Tue", "Wed"}; /* 1970-01-01 was a Thursday */
static const char *const days_long[7] = {"Thursday", "Friday",  "Saturday", "Sunday",
                                         "Monday",   "Tuesday", "Wednesday"};
static const char *const months[12] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

struct civil {
    int64_t year;
    int month; /* 1 to 12 */
    int day;
    int hour, minute, second;
};

static bool is_leap(int64_t year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int days_in_month(int64_t year, int month)
{
    static const char lengths[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return month == 2 && is_leap(year) ? 29 : lengths[month - 1];
}

/* Days from 1970-01-01 to the first of January of a year from 0 on. A whole cycle of 400 years, 146097 days,
 * is added so that no division meets a negative number; 719162 days lie between 0001-01-01 and 1970-01-01. */
static int64_t days_before_year(int64_t year)
{
    int64_t past = year + 399;
    return past * 365 + past / 4 - past / 100 + past / 400 - 146097 - 719162;
}

static int64_t civil_to_unix(const struct civil *c)
{
    int64_t days = days_before_year(c->year) + c->day - 1;
    for (int month = 1; month < c->month; month++)
        days += days_in_month(c->year, month);
    return days * DAY_S + c->hour * 3600 + c->minute * 60 + c->second;
}

/* Of a time from 1970 to 9999. */
static struct civil civil_of_unix(int64_t unix_s)
{
    int64_t day = unix_s / DAY_S;
    int second = (int)(unix_s % DAY_S);
    struct civil c = {.hour = second / 3600, .minute = second / 60 % 60, .second = second % 60};

    /* never too late, since no year has more days; early by a year or so in our time */
    c.year = 1970 + day / 366;
    while (days_before_year(c.year + 1) <= day)
        c.year++;
    int left = (int)(day - days_before_year(c.year));
    for (c.month = 1; left >= days_in_month(c.year, c.month); c.month++)
        left -= days_in_month(c.year, c.month);
    c.day = left + 1;
    return c;
}

static char *put_two(char *to, int n)
{
    to[0] = (char)('0' + n / 10);
    to[1] = (char)('0' + n % 10);
    return to + 2;
}

static char *put_text(char *to, const char *text, size_t len)
{
    memcpy(to, text, len);
    return to + len;
}

static int64_t clamp(int64_t s)
{
    if (s < 0)
        return 0;
    return s > DATE_MAX_S ? DATE_MAX_S : s;
}

void http_date_write(struct buf *out, int64_t unix_s)
{
    char *to = buf_reserve(out, HTTP_DATE_LEN);
    if (to == NULL)
        return;
    unix_s = clamp(unix_s);
    struct civil c = civil_of_unix(unix_s);
    to = put_text(to, days_short[unix_s / DAY_S % 7], 3);
    to = put_text(to, ", ", 2);
    to = put_two(to, c.day);
    *to++ = ' ';
    to = put_text(to, months[c.month - 1], 3);
    *to++ = ' ';
    to = put_two(to, (int)(c.year / 100));
    to = put_two(to, (int)(c.year % 100));
    *to++ = ' ';
    to = put_two(to, c.hour);
    *to++ = ':';
    to = put_two(to, c.minute);
    *to++ = ':';
    to = put_two(to, c.second);
    put_text(to, " GMT", 4);
    buf_extend(out, HTTP_DATE_LEN);
}

/* Takes exactly n digits off the front, or one digit behind a space where blank allows it. */
static bool take_number(struct span *rest, size_t n, bool blank, int *out)
{
    int value = 0;
    if (rest->len < n)
        return false;
    for (size_t i = 0; i < n; i++) {
        char c = rest->ptr[i];
        if (blank && i == 0 && c == ' ')
            c = '0';
        if (c < '0' || c > '9')
            return false;
        value = value * 10 + (c - '0');
    }
    *rest = span_from(*rest, n);
    *out = value;
    return true;
}

/* Takes one of the names off the front; *index is which. */
static bool take_name(struct span *rest, const char *const *names, int count, int *index)
{
    for (int i = 0; i < count; i++) {
        struct span name = span_str(names[i]);
        if (span_starts(*rest, name)) {
            *rest = span_from(*rest, name.len);
            *index = i;
            return true;
        }
    }
    return false;
}

/* What a date's text says, before any of it is judged. */
struct parts {
    struct civil c;
    bool short_year; /* the year has two digits */
};

/* Takes what one letter of a form stands for. */
static bool take_part(struct span *rest, char letter, struct parts *p)
{
    int ignored, year;
    switch (letter) {
    case 'a':
        return take_name(rest, days_short, 7, &ignored);
    case 'A':
        return take_name(rest, days_long, 7, &ignored);
    case 'b':
        if (!take_name(rest, months, 12, &p->c.month))
            return false;
        p->c.month++;
        return true;
    case 'd':
        return take_number(rest, 2, false, &p->c.day);
    case 'e':
        return take_number(rest, 2, true, &p->c.day);
    case 'y':
    case 'Y':
        p->short_year = letter == 'y';
        if (!take_number(rest, p->short_year ? 2 : 4, false, &year))
            return false;
        p->c.year = year;
        return true;
    case 'H':
        return take_number(rest, 2, false, &p->c.hour);
    case 'M':
        return take_number(rest, 2, false, &p->c.minute);
    case 'S':
        return take_number(rest, 2, false, &p->c.second);
    default:
        return false;
    }
}

static bool take_form(struct span text, const char *form, struct parts *p)
{
    for (; *form != '\0'; form++) {
        if (*form == '%') {
            if (!take_part(&text, *++form, p))
                return false;
        } else if (text.len > 0 && text.ptr[0] == *form) {
            text = span_from(text, 1);
        } else {
            return false;
        }
    }
    return text.len == 0;
}

/* RFC 9110 section 5.6.7: more than 50 years in the future means the century before. */
static void widen_year(struct civil *c, int64_t now_s)
{
    struct civil limit = civil_of_unix(clamp(now_s));
    limit.year += 50;
    c->year += limit.year / 100 * 100;
    if (civil_to_unix(c) > civil_to_unix(&limit))
        c->year -= 100;
}

static bool is_real(const struct civil *c)
{
    if (c->day < 1 || c->day > days_in_month(c->year, c->month) || c->hour > 23 || c->minute > 59)
        return false;
    /* a leap second is the last one of a day, and to Unix time the first one of the next */
    return c->second <= 59 || (c->second == 60 && c->hour == 23 && c->minute == 59);
}

enum err http_date_parse(struct span text, int64_t now_s, int64_t *out_s)
{
    static const char *const forms[FORM_COUNT] = {
        "%a, %d %b %Y %H:%M:%S GMT", /* IMF-fixdate */
        "%A, %d-%b-%y %H:%M:%S GMT", /* RFC 850 */
        "%a %b %e %H:%M:%S %Y",      /* asctime */
    };
    for (size_t i = 0; i < FORM_COUNT; i++) {
        struct parts p = {0};
        if (!take_form(text, forms[i], &p))
            continue;
        if (p.short_year)
            widen_year(&p.c, now_s);
        if (!is_real(&p.c))
            return ERR_INVALID;
        *out_s = civil_to_unix(&p.c);
        return OK;
    }
    return ERR_INVALID;
}
