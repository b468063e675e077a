/*
 * bytes.c -- memcmp() eight bytes at a time: the C library's own goes byte by
 * byte, and libdb compares each key with those of its page.
 */
#include <stdint.h>
#include <string.h>

int
memcmp(const void *a, const void *b, size_t length)
{
	const unsigned char *p, *q;
	uint64_t x, y;

	p = a;
	q = b;
	for (; length >= 8; length -= 8, p += 8, q += 8) {
		__builtin_memcpy(&x, p, 8);
		__builtin_memcpy(&y, q, 8);
		if (x != y) {
			x = __builtin_bswap64(x);
			y = __builtin_bswap64(y);
			return (x < y ? -1 : 1);
		}
	}
	for (; length > 0; --length, ++p, ++q)
		if (*p != *q)
			return (*p < *q ? -1 : 1);
	return (0);
}
