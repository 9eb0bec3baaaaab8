/*
 * A child that runs instruction by instruction. To step n of them for each n would take their square; so one
 * child is stepped to its end and what it came by is written down, and the others run at full speed up to the
 * last instruction before their n that is met there for the first time, where a breakpoint waits, and are
 * stepped from there. A child forked from the same state takes the same way.
 */
#pragma once
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef __x86_64__
#error "the breakpoint is one of x86-64"
#endif

enum { STEP_MAX = 1 << 20, STEP_BREAKPOINT = 0xcc };

struct step_path {
    uint64_t *at; /* the address of the instruction after so many */
    long *jump;   /* the last step up to this one whose address is met for the first time */
    long len;     /* steps until the child's end */
};

static inline _Noreturn void step_fail(const char *what)
{
    fprintf(stderr, "stepping: %s: %s\n", what, strerror(errno));
    exit(1);
}

static inline pid_t step_start(int (*work)(void *data), void *data)
{
    int status;
    pid_t pid = fork();
    if (pid == 0) {
        ptrace(PTRACE_TRACEME, 0, NULL, NULL);
        raise(SIGSTOP);
        _exit(work(data));
    }
    if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFSTOPPED(status))
        step_fail("the child did not stop");
    return pid;
}

/* false: the child has ended, well. */
static inline bool step_wait(pid_t pid)
{
    int status;
    if (waitpid(pid, &status, 0) != pid)
        step_fail("waitpid");
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return false;
    if (!WIFSTOPPED(status) || WSTOPSIG(status) != SIGTRAP)
        step_fail("the child failed, or got a signal");
    return true;
}

static inline bool step_once(pid_t pid)
{
    if (ptrace(PTRACE_SINGLESTEP, pid, NULL, NULL) != 0)
        step_fail("PTRACE_SINGLESTEP");
    return step_wait(pid);
}

static inline uint64_t step_address(pid_t pid, int64_t move)
{
    struct user_regs_struct regs;
    if (ptrace(PTRACE_GETREGS, pid, NULL, &regs) != 0)
        step_fail("PTRACE_GETREGS");
    regs.rip += (uint64_t)move;
    if (move != 0 && ptrace(PTRACE_SETREGS, pid, NULL, &regs) != 0)
        step_fail("PTRACE_SETREGS");
    return regs.rip;
}

/* Whether the address is new; remembers it. set: of STEP_MAX * 2 words, zeroed before. */
static inline bool step_is_new(uint64_t *set, uint64_t address)
{
    size_t i = address * 0x9e3779b97f4a7c15 >> 43;
    for (; set[i] != 0; i = (i + 1) % (STEP_MAX * 2)) {
        if (set[i] == address)
            return false;
    }
    set[i] = address;
    return true;
}

/* Steps one child to its end. */
static inline struct step_path step_record(int (*work)(void *data), void *data)
{
    struct step_path p = {calloc(STEP_MAX, sizeof *p.at), calloc(STEP_MAX, sizeof *p.jump), 0};
    uint64_t *seen = calloc(STEP_MAX * 2, sizeof *seen);
    if (p.at == NULL || p.jump == NULL || seen == NULL)
        step_fail("memory");
    pid_t pid = step_start(work, data);
    do {
        p.at[p.len] = step_address(pid, 0);
        /* not the first one: there the child stands already */
        bool jump = step_is_new(seen, p.at[p.len]) && p.len > 0;
        p.jump[p.len] = jump ? p.len : p.len > 0 ? p.jump[p.len - 1] : 0;
        if (++p.len == STEP_MAX)
            step_fail("it does not end");
    } while (step_once(pid));
    free(seen);
    return p;
}

static inline void step_path_free(struct step_path *p)
{
    free(p->at);
    free(p->jump);
    *p = (struct step_path){NULL, NULL, 0};
}

/* A child that has made so many steps, less than path->len. */
static inline pid_t step_to(const struct step_path *p, long steps, int (*work)(void *data), void *data)
{
    pid_t pid = step_start(work, data);
    long done = p->jump[steps];
    if (done > 0) {
        void *address = (void *)(uintptr_t)p->at[done]; /* in the child */
        errno = 0;
        long text = ptrace(PTRACE_PEEKTEXT, pid, address, NULL);
        long broken = (text & ~0xffL) | STEP_BREAKPOINT;
        if (errno != 0 || ptrace(PTRACE_POKETEXT, pid, address, broken) != 0 ||
            ptrace(PTRACE_CONT, pid, NULL, NULL) != 0)
            step_fail("the breakpoint");
        if (!step_wait(pid) || step_address(pid, -1) != p->at[done])
            step_fail("the child took another way");
        if (ptrace(PTRACE_POKETEXT, pid, address, text) != 0)
            step_fail("the breakpoint");
    }
    for (; done < steps; done++) {
        if (!step_once(pid))
            step_fail("the child ended early");
    }
    if (step_address(pid, 0) != p->at[steps])
        step_fail("the child took another way");
    return pid;
}
