/**
 * tsmap probe against a server that answers every way a server can: an answer,
 * an exit code and a message for each, in time, without a secret and without
 * mail. Against the real sendmail: test/end-to-end.
 */
import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { suite, test } from "node:test";
import type { Outcome } from "../support/program.ts";
import { byVerb, DROP, ScriptedServer, type Step } from "../support/smtp-script.ts";
import { Workbench } from "../support/tsmap.ts";

const SECRET = "s3cr3t-Pa55";
const SOURCE = `AuthInfo: "U:user" "I:user" "P:${SECRET}"\n`;
const MECHANISMS = ["--client-mechanisms", "CRAM-MD5 LOGIN PLAIN"];
/** In whatever form it goes over the wire. */
const FORMS = [SECRET, Buffer.from(SECRET).toString("base64"), Buffer.from(`user\0user\0${SECRET}`).toString("base64")];
/** Milliseconds that a run may take beyond its own limit: the start of the program on a machine with other work. */
const PATIENCE = 15_000;

interface Probed extends Outcome {
  /** What the server heard. */
  readonly heard: readonly string[];
}

async function probe(
  t: { after(action: () => void): void },
  table: Readonly<Record<string, Step | readonly (Step | undefined)[] | undefined>>,
  args: readonly string[] = [],
): Promise<Probed> {
  const server = await ScriptedServer.start(t, byVerb(table));
  const bench = new Workbench(t);
  bench.write("smtp-auth", SOURCE);
  const began = Date.now();
  const outcome = await bench.tsmap(["probe", "--relay", server.relay, "--map", "smtp-auth", "--timeout", "0.7", ...MECHANISMS, ...args], {
    timeout: PATIENCE,
  });
  assert.ok(Date.now() - began < PATIENCE, "it has an end");
  assert.doesNotMatch(outcome.stderr + outcome.stdout, /^ {4}at /m);
  for (const form of FORMS) assert.ok(!(outcome.stdout + outcome.stderr).includes(form), form);
  assert.ok(!server.lines.some((line) => /^(?:MAIL|RCPT|DATA)\b/i.test(line)), "no mail");
  return { ...outcome, heard: server.lines };
}

const ALL = "250-relay.example.com\r\n250 AUTH CRAM-MD5 LOGIN PLAIN\r\n";
const CHALLENGE = `334 ${Buffer.from("<1.2@relay.example.com>").toString("base64")}\r\n`;
const OK = "235 2.0.0 OK Authenticated\r\n";

type Case = readonly [
  what: string,
  table: Readonly<Record<string, Step | readonly (Step | undefined)[] | undefined>>,
  exit: 0 | 1 | 2,
  message: RegExp,
  args?: readonly string[],
];

