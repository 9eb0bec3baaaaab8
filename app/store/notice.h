/*
 * A wake-up where somebody writes to the database, so that who follows the change log need not look all the
 * time: a descriptor that becomes readable when bytes were written into the write-ahead log (inotify(7) on
 * the database's folder, so that a database put in its place is seen as well). It comes before the commit
 * does, which the marker of watch.h shows some moments later, after the disk was synced; and where it fails
 * nothing is lost but time: it says when to look more often, never that there is nothing to see.
 */
#pragma once
#include "base/err.h"

/* url as in store_open. -1: there can be none here. To be closed with close(2). */
int store_notice_open(const char *url);
/* Whether the log was written to since the last call. Never blocks; -1 is fine. */
bool store_notice_take(int fd, const char *url);
