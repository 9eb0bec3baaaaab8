#include "thumbnail/sandbox.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__)
#define OWN_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define OWN_ARCH AUDIT_ARCH_AARCH64
#elif defined(__riscv) && __riscv_xlen == 64
#define OWN_ARCH AUDIT_ARCH_RISCV64
#else
#error "name this machine's AUDIT_ARCH_ here: the filter must know whose system calls it counts"
#endif

enum { NICENESS = 10 };

enum err thumbnail_sandbox_begin(void)
{
    const struct rlimit none = {0, 0};
    pid_t parent = getppid();
    if (prctl(PR_SET_NAME, "profiled") != 0 || prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent ||
        prctl(PR_SET_DUMPABLE, 0) != 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        setrlimit(RLIMIT_CORE, &none) != 0)
        return ERR_IO;
    /* decoding gives way to answering; where that may not be said it does without */
    (void)setpriority(PRIO_PROCESS, 0, NICENESS);
    return OK;
}

/* Under a sanitizer, address space means nothing. */
#if defined(__SANITIZE_ADDRESS__)
#define LIMITED 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define LIMITED 0
#endif
#endif
#ifndef LIMITED
#define LIMITED 1
#endif

/* Bytes of address space that are in use. */
static bool in_use(rlim_t *out)
{
    unsigned long pages;
    FILE *file = fopen("/proc/self/statm", "re");
    if (file == NULL)
        return false;
    bool read = fscanf(file, "%lu", &pages) == 1;
    fclose(file);
    *out = (rlim_t)pages * (rlim_t)sysconf(_SC_PAGESIZE);
    return read;
}

static bool limit(unsigned memory_mib, unsigned cpu_s)
{
    const struct rlimit none = {0, 0}, cpu = {cpu_s, cpu_s};
    rlim_t used;
    if (!in_use(&used))
        return false;
    const struct rlimit memory = {used + ((rlim_t)memory_mib << 20), used + ((rlim_t)memory_mib << 20)};
    if (LIMITED && setrlimit(RLIMIT_AS, &memory) != 0)
        return false;
    return setrlimit(RLIMIT_CPU, &cpu) == 0 && setrlimit(RLIMIT_FSIZE, &none) == 0 &&
           setrlimit(RLIMIT_NPROC, &none) == 0 && setrlimit(RLIMIT_NOFILE, &none) == 0;
}

#define LOAD(offset)      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (offset))
#define END(what)         BPF_STMT(BPF_RET | BPF_K, (what))
#define ON_CALL(nr, what) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (nr), 0, 1), END(what)
#define ALLOW(name)       ON_CALL(__NR_##name, SECCOMP_RET_ALLOW)
/* What libraries try and can do without. */
#define REFUSE(name) ON_CALL(__NR_##name, SECCOMP_RET_ERRNO | EPERM)
/* The protection is the third argument; its lower half, on these machines, comes first. */
#define ALLOW_UNLESS_CODE(name)                                                                              \
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_##name, 0, 4), LOAD(offsetof(struct seccomp_data, args[2])),    \
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, PROT_EXEC, 0, 1), END(SECCOMP_RET_KILL_PROCESS),                \
        END(SECCOMP_RET_ALLOW)

static bool filter(void)
{
    static struct sock_filter program[] = {
        LOAD(offsetof(struct seccomp_data, arch)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, OWN_ARCH, 1, 0),
        END(SECCOMP_RET_KILL_PROCESS),
        LOAD(offsetof(struct seccomp_data, nr)),
        ALLOW(read),
        ALLOW(write),
        ALLOW(close),
        ALLOW(brk),
        ALLOW_UNLESS_CODE(mmap),
        ALLOW_UNLESS_CODE(mprotect),
        ALLOW(munmap),
        ALLOW(mremap),
        ALLOW(madvise),
        ALLOW(futex),
        ALLOW(exit),
        ALLOW(exit_group),
        ALLOW(rt_sigreturn),
        ALLOW(rt_sigprocmask),
        ALLOW(clock_gettime),
        ALLOW(gettimeofday),
        ALLOW(getrandom),
        ALLOW(sched_yield),
        ALLOW(sched_getaffinity),
        ALLOW(sysinfo),
        ALLOW(getpid),
        ALLOW(gettid),
        REFUSE(openat),
        REFUSE(clone),
        REFUSE(clone3),
        REFUSE(newfstatat),
        REFUSE(readlinkat),
        REFUSE(faccessat),
        REFUSE(prctl),
        REFUSE(prlimit64),
#ifdef __NR_open
        REFUSE(open),
        REFUSE(access),
        REFUSE(readlink),
#endif
        END(SECCOMP_RET_KILL_PROCESS),
    };
    const struct sock_fprog whole = {sizeof program / sizeof program[0], program};
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &whole) == 0;
}

enum err thumbnail_sandbox_close(unsigned memory_mib, unsigned cpu_s)
{
    return limit(memory_mib, cpu_s) && filter() ? OK : ERR_IO;
}
