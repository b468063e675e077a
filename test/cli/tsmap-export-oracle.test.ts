/**
 * What tsmap export writes, in a real directory: OpenLDAP takes it, its clients
 * find each record, and the real sendmail finds through its LDAP map what it
 * finds in the map that was exported.
 */
import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { Database } from "berkeley-db-js";
import { BASE, DirectoryServer, needsDirectory } from "../support/directory-server.ts";
import { nativePath, needs, runNative } from "../support/native.ts";
import { isRoot } from "../support/program.ts";
import { Workbench } from "../support/tsmap.ts";

const CLUSTER = "Servers";
const HOST = "mx.example.org";
const NOT_FOUND = "not found";
const EXPORT = ["export", "--format", "ldif", "--base", BASE, "--cluster", CLUSTER, "--show-secrets"];

/** sendmail's default lookup (cf/README), for a map and a key; what of the key a filter has marks for is escaped (RFC 4515). */
function filterFor(map: string, key: string): string {
  const scope = `(|(sendmailMTACluster=${CLUSTER})(sendmailMTAHost=${HOST}))`;
  return `(&(objectClass=sendmailMTAMapObject)${scope}(sendmailMTAMapName=${map})(sendmailMTAKey=${key}))`;
}

function escaped(key: string): string {
  return Buffer.from(key, "latin1").reduce((text, byte) => `${text}\\${byte.toString(16).padStart(2, "0")}`, "");
}

async function exported(bench: Workbench, args: readonly string[]): Promise<string> {
  const { exit, stdout, stderr } = await bench.tsmap([...EXPORT, ...args]);
  assert.deepEqual([exit, stderr], [0, ""]);
  return stdout;
}

/** Keys and values with whatever an LDIF, a DN, a filter or sendmail has a mark for; UTF-8, one byte a character. */
const HOSTILE: readonly (readonly [key: string, value: string])[] = [
  ["authinfo:mail.example.com", '"U:root" "I:user@example.com" "P:a\\b (c)*, d=e" "M:DIGEST-MD5 CRAM-MD5"'],
  ["authinfo:", '"U:root" "P=MTIzNDU="'],
  ["authinfo:[192.0.2.1]", '"U:x" "P:;:<>#+"'],
  ["star*", "1"],
  ["(paren)", "2"],
  ["back\\slash", "3"],
  ["#sharp", ":colon"],
  ['"quoted"', "<less"],
  ["a,b+c;d=e<f>g", " blanks at both ends "],
  ["comma,", "\ttab and\nnewline\r"],
  ["j\xc3\xbcrgen@example.com", "\xf0\x9f\x98\x80"],
  ["long.".repeat(40), "x".repeat(5000)],
  ["\x01\x1b[31m", "\x7f"],
  ["+", "+"],
  ["a:b", "c: d"],
  ["two words", "x"],
];

function make(bench: Workbench, name: string, records: readonly (readonly [string, string])[], end = ""): string {
  using database = Database.open(bench.path(name), { type: "hash", create: true });
  for (const [key, value] of records) database.put(Buffer.from(key + end, "latin1"), Buffer.from(value + end, "latin1"));
  return name;
}

/** Whether sendmail can be asked; if not, the test is marked as skipped and has to return. */
function needsLookups(t: TestContext): boolean {
  if (!needsDirectory(t) || !needs(t, "sendmail ldapmap", "unshare", "mount", "hostname")) return false;
  if (!isRoot) t.skip("needs root, for namespaces");
  return isRoot;
}

/** In namespaces: where its host has no full name, sendmail waits a minute for one. */
const LOOK_UP = `mount --bind "$1" /etc/hosts && hostname ${HOST} && exec "$2" -bt -C "$3"`;

