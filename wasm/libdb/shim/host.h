/*
 * host.h -- what the engine asks of its host, and nothing else.
 *
 * These are the only functions that the finished module imports for input and
 * output. Paths are UTF-8 with their length in bytes; offsets and sizes are
 * doubles because JavaScript holds those exactly up to 2^53. A negative
 * result is minus an errno of this C library (its <errno.h>, not the host's).
 */
#ifndef HOST_H
#define HOST_H

#define HOST_IMPORT(name) \
	__attribute__((import_module("host"), import_name(name)))

/*
 * The folder of libdb's temporary files: DB->verify keeps notes in a database
 * of its own, which goes to a file when it outgrows the cache. The host holds
 * what has this name in memory.
 */
#define HOST_SCRATCH	"\001scratch"

/* host_open flags */
#define HOST_WRITE	0x1
#define HOST_CREATE	0x2
#define HOST_EXCLUSIVE	0x4
#define HOST_TRUNCATE	0x8

HOST_IMPORT("open")
int host_open(const char *path, int path_length, int flags, int mode);
HOST_IMPORT("close")
int host_close(int file);
HOST_IMPORT("read")
int host_read(int file, void *bytes, int length, double offset);
HOST_IMPORT("write")
int host_write(int file, const void *bytes, int length, double offset);
HOST_IMPORT("truncate")
int host_truncate(int file, double size);
HOST_IMPORT("sync")
int host_sync(int file);
HOST_IMPORT("size")
double host_size(int file);
HOST_IMPORT("stat")
double host_stat(const char *path, int path_length);
HOST_IMPORT("unlink")
int host_unlink(const char *path, int path_length);
HOST_IMPORT("rename")
int host_rename(const char *from, int from_length,
    const char *to, int to_length);

#endif
