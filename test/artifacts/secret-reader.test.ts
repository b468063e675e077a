/**
 * Secrets from each of the places that a manifest may name.
 *
 * age is the real one. Debian has no package of sops: a small program stands
 * for it, which is called as sops is and has a document decrypted already.
 */
import assert from "node:assert/strict";
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import type { SecretSource } from "#src/artifacts/manifest.js";
import { SecretReader, type SecretReaderOptions } from "#src/artifacts/secret-reader.js";
import { sourceText } from "#src/artifacts/secret-source.js";
import { problemsIn } from "../support/manifest.ts";
import { needs, runNative } from "../support/native.ts";
import { type Cleanup, temporaryFolder } from "../support/temp.ts";

const PLACE = { file: "tsmap.yaml", line: 3, column: 5 };
const { PATH } = process.env;

/** A folder with files, and a reader of the secrets in it. */
class Secrets {
  readonly folder: string;
  readonly reader: SecretReader;

  constructor(t: Cleanup, options: Partial<SecretReaderOptions> = {}) {
    this.folder = temporaryFolder(t);
    mkdirSync(join(this.folder, "bin"));
    const environment = { PATH: `${join(this.folder, "bin")}:${PATH}`, ...options.environment };
    this.reader = new SecretReader({ folder: this.folder, allowInline: false, timeout: 20_000, hidden: [], ...options, environment });
  }

  write(name: string, text: string): void {
    writeFileSync(join(this.folder, name), text);
  }

  /** A script, which says on a line of "runs" that it was run. */
  program(name: string, script: string): void {
    const file = join(this.folder, "bin", name);
    writeFileSync(file, `#!/bin/sh\necho "$#" >> runs\n${script}\n`);
    chmodSync(file, 0o755);
  }

  get runs(): number {
    const file = join(this.folder, "runs");
    return existsSync(file) ? readFileSync(file, "utf8").split("\n").length - 1 : 0;
  }

  read(source: SecretSource): string {
    return Buffer.from(this.reader.read({ name: "s", source, place: PLACE })).toString();
  }

  text(source: SecretSource): string {
    return Buffer.from(this.reader.readText({ name: "s", source, place: PLACE })).toString();
  }

  /** Why there is none: one sentence. */
  whyNot(source: SecretSource): string {
    const [problem = "", ...more] = problemsIn(() => void this.read(source));
    assert.deepEqual(more, []);
    assert.ok(problem.startsWith("3:5: secret s: "), problem);
    return problem.slice("3:5: secret s: ".length);
  }
}

