/* The grammars, each with what it takes and, mostly, what it does not. */
#include "profile/syntax.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define LABEL_63 "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijk"

struct sample {
    struct span text;
    bool sound;
};
#define YES(literal)                                                                                         \
    {                                                                                                        \
        SPAN_INIT(literal), true                                                                             \
    }
#define NO(literal)                                                                                          \
    {                                                                                                        \
        SPAN_INIT(literal), false                                                                            \
    }

static void check(bool (*matches)(struct span), const struct sample *samples, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        /* a block of just this length, so that the sanitizer sees a read past the end */
        size_t len = samples[i].text.len;
        char *copy = malloc(len == 0 ? 1 : len);
        assert_non_null(copy);
        memcpy(copy, samples[i].text.ptr, len);
        bool sound = matches(span_of(copy, len));
        free(copy);
        if (sound != samples[i].sound)
            fail_msg("%s: \"%.*s\"", sound ? "accepted" : "refused", SPAN_ARG(samples[i].text));
    }
    assert_false(matches((struct span){NULL, 0}));
}
#define CHECK(matches, samples) check((matches), (samples), sizeof(samples) / sizeof((samples)[0]))

static void test_url(void **state)
{
    (void)state;
    static const struct sample samples[] = {
        YES("https://example.org"),
        YES("HTTPS://Example.ORG/"),
        YES("https://example.org./a"),
        YES("https://a_b.example.org/~ada/%7Eada;v=1/@x/(a)'!$&*+,?q=1&r=/?:@#frag/?"),
        YES("https://xn--bcher-kva.example/"),
        YES("https://localhost:8443/x"),
        YES("https://example.org:/"),
        YES("https://example.org:65535"),
        YES("https://192.0.2.1/a"),
        YES("https://[2001:db8::1]:443/a"),
        YES("https://[::ffff:192.0.2.1]"),
        YES("https://example.org?q"),
        YES("https://example.org#f"),
        YES("https://" LABEL_63 ".org"),
        NO(""),
        NO("https"),
        NO("https:"),
        NO("https:/"),
        NO("https://"),
        NO("https:///path"),
        NO("https://?q"),
        NO("https://#f"),
        NO("https://:443/"),
        NO("http://example.org"),
        NO("ftp://example.org"),
        NO("javascript:alert(1)"),
        NO("data:text/html,x"),
        NO("//example.org/a"),
        NO("/a"),
        NO("example.org"),
        NO(" https://example.org"),
        NO("https://example.org "),
        NO("https:// example.org"),
        NO("https:\\\\example.org"),
        NO("https://example.org\\@evil.example"),
        NO("https://example.org/a\\b"),
        NO("https://user@example.org/"),
        NO("https://user:pass@example.org/"),
        NO("https://example.org:443@evil.example/"),
        NO("https://@example.org/"),
        NO("https://example..org"),
        NO("https://.example.org"),
        NO("https://-example.org"),
        NO("https://example-.org"),
        NO("https://example.org.."),
        NO("https://."),
        NO("https://" LABEL_63 "x.org"),
        NO("https://" LABEL_63 "." LABEL_63 "." LABEL_63 "." LABEL_63),
        NO("https://exam%70le.org/"),
        NO("https://exa mple.org/"),
        NO("https://b\xc3\xbc"
           "cher.example/"),
        NO("https://example.org/b\xc3\xbc"
           "cher"),
        NO("https://example.org/\xff"),
        NO("https://example.org/\0"),
        NO("https://example.org\0.evil.example/"),
        NO("https://example.org/a\nb"),
        NO("https://example.org/\x7f"),
        NO("https://example.org/<b>"),
        NO("https://example.org/\"x\""),
        NO("https://example.org/{x}"),
        NO("https://example.org/a|b"),
        NO("https://example.org/`"),
        NO("https://example.org/a[1]"),
        NO("https://example.org/%"),
        NO("https://example.org/%4"),
        NO("https://example.org/%zz"),
        NO("https://example.org/?q=%0g"),
        NO("https://example.org/#a#b"),
        NO("https://example.org:65536/"),
        NO("https://example.org:99999999999999999999/"),
        NO("https://example.org:-1/"),
        NO("https://example.org:80a/"),
        NO("https://example.org:80:80/"),
        NO("https://256.0.0.1/"),
        NO("https://1.2.3/"),
        NO("https://1.2.3.4.5/"),
        NO("https://01.2.3.4/"),
        NO("https://2130706433/"),
        NO("https://example.123/"),
        NO("https://[::1/"),
        NO("https://[]/"),
        NO("https://[::1]x/"),
        NO("https://[::1]:x/"),
        NO("https://[fe80::1%25eth0]/"),
        NO("https://[v1.a]/"),
        NO("https://[1:2:3:4:5:6:7:8:9]/"),
        NO("https://[12345::]/"),
        NO("https://[192.0.2.1]/"),
    };
    CHECK(profile_syntax_url, samples);
}

