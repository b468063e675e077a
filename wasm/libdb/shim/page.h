/*
 * page.h -- the unused space of database pages.
 */
#ifndef PAGE_H
#define PAGE_H

#include <stddef.h>
#include <stdint.h>

/*
 * page_learn -- look at the first page of the database file, as it stands on
 * disc, for the page size, the byte order and whether its pages may be
 * cleared.
 */
void page_learn(const unsigned char *bytes, size_t length);

/*
 * page_clear_unused -- zero every byte of a page, in its on-disc byte order,
 * that no record and no header field owns. Does nothing where the bytes are
 * no whole page, or not one of a layout that it knows.
 */
void page_clear_unused(unsigned char *page, size_t length);

/*
 * page_is_sound -- whether a page, as it was read, is of a type that there is,
 * and every item lies where items can lie and is no longer than the file. libdb
 * believes what it reads: from a damaged page it would copy whatever there is
 * in memory, or go round for ever. Says yes to what is no whole page, or not of
 * a layout that it knows.
 */
int page_is_sound(const unsigned char *page, size_t length,
    uint64_t file_size);

/*
 * page_has_its_room -- whether the room that a sound page says it has lies
 * between its index and its items, and no two items have bytes in common. libdb
 * reads a page without it, and puts what is new where it says, and moves the
 * rest when an item goes: outside the page, if that is not so.
 */
int page_has_its_room(const unsigned char *page, size_t length);

#endif
