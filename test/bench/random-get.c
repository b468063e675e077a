/*
 * random-get.c -- the same gets at random as random-get.ts, with libdb itself.
 *
 * random-get FILE LINES GETS ROUNDS: prints the microseconds that a get took,
 * a line for each round. The first round fills the cache.
 */
#include <db.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define CACHE	(256 << 20)

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (t.tv_sec * 1e6 + t.tv_nsec / 1e3);
}

int
main(int argc, char *argv[])
{
	DB *db;
	DBT key, data;
	char (*keys)[40];
	double start;
	uint32_t state;
	int gets, i, lines, rounds;

	if (argc != 5)
		return (2);
	lines = atoi(argv[2]);
	gets = atoi(argv[3]);
	rounds = atoi(argv[4]);
	if (db_create(&db, NULL, 0) != 0 ||
	    db->set_cachesize(db, 0, CACHE, 1) != 0 || db->open(db,
	    NULL, argv[1], NULL, DB_UNKNOWN, DB_RDONLY, 0) != 0 ||
	    (keys = malloc(gets * sizeof(*keys))) == NULL)
		return (1);
	for (i = 0, state = 1; i < gets; ++i) {
		state = state * 1664525 + 1013904223;
		snprintf(keys[i], sizeof(keys[i]),
		    "authinfo:host%08d.example.com",
		    (int)((uint64_t)state * lines >> 32));
	}
	for (; rounds > 0; --rounds) {
		start = now();
		for (i = 0; i < gets; ++i) {
			memset(&key, 0, sizeof(key));
			memset(&data, 0, sizeof(data));
			key.data = keys[i];
			key.size = strlen(keys[i]);
			if (db->get(db, NULL, &key, &data, 0) != 0)
				return (1);
		}
		printf("%f\n", (now() - start) / gets);
	}
	return (db->close(db, 0) != 0);
}
