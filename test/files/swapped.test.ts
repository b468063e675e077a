/**
 * Somebody else may write to the folder, and puts a link in the place of a file
 * before any of our operations: what the link leads to stays as it is.
 */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import { basename, join } from "node:path";
import { after, suite, test } from "node:test";
import { type FileHandle, type FileSystem, nodeFileSystem } from "berkeley-db-js";
import { Replacement } from "#src/files/replacement.js";
import { targetFormat } from "#src/hash-file/file-format.js";
import { MapBuilder } from "#src/makemap/map-builder.js";
import { convert } from "#src/map-file/convert.js";
import { scrub } from "#src/map-file/scrub.js";
import { updateSasldb } from "#src/sasldb/sasldb-file.js";
import { isFull } from "../support/full.ts";
import { makeInProcess } from "../support/in-process.ts";
import { isRoot } from "../support/program.ts";
import { temporaryFolder } from "../support/temp.ts";

const top = temporaryFolder({ after });
const SECRET = "s3cret-PaSSword";
const VICTIM = "of somebody who is not asked\n";

/** The operating system's files; `before` is called with the number of each operation. */
function interposed(before: (operation: number) => void): FileSystem {
  let count = 0;
  const then = <A extends unknown[], R>(action: (...args: A) => R) => {
    return (...args: A): R => {
      before(count++);
      return action(...args);
    };
  };
  return {
    open: then((path, flags, mode): FileHandle => {
      const file = nodeFileSystem.open(path, flags, mode);
      return {
        descriptor: file.descriptor,
        read: then((bytes: Uint8Array, offset: number) => file.read(bytes, offset)),
        write: then((bytes: Uint8Array, offset: number) => file.write(bytes, offset)),
        truncate: then((size: number) => file.truncate(size)),
        sync: then(() => file.sync()),
        size: () => file.size(),
        close: then(() => file.close()),
      };
    }),
    stat: nodeFileSystem.stat,
    rename: then(nodeFileSystem.rename),
    unlink: then(nodeFileSystem.unlink),
  };
}

interface Scene {
  readonly folder: string;
  readonly target: string;
  readonly victim: string;
}

/** A target that everybody may write to, of another user where that can be, and a file that nobody may read. */
function newScene(hasOld: boolean): Scene {
  const folder = fs.mkdtempSync(join(top, "scene-"));
  const target = join(folder, "m.db");
  if (hasOld) {
    makeInProcess(["hash", "m"], Buffer.from(`old "P:${SECRET}"\n`), folder);
    fs.chmodSync(target, 0o666);
    if (isRoot) fs.chownSync(target, 1234, 1234);
  }
  const victim = join(folder, "victim");
  fs.writeFileSync(victim, VICTIM, { mode: 0o600 });
  return { folder, target, victim };
}

function assertUntouched({ victim }: Scene, what: string): void {
  const { mode, uid, gid } = fs.lstatSync(victim);
  const expected = [VICTIM, 0o600, process.geteuid?.(), process.getegid?.()];
  assert.deepEqual([fs.readFileSync(victim, "utf8"), mode & 0o777, uid, gid], expected, what);
}

function putLink({ folder, victim }: Scene, isWanted: (name: string) => boolean): void {
  for (const name of fs.readdirSync(folder).filter(isWanted)) {
    fs.rmSync(join(folder, name));
    fs.symlinkSync(victim, join(folder, name));
  }
}

const isTemporary = (name: string): boolean => /^\.[0-9a-f]{8}-/.test(name);
const isTarget = (name: string): boolean => name === "m.db";

type Work = (scene: Scene, fileSystem: FileSystem) => Promise<void> | void;

const map =
  (options: object): Work =>
  ({ target }, fileSystem) => {
    const builder = new MapBuilder(target, {
      type: "hash",
      sourceSize: 100,
      fileSystem,
      onDiagnostic: () => {},
      format: targetFormat("aix"),
      ...options,
    });
    try {
      builder.write(Buffer.from(`new "P:${SECRET}"\n`));
      builder.commit();
    } finally {
      builder.abandon();
    }
  };

