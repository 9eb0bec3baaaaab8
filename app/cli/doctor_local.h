/*
 * What can only be seen on the machine that profiled runs on, by its configuration: the database, the modes
 * of files, the keys. Reads files; may take long on a large database (it is checked whole).
 */
#pragma once
#include "cli/doctor_judge.h"
#include "config/settings.h"
#include "store/inspect.h"

enum { DOCTOR_LOCAL_MAX = 8 };

/* Looks, and judges; gives the number of findings, DOCTOR_LOCAL_MAX at most. */
size_t doctor_local(const struct config_settings *s, struct doctor_finding *out);

/* The judgement of the database alone: pure. Three findings. */
size_t doctor_local_judge_store(const struct store_facts *facts, const char *path,
                                struct doctor_finding *out);
