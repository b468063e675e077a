/*
 * bdb.c -- bdb.h over libdb's own functions.
 */
#include "db_config.h"

#include "db_int.h"
#include "dbinc/db_page.h"
#include "dbinc/db_am.h"
#include "dbinc/mp.h"

#include "bdb.h"
#include "database.h"
#include "host.h"
#include "memory.h"
#include "walk.h"
#include "warm.h"

#include <stdlib.h>
#include <string.h>

#define BATCH_HEADER	8
#define MESSAGE_MAX	8192

static DB *database;
static struct bdb_result result;
static char message[MESSAGE_MAX];
static size_t message_length;

/* How often the database was changed: what an endless walk is told from. */
static uint32_t changes;

/* The batch of bdb_cursor_get_many(). */
static unsigned char *batch_bytes;
static uint32_t batch_room;

/*
 * Errors and messages
 */
void
database_says(const char *text)
{
	size_t length;

	length = strlen(text);
	if (message_length != 0 && message_length < MESSAGE_MAX - 1)
		message[message_length++] = '\n';
	if (length > MESSAGE_MAX - 1 - message_length)
		length = MESSAGE_MAX - 1 - message_length;
	memcpy(message + message_length, text, length);
	message_length += length;
	message[message_length] = '\0';
}

static void
on_error(const DB_ENV *dbenv, const char *prefix, const char *text)
{
	(void)dbenv;
	(void)prefix;
	database_says(text);
}

static void
on_message(const DB_ENV *dbenv, const char *text)
{
	(void)dbenv;
	(void)text;
}

/* Damage that libdb would follow for ever. */
static int
endless(void)
{
	database_says("a chain of pages has no end: the file is damaged");
	return (EINVAL);
}

const char *
bdb_version(void)
{
	return (db_version(NULL, NULL, NULL));
}

const char *
bdb_strerror(int code)
{
	return (db_strerror(code));
}

const char *
bdb_message(void)
{
	return (message);
}

void
bdb_clear_message(void)
{
	message_length = 0;
	message[0] = '\0';
}

/*
 * Memory
 */
struct bdb_result *
bdb_result_address(void)
{
	return (&result);
}

void *
bdb_allocate(uint32_t length)
{
	return (malloc(length == 0 ? 1 : length));
}

void
bdb_release(void *bytes, uint32_t length)
{
	if (bytes == NULL)
		return;
	memset(bytes, 0, length);
	free(bytes);
}

uint32_t
bdb_memory_end(void)
{
	return (memory_end());
}

static void
set_dbt(DBT *dbt, void *bytes, uint32_t length)
{
	memset(dbt, 0, sizeof(*dbt));
	dbt->data = bytes;
	dbt->size = length;
}

static void
set_result(const DBT *key, const DBT *data)
{
	result.key = (uint32_t)(uintptr_t)key->data;
	result.key_length = key->size;
	result.data = (uint32_t)(uintptr_t)data->data;
	result.data_length = data->size;
}

