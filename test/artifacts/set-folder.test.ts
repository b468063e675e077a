/**
 * The link to a set of files: what it is switched to, what is kept of what is
 * there, and what is never touched.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { type NewSet, SetFolder, SetFolderError } from "#src/artifacts/set-folder.js";
import { isRoot } from "../support/program.ts";
import { type Cleanup, temporaryFolder } from "../support/temp.ts";

const DIGESTS = ["a", "b", "c"].map((letter) => letter.repeat(64)) as [string, string, string];
const HOST = createHash("sha256").update(hostname()).digest("hex").slice(0, 8);

class Place {
  readonly folder: string;
  readonly link: string;
  readonly sets: string;

  constructor(t: Cleanup) {
    this.folder = temporaryFolder(t);
    this.link = join(this.folder, "out");
    this.sets = join(this.folder, ".out.sets");
  }

  get set(): SetFolder {
    return new SetFolder(this.link);
  }

  /** Makes a set with two files. */
  async build(content: string, digest: string = DIGESTS[0]): Promise<void> {
    const set = this.begin(content);
    await set.commit(digest);
    set.abandon();
  }

  begin(content: string): NewSet {
    const set = this.set.begin();
    set.write({ path: "one", mode: 0o644 }, content);
    set.write({ path: "host/two", mode: 0o600 }, Buffer.from(content));
    return set;
  }

  /** A set that some process has begun. */
  left(name: string): string {
    const folder = join(this.sets, name);
    fs.mkdirSync(join(folder, "host"), { recursive: true });
    fs.writeFileSync(join(folder, "host/two"), "secret");
    return name;
  }

  get names(): string[] {
    return fs.readdirSync(this.folder).sort();
  }

  get setNames(): string[] {
    return fs.readdirSync(this.sets).sort();
  }

  read(path: string): string {
    return fs.readFileSync(join(this.link, path), "utf8");
  }
}

/** The number of a process that has ended. */
function deadProcess(): number {
  return spawnSync("true").pid;
}

describe("a set", () => {
  it("is there once it is committed, and no sooner", async (t) => {
    const place = new Place(t);
    const { set } = place;
    assert.deepEqual([set.current(), set.list(), set.read("one")], [undefined, [], undefined]);
    const made = place.begin("first");
    assert.deepEqual([set.current(), set.list(), set.read("one")], [undefined, [], undefined]);
    assert.deepEqual(place.names, [".out.sets"]);
    await made.commit(DIGESTS[0]);
    assert.equal(fs.readlinkSync(place.link), `.out.sets/${DIGESTS[0].slice(0, 16)}`);
    assert.equal(set.current(), join(place.sets, DIGESTS[0].slice(0, 16)));
    assert.deepEqual(set.list(), ["host/two", "one"]);
    assert.deepEqual(place.names, [".out.sets", "out"]);
    made.abandon();
    assert.equal(place.read("host/two"), "first");
  });

  it("has the modes that are asked for, whatever the umask, and folders that others can go through", async (t) => {
    const place = new Place(t);
    const umask = process.umask(0o077);
    try {
      await place.build("x");
    } finally {
      process.umask(umask);
    }
    const modes = ["one", "host/two", "host", "."].map((name) => fs.statSync(join(place.link, name)).mode & 0o777);
    assert.deepEqual(modes, [0o644, 0o600, 0o755, 0o755]);
    assert.equal(fs.statSync(place.sets).mode & 0o777, 0o755);
    assert.deepEqual(place.set.read("host/two"), { bytes: fs.readFileSync(join(place.link, "host/two")), mode: 0o600 });
  });

  it("takes the place of another, of which nothing is left", async (t) => {
    const place = new Place(t);
    await place.build("first");
    await place.build("second", DIGESTS[1]);
    assert.deepEqual([place.read("one"), place.setNames], ["second", [DIGESTS[1].slice(0, 16)]]);
    // With the same digest: the folder that is there is not written to.
    await place.build("third", DIGESTS[1]);
    assert.equal(place.read("one"), "third");
    assert.equal(place.setNames.length, 1);
    assert.match(place.setNames[0] ?? "", /^b{16}-[0-9a-f]{8}$/);
    assert.deepEqual(place.names, [".out.sets", "out"]);
  });

  it("that is abandoned leaves what was there, or nothing", async (t) => {
    const place = new Place(t);
    const first = place.begin("x");
    first.abandon();
    first.abandon();
    assert.deepEqual(place.names, []);
    await place.build("first");
    place.begin("second").abandon();
    assert.deepEqual([place.read("one"), place.setNames], ["first", [DIGESTS[0].slice(0, 16)]]);
  });

  it("is read without following links, and what is no file is none", async (t) => {
    const place = new Place(t);
    await place.build("x");
    const { set } = place;
    fs.symlinkSync("one", join(place.link, "link"));
    for (const path of ["none", "one/none", "link"]) assert.equal(set.read(path), undefined, path);
    assert.deepEqual(set.list(), ["host/two", "link", "one"]);
  });

  it("is the same with a slash at the end of its name", async (t) => {
    const place = new Place(t);
    for (const [content, digest] of [
      ["first", DIGESTS[0]],
      ["second", DIGESTS[1]],
    ] as const) {
      const made = new SetFolder(`${place.link}//`).begin();
      made.write({ path: "one", mode: 0o644 }, content);
      await made.commit(digest);
      assert.equal(place.read("one"), content);
    }
    assert.deepEqual(place.names, [".out.sets", "out"]);
  });
});

