/*
 * warm.c -- the pages that are wanted next, fetched into the processor's cache.
 *
 * A hash database scatters neighbours of the source over all of its pages. To
 * put one record libdb follows a chain of some ten addresses, each known only
 * when the one before has come from memory: bucket of the page pool, buffer,
 * page, one item for each step of the binary search. So it waits, where the
 * processor could fetch many at a time. Here the same steps are made for many
 * keys side by side: the first of all, the second of all, and so on. What libdb
 * then does finds all of it at hand.
 *
 * It is reading alone, past libdb's locks, of which there are none in one
 * thread. A page may be damaged: nothing outside of it is read.
 */
#include "db_config.h"

#include "db_int.h"
#include "dbinc/db_page.h"
#include "dbinc/hash.h"
#include "dbinc/mp.h"

#include "warm.h"

#include <string.h>

#define PAIR_MIN	(2 * sizeof(db_indx_t))	/* its share of the index */

struct search {
	const DBT *key;
	db_pgno_t pgno;
	BH *buffer;
	PAGE *page;
	uint32_t base;		/* of the pairs that are left */
	uint32_t count;		/* of the pairs that are left */
	const unsigned char *item;
};

/* What was read for its own sake: it has to go somewhere, or the compiler leaves it out. */
static volatile uint32_t sink;

static BH *
first_buffer(DB *dbp, db_pgno_t pgno)
{
	DB_MPOOL *pool;
	DB_MPOOL_HASH *bucket;
	MPOOL *region;
	uint32_t number;

	pool = dbp->env->mp_handle;
	region = pool->reginfo[0].primary;
	MP_BUCKET(R_OFFSET(pool->reginfo, dbp->mpf->mfp),
	    pgno, region->nbuckets, number);
	bucket = R_ADDR(pool->reginfo, region->htab);
	return (SH_TAILQ_FIRST(&bucket[number].hash_bucket, __bh));
}

static BH *
next_buffer(BH *buffer)
{
	return (SH_TAILQ_NEXT(buffer, hq, __bh));
}

/* One file is in the pool of one database, but for scratch files. */
static int
holds(DB *dbp, BH *buffer, db_pgno_t pgno)
{
	return (buffer->pgno == pgno && buffer->mf_offset ==
	    R_OFFSET(((DB_MPOOL *)dbp->env->mp_handle)->reginfo,
	    dbp->mpf->mfp));
}

static void *
page_of(DB *dbp, db_pgno_t pgno)
{
	BH *buffer;

	for (buffer = first_buffer(dbp, pgno); buffer != NULL;
	    buffer = next_buffer(buffer))
		if (holds(dbp, buffer, pgno))
			return (buffer->buf);
	return (NULL);
}

static db_pgno_t
page_number(DB *dbp, const HMETA *meta, const DBT *key)
{
	HASH *hash;
	uint32_t bucket;

	hash = dbp->h_internal;
	bucket = hash->h_hash(dbp, key->data, key->size) & meta->high_mask;
	if (bucket > meta->max_bucket)
		bucket &= meta->low_mask;
	return (BS_TO_PAGE(bucket, meta->spares));
}

/* Finds the buffers of all searches, a link of their chains at a time. */
static void
find_pages(DB *dbp, struct search *searches, int count)
{
	struct search *s;
	int i, going;

	do {
		going = 0;
		for (i = 0; i < count; ++i) {
			s = &searches[i];
			if (s->buffer == NULL || s->page != NULL)
				continue;
			if (holds(dbp, s->buffer, s->pgno)) {
				s->page = (PAGE *)s->buffer->buf;
				continue;
			}
			s->buffer = next_buffer(s->buffer);
			going = 1;
		}
	} while (going);
}

static void
begin_search(DB *dbp, struct search *s)
{
	size_t header;

	s->base = s->count = 0;
	if (s->page == NULL || TYPE(s->page) != P_HASH)
		return;
	s->count = NUM_ENT(s->page) / 2;
	header = (size_t)((u_int8_t *)P_INP(dbp, s->page) -
	    (u_int8_t *)s->page);
	if (s->count > (dbp->pgsize - header) / PAIR_MIN)
		s->count = 0;
}

/* Looks at the pair in the middle of those that are left. */
static void
look(DB *dbp, struct search *s)
{
	uint32_t offset;

	s->item = NULL;
	if (s->count == 0)
		return;
	offset = P_INP(dbp, s->page)[2 * (s->base + s->count / 2)];
	if (offset + 1 >= dbp->pgsize)
		s->count = 0;
	else
		s->item = (unsigned char *)s->page + offset;
}

/* Goes on in the half that the key is in. */
static void
halve(DB *dbp, struct search *s)
{
	uint32_t length, room;
	int order;

	if (s->item == NULL)
		return;
	room = dbp->pgsize - 1 - (uint32_t)(s->item - (unsigned char *)s->page);
	length = s->key->size < room ? s->key->size : room;
	order = memcmp(s->key->data, s->item + 1, length);
	if (order > 0) {
		s->base += s->count / 2 + 1;
		s->count = (s->count - 1) / 2;
	} else
		s->count /= 2;
}

void
warm_keys(DB *dbp, const DBT *keys, int count)
{
	struct search searches[WARM_MAX], *s;
	HMETA *meta;
	uint32_t seen;
	int i, going;

	if (dbp->type != DB_HASH || (meta = page_of(dbp,
	    ((HASH *)dbp->h_internal)->meta_pgno)) == NULL)
		return;
	for (i = 0; i < count; ++i) {
		s = &searches[i];
		s->key = &keys[i];
		s->page = NULL;
		s->pgno = page_number(dbp, meta, s->key);
		s->buffer = first_buffer(dbp, s->pgno);
	}
	find_pages(dbp, searches, count);
	for (i = 0; i < count; ++i)
		begin_search(dbp, &searches[i]);
	do {
		going = 0;
		for (i = 0; i < count; ++i)
			look(dbp, &searches[i]);
		for (seen = 0, i = 0; i < count; ++i)
			if (searches[i].item != NULL) {
				seen += *searches[i].item;
				going = 1;
			}
		sink = seen;
		for (i = 0; i < count; ++i)
			halve(dbp, &searches[i]);
	} while (going);
}