static uint32_t
batch_number(const unsigned char *p)
{
	return ((uint32_t)p[0] | (uint32_t)p[1] << 8 |
	    (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24);
}

/* Reading a damaged hash file can make empty pages behind its end, too. */
uint64_t
database_size(void)
{
	db_pgno_t last;

	if (database == NULL || database->mpf->mfp == NULL ||
	    __memp_get_last_pgno(database->mpf, &last) != 0)
		return (0);
	return (((uint64_t)last + 1) * database->pgsize);
}

/* Every operation on one record begins here. */
static void
begin(void)
{
	walk_begin(database_size());
}

/*
 * Opening and closing
 */
static int
create(DB **dbp)
{
	int ret;

	if ((ret = db_create(dbp, NULL, 0)) != 0)
		return (ret);
	(*dbp)->set_errcall(*dbp, on_error);
	(*dbp)->set_msgcall(*dbp, on_message);
	return ((*dbp)->dbenv->set_tmp_dir((*dbp)->dbenv, HOST_SCRATCH));
}

int
bdb_create(void)
{
	return (create(&database));
}

/*
 * With a bucket for each page that there is room for: by itself libdb has one
 * for about three, and goes along chains. The table is made when the database
 * is opened, so a cache that may stay empty gets one of some megabytes.
 */
#define PAGE_USUAL	4096
#define BUCKETS_MAX	131072

static int
set_cache_size(uint32_t value)
{
	DB_ENV *dbenv;
	uint32_t buckets;
	int ret;

	dbenv = database->dbenv;
	buckets = value / PAGE_USUAL;
	if ((ret = dbenv->set_mp_tablesize(dbenv,
	    buckets < BUCKETS_MAX ? buckets : BUCKETS_MAX)) != 0)
		return (ret);
	return (database->set_cachesize(database, 0, value, 1));
}

int
bdb_set(int option, uint32_t value)
{
	switch (option) {
	case BDB_PAGE_SIZE:
		return (database->set_pagesize(database, value));
	case BDB_BYTE_ORDER:
		return (database->set_lorder(database, (int)value));
	case BDB_CACHE_SIZE:
		return (set_cache_size(value));
	case BDB_HASH_ELEMENTS:
		return (database->set_h_nelem(database, value));
	case BDB_FILL_FACTOR:
		return (database->set_h_ffactor(database, value));
	case BDB_FLAGS:
		return (database->set_flags(database, value));
	case BDB_MIN_KEYS:
		return (database->set_bt_minkey(database, value));
	default:
		return (EINVAL);
	}
}

int
bdb_open(const char *path, int type, uint32_t flags, int mode)
{
	begin();
	return (database->open(database,
	    NULL, path, NULL, (DBTYPE)type, flags, mode));
}

int
bdb_close(uint32_t flags)
{
	DB *dbp;

	bdb_release(batch_bytes, batch_room);
	batch_bytes = NULL;
	batch_room = 0;
	if ((dbp = database) == NULL)
		return (0);
	begin();
	database = NULL;
	return (dbp->close(dbp, flags));
}

int
bdb_sync(void)
{
	begin();
	return (database->sync(database, 0));
}

int
bdb_type(void)
{
	return (database->type);
}

int
bdb_set_file_id(const void *id)
{
	DBMETA *meta;
	DB_MPOOLFILE *mpf;
	db_pgno_t pgno;
	int ret;

	if (DB_IS_READONLY(database))
		return (__db_rdonly(database->env, "DB->set_file_id"));
	mpf = database->mpf;
	pgno = PGNO_BASE_MD;
	if ((ret = __memp_fget(mpf,
	    &pgno, NULL, NULL, DB_MPOOL_DIRTY, &meta)) != 0)
		return (ret);
	memcpy(meta->uid, id, DB_FILE_ID_LEN);
	return (__memp_fput(mpf, NULL, meta, database->priority));
}

/*
 * Records
 */
int
bdb_get(void *key, uint32_t key_length)
{
	DBT k, d;
	int ret;

	begin();
	set_dbt(&k, key, key_length);
	set_dbt(&d, NULL, 0);
	if ((ret = database->get(database, NULL, &k, &d, 0)) == 0)
		set_result(&k, &d);
	return (ret);
}

int
bdb_put(void *key, uint32_t key_length,
    void *data, uint32_t data_length, uint32_t flags)
{
	DBT k, d;

	begin();
	++changes;
	set_dbt(&k, key, key_length);
	set_dbt(&d, data, data_length);
	return (database->put(database, NULL, &k, &d, flags));
}

/* Takes the next record of a batch apart: 0, or EINVAL. */
static int
next_record(unsigned char **batch, const unsigned char *end, DBT *key, DBT *data)
{
	unsigned char *p;
	size_t key_length, data_length, room;

	p = *batch;
	room = (size_t)(end - p);
	if (room < BATCH_HEADER)
		return (EINVAL);
	key_length = batch_number(p);
	data_length = batch_number(p + 4);
	room -= BATCH_HEADER;
	if (key_length > room || data_length > room - key_length)
		return (EINVAL);
	p += BATCH_HEADER;
	set_dbt(key, p, key_length);
	set_dbt(data, p + key_length, data_length);
	*batch = p + key_length + data_length;
	return (0);
}

/*
 * The loop of DB->put(DB_MULTIPLE_KEY) over another packing, which, unlike
 * that, goes on after DB_KEYEXIST. One cursor serves the whole batch.
 */
int
bdb_put_many(unsigned char *batch, uint32_t length,
    uint32_t flags, uint32_t *refused)
{
	DBC *dbc;
	DBT keys[WARM_MAX], data[WARM_MAX];
	uint32_t index, refusals;
	unsigned char *end;
	int count, i, parsed, ret, t_ret;

	++changes;
	index = refusals = 0;
	end = batch + length;
	if ((ret = __db_cursor(database, NULL, NULL,
	    &dbc, DB_WRITELOCK | DB_CURSOR_BULK)) != 0)
		return (ret);
	for (parsed = 0; ret == 0 && parsed == 0 && batch < end;) {
		for (count = 0; count < WARM_MAX && batch < end; ++count)
			if ((parsed = next_record(&batch,
			    end, &keys[count], &data[count])) != 0)
				break;
		warm_keys(database, keys, count);
		for (i = 0; i < count; ++i, ++index) {
			begin();
			if ((ret = __dbc_put(dbc,
			    &keys[i], &data[i], flags)) == 0)
				continue;
			if (ret != DB_KEYEXIST)
				break;
			refused[refusals++] = index;
			ret = 0;
		}
	}
	if (ret == 0)
		ret = parsed;
	if (ret != 0)
		F_SET(dbc, DBC_ERROR);
	if ((t_ret = __dbc_close(dbc)) != 0 && ret == 0)
		ret = t_ret;
	result.key_length = index;
	result.data_length = refusals;
	return (ret);
}

int
bdb_delete(void *key, uint32_t key_length)
{
	DBT k;

	begin();
	++changes;
	set_dbt(&k, key, key_length);
	return (database->del(database, NULL, &k, 0));
}

/*
 * Cursors
 */
struct cursor {
	DBC *dbc;
	/* Steps in one direction, with nothing changed in between. */
	uint64_t steps;
	/* How many of those there can be. */
	uint64_t steps_max;
	int direction;
	uint32_t changes;
};

/* No record takes fewer bytes than this: its share of the index, and a length. */
#define RECORD_MIN	4

/* No walk can see more records than there is room for in the file. */
static uint64_t
records_max(void)
{
	return (1000 + database_size() / RECORD_MIN);
}

static int
direction_of(uint32_t flags)
{
	switch (flags) {
	case DB_NEXT:
	case DB_NEXT_DUP:
	case DB_NEXT_NODUP:
		return (1);
	case DB_PREV:
	case DB_PREV_DUP:
	case DB_PREV_NODUP:
		return (-1);
	default:
		return (0);
	}
}

static int
step(struct cursor *c, DBT *k, DBT *d, uint32_t flags)
{
	int direction;

	direction = direction_of(flags);
	if (direction == 0 ||
	    direction != c->direction || changes != c->changes) {
		c->steps = 0;
		c->direction = direction;
		c->changes = changes;
		c->steps_max = records_max();
	} else if (++c->steps > c->steps_max)
		return (endless());
	begin();
	return (c->dbc->get(c->dbc, k, d, flags));
}

int
bdb_cursor_open(void **cursor)
{
	struct cursor *c;
	int ret;

	if ((c = calloc(1, sizeof(*c))) == NULL)
		return (ENOMEM);
	if ((ret = database->cursor(database, NULL, &c->dbc, 0)) != 0) {
		free(c);
		return (ret);
	}
	*cursor = c;
	return (0);
}

int
bdb_cursor_close(void *cursor)
{
	DBC *dbc;

	dbc = ((struct cursor *)cursor)->dbc;
	free(cursor);
	begin();
	return (dbc->close(dbc));
}

int
bdb_cursor_get(void *cursor, void *key, uint32_t key_length,
    void *data, uint32_t data_length, uint32_t flags)
{
	DBT k, d;
	int ret;

	set_dbt(&k, key, key_length);
	set_dbt(&d, data, data_length);
	if ((ret = step(cursor, &k, &d, flags)) == 0)
		set_result(&k, &d);
	return (ret);
}

static void
batch_set_number(unsigned char *p, uint32_t value)
{
	p[0] = (unsigned char)value;
	p[1] = (unsigned char)(value >> 8);
	p[2] = (unsigned char)(value >> 16);
	p[3] = (unsigned char)(value >> 24);
}

static int
batch_make_room(uint32_t room)
{
	if (room <= batch_room)
		return (0);
	bdb_release(batch_bytes, batch_room);
	batch_room = 0;
	if ((batch_bytes = malloc(room)) == NULL)
		return (ENOMEM);
	batch_room = room;
	return (0);
}

int
bdb_cursor_get_many(void *cursor, uint32_t flags, uint32_t length)
{
	DBC *dbc;
	DBT k, d;
	uint32_t back, need, used;
	unsigned char *p;
	int ret;

	dbc = ((struct cursor *)cursor)->dbc;
	back = flags == DB_NEXT ? DB_PREV : DB_NEXT;
	result.data_length = 0;
	if ((ret = batch_make_room(length)) != 0)
		return (ret);
	for (used = 0;; used += need) {
		set_dbt(&k, NULL, 0);
		set_dbt(&d, NULL, 0);
		if ((ret = step(cursor, &k, &d, flags)) != 0)
			break;
		need = BATCH_HEADER + k.size + d.size;
		if (used + need > length) {
			if (used != 0) {
				/* It is the first of the next batch. */
				ret = dbc->get(dbc, &k, &d, back);
				break;
			}
			if ((ret = batch_make_room(need)) != 0)
				break;
		}
		p = batch_bytes + used;
		batch_set_number(p, k.size);
		batch_set_number(p + 4, d.size);
		memcpy(p + BATCH_HEADER, k.data, k.size);
		memcpy(p + BATCH_HEADER + k.size, d.data, d.size);
	}
	if (ret == DB_NOTFOUND && used != 0)
		ret = 0;
	result.data = (uint32_t)(uintptr_t)batch_bytes;
	result.data_length = used;
	return (ret);
}

int
bdb_cursor_put(void *cursor, void *key, uint32_t key_length,
    void *data, uint32_t data_length, uint32_t flags)
{
	DBC *dbc;
	DBT k, d;

	dbc = ((struct cursor *)cursor)->dbc;
	begin();
	++changes;
	set_dbt(&k, key, key_length);
	set_dbt(&d, data, data_length);
	return (dbc->put(dbc, &k, &d, flags));
}

int
bdb_cursor_delete(void *cursor)
{
	DBC *dbc;

	dbc = ((struct cursor *)cursor)->dbc;
	begin();
	++changes;
	return (dbc->del(dbc, 0));
}

int
bdb_cursor_count(void *cursor)
{
	DBC *dbc;
	db_recno_t count;
	int ret;

	dbc = ((struct cursor *)cursor)->dbc;
	begin();
	count = 0;
	ret = dbc->count(dbc, &count, 0);
	result.data_length = count;
	return (ret);
}

/*
 * The whole database
 */
int
bdb_count(void)
{
	DBC *dbc;
	DBT k, d;
	uint64_t count_max;
	uint32_t count;
	int ret, t_ret;

	count_max = records_max();
	if ((ret = database->cursor(database, NULL, &dbc, 0)) != 0)
		return (ret);
	set_dbt(&k, NULL, 0);
	set_dbt(&d, NULL, 0);
	k.flags = d.flags = DB_DBT_USERMEM | DB_DBT_PARTIAL;
	for (count = 0;; ++count) {
		begin();
		if ((ret = count > count_max ?
		    endless() : dbc->get(dbc, &k, &d, DB_NEXT)) != 0)
			break;
	}
	if (ret == DB_NOTFOUND)
		ret = 0;
	if ((t_ret = dbc->close(dbc)) != 0 && ret == 0)
		ret = t_ret;
	result.data_length = count;
	return (ret);
}

static void
fill_hash_stat(const DB_HASH_STAT *sp, uint32_t *fields)
{
	fields[BDB_STAT_VERSION] = sp->hash_version;
	fields[BDB_STAT_FLAGS] = sp->hash_metaflags;
	fields[BDB_STAT_KEYS] = sp->hash_nkeys;
	fields[BDB_STAT_RECORDS] = sp->hash_ndata;
	fields[BDB_STAT_PAGES] = sp->hash_pagecnt;
	fields[BDB_STAT_PAGE_SIZE] = sp->hash_pagesize;
	fields[BDB_STAT_FREE_PAGES] = sp->hash_free;
	fields[BDB_STAT_OVERFLOW_PAGES] = sp->hash_bigpages;
	fields[BDB_STAT_DUPLICATE_PAGES] = sp->hash_dup;
	fields[BDB_STAT_BYTES_FREE] = (uint32_t)(sp->hash_bfree +
	    sp->hash_big_bfree + sp->hash_ovfl_free + sp->hash_dup_free);
	fields[BDB_STAT_FILL_FACTOR] = sp->hash_ffactor;
	fields[BDB_STAT_BUCKETS] = sp->hash_buckets;
	fields[BDB_STAT_BUCKET_OVERFLOWS] = sp->hash_overflows;
}

static void
fill_btree_stat(const DB_BTREE_STAT *sp, uint32_t *fields)
{
	fields[BDB_STAT_VERSION] = sp->bt_version;
	fields[BDB_STAT_FLAGS] = sp->bt_metaflags;
	fields[BDB_STAT_KEYS] = sp->bt_nkeys;
	fields[BDB_STAT_RECORDS] = sp->bt_ndata;
	fields[BDB_STAT_PAGES] = sp->bt_pagecnt;
	fields[BDB_STAT_PAGE_SIZE] = sp->bt_pagesize;
	fields[BDB_STAT_FREE_PAGES] = sp->bt_free;
	fields[BDB_STAT_OVERFLOW_PAGES] = sp->bt_over_pg;
	fields[BDB_STAT_DUPLICATE_PAGES] = sp->bt_dup_pg;
	fields[BDB_STAT_BYTES_FREE] = (uint32_t)(sp->bt_int_pgfree +
	    sp->bt_leaf_pgfree + sp->bt_dup_pgfree + sp->bt_over_pgfree);
	fields[BDB_STAT_MIN_KEYS] = sp->bt_minkey;
	fields[BDB_STAT_LEVELS] = sp->bt_levels;
	fields[BDB_STAT_INTERNAL_PAGES] = sp->bt_int_pg;
	fields[BDB_STAT_LEAF_PAGES] = sp->bt_leaf_pg;
}

int
bdb_stat(uint32_t *fields, uint32_t flags)
{
	void *sp;
	int ret;

	begin();
	memset(fields, 0, BDB_STAT_FIELDS * sizeof(*fields));
	if ((ret = database->stat(database, NULL, &sp, flags)) != 0)
		return (ret);
	if (database->type == DB_HASH)
		fill_hash_stat(sp, fields);
	else
		fill_btree_stat(sp, fields);
	free(sp);
	return (0);
}

int
bdb_compact(void)
{
	DB_COMPACT compact;
	int ret;

	walk_unbounded();
	++changes;
	memset(&compact, 0, sizeof(compact));
	ret = database->compact(database,
	    NULL, NULL, NULL, &compact, DB_FREE_SPACE, NULL);
	result.data_length = compact.compact_pages_truncated;
	return (ret);
}

int
bdb_verify(const char *path, uint32_t flags)
{
	struct stat file;
	DB *dbp;
	int ret;

	if ((ret = create(&dbp)) != 0)
		return (ret);
	walk_begin_verify(stat(path, &file) == 0 ? (uint64_t)file.st_size : 0);
	/* DB->verify closes the handle, whatever comes of it. */
	ret = dbp->verify(dbp, path, NULL, NULL, flags);
	/* It passes over a page that it could not read. */
	return (ret == 0 && message_length != 0 ? DB_VERIFY_BAD : ret);
}

int
bdb_upgrade(const char *path, uint32_t flags)
{
	DB *dbp;
	int ret, t_ret;

	if ((ret = create(&dbp)) != 0)
		return (ret);
	walk_unbounded();	/* it goes from page to page */
	/*
	 * For a hash file DB->upgrade needs a cache, which only DB->open makes;
	 * without one it runs off into memory that is not there.
	 */
	if ((ret = __env_open(dbp->dbenv, NULL,
	    DB_CREATE | DB_INIT_MPOOL | DB_PRIVATE, 0)) == 0)
		ret = dbp->upgrade(dbp, path, flags);
	if ((t_ret = dbp->close(dbp, 0)) != 0 && ret == 0)
		ret = t_ret;
	return (ret);
}
