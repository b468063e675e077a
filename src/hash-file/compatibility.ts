/**
 * Which release of Berkeley DB wrote a file, which ones read it, and what the
 * others do to it.
 *
 * The answers for hash files were seen with 1.85, 2.7.7, 3.0.55, 3.1.17, 4.1.25,
 * 4.5.20, 5.3.28 and 18.1.40, in both byte orders; those for btree files with
 * 5.3.28 and 18.1.40, and are those of the manual (Upgrading Berkeley DB
 * Applications) otherwise.
 */

/** "upgrade": only after db_upgrade, and that in the byte order of its host. "empties": opens the file, and loses its records. */
export type Reading = "reads" | "refuses" | "upgrade" | "empties";

export interface Reader {
  /** Of Berkeley DB. */
  readonly releases: string;
  readonly reading: Reading;
}

const RELEASES = ["1.85", "2.x", "3.0", "3.1 to 4.0", "4.1 to 4.5", "4.6 to 5.3", "6.0 to 18.1"] as const;

const READINGS: Readonly<Record<number, readonly Reading[]>> = {
  2: ["reads", "refuses", "refuses", "refuses", "refuses", "refuses", "refuses"],
  4: ["refuses", "reads", "upgrade", "upgrade", "upgrade", "upgrade", "upgrade"],
  5: ["refuses", "reads", "upgrade", "upgrade", "upgrade", "upgrade", "upgrade"],
  6: ["refuses", "refuses", "reads", "upgrade", "upgrade", "upgrade", "upgrade"],
  7: ["refuses", "refuses", "refuses", "reads", "reads", "empties", "empties"],
  8: ["refuses", "refuses", "refuses", "refuses", "reads", "reads", "reads"],
  9: ["refuses", "refuses", "refuses", "refuses", "refuses", "reads", "reads"],
  10: ["refuses", "refuses", "refuses", "refuses", "refuses", "refuses", "reads"],
};

const BTREE_READINGS: Readonly<Record<number, readonly Reading[]>> = {
  8: ["refuses", "refuses", "refuses", "reads", "upgrade", "upgrade", "upgrade"],
  9: ["refuses", "refuses", "refuses", "refuses", "reads", "reads", "reads"],
  10: ["refuses", "refuses", "refuses", "refuses", "refuses", "refuses", "reads"],
};

const WRITERS: Readonly<Record<number, string>> = {
  2: "1.85",
  4: "2.x",
  5: "2.x",
  6: "3.0",
  7: "3.1 to 4.0",
  8: "4.1 to 4.5",
  9: "4.6 to 5.3",
  10: "6.0 to 18.1",
};
const BTREE_WRITERS: Readonly<Record<number, string>> = { 8: "3.1 to 4.0", 9: "4.1 to 5.3", 10: "6.0 to 18.1" };

/** The releases that write this version; undefined for one that nobody knows. */
export function writersOf(type: "hash" | "btree", version: number): string | undefined {
  return (type === "hash" ? WRITERS : BTREE_WRITERS)[version];
}

/** By release, from the oldest. */
export function readersOf(type: "hash" | "btree", version: number): Reader[] {
  const readings = (type === "hash" ? READINGS : BTREE_READINGS)[version] ?? [];
  return readings.map((reading, i) => ({ releases: RELEASES[i] as string, reading }));
}

/** The releases that do one thing with a file, as few ranges as say it: "4.1 to 5.3". */
export function releasesThat(reading: Reading, readers: readonly Reader[]): string[] {
  const ranges: string[] = [];
  for (let i = 0; i < readers.length; i++) {
    if (readers[i]?.reading !== reading) continue;
    const first = i;
    while (readers[i + 1]?.reading === reading) i++;
    const from = readers[first]?.releases.split(" to ")[0];
    const to = readers[i]?.releases.split(" to ").at(-1);
    ranges.push(from === to ? `${from}` : `${from} to ${to}`);
  }
  return ranges;
}
