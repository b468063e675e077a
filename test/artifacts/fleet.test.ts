/**
 * What a manifest asks for, host by host: profiles, formats, users and their
 * realms, and what is wrong with it, once.
 */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { FormatOverrides, MapSpec } from "#src/artifacts/fleet.js";
import { fleetSecrets, possibleSources, sourceFiles } from "#src/artifacts/fleet-sources.js";
import { fleetOf, problemsOf } from "../support/manifest.ts";

const HEAD = "version: 1\nkey: k\nsecrets: { k: { env: K }, s: { env: S }, t: { env: T } }\nsettings: { target: aix }\n";

/** The databases of the hosts of a fleet: "host/file user@realm=secret". */
function usersOf(text: string): string[] {
  return fleetOf(HEAD + text).hosts.flatMap(({ databases }) =>
    databases.map(({ path, users }) => [path, ...users.map(({ user, realm, password }) => `${user}@${realm}=${password.name}`)].join(" ")),
  );
}

function mapsOf(text: string): MapSpec[] {
  return fleetOf(HEAD + text).hosts.flatMap(({ maps }) => maps);
}

/** "server=login" of the entries of a map; or its source. */
function contentOf({ source }: MapSpec): string {
  if (source.kind === "entries") return source.entries.map(({ server, login }) => `${server}=${login}`).join(" ");
  return source.kind === "file" ? source.file : source.secret.name;
}

describe("profiles", () => {
  it("come in the order of the list, and the host over them", () => {
    const text = `profiles:
  a: { auth-mechanisms: [A], relays: [x], databases: { d: { realm: a, owner: a, group: a } } }
  b: { auth-mechanisms: [B], databases: { d: { realm: b, owner: b } } }
hosts:
  x: { profile: [a, b] }
  y: { profile: [b, a], auth-mechanisms: [Y] }
  z: { profile: [a, b], databases: { d: { realm: z } } }
`;
    const { hosts } = fleetOf(HEAD + text);
    assert.deepEqual(
      hosts.map(({ name, authMechanisms, relays, databases: [d] }) => [name, authMechanisms, relays, d?.owner, d?.group]),
      [
        ["x", ["B"], ["x"], "b", "a"],
        ["y", ["Y"], ["x"], "a", "a"],
        ["z", ["B"], ["x"], "b", "a"],
      ],
    );
  });

  it("have users that are joined by name, and taken out by nothing", () => {
    const text = `profiles:
  a: { databases: { d: { users: { one: s, two: s, three: { password: s, plain: false, mechanisms: [OTP] } } } } }
  b: { databases: { d: { users: { two: ~, four: t } } } }
hosts:
  x: { profile: a }
  y: { profile: [a, b], databases: { d: { users: { one: t, three: { plain: true } } } } }
  z: { profile: [a, b], databases: { d: { users: { two: t } }, e: {} } }
`;
    assert.deepEqual(usersOf(text), [
      "x/d one@x=s two@x=s three@x=s",
      "y/d one@y=t three@y=s four@y=t",
      "z/d one@z=s two@z=t three@z=s four@z=t",
      "z/e",
    ]);
    const [, y] = fleetOf(HEAD + text).hosts;
    const three = y?.databases[0]?.users.find(({ user }) => user === "three");
    assert.deepEqual([three?.plain, three?.mechanisms], [true, ["OTP"]]);
  });

  it("have entries that are joined by server; a source takes their place, and they its", () => {
    const text = `profiles:
  entries: { maps: { m: { entries: { a: { login: a, password: s }, b: { login: b, password: s } } } } }
  source: { maps: { m: { source: text, type: btree } } }
  more: { maps: { m: { entries: { b: { login: c, password: s } } } } }
hosts:
  p: { profile: [entries, more] }
  q: { profile: [entries, source] }
  r: { profile: [source, entries] }
  s: { profile: [source], maps: { m: { owner: x } } }
  t: { profile: [entries, source, more] }
`;
    const maps = mapsOf(text);
    assert.deepEqual(maps.map(contentOf), ["a=a b=c", "text", "a=a b=b", "text", "b=c"]);
    assert.deepEqual(
      maps.map(({ type }) => type),
      ["hash", "btree", "btree", "btree", "btree"],
    );
  });

  it("leave the parts of a host that are not theirs, and what is theirs at its place", () => {
    const text = `profiles:
  a: { databases: { d: { users: { one: s } } } }
hosts:
  x: { profile: a, databases: { d: { users: { two: s } } }, maps: { m: { source: m } } }
`;
    const [host] = fleetOf(HEAD + text).hosts;
    const places = host?.databases[0]?.users.map(({ user, place }) => `${user} ${place.line}:${place.column}`);
    assert.deepEqual(places, ["one 6:35", "two 8:47"]);
    assert.deepEqual([host?.databases[0]?.place.line, host?.maps[0]?.place.line, host?.place.line], [8, 8, 8]);
  });
});