const CASES: readonly Case[] = [
  ["235", { AUTH: OK }, 0, /^result {7}OK Authenticated, with PLAIN$/m],
  ["235 to the best of three", { EHLO: ALL, AUTH: CHALLENGE, response: OK }, 0, /OK Authenticated, with CRAM-MD5$/m],
  [
    "235 to LOGIN",
    { EHLO: "250-relay.example.com\r\n250 AUTH LOGIN\r\n", AUTH: "334 VXNlcm5hbWU6\r\n", response: ["334 UGFzc3dvcmQ6\r\n", OK] },
    0,
    /with LOGIN$/m,
  ],
  ["235 to a mechanism that was asked for", { EHLO: ALL, AUTH: OK }, 0, /with PLAIN$/m, ["--mechanism", "PLAIN"]],
  [
    "535 to all",
    { EHLO: ALL, AUTH: "535 5.7.0 no\r\n" },
    1,
    /^CRAM-MD5 +no: 535 5\.7\.0 no$[\s\S]*^PLAIN +no: 535[\s\S]*^LOGIN +no: 535[\s\S]*without authentication/m,
  ],
  ["535, and then 235", { EHLO: ALL, AUTH: [CHALLENGE, OK], response: "535 no\r\n" }, 0, /^CRAM-MD5 +no: 535 no$[\s\S]*with PLAIN$/m],
  ["454", { AUTH: "454 4.3.0 later\r\n" }, 1, /not now: 454 4\.3\.0 later$[\s\S]*^result .*temporar|^result .*wait|^result .*defer/im],
  ["504", { AUTH: "504 5.3.3 unknown\r\n" }, 1, /no: 504 5\.3\.3 unknown$/m],
  ["421 as its greeting", { connection: "421 4.3.2 busy\r\n" }, 2, /421 4\.3\.2 busy|421 busy|closes the connection/],
  ["421 to EHLO", { EHLO: "421 4.3.2 busy\r\n" }, 2, /421/],
  ["421 to AUTH", { AUTH: "421 4.3.2 busy\r\n" }, 2, /421/],
  ["554 as its greeting", { connection: "554 go away\r\n" }, 2, /554 go away/],
  ["an offer of nothing", { EHLO: "250 relay.example.com\r\n" }, 1, /offers no authentication/],
  ["an offer of nothing in common", { EHLO: "250-relay.example.com\r\n250 AUTH GSSAPI\r\n" }, 1, /^result/m],
  ["a greeting without a code", { connection: "hello\r\n" }, 2, /no reply of SMTP|its greeting/],
  ["an answer without a code", { AUTH: "well done\r\n" }, 2, /no reply of SMTP/],
  ["half a line, and nothing more", { AUTH: "235 2.0.0 O" }, 2, /no end in 0\.7 s/],
  ["bytes", { connection: "\0\x01\xff\xfe\r\n" }, 2, /no reply of SMTP|its greeting/],
  ["a line without an end", { connection: (socket) => endless(socket, "2") }, 2, /too much|no end in|no reply of SMTP/],
  ["lines without an end", { EHLO: (socket) => endless(socket, "250-x\r\n") }, 2, /too much|no end in|no reply of SMTP/],
  ["several answers at once", { AUTH: `${OK}${OK}${OK}` }, 0, /OK Authenticated/],
  [
    "a challenge that is no base64",
    { EHLO: "250-relay.example.com\r\n250 AUTH CRAM-MD5\r\n", AUTH: "334 ***\r\n", response: "501 cancelled\r\n" },
    1,
    /the client gives up|no: 501/,
  ],
  [
    "challenges without an end",
    { EHLO: "250-relay.example.com\r\n250 AUTH LOGIN\r\n", AUTH: "334 VXNlcm5hbWU6\r\n", response: "334 VXNlcm5hbWU6\r\n" },
    1,
    /gives up|no: /,
  ],
  ["silence where it should greet", { connection: undefined }, 2, /no end in 0\.7 s .*its greeting/],
  ["silence to EHLO", { EHLO: undefined }, 2, /no end in 0\.7 s .*EHLO/],
  ["silence to AUTH", { AUTH: undefined }, 2, /no end in 0\.7 s .*AUTH/],
  [
    "silence after its challenge",
    { EHLO: "250-relay.example.com\r\n250 AUTH CRAM-MD5\r\n", AUTH: CHALLENGE, response: undefined },
    2,
    /no end in 0\.7 s/,
  ],
  ["silence to QUIT", { AUTH: OK, QUIT: undefined }, 0, /OK Authenticated/],
  ["a connection that is dropped at once", { connection: DROP }, 2, /closed at|no connection/],
  ["one that is dropped at EHLO", { EHLO: DROP }, 2, /closed at/],
  ["one that is dropped at AUTH", { AUTH: DROP }, 2, /closed at/],
  [
    "one that is dropped after its challenge",
    { EHLO: "250-relay.example.com\r\n250 AUTH CRAM-MD5\r\n", AUTH: CHALLENGE, response: DROP },
    2,
    /closed at/,
  ],
  ["one that is dropped at QUIT", { AUTH: OK, QUIT: DROP }, 0, /OK Authenticated/],
  ["no STARTTLS, where it is wanted", { AUTH: OK }, 2, /TLS/, ["--starttls"]],
  [
    "STARTTLS refused",
    { EHLO: "250-x\r\n250-STARTTLS\r\n250 AUTH PLAIN\r\n", STARTTLS: "454 no\r\n" },
    2,
    /does not begin with TLS|454/,
    ["--starttls"],
  ],
  [
    "STARTTLS, and then no TLS",
    { EHLO: "250-x\r\n250-STARTTLS\r\n250 AUTH PLAIN\r\n", STARTTLS: "220 go\r\nrubbish rubbish\r\n" },
    2,
    /TLS|asked for/,
    ["--starttls"],
  ],
];

