/*
 * walk.h -- an end to the walks that a damaged file makes endless.
 */
#ifndef WALK_H
#define WALK_H

#include <stdint.h>

/*
 * walk_begin -- one operation on one record begins: from here on libdb may ask
 * for pages as often as an operation on a file of this size can need them;
 * after that every request fails.
 */
void walk_begin(uint64_t file_size);

/* walk_begin_verify -- DB->verify of a file of this size begins: likewise. */
void walk_begin_verify(uint64_t file_size);

/* walk_unbounded -- an operation on the whole database begins. */
void walk_unbounded(void);

#endif