describe("the format of a file", () => {
  const text = (artifact: string, host: string, profile: string, settings: string): string => `version: 1
settings: { ${settings} }
profiles: { p: { ${profile} } }
hosts: { h: { profile: p, ${[host, `maps: { m: { ${["source: m", artifact].filter((part) => part !== "").join(", ")} } }`].filter((part) => part !== "").join(", ")} } }
`;
  const formatOf = (manifest: string, overrides: FormatOverrides = {}): unknown => fleetOf(manifest, overrides).hosts[0]?.maps[0]?.format;

  it("is said for the file, and then the host, the profile, and the settings; and over all of them by whoever builds", () => {
    const key = ["page-size: 512", "page-size: 1024", "page-size: 2048", "page-size: 8192, target: aix"] as const;
    const aix = { byteOrder: "big", hashVersion: 8, pageSize: 4096 } as const;
    assert.deepEqual(formatOf(text("", "", "", "target: aix")), aix);
    assert.deepEqual(formatOf(text(...key)), { ...aix, pageSize: 512 });
    assert.deepEqual(formatOf(text("", key[1], key[2], key[3])), { ...aix, pageSize: 1024 });
    assert.deepEqual(formatOf(text("", "", key[2], key[3])), { ...aix, pageSize: 2048 });
    assert.deepEqual(formatOf(text("", "", "", key[3])), { ...aix, pageSize: 8192 });
    assert.deepEqual(formatOf(text(...key), { pageSize: 65536 }), { ...aix, pageSize: 65536 });
  });

  it("is said in parts, each by its own layer", () => {
    const manifest = text("byte-order: little", "hash-version: 8", "page-size: 512", "target: aix, byte-order: big, hash-version: 7");
    assert.deepEqual(formatOf(manifest), { byteOrder: "little", hashVersion: 8, pageSize: 512 });
    assert.deepEqual(formatOf(manifest, { byteOrder: "big", hashVersion: 7 }), { byteOrder: "big", hashVersion: 7, pageSize: 512 });
  });

  it("has a target, from whichever layer", () => {
    assert.deepEqual(problemsOf(text("", "", "", "")), [
      "4:35: hosts.h.maps.m: which host is it for? say target: aix or target: native, here or under settings",
    ]);
    for (const layer of [0, 1, 2, 3]) {
      const layers = ["", "", "", ""].map((_, i) => (i === layer ? "target: aix" : "")) as [string, string, string, string];
      assert.deepEqual(problemsOf(text(...layers)), []);
    }
    assert.ok(formatOf(text("", "", "", ""), { target: "native" }));
  });
});

describe("users", () => {
  it("have the realm of the database, or the host's name, or their own", () => {
    const text = "hosts:\n  x: { databases: { d: { realm: r, users: { a: s, b@c: s, b@c@d: s, e@: s } }, e: { users: { a: s } } } }\n";
    assert.deepEqual(usersOf(text), ["x/d a@r=s b@c=s b@c@d=s e@=s", "x/e a@x=s"]);
  });

  it("have mechanisms and plain passwords as they say, or as the database does", () => {
    const text = `hosts:
  x:
    databases:
      d: { users: { a: s, b: { password: s, mechanisms: [], plain: true } } }
      e: { plain: false, mechanisms: [SCRAM-SHA-256], users: { a: s, b: { password: { env: X }, plain: true, mechanisms: [OTP] } } }
`;
    const specs = fleetOf(HEAD + text).hosts[0]?.databases.flatMap(({ users }) =>
      users.map(({ user, mechanisms, plain }) => [user, mechanisms, plain]),
    );
    assert.deepEqual(specs, [
      ["a", ["OTP"], true],
      ["b", [], true],
      ["a", ["SCRAM-SHA-256"], false],
      ["b", ["OTP"], true],
    ]);
  });
});