function endless(socket: NodeJS.WritableStream & { readonly destroyed?: boolean }, text: string): void {
  const chunk = text.repeat(Math.ceil(4096 / text.length));
  const more = (): void => {
    if (socket.destroyed !== true) socket.write(chunk, () => setTimeout(more, 1));
  };
  more();
}

suite("a server that says", () => {
  for (const [what, table, exit, message, args] of CASES) {
    test(what, async (t) => {
      const outcome = await probe(t, table, args);
      assert.equal(outcome.exit, exit, outcome.stdout + outcome.stderr);
      assert.match(outcome.stdout + outcome.stderr, message);
      // What ends with 2 says why in one line, which names the relay.
      if (exit === 2) assert.match(outcome.stderr, /^tsmap: \[127\.0\.0\.1\]:\d+: [^\n]+\n$/);
    });
  }
});

test("nobody listens", async (t) => {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  const bench = new Workbench(t);
  bench.write("smtp-auth", SOURCE);
  const { exit, stderr } = await bench.tsmap(["probe", "--relay", `[127.0.0.1]:${port}`, "--map", "smtp-auth"]);
  assert.equal(exit, 2);
  assert.match(stderr, /^tsmap: \[127\.0\.0\.1\]:\d+: no connection: [^\n]+\n$/);
});

test("the dialogue on request: both sides, in their order, the password in no form, and what a server sends does nothing to a terminal", async (t) => {
  const table = {
    EHLO: "250-\x1b[31mrelay\r\n250 AUTH PLAIN\r\n",
    AUTH: (socket: NodeJS.WritableStream) => void socket.write(`535 ${FORMS[2]} is wrong\r\n`),
  };
  const { exit, stdout, heard } = await probe(t, table as never, ["--verbose"]);
  assert.equal(exit, 1);
  assert.match(
    stdout,
    /^<<< 220 [\s\S]*^>>> EHLO [\s\S]*^<<< 250-\\x1b\[31mrelay$[\s\S]*^>>> AUTH PLAIN \*\*\*$[\s\S]*^<<< 535 [\s\S]*^>>> QUIT$/m,
  );
  assert.ok(!stdout.includes("\x1b"));
  assert.ok(
    heard.some((line) => line === `AUTH PLAIN ${FORMS[2]}`),
    "the server itself got the password",
  );
});

test("JSON says the same", async (t) => {
  const { exit, stdout } = await probe(t, { EHLO: ALL, AUTH: [CHALLENGE, OK], response: "535 no\r\n" }, ["--json", "--verbose"]);
  const found = JSON.parse(stdout) as {
    outcome: string;
    mechanism: string;
    attempts: { mechanism: string; code: number }[];
    dialogue: unknown[];
  };
  assert.deepEqual([exit, found.outcome, found.mechanism], [0, "authenticated", "PLAIN"]);
  assert.deepEqual(
    found.attempts.map(({ mechanism, code }) => [mechanism, code]),
    [
      ["CRAM-MD5", 535],
      ["PLAIN", 235],
    ],
  );
  assert.ok(found.dialogue.length > 5);
});

test("no entry for the relay: nothing is sent but EHLO and QUIT", async (t) => {
  const server = await ScriptedServer.start(t, byVerb({ AUTH: OK }));
  const bench = new Workbench(t);
  bench.write("smtp-auth", `AuthInfo:elsewhere.example.com "U:user" "P:${SECRET}"\n`);
  const { exit, stdout } = await bench.tsmap(["probe", "--relay", server.relay, "--map", "smtp-auth", "--timeout", "2", ...MECHANISMS]);
  assert.equal(exit, 1);
  assert.match(stdout, /no entry/);
  assert.deepEqual(
    server.lines.map((line) => line.split(" ")[0]),
    ["EHLO", "QUIT"],
  );
});
