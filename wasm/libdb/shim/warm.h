/*
 * warm.h -- the pages that are wanted next, fetched into the processor's cache.
 */
#ifndef WARM_H
#define WARM_H

#include "db_int.h"

#define WARM_MAX	16	/* keys at a time */

/*
 * warm_keys -- reads what libdb is about to read to find these keys of a hash
 * database, as far as it is in libdb's cache. Changes nothing.
 */
void warm_keys(DB *dbp, const DBT *keys, int count);

#endif