static void test_locale(void **state)
{
    (void)state;
    /* the first block is RFC 5646 appendix A */
    static const struct sample samples[] = {
        YES("de"),
        YES("fr"),
        YES("ja"),
        YES("i-enochian"),
        YES("zh-Hant"),
        YES("zh-Hans"),
        YES("sr-Cyrl"),
        YES("zh-cmn-Hans-CN"),
        YES("cmn-Hans-CN"),
        YES("zh-yue-HK"),
        YES("yue-HK"),
        YES("zh-Hans-CN"),
        YES("sr-Latn-RS"),
        YES("sl-rozaj"),
        YES("sl-rozaj-biske"),
        YES("sl-nedis"),
        YES("de-CH-1901"),
        YES("sl-IT-nedis"),
        YES("hy-Latn-IT-arevela"),
        YES("de-DE"),
        YES("en-US"),
        YES("es-419"),
        YES("de-CH-x-phonebk"),
        YES("az-Arab-x-AZE-derbend"),
        YES("x-whatever"),
        YES("qaa-Qaaa-QM-x-southern"),
        YES("de-Qaaa"),
        YES("sr-Latn-QM"),
        YES("sr-Qaaa-RS"),
        YES("en-US-u-islamcal"),
        YES("zh-CN-a-myext-x-private"),
        YES("en-a-myext-b-another"),
        NO("de-419-DE"),
        NO("a-DE"),
        NO("ar-a-aaa-b-bbb-a-ccc"),
        /* others */
        YES("EN-gb"),
        YES("i-KLINGON"),
        YES("sgn-BE-FR"),
        YES("en-GB-oed"),
        YES("art-lojban"),
        YES("zh-min-nan"),
        YES("x-a-b-c"),
        YES("abcd"),
        YES("abcdefgh"),
        YES("de-1996"),
        NO(""),
        NO("-"),
        NO("e"),
        NO("en-"),
        NO("-en"),
        NO("en--US"),
        NO("en_US"),
        NO("en-US.UTF-8"),
        NO("C"),
        NO("123"),
        NO("e1"),
        NO("abcdefghi"),
        NO("en-abcdefghi"),
        NO("en-US-US"),
        NO("en-Latn-Latn"),
        NO("en-US-Latn"),
        NO("de-1996-1996"),
        NO("sl-rozaj-ROZAJ"),
        NO("en-a"),
        NO("en-a-b-cc"),
        NO("en-x"),
        NO("x"),
        NO("x-"),
        NO("i"),
        NO("i-unknown"),
        NO("en-a-bb-A-cc"),
        NO("zh-aaa-bbb-ccc-ddd"),
        NO("abcd-efg"),
        NO("en US"),
        NO("d\xc3\xa9"),
        NO("en\0"),
        NO("en-US\n"),
        NO("*"),
        NO("en-*"),
        NO("a-b-c-d-e-f-g-h-i-j-k-l-m-n-o-p-q-r-s-t-u-v-w-x-y-z-0-1-2-3-4-5-6-7-8-9-a-b-c-d-e-f"),
    };
    CHECK(profile_syntax_locale, samples);
}

static void test_zone(void **state)
{
    (void)state;
    static const struct sample samples[] = {
        YES("UTC"),
        YES("Europe/Berlin"),
        YES("America/Argentina/Buenos_Aires"),
        YES("Etc/GMT+5"),
        YES("Etc/GMT-14"),
        YES("America/Port-au-Prince"),
        YES("EST5EDT"),
        NO(""),
        NO("/"),
        NO("/Berlin"),
        NO("Europe/"),
        NO("Europe//Berlin"),
        NO("Europe Berlin"),
        NO("../etc/passwd"),
        NO("Europe/.."),
        NO("Europe\\Berlin"),
        NO("+01:00"),
        NO("Europe/Berlin\0"),
        NO("Europe/B\xc3\xa9rlin"),
        NO("-5"),
        NO("Europe/Berlin\n"),
        NO("Europe/1"),
        YES("GMT0"),
        YES("US/Pacific"),
        NO("Berlin"),
        NO("Mars/Olympus"),
        NO("utc"),
    };
    CHECK(profile_syntax_zone, samples);
}