describe("what is in the place of the link", () => {
  const refused = (place: Place, message: RegExp): void => {
    for (const what of ["current", "list", "begin"] as const) assert.throws(() => place.set[what](), { message }, what);
    assert.throws(() => place.set.read("one"), { message });
    assert.ok(!fs.existsSync(place.sets));
  };

  it("is taken where it is an empty folder", async (t) => {
    const place = new Place(t);
    fs.mkdirSync(place.link);
    assert.deepEqual(place.set.list(), []);
    await place.build("x");
    assert.equal(place.read("one"), "x");
    assert.ok(fs.lstatSync(place.link).isSymbolicLink());
  });

  it("stays where it is a folder with files, a file, or a link to something else", (t) => {
    const folder = new Place(t);
    fs.mkdirSync(folder.link);
    fs.writeFileSync(join(folder.link, "precious"), "");
    refused(folder, /out: not a link that tsmap build made: move it away, or choose another output$/);
    assert.deepEqual(fs.readdirSync(folder.link), ["precious"]);
    const file = new Place(t);
    fs.writeFileSync(file.link, "precious");
    refused(file, /not a link that tsmap build made/);
    for (const target of ["other", "/etc", ".", "..", "nowhere", ".out.sets", ".out.sets/a/b", ".other.sets/a"]) {
      const link = new Place(t);
      fs.mkdirSync(join(link.folder, "other"));
      fs.symlinkSync(target, link.link);
      refused(link, /a link to something else than a set of tsmap build/);
      assert.equal(fs.readlinkSync(link.link), target);
    }
  });

  it("is replaced where it is a link to a set that is gone", async (t) => {
    const place = new Place(t);
    await place.build("first");
    fs.rmSync(place.sets, { recursive: true });
    assert.deepEqual([place.set.current(), place.set.list()], [undefined, []]);
    await place.build("second", DIGESTS[1]);
    assert.equal(place.read("one"), "second");
  });

  it("stays where it came while the set was written", async (t) => {
    const place = new Place(t);
    const set = place.begin("x");
    fs.writeFileSync(place.link, "precious");
    await assert.rejects(set.commit(DIGESTS[0]), /not a link that tsmap build made/);
    set.abandon();
    assert.equal(fs.readFileSync(place.link, "utf8"), "precious");
    assert.deepEqual(place.names, ["out"]);
  });
});

