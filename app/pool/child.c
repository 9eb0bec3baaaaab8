#include "pool/child.h"

enum { NEVER = CHILD_STATE_COUNT };

static const unsigned char next[CHILD_STATE_COUNT][CHILD_EVENT_COUNT] = {
    [CHILD_EMPTY] = {CHILD_STARTING, NEVER, NEVER, NEVER, NEVER},
    [CHILD_STARTING] = {NEVER, CHILD_READY, CHILD_DRAINING, CHILD_KILLED, CHILD_EMPTY},
    [CHILD_READY] = {NEVER, NEVER, CHILD_DRAINING, CHILD_KILLED, CHILD_EMPTY},
    [CHILD_DRAINING] = {NEVER, NEVER, NEVER, CHILD_KILLED, CHILD_EMPTY},
    [CHILD_KILLED] = {NEVER, NEVER, NEVER, NEVER, CHILD_EMPTY},
};

bool child_apply(enum child_state *state, enum child_event event)
{
    if (*state >= CHILD_STATE_COUNT || event >= CHILD_EVENT_COUNT || next[*state][event] == NEVER)
        return false;
    *state = (enum child_state)next[*state][event];
    return true;
}

const char *child_state_name(enum child_state state)
{
    static const char *const names[CHILD_STATE_COUNT] = {"empty", "starting", "ready", "draining", "killed"};
    return state < CHILD_STATE_COUNT ? names[state] : "unknown";
}

int64_t child_pause_ms(unsigned early_deaths)
{
    enum { FIRST = 100, MOST = 10000 };
    int64_t pause = FIRST;
    if (early_deaths <= 1)
        return 0;
    for (unsigned i = 2; i < early_deaths && pause < MOST; i++)
        pause *= 2;
    return pause < MOST ? pause : MOST;
}
