/*
 * What a child may still do while it has a stranger's image in its hands: read and write what is open,
 * allocate, ask for the time, end. By limits of setrlimit(2) and a filter of seccomp(2), both for ever.
 */
#pragma once
#include "base/err.h"

/* Before libraries are loaded: dies with its parent, leaves no core, cannot gain rights. */
MUST_USE enum err thumbnail_sandbox_begin(void);
/* Afterwards: so much more address space, so much time of the processor, no file and no network; anything
 * else that is asked of the kernel kills the process. ERR_IO: the kernel does not do that. */
MUST_USE enum err thumbnail_sandbox_close(unsigned memory_mib, unsigned cpu_s);
