/*
 * bdb.h -- the flat face of libdb that JavaScript calls.
 *
 * One module instance holds one database at most. Every function that can
 * fail returns 0, an errno (positive) or a DB_* code (negative); the text
 * that libdb had for it stands in bdb_message(). Lengths are in bytes.
 *
 * Bytes go in through memory from bdb_allocate(); bytes come out through
 * bdb_result, which points into libdb's memory and holds good until the next
 * call. This header declares every export: the linker's list and the
 * TypeScript interface are checked against it by a test.
 */
#ifndef BDB_H
#define BDB_H

#include <stdint.h>

#define BDB_EXPORT(name) __attribute__((export_name(#name))) name

/* What bdb_set() sets, before bdb_open(). */
enum bdb_option {
	BDB_PAGE_SIZE = 1,	/* DB->set_pagesize */
	BDB_BYTE_ORDER = 2,	/* DB->set_lorder: 1234 or 4321 */
	BDB_CACHE_SIZE = 3,	/* DB->set_cachesize, in bytes, one region */
	BDB_HASH_ELEMENTS = 4,	/* DB->set_h_nelem */
	BDB_FILL_FACTOR = 5,	/* DB->set_h_ffactor */
	BDB_FLAGS = 6,		/* DB->set_flags */
	BDB_MIN_KEYS = 7	/* DB->set_bt_minkey */
};

/* Where a call left its bytes: pointers into this module's memory. */
struct bdb_result {
	uint32_t key;
	uint32_t key_length;
	uint32_t data;
	uint32_t data_length;
};

/*
 * A packed batch: records one after another, each a key length and a data
 * length (both uint32_t, little-endian, unaligned), the key and the data.
 */

const char *BDB_EXPORT(bdb_version)(void);
const char *BDB_EXPORT(bdb_strerror)(int code);
const char *BDB_EXPORT(bdb_message)(void);
void BDB_EXPORT(bdb_clear_message)(void);
struct bdb_result *BDB_EXPORT(bdb_result_address)(void);

void *BDB_EXPORT(bdb_allocate)(uint32_t length);
/* Zeroes what it frees. */
void BDB_EXPORT(bdb_release)(void *bytes, uint32_t length);
/* The address behind all of the memory that was ever in use. */
uint32_t BDB_EXPORT(bdb_memory_end)(void);

int BDB_EXPORT(bdb_create)(void);
int BDB_EXPORT(bdb_set)(int option, uint32_t value);
int BDB_EXPORT(bdb_open)(const char *path, int type, uint32_t flags, int mode);
/* DB_NOSYNC in flags: what is not in the file yet is dropped. */
int BDB_EXPORT(bdb_close)(uint32_t flags);
int BDB_EXPORT(bdb_sync)(void);
int BDB_EXPORT(bdb_type)(void);			/* DB_BTREE 1, DB_HASH 2 */
int BDB_EXPORT(bdb_set_file_id)(const void *id);	/* 20 bytes */

int BDB_EXPORT(bdb_get)(void *key, uint32_t key_length);
int BDB_EXPORT(bdb_put)(void *key, uint32_t key_length,
    void *data, uint32_t data_length, uint32_t flags);
/*
 * Puts a whole batch. A record that DB_KEYEXIST refuses is passed over: its
 * index goes to refused[], which has room for every record, and their number
 * to result.data_length. After an error result.key_length is the index of the
 * record that it was met at.
 */
int BDB_EXPORT(bdb_put_many)(unsigned char *batch, uint32_t length,
    uint32_t flags, uint32_t *refused);
int BDB_EXPORT(bdb_delete)(void *key, uint32_t key_length);

int BDB_EXPORT(bdb_cursor_open)(void **cursor);
int BDB_EXPORT(bdb_cursor_close)(void *cursor);
int BDB_EXPORT(bdb_cursor_get)(void *cursor, void *key, uint32_t key_length,
    void *data, uint32_t data_length, uint32_t flags);
/*
 * Gets records in the direction of flags (DB_NEXT, DB_PREV) as a batch of at
 * most that many bytes, and of one record at least; result.data is the batch.
 * At the end of the database the batch is empty and the code DB_NOTFOUND.
 */
int BDB_EXPORT(bdb_cursor_get_many)(void *cursor, uint32_t flags,
    uint32_t length);
int BDB_EXPORT(bdb_cursor_put)(void *cursor, void *key, uint32_t key_length,
    void *data, uint32_t data_length, uint32_t flags);
int BDB_EXPORT(bdb_cursor_delete)(void *cursor);
/* The number of duplicates at the cursor, in result.data_length. */
int BDB_EXPORT(bdb_cursor_count)(void *cursor);

/* The number of records, by a walk, in result.data_length. */
int BDB_EXPORT(bdb_count)(void);
/* Fills BDB_STAT_FIELDS numbers; their order: enum bdb_stat. */
int BDB_EXPORT(bdb_stat)(uint32_t *fields, uint32_t flags);
/* result.data_length: pages given back to the file system. */
int BDB_EXPORT(bdb_compact)(void);
/* Neither of these two takes or leaves an open database. */
int BDB_EXPORT(bdb_verify)(const char *path, uint32_t flags);
int BDB_EXPORT(bdb_upgrade)(const char *path, uint32_t flags);

enum bdb_stat {
	BDB_STAT_VERSION,
	BDB_STAT_FLAGS,
	BDB_STAT_KEYS,
	BDB_STAT_RECORDS,
	BDB_STAT_PAGES,
	BDB_STAT_PAGE_SIZE,
	BDB_STAT_FREE_PAGES,
	BDB_STAT_OVERFLOW_PAGES,
	BDB_STAT_DUPLICATE_PAGES,
	BDB_STAT_BYTES_FREE,
	BDB_STAT_FILL_FACTOR,		/* hash */
	BDB_STAT_BUCKETS,		/* hash */
	BDB_STAT_BUCKET_OVERFLOWS,	/* hash */
	BDB_STAT_MIN_KEYS,		/* btree */
	BDB_STAT_LEVELS,		/* btree */
	BDB_STAT_INTERNAL_PAGES,	/* btree */
	BDB_STAT_LEAF_PAGES,		/* btree */
	BDB_STAT_FIELDS
};

#endif
