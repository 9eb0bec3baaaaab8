/* The Varnish module's knowledge asked by many threads at once, while it hears the pool and its files change.
 * What matters most is what ThreadSanitizer says of it: cmake --preset tsan. */
#include "support_guard.h"

#include "base/ident.h"
#include "guard/fence.h"

#include <pthread.h>
#include <stdatomic.h>

enum { THREADS = 6, ROUNDS = 400 };

struct crowd {
    struct guard_verifier *v;
    struct span good, forged;
    struct buf theirs[ROUNDS + 1];
    _Atomic int revoked; /* subjects r0 … up to this one were, and that was confirmed */
    _Atomic int wrong;
    _Atomic bool over;
};

static bool asks(struct guard_verifier *v, struct span jwt)
{
    struct err_detail why = {0};
    struct span subject;
    char room[IDENT_MAX_LEN], value[1024];
    (void)snprintf(value, sizeof value, "Bearer %.*s", SPAN_ARG(jwt));
    return guard_verifier_authorised(v, span_str(value), TOKEN_SCOPE_READ, NOW, &subject, room, &why);
}

static void *read_on(void *data)
{
    struct crowd *c = data;
    for (int i = 0; !atomic_load(&c->over); i++) {
        struct guard_report report = {0};
        int revoked = atomic_load(&c->revoked);
        int64_t before = guard_fence_now();
        /* files are looked at each time */
        (void)guard_verifier_current(c->v, i * (int64_t)SECOND, NOW, &report);
        if (!asks(c->v, c->good) || asks(c->v, c->forged) || guard_verifier_remembered(c->v) > 64)
            atomic_fetch_add(&c->wrong, 1);
        if (revoked > 0 && asks(c->v, buf_span(&c->theirs[revoked])))
            atomic_fetch_add(&c->wrong, 1);
        if (revoked < ROUNDS && i % 8 == 0)
            (void)asks(c->v, buf_span(&c->theirs[revoked + 1])); /* remembered, and dead soon */
        struct buf key = {0};
        buf_printf(&key, "profile/r%d", revoked);
        guard_fence_purge(buf_span(&key));
        if (!guard_fence_outdated(buf_span(&key), before))
            atomic_fetch_add(&c->wrong, 1);
        buf_fini(&key);
    }
    return NULL;
}

/* There are two who hear. */
static void raise_to(_Atomic int *to, int i)
{
    int old = atomic_load(to);
    while (old < i && !atomic_compare_exchange_weak(to, &old, i))
        ;
}

static void *hear_on(void *data)
{
    struct crowd *c = data;
    for (int i = 1; i <= ROUNDS; i++) {
        char revoked[64], position[16];
        (void)snprintf(revoked, sizeof revoked, "r%d=%d x%d=%d", i, NOW, i, NOW);
        (void)snprintf(position, sizeof position, "%d", i);
        if (!guard_verifier_hear(c->v, span_str(revoked), span_str(position), i % 50 == 0,
                                 i * (int64_t)SECOND, NOW))
            atomic_fetch_add(&c->wrong, 1);
        raise_to(&c->revoked, i);
    }
    return NULL;
}

static void test_threads(void **state)
{
    (void)state;
    const struct crypto_ed25519_pair key = support_key(1), other = support_key(2);
    pthread_t readers[THREADS], hearers[2];
    put_jwks("k", &key);
    put_list(&key, "revocations+jwt", LIST(ISS, "1800000100", "10", "[]"));
    struct buf good =
        token(&key, "k", "\"sub\":\"ann\",\"scope\":\"profile:read\",\"iat\":1799999990,\"exp\":1800000100");
    struct buf forged = token(&other, "k", "\"sub\":\"ann\",\"scope\":\"profile:read\",\"exp\":1800000100");
    static struct crowd c;
    c = (struct crowd){.v = verifier(), .good = buf_span(&good), .forged = buf_span(&forged)};
    for (int i = 1; i <= ROUNDS; i++) {
        char claims[128];
        (void)snprintf(claims, sizeof claims,
                       "\"sub\":\"r%d\",\"scope\":\"profile:read\",\"iat\":%d,\"exp\":1800000100", i, NOW);
        c.theirs[i] = token(&key, "k", claims);
    }
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&readers[i], NULL, read_on, &c), 0);
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&hearers[i], NULL, hear_on, &c), 0);
    /* keys and list change meanwhile */
    for (int i = 0; i < 40; i++) {
        put_jwks("k", &key);
        put_list(&key, "revocations+jwt",
                 i % 2 == 0 ? LIST(ISS, "1800000100", "10", "[{\"subject\":\"bob\",\"until\":1800000000}]")
                            : LIST(ISS, "1800000100", "20", "[]"));
    }
    for (size_t i = 0; i < 2; i++)
        (void)pthread_join(hearers[i], NULL);
    atomic_store(&c.over, true);
    for (size_t i = 0; i < THREADS; i++)
        (void)pthread_join(readers[i], NULL);
    assert_int_equal(atomic_load(&c.wrong), 0);
    buf_fini(&good);
    buf_fini(&forged);
    for (int i = 1; i <= ROUNDS; i++)
        buf_fini(&c.theirs[i]);
    guard_verifier_free(&c.v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_threads)};
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