describe("a secret", () => {
  it("of the environment", (t) => {
    const secrets = new Secrets(t, { environment: { A: "pass word", NEWLINE: "x\n", EMPTY: "", ONLY: "\n" } });
    assert.equal(secrets.read({ env: "A" }), "pass word");
    assert.equal(secrets.read({ env: "NEWLINE" }), "x");
    assert.equal(secrets.whyNot({ env: "B" }), "the environment has no B");
    assert.equal(secrets.whyNot({ env: "toString" }), "the environment has no toString");
    assert.equal(secrets.whyNot({ env: "EMPTY" }), "it is empty");
    assert.equal(secrets.whyNot({ env: "ONLY" }), "it is empty");
  });

  it("of a file, relative to the manifest's folder or not", (t) => {
    const secrets = new Secrets(t);
    secrets.write("a", "secret\n");
    secrets.write("empty", "");
    assert.equal(secrets.read({ file: "a" }), "secret");
    assert.equal(secrets.read({ file: join(secrets.folder, "a") }), "secret");
    assert.equal(secrets.whyNot({ file: "b" }), "b: no such file");
    assert.equal(secrets.whyNot({ file: "bin" }), "bin: a folder");
    assert.equal(secrets.whyNot({ file: "a/b" }), "a/b: Not a directory");
    assert.equal(secrets.whyNot({ file: "empty" }), "it is empty");
  });

  it("of the manifest, where that is allowed", (t) => {
    assert.equal(new Secrets(t, { allowInline: true }).read({ inline: "pass word" }), "pass word");
    assert.equal(
      new Secrets(t).whyNot({ inline: "pass word" }),
      "it stands in the manifest, which wants settings.allow-inline, --allow-inline or TSMAP_ALLOW_INLINE=true",
    );
  });

  it("has one newline less than its text, and as a text all of them", (t) => {
    const secrets = new Secrets(t);
    for (const [text, value] of [
      ["x", "x"],
      ["x\n", "x"],
      ["x\n\n", "x\n"],
      ["x\r\n", "x\r"],
      [" x \n", " x "],
      ["\nx", "\nx"],
    ] as const) {
      secrets.write(JSON.stringify(text), text);
      assert.equal(secrets.read({ file: JSON.stringify(text) }), value);
      assert.equal(secrets.text({ file: JSON.stringify(text) }), text);
    }
  });

  it("may be of any bytes", (t) => {
    const secrets = new Secrets(t);
    writeFileSync(join(secrets.folder, "bytes"), Buffer.from([0xff, 0x00, 0x80, 0x0a]));
    assert.deepEqual([...secrets.reader.read({ name: "s", source: { file: "bytes" }, place: PLACE })], [0xff, 0x00, 0x80]);
  });

  it("is overwritten when the reader is through", (t) => {
    const secrets = new Secrets(t, { environment: { A: "secret" } });
    secrets.write("b", "secret\n");
    const uses = [{ env: "A" }, { file: "b" }].map((source) => ({ name: "s", source, place: PLACE }));
    const values = uses.flatMap((use) => [secrets.reader.read(use), secrets.reader.readText(use)]);
    secrets.reader[Symbol.dispose]();
    for (const value of values) assert.ok(value.length >= 6 && value.every((byte) => byte === 0));
  });
});

describe("a secret of a command", () => {
  it("is what it prints, with its arguments as they are, in the manifest's folder", (t) => {
    const secrets = new Secrets(t);
    const args = ["a b", "$HOME", "*", "`id`", "$(id)", ";", "'", '"', "", "\\", "-e"];
    const command = [process.execPath, "-e", "console.log(JSON.stringify(process.argv.slice(1)))", "--", ...args];
    assert.deepEqual(JSON.parse(secrets.read({ command })), args);
    assert.equal(secrets.read({ command: ["pwd"] }), secrets.folder);
    secrets.program("own", "echo found");
    assert.equal(secrets.read({ command: ["own"] }), "found");
    assert.equal(secrets.read({ command: ["./bin/own", "again"] }), "found");
  });

  it("is given nothing to read, and not the variables that hold secrets", (t) => {
    const secrets = new Secrets(t, { environment: { A: "secret", B: "shown" }, hidden: ["A", "C"] });
    const printed = JSON.parse(secrets.read({ command: [process.execPath, "-p", "JSON.stringify(process.env)"] })) as object;
    assert.ok(!("A" in printed));
    assert.equal((printed as { B?: string }).B, "shown");
    assert.equal(secrets.read({ env: "A" }), "secret");
    assert.equal(secrets.whyNot({ command: ["cat"] }), "it is empty");
  });

  it("is none where it fails, and says how it did", (t) => {
    const secrets = new Secrets(t);
    secrets.write("no-program", "");
    assert.equal(secrets.whyNot({ command: ["sh", "-c", "echo secret; exit 3"] }), "sh ended with exit code 3");
    assert.equal(secrets.whyNot({ command: ["sh", "-c", "echo secret; kill -TERM $$"] }), "sh was ended by SIGTERM");
    assert.equal(secrets.whyNot({ command: ["no-such-program", "secret"] }), "there is no program no-such-program");
    assert.equal(secrets.whyNot({ command: ["./no-program"] }), "./no-program: EACCES");
    assert.equal(secrets.whyNot({ command: ["true"] }), "it is empty");
    assert.equal(secrets.whyNot({ command: ["echo", "a\0b"] }), "a NUL in the command, at which it would end");
  });

  it("is none where it takes too long, or gives too much", (t) => {
    const secrets = new Secrets(t, { timeout: 300 });
    const start = performance.now();
    assert.equal(secrets.whyNot({ command: ["sleep", "60"] }), "sleep took longer than 0.3 s (command-timeout)");
    // One of its own children has its output open still.
    assert.equal(secrets.whyNot({ command: ["sh", "-c", "sleep 20 & echo secret; wait"] }), "sh took longer than 0.3 s (command-timeout)");
    assert.ok(performance.now() - start < 10_000);
    const patient = new Secrets(t);
    assert.equal(patient.whyNot({ command: ["head", "-c", String((64 << 20) + 1), "/dev/zero"] }), "head gave more than 67108864 bytes");
  });

  it("is asked for once, also where it fails", (t) => {
    const secrets = new Secrets(t);
    secrets.program("good", "echo x");
    secrets.program("bad", "exit 1");
    for (let i = 0; i < 3; i++) {
      assert.equal(secrets.read({ command: ["good"], changed: `2026-01-0${i + 1}` }), "x");
      secrets.text({ command: ["good"] });
      assert.equal(secrets.whyNot({ command: ["bad"] }), "bad ended with exit code 1");
    }
    assert.equal(secrets.runs, 2);
    assert.equal(secrets.read({ command: ["good", "other"] }), "x");
    assert.equal(secrets.runs, 3);
  });
});

