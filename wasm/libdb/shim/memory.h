/*
 * memory.h -- the module's memory.
 */
#ifndef MEMORY_H
#define MEMORY_H

#include <stdint.h>

/* memory_end -- the address behind all that was ever handed out. */
uintptr_t memory_end(void);

#endif
