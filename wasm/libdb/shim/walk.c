/*
 * walk.c -- an end to the walks that a damaged file makes endless.
 *
 * libdb follows the page numbers of a file wherever they lead. Where two pages
 * name each other it goes round for ever, in a process that may have no other
 * thread to stop it. So its requests for pages are counted: the linker puts
 * the function below in the place of libdb's own (--wrap=__memp_fget).
 */
#include "db_config.h"

#include "db_int.h"
#include "dbinc/mp.h"

#include "walk.h"

/*
 * What a sound file can ask for: the longest operation on one record is the
 * delete of a key with all its duplicates, which take 6 bytes each and a few
 * requests.
 */
#define REQUESTS_BASE		100000
#define REQUESTS_PER_BYTE	8

int __real___memp_fget(DB_MPOOLFILE *mpf, db_pgno_t *pgno,
    DB_THREAD_INFO *ip, DB_TXN *txn, u_int32_t flags, void *page);
int __wrap___memp_fget(DB_MPOOLFILE *mpf, db_pgno_t *pgno,
    DB_THREAD_INFO *ip, DB_TXN *txn, u_int32_t flags, void *page);

static uint64_t requests;
static uint64_t limit;

void
walk_begin(uint64_t file_size)
{
	requests = 0;
	limit = REQUESTS_BASE + file_size * REQUESTS_PER_BYTE;
}

void
walk_unbounded(void)
{
	requests = 0;
	limit = UINT64_MAX;
}

int
__wrap___memp_fget(DB_MPOOLFILE *mpf, db_pgno_t *pgno,
    DB_THREAD_INFO *ip, DB_TXN *txn, u_int32_t flags, void *page)
{
	if (++requests > limit) {
		*(void **)page = NULL;
		__db_errx(mpf->env,
		    "a chain of pages has no end: the file is damaged");
		return (EINVAL);
	}
	return (__real___memp_fget(mpf, pgno, ip, txn, flags, page));
}
