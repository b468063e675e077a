/*
 * host.c -- the POSIX functions that libdb calls, over the host's imports.
 *
 * They take the place of the C library's, so that the module reaches files
 * through host.h alone: with the mode that libdb asks for (WASI has none),
 * without a current folder, environment, clock, process id or random source,
 * all of which would find their way into the file. Database pages are cleared
 * of unused space on their way out.
 */
#include "host.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/select.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "database.h"
#include "page.h"

#define FILES_MAX	32

/* Where read(), write() and lseek() stand in each open file. */
static off_t position[FILES_MAX];

/* A temporary file of libdb's: its pages are not those of the database. */
static int is_scratch[FILES_MAX];

/* What is put on a page goes where the page says that it has room. */
static int is_written[FILES_MAX];

static int
fail(int error)
{
	errno = error;
	return (-1);
}

static int
checked(int result)
{
	return (result < 0 ? fail(-result) : result);
}

int
open(const char *path, int flags, ...)
{
	va_list ap;
	int file, host_flags, mode;

	mode = 0;
	host_flags = 0;
	if (flags & O_CREAT) {
		va_start(ap, flags);
		mode = va_arg(ap, int);
		va_end(ap);
		host_flags |= HOST_CREATE;
	}
	if ((flags & O_ACCMODE) != O_RDONLY)
		host_flags |= HOST_WRITE;
	if (flags & O_EXCL)
		host_flags |= HOST_EXCLUSIVE;
	if (flags & O_TRUNC)
		host_flags |= HOST_TRUNCATE;
	file = host_open(path, (int)strlen(path), host_flags, mode);
	if (file >= FILES_MAX) {
		host_close(file);
		return (fail(EMFILE));
	}
	if (file >= 0) {
		position[file] = 0;
		is_written[file] = (host_flags & HOST_WRITE) != 0;
		is_scratch[file] = strncmp(path,
		    HOST_SCRATCH, strlen(HOST_SCRATCH)) == 0;
	}
	return (checked(file));
}

int
close(int file)
{
	return (checked(host_close(file)));
}

/* No item is longer than its file, if that is known. */
static uint64_t
longest_item(void)
{
	uint64_t size;

	size = database_size();
	return (size == 0 ? UINT64_MAX : size);
}

ssize_t
pread(int file, void *bytes, size_t length, off_t offset)
{
	char text[120];
	int n;

	n = host_read(file, bytes, (int)length, (double)offset);
	if (n <= 0 || is_scratch[file])
		return (checked(n));
	if (offset == 0)
		page_learn(bytes, (size_t)n);
	if (!page_is_sound(bytes, (size_t)n, longest_item())) {
		snprintf(text, sizeof(text), "the page at %.0f is damaged: "
		    "it is of no type, or its items lie where none can lie",
		    (double)offset);
		database_says(text);
		return (fail(EINVAL));
	}
	if (is_written[file] && !page_has_its_room(bytes, (size_t)n)) {
		snprintf(text, sizeof(text), "the page at %.0f is damaged: "
		    "it has no room where it says that it has",
		    (double)offset);
		database_says(text);
		return (fail(EINVAL));
	}
	return (n);
}

ssize_t
pwrite(int file, const void *bytes, size_t length, off_t offset)
{
	if (!is_scratch[file]) {
		if (offset == 0)
			page_learn(bytes, length);
		/*
		 * libdb hands over a page of its own cache, or a buffer that
		 * it frees next: what is cleared here is dead in both.
		 */
		page_clear_unused((unsigned char *)bytes, length);
	}
	return (checked(host_write(file, bytes, (int)length, (double)offset)));
}

ssize_t
read(int file, void *bytes, size_t length)
{
	ssize_t n;

	n = pread(file, bytes, length, position[file]);
	if (n > 0)
		position[file] += n;
	return (n);
}

ssize_t
write(int file, const void *bytes, size_t length)
{
	ssize_t n;

	n = pwrite(file, bytes, length, position[file]);
	if (n > 0)
		position[file] += n;
	return (n);
}

#undef lseek	/* a macro for constant whence */
off_t
lseek(int file, off_t offset, int whence)
{
	double size;

	if (whence == SEEK_CUR)
		offset += position[file];
	else if (whence == SEEK_END) {
		if ((size = host_size(file)) < 0)
			return (fail((int)-size));
		offset += (off_t)size;
	}
	if (offset < 0)
		return (fail(EINVAL));
	return (position[file] = offset);
}

int
ftruncate(int file, off_t size)
{
	return (checked(host_truncate(file, (double)size)));
}

int
fdatasync(int file)
{
	return (checked(host_sync(file)));
}

/* One file, one identity: libdb makes no use of more within one module. */
static int
fill_stat(double size, struct stat *st)
{
	if (size < 0)
		return (fail((int)-size));
	memset(st, 0, sizeof(*st));
	st->st_mode = S_IFREG;
	st->st_ino = 1;
	st->st_dev = 1;
	st->st_size = (off_t)size;
	/* From this libdb takes the page size of a new file. */
	st->st_blksize = 4096;
	return (0);
}

int
fstat(int file, struct stat *st)
{
	return (fill_stat(host_size(file), st));
}

int
stat(const char *path, struct stat *st)
{
	if (strcmp(path, HOST_SCRATCH) == 0) {
		fill_stat(0, st);
		st->st_mode = S_IFDIR;
		return (0);
	}
	return (fill_stat(host_stat(path, (int)strlen(path)), st));
}

int
unlink(const char *path)
{
	return (checked(host_unlink(path, (int)strlen(path))));
}

int
rename(const char *from, const char *to)
{
	return (checked(host_rename(from, (int)strlen(from),
	    to, (int)strlen(to))));
}

int
chmod(const char *path, mode_t mode)
{
	(void)path;
	(void)mode;
	return (0);		/* the mode is set when the file is opened */
}

int
mkdir(const char *path, mode_t mode)
{
	(void)path;
	(void)mode;
	return (fail(ENOSYS));
}

DIR *
opendir(const char *path)
{
	(void)path;
	errno = ENOENT;
	return (NULL);
}

struct dirent *
readdir(DIR *directory)
{
	(void)directory;
	return (NULL);
}

int
closedir(DIR *directory)
{
	(void)directory;
	return (0);
}

/* Keeps libdb from a DB_CONFIG in the current folder (CVE-2017-10140). */
FILE *
fopen(const char *path, const char *mode)
{
	(void)path;
	(void)mode;
	errno = ENOENT;
	return (NULL);
}

char *
getcwd(char *buffer, size_t size)
{
	if (size < 2) {
		errno = ERANGE;
		return (NULL);
	}
	return (strcpy(buffer, "/"));
}

char *
getenv(const char *name)
{
	(void)name;
	return (NULL);
}

pid_t
getpid(void)
{
	return (1);
}

int
clock_gettime(clockid_t clock, struct timespec *now)
{
	(void)clock;
	now->tv_sec = 0;
	now->tv_nsec = 0;
	return (0);
}

time_t
time(time_t *now)
{
	if (now != NULL)
		*now = 0;
	return (0);
}

int
select(int n, fd_set *readable, fd_set *writable, fd_set *exceptional,
    struct timeval *timeout)
{
	(void)n;
	(void)readable;
	(void)writable;
	(void)exceptional;
	(void)timeout;
	return (0);		/* libdb sleeps with it; there is nobody to wait for */
}

int
sched_yield(void)
{
	return (0);
}
