/**
 * Every command that writes a file, with what is there before it: for the tests
 * of what becomes of that file whatever happens meanwhile.
 */
import { chownSync, copyFileSync, linkSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { RELAY_CF, SUBMIT_CF } from "./cf-text.ts";
import { databaseFixture } from "./fixtures.ts";
import { PAIR_MANIFEST } from "./pair-manifest.ts";
import { isRoot } from "./program.ts";

export type ProgramName = "tsmakemap" | "tssaslpasswd" | "tsmap";

export interface WritingCommand {
  readonly program: ProgramName;
  readonly args: readonly string[];
  /** A file of the folder that is standard input. */
  readonly input?: string;
  /** Command lines that make what is there before it. */
  readonly before?: readonly Pick<WritingCommand, "program" | "args" | "input">[];
  /** Puts files into the folder, before those command lines. */
  prepare(folder: string): void;
  /** What cannot be copied with a folder, or comes last. */
  arrange?(folder: string): void;
  /** What it makes or changes, within the folder. */
  readonly target: string;
  /** How its messages name what it writes. */
  readonly targetName?: string;
  /** What it reads besides, and how its messages name that. */
  readonly sources?: Readonly<Record<string, string>>;
  /** It writes into the file that is there: a kill can leave part of it, with the old one beside. */
  readonly inPlace?: true;
  /** A second time it finds nothing to do, or would do it twice. */
  readonly once?: true;
  /** It keeps the old file beside the new one, by this name; what cannot be removed again after a failure stays. */
  readonly backup?: string;
  /** It is asked to print the records, as makemap does. */
  readonly shows?: true;
  /** Of its many faults every so many are enough. */
  readonly step?: number;
  /** A database, which Berkeley DB's own programs can verify. */
  readonly isDatabase?: true;
}

/** Passwords that are in the files, none of which is ever to be seen. */
export const SECRETS = {
  old: "the-old-pass",
  kept: "the-kept-pass",
  new: "the-new-pass",
} as const;

const OLD_MAP = `AuthInfo:old.example.com "U:root" "I:old" "P:${SECRETS.old}"\nAuthInfo:both.example.com "U:root" "I:both" "P:${SECRETS.kept}"\n`;
const NEW_MAP = `AuthInfo:new.example.com "U:root" "I:new" "P:${SECRETS.new}"\nAuthInfo:both.example.com "U:root" "I:both" "P:${SECRETS.new}"\n`;
/** More than the least cache of 1 MB holds, in an order that comes back to pages which are out already. */
const LARGE_MAP = Array.from({ length: 1500 }, (_, i) => `key${(i * 7919) % 100_003} ${"v".repeat(900)}${i}\n`).join("");
/** With something in it that can be mended. */
const BAD_MAP = `AuthInfo:old.example.com "U:root"  "I:old" "P:${SECRETS.old}" "M:CRAM-MD5,DIGEST-MD5"\n`;

const write = (folder: string, name: string, content: string): void => writeFileSync(join(folder, name), content, { mode: 0o600 });

const oldMap = (name: string): Pick<WritingCommand, "program" | "args" | "input"> => ({
  program: "tsmakemap",
  args: ["-C", "/dev/null", "hash", name],
  input: "old",
});

/** A map of two records, over which another is made. */
const map = (...args: string[]): WritingCommand => ({
  program: "tsmakemap",
  args: ["-C", "/dev/null", ...args, "m"],
  input: "new",
  target: "m.db",
  targetName: "m",
  isDatabase: true,
  before: [oldMap("m")],
  prepare: (folder) => {
    write(folder, "old", OLD_MAP);
    write(folder, "new", NEW_MAP);
  },
});

/** Debian's nobody and nogroup; any that is not root does. */
const NOBODY = 65534;

const REALM = "mail.example.com";
const setPassword = (...args: string[]): string[] => ["-f", "db", "-u", REALM, "--hostname", REALM, "--otp-seed", "ma1234", ...args];

/** A database of two users, of whom one is changed. */
const users = (...args: string[]): WritingCommand => ({
  program: "tssaslpasswd",
  args: setPassword(...args),
  target: "db",
  sources: { new: "new" },
  isDatabase: true,
  before: [
    { program: "tssaslpasswd", args: setPassword("--password-file", "old", "alice") },
    { program: "tssaslpasswd", args: setPassword("--password-file", "kept", "bob") },
  ],
  prepare: (folder) => {
    mkdirSync(join(folder, "conf"));
    for (const name of ["old", "kept", "new"] as const) write(folder, name, SECRETS[name]);
  },
});

/** A database that is made of another file, with one in its place. */
const made = (command: string, ...args: string[]): WritingCommand => ({
  program: "tsmap",
  args: [command, ...args],
  target: "out.db",
  sources: { "in.db": "in.db" },
  isDatabase: true,
  before: [oldMap("out")],
  prepare: (folder) => {
    write(folder, "old", OLD_MAP);
    copyFileSync(databaseFixture("v9-db5.3.28-le-authinfo").path, join(folder, "in.db"));
  },
});

/** The same where what is made is text. */
const text = (command: WritingCommand): WritingCommand => {
  const { isDatabase: _, ...rest } = fresh(command);
  return { ...rest, target: "text" };
};

const fresh = (command: WritingCommand): WritingCommand => ({ ...command, before: [] });
const inPlace = (command: WritingCommand): WritingCommand => ({ ...command, inPlace: true });
/** The file has another name. */
const linked = (command: WritingCommand): WritingCommand => ({
  ...inPlace(command),
  arrange: (folder) => linkSync(join(folder, command.target), join(folder, "other-name")),
});

/** The file belongs to somebody else, and has to stay theirs. */
const foreign = (command: WritingCommand): WritingCommand => ({
  ...command,
  arrange: (folder) => chownSync(join(folder, command.target), NOBODY, NOBODY),
});

const SOURCE: Omit<WritingCommand, "args"> = {
  program: "tsmap",
  once: true,
  target: "smtp-auth",
  prepare: (folder) => write(folder, "smtp-auth", BAD_MAP),
};

const CF: Pick<WritingCommand, "program" | "once" | "prepare"> = {
  program: "tsmap",
  once: true,
  prepare: (folder) => {
    writeFileSync(join(folder, "submit.cf"), Buffer.from(SUBMIT_CF, "latin1"));
    writeFileSync(join(folder, "sendmail.cf"), Buffer.from(RELAY_CF, "latin1"));
  },
};

const BUILD: WritingCommand = {
  program: "tsmap",
  args: ["build", "--no-progress"],
  target: "artifacts",
  sources: { "tsmap.yaml": "tsmap.yaml", "fleet.key": "fleet.key", alice: "alice" },
  before: [{ program: "tsmap", args: ["build", "--no-progress"] }],
  prepare: (folder) => {
    write(folder, "tsmap.yaml", PAIR_MANIFEST);
    write(folder, "fleet.key", "the key of a test");
    write(folder, "alice", SECRETS.old);
  },
  arrange: (folder) => write(folder, "alice", SECRETS.new),
};

export const WRITING_COMMANDS: Readonly<Record<string, WritingCommand>> = {
  "tsmakemap: a new map": fresh(map("hash")),
  "tsmakemap: a new btree map": fresh(map("btree")),
  "tsmakemap: a map that is replaced": map("hash"),
  "tsmakemap: a map for AIX": map("--target", "aix", "hash"),
  "tsmakemap: a map that is added to": map("-o", "-r", "hash"),
  "tsmakemap: a map shown record by record": { ...map("-v", "hash"), shows: true },
  "tsmakemap: a map in place": inPlace(map("--in-place", "hash")),
  "tsmakemap: a map that is added to in place": inPlace(map("--in-place", "-o", "-r", "hash")),
  // Only root gives files away.
  ...(isRoot && { "tsmakemap: a map of another user": foreign(map("hash")) }),
  "tsmakemap: a map with two names": linked(map("-s", "hash")),
  "tsmakemap: a map larger than the cache": {
    ...map("-c", "1", "--target", "aix", "hash"),
    step: 97,
    prepare: (folder) => {
      write(folder, "old", OLD_MAP);
      write(folder, "new", LARGE_MAP);
    },
  },
  "tssaslpasswd: a new database": fresh(users("-c", "--password-file", "new", "alice")),
  "tssaslpasswd: a new database for AIX": fresh(users("-c", "--target", "aix", "--password-file", "new", "alice")),
  "tssaslpasswd: a password changed": users("--password-file", "new", "alice"),
  "tssaslpasswd: a password changed in place": inPlace(users("--in-place", "--password-file", "new", "alice")),
  "tssaslpasswd: a user deleted": { ...users("-d", "bob"), once: true },
  "tssaslpasswd: a realm renamed": { ...users("--rename-realm", REALM, "example.net"), once: true },
  "tsmap convert: a new database": fresh(made("convert", "in.db", "-o", "out.db", "--target", "aix")),
  "tsmap convert: a database that is replaced": made("convert", "in.db", "-o", "out.db", "--type", "btree"),
  "tsmap load: a database that is replaced": {
    ...made("load", "out.db"),
    input: "text",
    before: [oldMap("out"), { program: "tsmap", args: ["dump", "in.db", "-o", "text", "--show-secrets"] }],
  },
  "tsmap scrub: the file itself": {
    ...made("scrub", "in.db"),
    target: "in.db",
    once: true,
    before: [],
    prepare: (folder) => copyFileSync(databaseFixture("v9-db5.3.28-be-ps512-map").path, join(folder, "in.db")),
    arrange: (folder) => copyFileSync(databaseFixture("v9-db5.3.28-le-residue").path, join(folder, "in.db")),
  },
  "tsmap scrub: another file": made("scrub", "in.db", "-o", "out.db"),
  "tsmap dump: a text": text(made("dump", "in.db", "-o", "text", "--show-secrets")),
  "tsmap export: a text": text(
    made("export", "--format", "ldif", "--base", "dc=example", "--cluster", "c", "--show-secrets", "-o", "text", "in.db"),
  ),
  "tsmap lint --fix": { ...SOURCE, args: ["lint", "--fix", "smtp-auth"] },
  "tsmap lint --fix: a source with two names": linked({ ...SOURCE, args: ["lint", "--fix", "smtp-auth"] }),
  "tsmap cf patch": {
    ...CF,
    args: ["cf", "patch", "--role", "client", "--relay", "relay.example.com", "submit.cf"],
    target: "submit.cf",
    backup: "submit.cf.orig",
  },
  "tsmap cf patch: another file": {
    ...CF,
    args: ["cf", "patch", "--role", "relay", "-o", "out.cf", "sendmail.cf"],
    target: "out.cf",
    sources: { "sendmail.cf": "sendmail.cf" },
  },
  "tsmap build: the first set": { ...fresh(BUILD), arrange: () => {} },
  "tsmap build: a set that is replaced": BUILD,
};
