/*
 * walk.h -- an end to the walks that a damaged file makes endless.
 */
#ifndef WALK_H
#define WALK_H

/*
 * walk_begin -- one operation on one record begins: from here on libdb may ask
 * for so many pages and no more, after which every request fails.
 */
void walk_begin(void);

/* walk_unbounded -- an operation on the whole database begins. */
void walk_unbounded(void);

#endif
