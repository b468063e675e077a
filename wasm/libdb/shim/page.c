/*
 * page.c -- zero the unused space of a page before it is written, and look at
 * one that was read before libdb does.
 *
 * libdb moves and removes items without clearing what they leave behind, and
 * clears a recycled page buffer only at its head: deleted passwords and stale
 * copies of other pages would stand in the file. Page layouts: dbinc/db_page.h
 * of libdb 5.3; offsets are spelt out because a page may be in either byte
 * order here.
 */
#include "page.h"

#include <stdint.h>
#include <string.h>

enum {
	PAGE_HEADER = 26,	/* SIZEOF_PAGE without a checksum */
	META_SIZE = 512,	/* DBMETASIZE: HMETA and BTMETA alike */
	META_MAGIC = 12,
	META_VERSION = 16,
	META_PAGESIZE = 20,
	META_ENCRYPT_ALG = 24,
	META_FLAGS = 26,
	META_FLAG_CHKSUM = 0x01,
	PAGE_ENTRIES = 20,
	PAGE_HF_OFFSET = 22,
	PAGE_TYPE = 25
};

enum {
	HASH_MAGIC = 0x061561,
	BTREE_MAGIC = 0x053162,
	HASH_VERSION_MIN = 8,
	HASH_VERSION_MAX = 9,
	BTREE_VERSION = 9
};

enum page_type {
	TYPE_INVALID = 0,
	TYPE_HASH_UNSORTED = 2,
	TYPE_IBTREE = 3,
	TYPE_IRECNO = 4,
	TYPE_LBTREE = 5,
	TYPE_LRECNO = 6,
	TYPE_OVERFLOW = 7,
	TYPE_HASHMETA = 8,
	TYPE_BTREEMETA = 9,
	TYPE_LDUP = 12,
	TYPE_HASH = 13
};

enum {
	H_ITEM_KEYDATA = 1,
	H_ITEM_DUPLICATE = 2,
	H_ITEM_OFFPAGE = 3,
	H_ITEM_OFFDUP = 4
};
enum {
	B_ITEM_KEYDATA = 1,
	B_ITEM_DUPLICATE = 2,
	B_ITEM_OVERFLOW = 3,
	B_ITEM_DELETED_BIT = 0x80
};

static struct {
	uint32_t size;		/* 0: pages are left as they are */
	int swapped;
} layout;

static uint32_t
u16(const unsigned char *p)
{
	return (layout.swapped ? (uint32_t)(p[0] << 8 | p[1])
	    : (uint32_t)(p[1] << 8 | p[0]));
}