describe("files", () => {
  it("have a path, a mode and what is recorded of them", () => {
    const text = `hosts:
  x: { databases: { d: { mode: "400", install: /etc/d, owner: root, group: system } }, maps: { m: { source: m }, n.db: { source: n, mode: "0604" } } }
`;
    const [host] = fleetOf(HEAD + text).hosts;
    assert.deepEqual(
      [...(host?.databases ?? []), ...(host?.maps ?? [])].map(({ path, mode, install, owner, group }) => [
        path,
        mode.toString(8),
        install,
        owner,
        group,
      ]),
      [
        ["x/d", "400", "/etc/d", "root", "system"],
        ["x/m.db", "640", undefined, undefined, undefined],
        ["x/n.db", "604", undefined, undefined, undefined],
      ],
    );
    assert.equal(fleetOf(`${HEAD}hosts: { x: { databases: { d: {} } } }\n`).hosts[0]?.databases[0]?.mode, 0o600);
  });

  it("have the options of makemap", () => {
    const [usual, other] = mapsOf(
      'hosts: { x: { maps: { a: { source: a }, b: { source: b, null: true, keep-case: true, empty-values: true, duplicates: keep, delimiter: ":", comment: "" } } } }\n',
    );
    assert.deepEqual([usual?.options, usual?.duplicates], [{ includeNul: false, keepCase: false, allowEmptyValue: false }, "refuse"]);
    assert.deepEqual(other?.options, { includeNul: true, keepCase: true, allowEmptyValue: true, delimiterByte: 58, commentByte: 0 });
    assert.equal(other?.duplicates, "keep");
  });

  it("are made from sources that are known", () => {
    const text = `hosts:
  x:
    databases: { d: { users: { a: s, b: { password: { age: b.age, identity: id } } } } }
    maps:
      l: { source: texts/l }
      m: { source: { sops: m.enc, field: m } }
      n: { entries: { y: { login: a, password: { file: /etc/n } } } }
`;
    const fleet = fleetOf(HEAD + text);
    assert.deepEqual(sourceFiles(fleet, "folder"), ["folder/texts/l", "folder/b.age", "folder/id", "folder/m.enc", "/etc/n"]);
    assert.deepEqual(
      fleetSecrets(fleet).map(({ use, isText }) => [use.source, isText]),
      [
        [{ env: "S" }, false],
        [{ age: "b.age", identity: "id" }, false],
        [{ sops: "m.enc", field: "m" }, true],
        [{ file: "/etc/n" }, false],
      ],
    );
  });

  it("has among what may be a secret also what nothing uses", () => {
    const manifest = {
      secrets: { a: { env: "A" } },
      profiles: { p: { databases: { d: { users: { u: { password: { inline: "x", field: "f" } } } } } } },
      list: [{ env: "B" }, 1, null],
    };
    assert.deepEqual(possibleSources(manifest), [{ env: "A" }, { inline: "x" }, { env: "B" }]);
  });
});

