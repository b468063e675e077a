/*
 * memory.c -- sbrk() in the place of the C library's, which grows the memory
 * by no more than it is asked for: some thousand times for a large cache, and
 * each time JavaScript has a new buffer to make and to collect.
 */
#include "memory.h"

#include <errno.h>
#include <unistd.h>

#define WASM_PAGE	65536
#define STEP_MIN	(4 << 20)
#define STEP_SHARE	4	/* of what there is */

static uint64_t end;

static uint64_t
memory_size(void)
{
	return ((uint64_t)__builtin_wasm_memory_size(0) * WASM_PAGE);
}

static int
grow(uint64_t bytes)
{
	return (__builtin_wasm_memory_grow(0,
	    (size_t)((bytes + WASM_PAGE - 1) / WASM_PAGE)) != (size_t)-1);
}

void *
sbrk(intptr_t increment)
{
	uint64_t size, step, wanted;
	void *old;

	size = memory_size();
	if (end == 0)
		end = size;
	wanted = end + (uint64_t)increment;
	/* Nothing is given back, and beyond there is no address. */
	if (increment < 0 || wanted > UINTPTR_MAX) {
		errno = ENOMEM;
		return ((void *)-1);
	}
	step = size / STEP_SHARE;
	if (step < STEP_MIN)
		step = STEP_MIN;
	if (wanted > size && (wanted - size >= step || !grow(step)) &&
	    !grow(wanted - size)) {
		errno = ENOMEM;
		return ((void *)-1);
	}
	old = (void *)(uintptr_t)end;
	end = wanted;
	return (old);
}

uintptr_t
memory_end(void)
{
	return ((uintptr_t)(end == 0 ? memory_size() : end));
}