static uint32_t
u32le(const unsigned char *p)
{
	return ((uint32_t)p[0] | (uint32_t)p[1] << 8 |
	    (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24);
}

static uint32_t
u32be(const unsigned char *p)
{
	return ((uint32_t)p[3] | (uint32_t)p[2] << 8 |
	    (uint32_t)p[1] << 16 | (uint32_t)p[0] << 24);
}

static uint32_t
u32(const unsigned char *p)
{
	return (layout.swapped ? u32be(p) : u32le(p));
}

void
page_learn(const unsigned char *bytes, size_t length)
{
	uint32_t (*get)(const unsigned char *);
	uint32_t magic, version;

	layout.size = 0;
	if (length < META_SIZE)
		return;
	get = u32le;
	magic = get(bytes + META_MAGIC);
	if (magic != HASH_MAGIC && magic != BTREE_MAGIC) {
		get = u32be;
		magic = get(bytes + META_MAGIC);
		if (magic != HASH_MAGIC && magic != BTREE_MAGIC)
			return;
	}
	version = get(bytes + META_VERSION);
	if (magic == HASH_MAGIC ?
	    version < HASH_VERSION_MIN || version > HASH_VERSION_MAX :
	    version != BTREE_VERSION)
		return;
	/* A checksum or a cipher covers the whole page, unused space too. */
	if (bytes[META_ENCRYPT_ALG] != 0 ||
	    (bytes[META_FLAGS] & META_FLAG_CHKSUM) != 0)
		return;
	layout.size = get(bytes + META_PAGESIZE);
	layout.swapped = get == u32be;
}

static int
has_items(unsigned type)
{
	switch (type) {
	case TYPE_HASH:
	case TYPE_HASH_UNSORTED:
	case TYPE_IBTREE:
	case TYPE_IRECNO:
	case TYPE_LBTREE:
	case TYPE_LRECNO:
	case TYPE_LDUP:
		return (1);
	default:
		return (0);
	}
}

static void
clear(unsigned char *page, uint32_t from, uint32_t to)
{
	if (from < to)
		memset(page + from, 0, to - from);
}

/* A btree item: the padding behind it, and the fields that libdb never sets. */
static void
clear_btree_item(unsigned char *page, uint32_t offset, unsigned type)
{
	uint32_t length, end;

	length = u16(page + offset);
	switch (type) {
	case TYPE_IRECNO:		/* RINTERNAL: two numbers */
		return;
	case TYPE_IBTREE:		/* BINTERNAL: len type unused pgno nrecs data */
		if (offset + 12 > layout.size)
			return;
		page[offset + 3] = 0;
		if ((page[offset + 2] & ~B_ITEM_DELETED_BIT) != B_ITEM_KEYDATA &&
		    offset + 24 <= layout.size) {
			/* its data is a BOVERFLOW */
			page[offset + 12] = page[offset + 13] = 0;
			page[offset + 15] = 0;
		}
		end = offset + 12 + length;
		break;
	default:			/* BKEYDATA or BOVERFLOW */
		if ((page[offset + 2] & ~B_ITEM_DELETED_BIT) != B_ITEM_KEYDATA) {
			page[offset] = page[offset + 1] = page[offset + 3] = 0;
			return;
		}
		end = offset + 3 + length;
		break;
	}
	end = end < layout.size ? end : layout.size;
	clear(page, end, (end + 3) & ~3u);
}

void
page_clear_unused(unsigned char *page, size_t length)
{
	uint32_t size, entries, low, index_end, i, offset;
	unsigned type;

	size = layout.size;
	if (size == 0 || length != size)
		return;
	type = page[PAGE_TYPE];
	switch (type) {
	case TYPE_HASHMETA:
	case TYPE_BTREEMETA:
		clear(page, META_SIZE, size);
		return;
	case TYPE_INVALID:
		clear(page, PAGE_HEADER, size);
		return;
	case TYPE_OVERFLOW:
		clear(page, PAGE_HEADER + u16(page + PAGE_HF_OFFSET), size);
		return;
	default:
		if (!has_items(type))
			return;
	}

	entries = u16(page + PAGE_ENTRIES);
	low = u16(page + PAGE_HF_OFFSET);
	if (low == 0)			/* 65536 does not fit */
		low = size;
	index_end = PAGE_HEADER + 2 * entries;
	if (index_end > low || low > size)
		return;
	clear(page, index_end, low);

	for (i = 0; i < entries; ++i) {
		offset = u16(page + PAGE_HEADER + 2 * i);
		if (offset < low || offset >= size)
			continue;
		if (type == TYPE_HASH || type == TYPE_HASH_UNSORTED) {
			if (offset + 4 <= size &&
			    (page[offset] == H_ITEM_OFFPAGE ||
			    page[offset] == H_ITEM_OFFDUP))
				clear(page, offset + 1, offset + 4);
		} else if (offset + 4 <= size)
			clear_btree_item(page, offset, type);
	}
}

/* A set of duplicates: each with its length before and behind it. */
static int
are_duplicates_sound(const unsigned char *set, uint32_t length)
{
	uint32_t at, size;

	for (at = 0; at < length; at += size + 4) {
		if (length - at < 4)
			return (0);
		size = u16(set + at);
		if (size > length - at - 4 || u16(set + at + 2 + size) != size)
			return (0);
	}
	return (1);
}

static int
is_hash_item_sound(const unsigned char *item, uint32_t length,
    uint64_t file_size)
{
	switch (item[0]) {
	case H_ITEM_KEYDATA:
		return (1);
	case H_ITEM_DUPLICATE:
		return (are_duplicates_sound(item + 1, length - 1));
	case H_ITEM_OFFPAGE:
		return (length >= 12 && u32(item + 8) <= file_size);
	case H_ITEM_OFFDUP:
		return (length >= 8);
	default:
		return (0);
	}
}

/* A BKEYDATA or BOVERFLOW, with so many bytes to the end of the page. */
static int
is_btree_item_sound(const unsigned char *item, uint32_t room,
    uint64_t file_size)
{
	if (room < 3)
		return (0);
	switch (item[2] & ~B_ITEM_DELETED_BIT) {
	case B_ITEM_KEYDATA:
		return (3 + u16(item) <= room);
	case B_ITEM_DUPLICATE:
		return (room >= 12);
	case B_ITEM_OVERFLOW:
		return (room >= 12 && u32(item + 8) <= file_size);
	default:
		return (0);
	}
}

/* A BINTERNAL: its data is that of a BKEYDATA, or a BOVERFLOW. */
static int
is_internal_item_sound(const unsigned char *item, uint32_t room,
    uint64_t file_size)
{
	if (room < 12)
		return (0);
	if ((item[2] & ~B_ITEM_DELETED_BIT) == B_ITEM_KEYDATA)
		return (12 + u16(item) <= room);
	return (is_btree_item_sound(item + 12, room - 12, file_size));
}

static int
is_item_sound(unsigned type, const unsigned char *item, uint32_t room,
    uint64_t file_size)
{
	switch (type) {
	case TYPE_HASH:
	case TYPE_HASH_UNSORTED:
		return (is_hash_item_sound(item, room, file_size));
	case TYPE_IBTREE:
		return (is_internal_item_sound(item, room, file_size));
	case TYPE_IRECNO:
		return (room >= 8);
	default:
		return (is_btree_item_sound(item, room, file_size));
	}
}

int
page_is_sound(const unsigned char *page, size_t length, uint64_t file_size)
{
	uint32_t size, entries, index_end, i, offset, end;
	unsigned type;

	size = layout.size;
	if (size == 0 || length != size)
		return (1);
	type = page[PAGE_TYPE];
	switch (type) {
	case TYPE_INVALID:
	case TYPE_HASHMETA:
	case TYPE_BTREEMETA:
		return (1);
	case TYPE_OVERFLOW:
		return (PAGE_HEADER + u16(page + PAGE_HF_OFFSET) <= size);
	default:
		if (!has_items(type))
			return (0);
	}

	entries = u16(page + PAGE_ENTRIES);
	index_end = PAGE_HEADER + 2 * entries;
	if (index_end > size)
		return (0);
	end = size;
	for (i = 0; i < entries; ++i) {
		offset = u16(page + PAGE_HEADER + 2 * i);
		/* The items of a hash page lie one below the other. */
		if (offset < index_end || offset >= end || !is_item_sound(type,
		    page + offset, end - offset, file_size))
			return (0);
		if (type == TYPE_HASH || type == TYPE_HASH_UNSORTED)
			end = offset;
	}
	return (1);
}

/* The bytes of a sound btree item, without the padding behind it. */
static uint32_t
btree_item_length(unsigned type, const unsigned char *item)
{
	int is_inline;

	if (type == TYPE_IRECNO)
		return (8);
	is_inline = (item[2] & ~B_ITEM_DELETED_BIT) == B_ITEM_KEYDATA;
	if (type == TYPE_IBTREE)
		return (12 + (is_inline ? u16(item) : 12));
	return (is_inline ? 3 + u16(item) : 12);
}

/*
 * Whether no two items of a sound btree page have a byte in common. The
 * duplicates of a key, one behind the other, have its item in common.
 */
static int
are_items_apart(const unsigned char *page, uint32_t entries)
{
	static unsigned char taken[65536];
	uint32_t i, offset, at, end;
	unsigned type;

	type = page[PAGE_TYPE];
	memset(taken, 0, layout.size);
	for (i = 0; i < entries; ++i) {
		offset = u16(page + PAGE_HEADER + 2 * i);
		if (type == TYPE_LBTREE && i >= 2 && i % 2 == 0 &&
		    offset == u16(page + PAGE_HEADER + 2 * (i - 2)))
			continue;
		end = offset + btree_item_length(type, page + offset);
		for (at = offset; at < end; ++at) {
			if (taken[at])
				return (0);
			taken[at] = 1;
		}
	}
	return (1);
}

int
page_has_its_room(const unsigned char *page, size_t length)
{
	uint32_t size, entries, low, index_end, i;
	unsigned type;

	size = layout.size;
	if (size == 0 || length != size || !has_items(page[PAGE_TYPE]))
		return (1);
	entries = u16(page + PAGE_ENTRIES);
	low = u16(page + PAGE_HF_OFFSET);
	if (low == 0)			/* 65536 does not fit */
		low = size;
	index_end = PAGE_HEADER + 2 * entries;
	if (low < index_end || low > size)
		return (0);
	for (i = 0; i < entries; ++i)
		if (u16(page + PAGE_HEADER + 2 * i) < low)
			return (0);
	type = page[PAGE_TYPE];
	return (type == TYPE_HASH || type == TYPE_HASH_UNSORTED ||
	    are_items_apart(page, entries));
}