describe("a field", () => {
  const YAML = `alice: pass word
"007": quoted
number: 007
price: 1.50
hex: 0x1F
exponent: 1e3
minus: -0
deep: { er: { list: [a, b] } }
dotted.name: x
block: |
  two
  lines
flag: true
nothing: ~
empty: ""
`;

  it("is a value by its name, or by the names on the way to it, as it is written", (t) => {
    const secrets = new Secrets(t);
    secrets.write("y", YAML);
    secrets.write("j", '{ "alice": "pass word", "number": 1.50, "deep": { "er": "\\u00e9\\n" }, "007": "x" }\n');
    const values: readonly (readonly [string, string | string[], string])[] = [
      ["y", "alice", "pass word"],
      ["y", ["alice"], "pass word"],
      ["y", "007", "quoted"],
      ["y", "number", "007"],
      ["y", "price", "1.50"],
      ["y", "hex", "0x1F"],
      ["y", "exponent", "1e3"],
      ["y", "minus", "-0"],
      ["y", ["deep", "er", "list", "1"], "b"],
      ["y", "dotted.name", "x"],
      ["y", "block", "two\nlines"],
      ["j", "alice", "pass word"],
      ["j", "number", "1.50"],
      ["j", ["deep", "er"], "\u00e9"],
      ["j", "007", "x"],
    ];
    for (const [file, field, value] of values) assert.equal(secrets.read({ file, field }), value, String(field));
    assert.equal(secrets.text({ file: "y", field: "block" }), "two\nlines\n");
  });

  it("is none where there is no such value, or not one that is a secret", (t) => {
    const secrets = new Secrets(t);
    secrets.write("y", YAML);
    for (const field of ["bob", "toString", "__proto__"]) assert.equal(secrets.whyNot({ file: "y", field }), `its text has no ${field}`);
    for (const field of [
      ["alice", "x"],
      ["deep", "x", "y"],
      ["deep", "er", "list", "2"],
    ])
      assert.equal(secrets.whyNot({ file: "y", field }), `its text has no ${field.join(".")}`);
    for (const field of ["flag", "nothing", "deep"])
      assert.equal(secrets.whyNot({ file: "y", field }), `${field} of its text is neither text nor a number`);
    assert.equal(secrets.whyNot({ file: "y", field: "empty" }), "it is empty");
    for (const text of ["secret", "- secret\n", "", "secret: [", "{ secret", "a: b: secret", "a: *secret", "a: !secret x"]) {
      secrets.write(`t${text.length}`, text);
      const why = secrets.whyNot({ file: `t${text.length}`, field: "a" });
      assert.match(
        why,
        /^(its text has no a|its text is neither YAML nor JSON, of which field names a part|a of its text is neither text nor a number)$/,
      );
    }
  });

  it("is one of many of a document that is decrypted once", (t) => {
    const secrets = new Secrets(t);
    secrets.program("sops", 'test "$1" = --decrypt && test $# = 2 && cat "$2"');
    secrets.write("passwords.enc.yaml", "alice: one\nbob: two\n");
    assert.deepEqual(
      ["alice", "bob", "alice"].map((field) => secrets.read({ sops: "passwords.enc.yaml", field })),
      ["one", "two", "one"],
    );
    assert.equal(secrets.whyNot({ sops: "passwords.enc.yaml", field: "carol" }), "its text has no carol");
    assert.equal(secrets.text({ sops: "passwords.enc.yaml" }), "alice: one\nbob: two\n");
    assert.equal(secrets.runs, 1);
    assert.equal(secrets.whyNot({ sops: "none.enc.yaml", field: "alice" }), "sops ended with exit code 1");
  });
});