static void test_email(void **state)
{
    (void)state;
    static const struct sample samples[] = {
        YES("ada@example.org"),
        YES("a@b"),
        YES("ada.king+tag@sub.example.org"),
        YES("!#$%&'*+-/=?^_`{|}~@example.org"),
        YES("\"ada king\"@example.org"),
        YES("\"a@b\\\"c\\\\\"@example.org"),
        YES("\"\"@example.org"),
        YES("ada@[192.0.2.1]"),
        YES("ada@[IPv6:2001:db8::1]"),
        YES("j\xc3\xb6rg@b\xc3\xbc"
            "cher.example"),
        YES("ada@xn--bcher-kva.example"),
        YES(LABEL_63 "a@example.org"),
        NO(""),
        NO("@"),
        NO("ada"),
        NO("ada@"),
        NO("@example.org"),
        NO("ada@@example.org"),
        NO("a@b@example.org"),
        NO("ada king@example.org"),
        NO(" ada@example.org"),
        NO("ada@example.org "),
        NO("ada@ example.org"),
        NO(".ada@example.org"),
        NO("ada.@example.org"),
        NO("a..b@example.org"),
        NO("ada@example..org"),
        NO("ada@.example.org"),
        NO("ada@example.org."),
        NO("ada@-example.org"),
        NO("ada@example-.org"),
        NO("ada@example.123"),
        NO("ada@192.0.2.1"),
        NO("ada@exa mple.org"),
        NO("ada@example.org\n"),
        NO("ada\n@example.org"),
        NO("ada\0@example.org"),
        NO("ada@example.org\0"),
        NO("Ada <ada@example.org>"),
        NO("mailto:ada,bob@example.org"),
        NO("ada@example.org,bob@example.org"),
        NO("\"ada@example.org"),
        NO("\"ada\"x@example.org"),
        NO("\"a\"b\"@example.org"),
        NO("\"ada\\\"@example.org"),
        NO("\"a\nb\"@example.org"),
        NO("\"a\\\nb\"@example.org"),
        NO("\"@example.org"),
        NO("ada@[192.0.2.256]"),
        NO("ada@[192.0.2.1"),
        NO("ada@[]"),
        NO("ada@[IPv6:]"),
        NO("ada@[2001:db8::1]"),
        NO("ada@[IPv6:192.0.2.1]"),
        NO(LABEL_63 "ab@example.org"),
        NO("a@" LABEL_63 "." LABEL_63 "." LABEL_63 "." LABEL_63),
        NO("ada@" LABEL_63 "x.org"),
    };
    CHECK(profile_syntax_email, samples);
}

static void test_phone(void **state)
{
    (void)state;
    static const struct sample samples[] = {
        YES("+12"),
        YES("+4930901820"),
        YES("+123456789012345"),
        NO(""),
        NO("+"),
        NO("+1"),
        NO("+01234567"),
        NO("+1234567890123456"),
        NO("12"),
        NO("004930901820"),
        NO("+49 30 9"),
        NO("+49-30-901820"),
        NO("+(49)30901820"),
        NO("+49a30"),
        NO("++4930901820"),
        NO("tel:+493"),
        NO("+4930\0"
           "1820"),
        NO("+\xd9\xa1\xd9\xa2"),
        NO(" +4930"),
    };
    CHECK(profile_syntax_phone, samples);
}

static void test_date(void **state)
{
    (void)state;
    static const struct sample samples[] = {
        YES("1815-12-10"),
        YES("1815"),
        YES("0000-12-10"),
        YES("0000-02-29"),
        YES("2000-02-29"),
        YES("2024-02-29"),
        YES("9999-12-31"),
        YES("0001-01-01"),
        NO(""),
        NO("0000"),
        NO("1900-02-29"),
        NO("2023-02-29"),
        NO("2024-02-30"),
        NO("2024-04-31"),
        NO("2024-13-01"),
        NO("2024-00-10"),
        NO("2024-01-00"),
        NO("2024-01-32"),
        NO("0000-02-30"),
        NO("24-01-01"),
        NO("2024-1-1"),
        NO("2024/01/01"),
        NO("20240101"),
        NO("2024-01"),
        NO("2024-01-01T00:00"),
        NO("-024-01-01"),
        NO("+024-01-01"),
        NO("2024-01-0a"),
        NO(" 2024-01-1"),
        NO("12024-01-01"),
        NO("2024-01-01\0"),
        NO("2024--1-01"),
        NO("abcd"),
        NO("2024-01 01"),
    };
    CHECK(profile_syntax_date, samples);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_url),   cmocka_unit_test(test_locale), cmocka_unit_test(test_zone),
        cmocka_unit_test(test_email), cmocka_unit_test(test_phone),  cmocka_unit_test(test_date),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