describe("what is wrong with a fleet", () => {
  /** All of it, in the order of the text. */
  const cases: Readonly<Record<string, readonly [text: string, ...problems: string[]]>> = {
    "a profile that is not there": [
      "profiles: { relay: {} }\nhosts:\n  a: { profile: rely }\n  b: { profile: [relay, other] }\n",
      "7:8: hosts.a.profile: not the name of one of the profiles: relay?",
      "8:25: hosts.b.profile.1: not the name of one of the profiles",
    ],
    "a relay that is not there": [
      "hosts:\n  relay1: {}\n  b: { relays: [relay1, relay2, nothing] }\n",
      "7:25: hosts.b.relays.1: not the name of one of the hosts: relay1?",
      "7:33: hosts.b.relays.2: not the name of one of the hosts",
    ],
    "a secret that is not there": [
      "secrets: { alice: { env: A } }\nhosts:\n  a: { databases: { d: { users: { u: alise, v: else } } } }\n",
      "6:35: hosts.a.databases.d.users.u: not the name of one of the secrets: alice?",
      "6:45: hosts.a.databases.d.users.v: not the name of one of the secrets; a password stands in none but { inline: … }",
    ],
    "sources that are none, or two": [
      "secrets: { a: {}, b: { env: X, file: y }, c: { env: X, identity: z }, d: { env: X, changed: 2026-02-30 } }\nhosts: { a: {} }\n",
      "4:12: secrets.a: one of env, file, command, age, sops, inline says where it comes from",
      "4:19: secrets.b: one of env, file, command, age, sops, inline says where it comes from; here are env and file",
      "4:43: secrets.c: identity goes with age",
      "4:84: secrets.d.changed: has to be a day: 2026-11-25",
    ],
    "a map of nothing, or of two things": [
      "hosts: { a: { maps: { m: {}, n: { source: n, entries: {} } } } }\n",
      "5:23: hosts.a.maps.m: source is missing: the text that the map is made from, or entries in its place",
      "5:30: hosts.a.maps.n: either source or entries, not both",
    ],
    "an entry without a user": [
      "hosts: { a: { maps: { m: { entries: { b: { password: k } } } } } }\n",
      "5:39: hosts.a.maps.m.entries.b: login is missing: the user that logs in",
    ],
    "users that cannot be": [
      'hosts: { a: { databases: { d: { users: { "@x": k, u: {}, v: { password: k, plain: false, mechanisms: [] }, w: k, w@a: k, "x\\0": k } } } } }\n',
      '5:42: hosts.a.databases.d.users."@x": a user without a name',
      "5:51: hosts.a.databases.d.users.u: password is missing",
      "5:58: hosts.a.databases.d.users.v: nothing to log in with: neither a plain password nor a mechanism's own secret",
      '5:114: hosts.a.databases.d.users."w@a": the same user twice',
      '5:122: hosts.a.databases.d.users."x\\u0000": a name with a NUL in it',
    ],
    "two files of one name": [
      "hosts: { a: { maps: { m: { source: x }, m.db: { source: x } }, databases: { n.db: {} } }, b: { maps: { n: { source: x } } } }\n",
      "5:41: a/m.db: two of the host's files cannot be one",
    ],
    "a host with the name of a file of the set": [
      "hosts: { SHA256SUMS: {}, b: {} }\n",
      "5:10: hosts.SHA256SUMS: the name of a file of the set, and no host's",
    ],
  };
  for (const [name, [text, ...problems]] of Object.entries(cases))
    it(`is told: ${name}`, () => {
      const head = text.includes("secrets:")
        ? "version: 1\nkey: { env: K }\nsettings: { target: aix }\n"
        : `version: 1\nkey: k\nsecrets: { k: { env: K } }\nsettings: { target: aix }\n`;
      assert.deepEqual(problemsOf(head + text), problems);
    });

  it("is told once, however many hosts share it", () => {
    const text = `${HEAD}profiles:
  p:
    relays: [nowhere]
    databases: { d: { users: { u: nothing, "@": s } } }
    maps: { m: {} }
hosts:
${Array.from({ length: 5 }, (_, i) => `  h${i}: { profile: p }\n`).join("")}`;
    assert.deepEqual(problemsOf(text), [
      "7:14: profiles.p.relays.0: not the name of one of the hosts",
      "8:32: profiles.p.databases.d.users.u: not the name of one of the secrets; a password stands in none but { inline: … }",
      '8:44: profiles.p.databases.d.users."@": a user without a name',
      "9:13: profiles.p.maps.m: source is missing: the text that the map is made from, or entries in its place",
    ]);
  });

  it("is a key that is missing where something secret is made, and not elsewhere", () => {
    const head = "version: 1\nsettings: { target: aix }\n";
    for (const part of ["maps: { m: { source: m } }", "databases: { d: {} }", ""])
      assert.deepEqual(problemsOf(`${head}hosts: { h: { ${part} } }\n`), [], part);
    for (const part of [
      "maps: { m: { source: { env: M } } }",
      "databases: { d: { users: { u: { password: { env: U } } } } }",
      "maps: { m: { entries: { y: { login: u, password: { env: U } } } } }",
    ]) {
      const [problem = "", ...more] = problemsOf(`${head}hosts: { h: { ${part} } }\n`);
      assert.match(problem, /^3:\d+: key is missing: h\/\w+(\.db)? is made with it\. Make one, "openssl rand/, part);
      assert.deepEqual(more, []);
    }
  });
});