/** What sendmail's test mode says of lookups in a map: the value, or that there is none. */
function lookUp(server: DirectoryServer, map: string, keys: readonly string[]): string[] {
  const cf = server.file(
    "sendmail.cf",
    `V10/Berkeley
O DontBlameSendmail=MapInUnsafeDirPath
O QueueDirectory=/
D{sendmailMTACluster}${CLUSTER}
Dj${HOST}
O LDAPDefaultSpec=-w 3 -H ${server.uri} -b ${BASE}
K${map}
Mlocal, P=/bin/true, F=l, A=true
`,
  );
  const hosts = server.file("hosts", `127.0.0.1 ${HOST} localhost\n`);
  const [name] = map.split(" ");
  const args = ["--net", "--mount", "--uts", "sh", "-c", LOOK_UP, "sh", hosts, nativePath("sendmail"), cf];
  const input = Buffer.from(keys.map((key) => `/map ${name} ${key}\n`).join(""), "latin1");
  const { stdout, stderr } = runNative("unshare", args, { input });
  const answers = stdout.toString("latin1").split(/^> /m).slice(1, -1);
  assert.equal(answers.length, keys.length, `${stdout}${stderr}`);
  return answers.map((answer) => {
    // A map in a file says 0 of it, one in a directory EX_NOHOST; 75 is no answer.
    if (/\) no match \((?:0|68)\)\n$/.test(answer)) return NOT_FOUND;
    return /\) returns (.*) \(0\)\n$/s.exec(answer)?.[1] ?? answer;
  });
}