const WORKS: Record<string, { readonly hasOld: boolean; readonly work: Work }> = {
  "a map": { hasOld: false, work: map({}) },
  "a map in the place of another": { hasOld: true, work: map({}) },
  "a map that is added to": { hasOld: true, work: map({ append: true }) },
  "a map in place": { hasOld: true, work: map({ inPlace: true }) },
  "a SASL database": {
    hasOld: false,
    work: ({ target }, fileSystem) =>
      updateSasldb(target, (users) => users.setPassword("user", "realm", Buffer.from(SECRET)), {
        fileSystem,
        format: targetFormat("aix"),
      }).then(() => {}),
  },
  "a SASL database that is changed": {
    hasOld: true,
    work: ({ target }, fileSystem) =>
      updateSasldb(target, (users) => users.setPassword("user", "realm", Buffer.from(SECRET)), { fileSystem }).then(() => {}),
  },
  "a SASL database in place": {
    hasOld: true,
    work: ({ target }, fileSystem) =>
      updateSasldb(target, (users) => users.setPassword("user", "realm", Buffer.from(SECRET)), { fileSystem, inPlace: true }).then(
        () => {},
      ),
  },
  "a conversion": {
    hasOld: true,
    work: ({ target }, fileSystem) => void convert(target, target, { format: targetFormat("aix"), mode: 0o644, fileSystem }),
  },
  "a conversion in place": {
    hasOld: true,
    work: ({ target }, fileSystem) => void convert(target, target, { format: targetFormat("aix"), mode: 0o644, fileSystem, inPlace: true }),
  },
  "a scrub in place": { hasOld: true, work: ({ target }, fileSystem) => void scrub(target, target, { fileSystem, inPlace: true }) },
};

suite("a link in the place of", () => {
  for (const [title, { hasOld, work }] of Object.entries(WORKS)) {
    for (const [what, isWanted] of [
      ["the temporary file", isTemporary],
      ["the target", isTarget],
    ] as const) {
      test(`${what}: ${title}`, async () => {
        let operations = 0;
        await work(
          newScene(hasOld),
          interposed((operation) => {
            operations = operation + 1;
          }),
        );
        assert.ok(operations > 4, `${operations} operations`);
        let failures = 0;
        for (let at = 0; at < operations; at += isFull ? 1 : 6) {
          const scene = newScene(hasOld);
          const fileSystem = interposed((operation) => {
            if (operation === at) putLink(scene, isWanted);
          });
          try {
            await work(scene, fileSystem);
          } catch (error) {
            failures += 1;
            assert.ok(error instanceof Error && !error.message.includes(SECRET), String(error));
          }
          assertUntouched(scene, `before operation ${at} of ${operations}`);
          fs.rmSync(scene.folder, { recursive: true });
        }
        // A temporary file that is gone is not put in the place of the map.
        if (isWanted === isTemporary && !title.includes("in place")) assert.ok(failures > 0, `${failures} of ${operations}`);
      });
    }
  }
});

suite("what is planted as if a killed run had kept it is not put back", () => {
  /** As a run in place keeps it, which was killed. */
  const keptName = (target: string): string => {
    const replacement = new Replacement(target, { fileSystem: nodeFileSystem, mode: 0o600 });
    replacement.abandon();
    return `${basename(replacement.path).replace(/-\d+-/, "-4194303-")}.old`;
  };

  async function usersWithPlanted(plant: (path: string, bytes: Buffer) => void): Promise<string[]> {
    const folder = fs.mkdtempSync(join(top, "kept-"));
    const planted = join(folder, "planted");
    await updateSasldb(planted, (users) => users.setPassword("intruder", "realm", Buffer.from("known")));
    const target = join(folder, "m.db");
    // Empty, as an administrator makes it for a database to come: no good, and the content that was kept is asked for.
    fs.writeFileSync(target, "", { mode: 0o600 });
    plant(join(folder, keptName(target)), fs.readFileSync(planted));
    let names: string[] = [];
    await updateSasldb(target, (users) => {
      users.setPassword("user", "realm", Buffer.from(SECRET));
      names = users.users().map(({ user }) => user);
    });
    return names.sort();
  }

  test("but what was kept is", async () => {
    assert.deepEqual(await usersWithPlanted((path, bytes) => fs.writeFileSync(path, bytes, { mode: 0o600 })), ["intruder", "user"]);
  });

  const plants: Record<string, (path: string, bytes: Buffer) => void> = {
    "open to others": (path, bytes) => {
      fs.writeFileSync(path, bytes);
      fs.chmodSync(path, 0o604);
    },
    "a link": (path, bytes) => {
      fs.writeFileSync(`${path}.elsewhere`, bytes, { mode: 0o600 });
      fs.symlinkSync(`${path}.elsewhere`, path);
    },
    "with two names": (path, bytes) => {
      fs.writeFileSync(path, bytes, { mode: 0o600 });
      fs.linkSync(path, `${path}.elsewhere`);
    },
    "a folder": (path) => fs.mkdirSync(path),
    ...(isRoot && {
      "of another user": (path: string, bytes: Buffer) => {
        fs.writeFileSync(path, bytes, { mode: 0o600 });
        fs.chownSync(path, 1234, 1234);
      },
    }),
  };
  for (const [title, plant] of Object.entries(plants)) {
    test(title, async () => assert.deepEqual(await usersWithPlanted(plant), ["user"]));
  }
});
