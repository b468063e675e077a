/*
 * walk.c -- an end to the walks, and to the counts, that a damaged file makes
 * endless.
 *
 * libdb follows the page numbers of a file wherever they lead. Where two pages
 * name each other it goes round for ever, in a process that may have no other
 * thread to stop it. So its requests for pages are counted: the linker puts
 * the functions below in the place of libdb's own (--wrap).
 */
#include "db_config.h"

#include "db_int.h"
#include "dbinc/db_page.h"
#include "dbinc/db_verify.h"
#include "dbinc/mp.h"

#include "walk.h"

/*
 * What a sound file can ask for: the longest operation on one record is the
 * delete of a key with all its duplicates, which take 6 bytes each and a few
 * requests.
 */
#define REQUESTS_BASE		100000
#define REQUESTS_PER_BYTE	8

/*
 * The same of DB->verify, which asks once in five bytes at most, for small
 * pages with many duplicates.
 */
#define VERIFY_BASE		10000
#define VERIFY_PER_BYTE		1

int __real___db_vrfy_dbinfo_destroy(ENV *env, VRFY_DBINFO *vdp);
int __wrap___db_vrfy_dbinfo_destroy(ENV *env, VRFY_DBINFO *vdp);

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
walk_begin_verify(uint64_t file_size)
{
	requests = 0;
	limit = VERIFY_BASE + file_size * VERIFY_PER_BYTE;
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

/*
 * Where a request failed, DB->verify gives some pages back that it has given
 * back before, and counts their users down from 2^32, one by one.
 */
int
__wrap___db_vrfy_dbinfo_destroy(ENV *env, VRFY_DBINFO *vdp)
{
	VRFY_PAGEINFO *page;

	LIST_FOREACH(page, &vdp->activepips, links)
		page->pi_refcount = 1;
	return (__real___db_vrfy_dbinfo_destroy(env, vdp));
}
