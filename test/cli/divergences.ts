/**
 * Where tsmakemap differs from a recorded run of makemap on purpose, and how:
 * what is other than recorded. docs/compatibility.md gives the reasons.
 */
import type { As, Observed } from "../support/makemap-cases.ts";

type Divergence = Partial<Record<As, Partial<Observed>>>;

const hex = (text: string): string => Buffer.from(text).toString("hex");
const KEY = hex("authinfo:smtp.example.com");
const VALUE = hex('"U:root" "I:user" "P:secret"');

const file = (mode: string, uid: number, gid: number, size = 12288): object => ({ kind: "file", mode, size, uid, gid });
const hashMap = (...records: (readonly [string, string])[]): Observed["maps"] => ({
  "m.db": { type: "hash", records_cursor_order: records.map(([key, value]) => [key, value]) },
});
const both = (divergence: Partial<Observed>): Divergence => ({ recorded: divergence, user: divergence });
const openError = (text: string): string => `makemap: error opening type hash map m: ${text}\n`;

const FOREIGN = { exit: 0, stderr: "WARNING: map m.db belongs to uid 1234\n" };
const COMPLETE = both({ exit: 0, stderr: "" });
const WOULD_EMPTY = both({
  exit: 73,
  stderr: openError("a version 7 hash file, which Berkeley DB 5.3 would empty by opening it: it reads an upgraded copy"),
});
const TOO_OLD = both({
  stderr: openError("a version 6 hash file, which Berkeley DB 5.3 cannot read: it reads an upgraded copy"),
});
const TOO_NEW = both({ stderr: openError("a version 10 hash file, which Berkeley DB 5.3 cannot read: Berkeley DB 6 or later wrote it") });
const NOTHING_LEFT: Divergence = { user: { files: {}, maps: {} } };

const ADDED = hashMap([hex("l"), hex("y")], [hex("k"), hex("3")]);
const REPLACED = { exit: 65, stderr: "makemap: m: line 3: key k: duplicate key\n", maps: ADDED };

export const DIVERGENCES: ReadonlyMap<string, Divergence> = new Map<string, Divergence>([
  ["cli-root-no-cf", { recorded: { exit: 0, stderr: "", files: { "m.db": file("0o640", 0, 0) }, maps: hashMap([KEY, VALUE]) } }],

  [
    "dir-foreign",
    {
      recorded: {
        exit: 0,
        stderr: "WARNING: directory . belongs to uid 1234\n",
        files: { "m.db": file("0o640", 0, 0) },
        maps: hashMap([KEY, VALUE]),
      },
    },
  ],
  ["overwrite-keeps-mode-owner", { recorded: { ...FOREIGN, maps: hashMap([hex("new"), hex("v")]) } }],
  ["overwrite-foreign-0640", { recorded: { ...FOREIGN, maps: hashMap([hex("new"), hex("v")]) } }],
  ["overwrite-foreign-0662", { recorded: { ...FOREIGN, maps: hashMap([KEY, VALUE]) } }],
  ["overwrite-foreign-0664", { recorded: { ...FOREIGN, maps: hashMap([KEY, VALUE]) } }],
  ["u-foreign-0640", { recorded: { ...FOREIGN, stdout: "old\tv\n" } }],
  ["u-foreign-0600", { recorded: { ...FOREIGN, stdout: "old\tv\n" } }],

  ["overwrite-garbage9000", COMPLETE],
  ["overwrite-text", COMPLETE],
  [
    "overwrite-v6-db3.0.55-le-map",
    {
      recorded: { ...REPLACED, files: { "m.db": file("0o644", 0, 0) } },
      user: { ...REPLACED, files: { "m.db": { kind: "file", mode: "0o644", size: 12288 } } },
    },
  ],

  ["o-v7-db3.1.17-le-map", WOULD_EMPTY],
  ["o-v7-db3.1.17-be-map", WOULD_EMPTY],
  ["u-v7-db3.1.17-le-map", WOULD_EMPTY],
  ["u-v7-db3.1.17-be-map", WOULD_EMPTY],
  ["o-v6-db3.0.55-le-map", TOO_OLD],
  ["u-v6-db3.0.55-le-map", TOO_OLD],
  ["o-v10-db18.1.40-le-map", TOO_NEW],
  ["u-v10-db18.1.40-le-map", TOO_NEW],

  ["umask-200", NOTHING_LEFT],
  ["umask-400", NOTHING_LEFT],
  ["umask-600", NOTHING_LEFT],
]);
