/*
 * database.h -- what the rest of the shim may know of the open database.
 */
#ifndef DATABASE_H
#define DATABASE_H

#include <stdint.h>

/*
 * database_size -- the size of its file in bytes, with the pages that are only
 * in the cache so far; 0 while it is being opened.
 */
uint64_t database_size(void);

/* database_says -- adds a line to bdb_message(). */
void database_says(const char *text);

#endif
