/*
 * absent.h -- what this engine never has, told to the compiler, which then
 * leaves out all that is done with it. It comes before the sources of every
 * unit, in place of what libdb asks a handle each time.
 *
 * An engine holds one database, opened without a transaction, in an environment
 * that libdb makes for it with a cache and nothing else (shim/bdb.c). So none
 * of these handles is ever there, and no file of libdb has to be changed.
 */
#include "db_config.h"

#include "db_int.h"
#include "dbinc/db_page.h"
#include "dbinc/db_am.h"
#include "dbinc/mp.h"

/* Parts of an environment. */
#undef CDB_LOCKING
#define CDB_LOCKING(env)	0
#undef CRYPTO_ON
#define CRYPTO_ON(env)		0
#undef LOCKING_ON
#define LOCKING_ON(env)		0
#undef LOGGING_ON
#define LOGGING_ON(env)		0
#undef MUTEX_ON
#define MUTEX_ON(env)		0
#undef REP_ON
#define REP_ON(env)		0
#undef TXN_ON
#define TXN_ON(env)		0

/* Transactions, whether given or made for one call, and versions of pages. */
#undef IS_REAL_TXN
#define IS_REAL_TXN(txn)	0
#undef IS_DB_AUTO_COMMIT
#define IS_DB_AUTO_COMMIT(dbp, txn)	0
#undef IS_ENV_AUTO_COMMIT
#define IS_ENV_AUTO_COMMIT(env, txn, flags)	0
#undef MULTIVERSION
#define MULTIVERSION(dbp)	0