describe("an exported map in a directory", () => {
  it("is taken by OpenLDAP, and each record is found by sendmail's default lookup", async (t) => {
    if (!needsDirectory(t)) return;
    const server = await DirectoryServer.start(t);
    const bench = new Workbench(t);
    // With the NULs of makemap -N and without.
    for (const [name, end] of [
      ["plain", ""],
      ["nul,map", "\0"],
    ] as const) {
      server.add(await exported(bench, [make(bench, `${name}.db`, HOSTILE, end)]));
      for (const [key, value] of HOSTILE) {
        const [entry, ...others] = server.search(filterFor(name, escaped(key)));
        assert.deepEqual(entry?.attributes.get("sendmailMTAMapValue"), [value], JSON.stringify(key));
        assert.deepEqual(entry?.attributes.get("sendmailMTAKey"), [key]);
        assert.deepEqual(others, []);
      }
    }
    assert.equal(server.search("(objectClass=sendmailMTAMapObject)").length, 2 * HOSTILE.length);
    assert.equal(server.search("(objectClass=sendmailMTAMap)").length, 2 * HOSTILE.length + 2);
  });

  it("would be another one, where it is refused", async (t) => {
    if (!needsDirectory(t)) return;
    const server = await DirectoryServer.start(t);
    const entry = (map: string, key: string, value: string): string => {
      const base64 = (text: string): string => Buffer.from(text, "latin1").toString("base64");
      const dn = `sendmailMTAKey=${escaped(key)},sendmailMTAMapName=${map},${BASE}`;
      const classes = "objectClass: sendmailMTA\nobjectClass: sendmailMTAMap\nobjectClass: sendmailMTAMapObject\n";
      return `dn: ${dn}\n${classes}sendmailMTAMapName: ${map}\nsendmailMTAKey:: ${base64(key)}\nsendmailMTAMapValue:: ${base64(value)}\n\n`;
    };
    for (const [i, [records, problem]] of (
      [
        [[["\xfc", "x"]], /Invalid (?:DN )?syntax/],
        [[["a", "\xfc"]], /Invalid syntax/],
        [[["a", ""]], /Invalid syntax|invalid format/],
        [
          [
            ["a", "x"],
            ["A", "y"],
          ],
          /Already exists/,
        ],
        [
          [
            ["a b", "x"],
            ["a  b", "y"],
          ],
          /Already exists/,
        ],
        [
          [
            ["\xc3\xbc", "x"],
            ["\xc3\x9c", "y"],
          ],
          /Already exists/,
        ],
        [
          [
            ["\xc3\xbc", "x"],
            ["u\xcc\x88", "y"],
          ],
          /Already exists/,
        ],
        [
          [
            ["\xef\xac\x81", "x"],
            ["fi", "y"],
          ],
          /Already exists/,
        ],
        [
          [
            ["\xc3\x9f", "x"],
            ["ss", "y"],
          ],
          undefined,
        ],
        [
          [
            ["a-b", "x"],
            ["ab", "y"],
          ],
          undefined,
        ],
      ] as const
    ).entries()) {
      const bench = new Workbench(t);
      const name = `map${i}`;
      const { exit, stderr } = await bench.tsmap([...EXPORT, make(bench, `${name}.db`, records)]);
      server.add(
        `dn: sendmailMTAMapName=${name},${BASE}\nobjectClass: sendmailMTA\nobjectClass: sendmailMTAMap\nsendmailMTAMapName: ${name}\n`,
      );
      const said = server.tryToAdd(records.map(([key, value]) => entry(name, key, value)).join(""));
      if (problem === undefined) assert.deepEqual([exit, stderr, said], [0, "", ""], JSON.stringify(records));
      else {
        assert.equal(exit, 2, JSON.stringify(records));
        assert.match(said, problem, JSON.stringify(records));
      }
    }
  });

  it("has for sendmail what the map has", async (t) => {
    if (!needsLookups(t)) return;
    const server = await DirectoryServer.start(t);
    const bench = new Workbench(t);
    const source = `AuthInfo:mail.example.com\t"U:root" "I:user@example.com" "P:a\\b (c)*, d=e" "M:DIGEST-MD5"
AuthInfo:\t"U:root" "P=MTIzNDU="
AuthInfo:none.example.com\tno
star*(x)\\y\tvalue with  two blanks
Upper.Example.COM\tRELAY
double\tfirst
double\tsecond
`;
    const keys = ["AuthInfo:mail.example.com", "AUTHINFO:MAIL.example.com", "authinfo:", "AuthInfo:none.example.com", "AuthInfo:other"];
    keys.push("star*(x)\\y", "star*", "*", "upper.example.com", "double", "none");
    const map = await bench.makemap("smtp-auth", source, ["-d", "-N"]);
    const { exit, stdout } = await bench.tsmap([...EXPORT, map]);
    assert.equal(exit, 1, "of the double key one record");
    server.add(stdout);
    const ldap = (cluster: string): string =>
      `authinfo ldap -1 -k ${filterFor("smtp-auth", "%0").replace(CLUSTER, cluster).replace(HOST, "$j")} -v sendmailMTAMapValue`;
    const hash = lookUp(server, `authinfo hash ${bench.path("smtp-auth")}`, keys);
    assert.deepEqual(lookUp(server, ldap("$".concat("{sendmailMTACluster}")), keys), hash);
    assert.equal(hash[0], '"U:root" "I:user@example.com" "P:a\\b (c)*, d=e" "M:DIGEST-MD5"');
    assert.equal(hash[keys.indexOf("double")], "first");
    assert.equal(hash.at(-1), NOT_FOUND);
    // Whoever is of another cluster finds nothing.
    assert.deepEqual(new Set(lookUp(server, ldap("Others"), keys)), new Set([NOT_FOUND]));
  });

  it("is found by the default lookup of FEATURE authinfo, as sendmail's own configuration makes it", async (t) => {
    if (!needsLookups(t) || !needs(t, "m4", "sendmail cf")) return;
    const server = await DirectoryServer.start(t);
    const bench = new Workbench(t);
    bench.write("smtp-auth", 'AuthInfo:mail.example.com "U:root" "P:12345"\n');
    server.add(await exported(bench, ["--map-name", "authinfo", "smtp-auth"]));
    const line = defaultMap();
    assert.match(line, /^authinfo ldap -1 .*sendmailMTAMapURL/);
    assert.deepEqual(lookUp(server, line, ["AuthInfo:mail.example.com"]), ['"U:root" "P:12345"']);
  });
});

/** The K line. */
function defaultMap(): string {
  const cf = "/usr/share/sendmail/cf/";
  const mc = "OSTYPE(linux)\nFEATURE(`authinfo', `LDAP')\nMAILER(local)\nMAILER(smtp)\n";
  const { stdout, stderr } = runNative("m4", [`-D_CF_DIR_=${cf}`, `${cf}m4/cf.m4`, "-"], { input: mc });
  const [, line] = /^K(authinfo .*)$/m.exec(stdout.toString()) ?? [];
  if (line === undefined) throw new Error(stderr.toString());
  return line;
}
