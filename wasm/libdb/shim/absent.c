/*
 * absent.c -- what stands in for the parts of libdb that are not compiled:
 * logs, transactions, recovery from them, backups, the registry of processes,
 * and the statistics that are printed (modules.ts leaves their files out).
 *
 * libdb's methods point to these functions, or call them for flags and handles
 * that this engine never has: bdb.c opens a database without transaction,
 * through an environment of libdb's own making, with a cache and nothing else.
 * As libdb's own stubs do, they answer an error.
 */
#include "db_config.h"

#include "db_int.h"
#include "dbinc/log.h"
#include "dbinc/mp.h"
#include "dbinc/txn.h"

#include "database.h"

/* The parameters need no names; their types are checked against libdb's. */
#pragma clang diagnostic ignored "-Wc23-extensions"

static int
absent(const char *name)
{
	database_says("this engine is built without");
	database_says(name);
	return (DB_OPNOTSUP);
}

#define FAILS(name, ...)						\
	int name(__VA_ARGS__) { return (absent(#name)); }

/* The methods of an environment that has none of this. */
FAILS(__db_backup_pp, DB_ENV *, const char *, u_int32_t)
FAILS(__db_dbbackup_pp, DB_ENV *, const char *, const char *, u_int32_t)
FAILS(__env_stat_print_pp, DB_ENV *, u_int32_t)
FAILS(__log_archive_pp, DB_ENV *, char **[], u_int32_t)
FAILS(__log_cursor_pp, DB_ENV *, DB_LOGC **, u_int32_t)
FAILS(__log_file_pp, DB_ENV *, const DB_LSN *, char *, size_t)
FAILS(__log_flush_pp, DB_ENV *, const DB_LSN *)
FAILS(__log_printf_capi, DB_ENV *, DB_TXN *, const char *, ...)
FAILS(__log_put_pp, DB_ENV *, DB_LSN *, const DBT *, u_int32_t)
FAILS(__log_put_record_pp, DB_ENV *, DB *, DB_TXN *, DB_LSN *,
    u_int32_t, u_int32_t, u_int32_t, u_int32_t, DB_LOG_RECSPEC *, ...)
FAILS(__log_read_record_pp, DB_ENV *, DB **, void *, void *,
    DB_LOG_RECSPEC *, u_int32_t, void **)
FAILS(__log_stat_pp, DB_ENV *, DB_LOG_STAT **, u_int32_t)
FAILS(__log_stat_print_pp, DB_ENV *, u_int32_t)
FAILS(__log_verify_pp, DB_ENV *, const DB_LOG_VERIFY_CONFIG *)
FAILS(__log_verify_wrap, ENV *, const char *, u_int32_t, const char *,
    const char *, time_t, time_t,
    u_int32_t, u_int32_t, u_int32_t, u_int32_t, int, int)
FAILS(__memp_stat_pp,
    DB_ENV *, DB_MPOOL_STAT **, DB_MPOOL_FSTAT ***, u_int32_t)
FAILS(__memp_stat_print_pp, DB_ENV *, u_int32_t)
FAILS(__txn_applied_pp, DB_ENV *, DB_TXN_TOKEN *, db_timeout_t, u_int32_t)
FAILS(__txn_begin_pp, DB_ENV *, DB_TXN *, DB_TXN **, u_int32_t)
FAILS(__txn_checkpoint_pp, DB_ENV *, u_int32_t, u_int32_t, u_int32_t)
FAILS(__txn_recover_pp, DB_ENV *, DB_PREPLIST *, long, long *, u_int32_t)
FAILS(__txn_stat_pp, DB_ENV *, DB_TXN_STAT **, u_int32_t)
FAILS(__txn_stat_print_pp, DB_ENV *, u_int32_t)

/* Opening an environment with a log, transactions, a registry, recovery. */
FAILS(__db_apprec,
    ENV *, DB_THREAD_INFO *, DB_LSN *, DB_LSN *, int, u_int32_t)
FAILS(__env_init_rec, ENV *, u_int32_t)
FAILS(__envreg_isalive, DB_ENV *, pid_t, db_threadid_t, u_int32_t)
FAILS(__envreg_register, ENV *, int *, u_int32_t)
FAILS(__envreg_unregister, ENV *, int)
FAILS(__envreg_xunlock, ENV *)
FAILS(__log_open, ENV *)
FAILS(__txn_open, ENV *)

/* What is done with a transaction, or with buffers that belong to one. */
FAILS(__dbreg_log_id, DB *, DB_TXN *, int32_t, int)
FAILS(__log_current_lsn_int, ENV *, DB_LSN *, u_int32_t *, u_int32_t *)
FAILS(__txn_add_buffer, ENV *, TXN_DETAIL *)
FAILS(__txn_checkpoint, ENV *, u_int32_t, u_int32_t, u_int32_t)
FAILS(__txn_commit, DB_TXN *, u_int32_t)
FAILS(__txn_remove_buffer, ENV *, TXN_DETAIL *, db_mutex_t)

/* These are called without any of it too, and have nothing to do then. */
#define NOTHING(name, ...)						\
	void name(__VA_ARGS__) {}

NOTHING(__txn_add_fe_watermark, DB_TXN *, DB *, db_pgno_t)
NOTHING(__txn_remove_fe_watermark, DB_TXN *, DB *)
NOTHING(__txn_remrem, ENV *, DB_TXN *, const char *)

int
__txn_oldest_reader(ENV *env, DB_LSN *lsn)
{
	(void)env;
	(void)lsn;
	return (0);
}

/* The room that an environment sets aside for them. */
#define NO_ROOM(name)							\
	size_t name(ENV *env) { (void)env; return (0); }

NO_ROOM(__log_region_max)
NO_ROOM(__log_region_size)
NO_ROOM(__txn_region_max)
NO_ROOM(__txn_region_size)

/* Lines of DB->stat_print, and what counts the cache's for a trickle. */
NOTHING(__db_dl, ENV *, const char *, u_long)
NOTHING(__db_dl_pct, ENV *, const char *, u_long, int, const char *)
NOTHING(__db_print_fileid, ENV *, u_int8_t *, const char *)
NOTHING(__dbreg_print_fname, ENV *, FNAME *)
NOTHING(__memp_stat_hash, REGINFO *, MPOOL *, u_int32_t *)