describe("what others have begun", () => {
  it("is removed where their process is gone, and is kept where it is there", async (t) => {
    const place = new Place(t);
    await place.build("first");
    const living = place.left(`new-${HOST}-${process.ppid}-0123456789abcdef`);
    place.left(`new-${HOST}-${deadProcess()}-0123456789abcdef`);
    const elsewhere = place.left(`new-${HOST === "00000000" ? "11111111" : "00000000"}-1-0123456789abcdef`);
    const old = place.left(`new-${HOST === "00000000" ? "11111111" : "00000000"}-2-0123456789abcdef`);
    const yesterday = Date.now() / 1000 - 25 * 60 * 60;
    fs.utimesSync(join(place.sets, old), yesterday, yesterday);
    // Also where there is nothing to do.
    place.set.begin().abandon();
    assert.deepEqual(place.setNames, [DIGESTS[0].slice(0, 16), living, elsewhere].sort());
    await place.build("second", DIGESTS[1]);
    assert.deepEqual(place.setNames, [DIGESTS[1].slice(0, 16), living, elsewhere].sort());
  });

  it("is a set each, and the last one stays whole", async (t) => {
    const place = new Place(t);
    const contents = Array.from({ length: 12 }, (_, i) => String(i));
    const sets = contents.map((content) => place.begin(content));
    await Promise.all(sets.map((set, i) => set.commit(DIGESTS[i % 3] as string)));
    const content = place.read("one");
    assert.ok(contents.includes(content));
    assert.equal(place.read("host/two"), content);
    assert.equal(place.setNames.length, 1);
    assert.deepEqual(place.names, [".out.sets", "out"]);
  });

  it("is not in the way where they have nothing to do at the same moment", async (t) => {
    const place = new Place(t);
    for (let i = 0; i < 50; i++) {
      const [one, other] = [place.begin("a"), place.begin("b")];
      one.abandon();
      other.write({ path: "more", mode: 0o644 }, "x");
      other.abandon();
    }
    assert.deepEqual(place.names, []);
  });
});

describe("in a shared folder", () => {
  /** The mode of a folder of somebody else's, which a link could lead to. */
  const closed = (place: Place): string => {
    const folder = join(place.folder, "closed");
    fs.mkdirSync(folder, { mode: 0o700 });
    return folder;
  };

  it("the folder of the sets is no link", async (t) => {
    const place = new Place(t);
    const folder = closed(place);
    fs.symlinkSync(folder, place.sets);
    await assert.rejects(place.build("new"), SetFolderError);
    assert.deepEqual([fs.readdirSync(folder), fs.statSync(folder).mode & 0o777], [[], 0o700]);
  });

  it("nor does it become one before it is opened for everybody", async (t) => {
    const place = new Place(t);
    const folder = closed(place);
    const set = place.begin("new");
    for (const name of place.setNames) fs.renameSync(join(place.sets, name), join(folder, name));
    fs.rmdirSync(place.sets);
    fs.symlinkSync(folder, place.sets);
    await assert.rejects(set.commit(DIGESTS[0]));
    assert.equal(fs.statSync(folder).mode & 0o777, 0o700);
  });

  it("the folder of the sets is not one that another user made", async (t) => {
    if (!isRoot) return t.skip("needs root, who makes folders of other users");
    const place = new Place(t);
    fs.chmodSync(place.folder, 0o1777);
    fs.mkdirSync(place.sets);
    fs.chownSync(place.sets, 1234, 1234);
    await assert.rejects(place.build("new"), SetFolderError);
    assert.deepEqual(place.setNames, []);
    return undefined;
  });
});

it("is made with the folders around it, however many; and where none can be made that is told, and soon", (t) => {
  const deep = join(temporaryFolder(t), "a/b/c/d/e/f/g/h/out");
  const made = new SetFolder(deep).begin();
  made.abandon();
  assert.ok(fs.existsSync(join(deep, "..")));
  if (!fs.existsSync("/proc/self")) return t.skip("needs /proc, in which no folder can be made");
  assert.throws(() => new SetFolder("/proc/none/out").begin(), { code: "ENOENT" });
  return undefined;
});
