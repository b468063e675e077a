/**
 * Damages good files at random and reads them through. The seed is the
 * argument; says as JSON how many there were, or ends with what went wrong.
 */
import { readFileSync } from "node:fs";
import { BerkeleyDBError, Database } from "berkeley-db-js";
import fc from "fast-check";
import { databaseFixture } from "../support/fixtures.ts";
import { readThrough } from "../support/read-through.ts";

const NAMES = [
  "v9-db5.3.28-le-map",
  "v9-db5.3.28-be-binary",
  "v9-db5.3.28-le-dup",
  "v8-db4.1.25-be-sasldb",
  "btree9-db5.3.28-le-map",
  "btree9-db5.3.28-be-dup",
  "btree9-db5.3.28-le-ps512-binary",
];
const originals = new Map(
  NAMES.map((name) => {
    const { path, pageSize } = databaseFixture(name);
    return [name, { pageSize, bytes: new Uint8Array(readFileSync(path)) }];
  }),
);

/** In the header or index of a page mostly, where the structure is. */
const damage = fc.record({
  page: fc.nat(63),
  offset: fc.oneof({ weight: 5, arbitrary: fc.nat(40) }, fc.nat(4095)),
  value: fc.oneof(fc.nat(255), fc.constantFrom(0, 1, 2, 3, 5, 7, 12, 13, 255)),
});

let files = 0;
let refused = 0;
let read = 0;
/** Milliseconds. */
let slowest = 0;
fc.assert(
  fc.property(fc.constantFrom(...NAMES), fc.array(damage, { minLength: 1, maxLength: 4 }), (name, list) => {
    const { bytes, pageSize } = originals.get(name) ?? { bytes: new Uint8Array(), pageSize: 1 };
    const start = performance.now();
    const damaged = bytes.slice();
    for (const { page, offset, value } of list) damaged[(page * pageSize + offset) % damaged.length] = value;
    const { errors } = readThrough(() => Database.open(damaged, { readOnly: true }));
    try {
      Database.verify(damaged);
    } catch (error) {
      if (!(error instanceof BerkeleyDBError)) throw error;
    }
    files += 1;
    slowest = Math.max(slowest, performance.now() - start);
    if ("open" in errors) refused += 1;
    else if (Object.keys(errors).length === 0) read += 1;
  }),
  { seed: Number(process.argv[2]), numRuns: Number(process.argv[3]) },
);
process.stdout.write(JSON.stringify({ files, refused, read, slowest }));