describe("sops and age", () => {
  it("are told the file as one, whatever its name begins with", (t) => {
    const secrets = new Secrets(t);
    for (const name of ["sops", "age"]) secrets.program(name, "printf '%s\\n' \"$@\"");
    assert.equal(secrets.read({ sops: "a.enc" }), "--decrypt\na.enc");
    assert.equal(secrets.read({ sops: "-a.enc" }), "--decrypt\n./-a.enc");
    assert.equal(secrets.read({ age: "-a.age" }), "--decrypt\n./-a.age");
    assert.equal(secrets.read({ age: "a.age", identity: "keys/id" }), "--decrypt\n--identity\nkeys/id\na.age");
  });

  it("are missing where they are", (t) => {
    const secrets = new Secrets(t, { environment: { PATH: "/nowhere" } });
    assert.equal(secrets.whyNot({ sops: "a" }), "there is no program sops");
    assert.equal(secrets.whyNot({ age: "a" }), "there is no program age");
  });

  it("decrypt a file: age itself", (t) => {
    if (!needs(t, "age", "age-keygen")) return;
    const secrets = new Secrets(t);
    const { folder } = secrets;
    for (const name of ["key", "other"]) assert.equal(runNative("age-keygen", ["-o", join(folder, name)]).status, 0);
    const recipient = `${runNative("age-keygen", ["-y", join(folder, "key")]).stdout}`.trim();
    for (const file of ["dave.age", "-dave.age"]) {
      const { status, stderr } = runNative("age", ["-r", recipient, "-o", join(folder, file)], { input: "dave: s3cret\n" });
      assert.equal(status, 0, String(stderr));
    }
    assert.equal(secrets.read({ age: "dave.age", identity: "key" }), "dave: s3cret");
    assert.equal(secrets.read({ age: "dave.age", identity: "key", field: "dave" }), "s3cret");
    assert.equal(secrets.read({ age: "-dave.age", identity: "key", field: "dave" }), "s3cret");
    assert.equal(secrets.whyNot({ age: "dave.age", identity: "other" }), "age ended with exit code 1");
    assert.equal(secrets.whyNot({ age: "none.age", identity: "key" }), "age ended with exit code 1");
  });
});

describe("the name of a source in provenance", () => {
  it("says the way, and neither a secret nor an argument", () => {
    const names = [
      { env: "A" },
      { file: "a/b", changed: "2026-01-01" },
      { command: ["pass", "show", "secret"] },
      { age: "a.age", identity: "id" },
      { sops: "a.enc", field: ["b", "c"] },
      { inline: "secret" },
      { inline: "secret", field: "b" },
    ].map((source) => sourceText(source));
    assert.deepEqual(names, ["env A", "file a/b", "command pass", "age a.age", "sops a.enc b.c", "inline", "inline"]);
  });
});
