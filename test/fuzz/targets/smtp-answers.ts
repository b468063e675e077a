/**
 * Answers of an SMTP server: tsmap probe comes to an end in its time, with one
 * of its exit codes, whatever the server says; it prints no control character
 * and no password, though the server gives back what it hears.
 *
 * An input is words of the command line on its first line, and then answers with
 * lines `--` between them: to the connection, and to each line of the client.
 * In an answer %L is the client's line, %B what it says in base64, %N the nonce
 * in that, and %{text} the base64 of a text. The server hangs up where the client has nothing more to say, unless the first line has
 * the word "patient".
 */
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { main } from "#src/cli/tsmap.js";
import { bytesOf, textOf } from "../../support/bytes.ts";
import { assertSilent, CANARY, shapeOf, splitHead } from "../oracle.ts";
import type { Target } from "../target.ts";

const USER = "user";
const TIME_LIMIT = 0.2;
/** Milliseconds: the limit, a second for QUIT, and what a machine with other work takes besides. */
const MOST_TIME = 10_000;
/** Milliseconds that the server waits for the client. */
const PATIENCE = 20;
const SEPARATOR = /(?:^|\n)--\n/;
const MECHANISMS = ["PLAIN", "LOGIN", "CRAM-MD5", "DIGEST-MD5", "OTP", "SCRAM-SHA-1", "SCRAM-SHA-256", "SCRAM-SHA-512"];
/** Of the password as it goes over the wire. */
const FORMS = [`\0${USER}\0${CANARY}`, `${USER}\0${USER}\0${CANARY}`].map((text) => Buffer.from(text).toString("base64").slice(4, -4));

/** What the server says at present. */
let answers: readonly string[] = [];
let isPatient = false;
let server: Server | undefined;

/** @param line of the client. */
function filledIn(answer: string, line: string): string {
  const said = Buffer.from(line.split(" ").at(-1) ?? "", "base64").toString("latin1");
  const nonce = /r=([^,]*)/.exec(said)?.[1] ?? "";
  return answer
    .replaceAll("%N", () => nonce)
    .replace(/%\{([^}]*)\}/g, (_, text: string) => Buffer.from(text, "latin1").toString("base64"))
    .replaceAll("%B", () => said)
    .replaceAll("%L", () => line);
}

function serve(socket: Socket): void {
  const [greeting, ...rest] = answers;
  const say = (answer: string | undefined, line: string): void => {
    if (socket.destroyed) return;
    if (answer === undefined) socket.destroy();
    else socket.write(filledIn(answer, line), "latin1");
    if (!isPatient) socket.setTimeout(PATIENCE, () => socket.destroy());
  };
  socket.setNoDelay(true).on("error", () => {});
  say(greeting, "");
  createInterface({ input: socket })
    .on("error", () => {})
    .on("line", (line) => say(rest.shift(), line));
}

async function relay(): Promise<string> {
  if (server === undefined) {
    server = createServer(serve).listen(0, "127.0.0.1");
    await once(server, "listening");
    server.unref();
  }
  return `[127.0.0.1]:${(server.address() as AddressInfo).port}`;
}

const folder = mkdtempSync(join(tmpdir(), "tsmakemap-fuzz-"));
const map = join(folder, "smtp-auth");
writeFileSync(map, `AuthInfo: "U:${USER}" "I:${USER}" "P:${CANARY}"\n`, { mode: 0o600 });
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));

interface Printed {
  readonly exit: number;
  readonly text: string;
}

/** What the program prints, whose streams are those of this process. */
async function run(args: readonly string[]): Promise<Printed> {
  let text = "";
  const { stdout, stderr } = process;
  const before = [stdout.write, stderr.write] as const;
  const keep = (chunk: string | Uint8Array): boolean => {
    text += Buffer.from(chunk as string).toString();
    return true;
  };
  stdout.write = keep;
  stderr.write = keep;
  try {
    return { exit: await main(["node", "tsmap", ...args]), text };
  } finally {
    [stdout.write, stderr.write] = before;
  }
}

/** Of the first line: what the command has, and mechanisms. */
function argumentsOf(head: string): string[] {
  const words = head.split(" ");
  const options = words.filter((word) => word === "--verbose" || word === "--json");
  const mechanisms = words.filter((word) => MECHANISMS.includes(word));
  return [...new Set(options), "--client-mechanisms", (mechanisms.length === 0 ? ["PLAIN", "LOGIN", "CRAM-MD5"] : mechanisms).join(" ")];
}

const EHLO = `250-relay.example.com\r\n250 AUTH ${MECHANISMS.join(" ")}\r\n`;
const script = (head: string, ...said: readonly string[]): Uint8Array => bytesOf([head, said.join("\n--\n")].join("\n"));
const challenge = (text: string): string => `334 %{${text}}\r\n`;

export const target: Target = {
  name: "smtp-answers",
  longest: 3000,
  covered: /\/node_modules\/nodemailer\/lib\/smtp-connection\//,
  batch: 8,
  dictionary: [
    ...[
      "\n--\n",
      "\r\n",
      "\n",
      " ",
      "-",
      "%L",
      "%B",
      "220 ",
      "220-",
      "235 ",
      "250 ",
      "250-",
      "334 ",
      "421 ",
      "454 ",
      "501 ",
      "535-",
      "554 ",
      "999 ",
    ],
    ...[
      "334 %L\r\n",
      "235 %L\r\n",
      "535 %L\r\n",
      "535 %B\r\n",
      "250-%L\r\n",
      "AUTH ",
      "AUTH=",
      "STARTTLS",
      "PIPELINING",
      "--verbose ",
      "--json ",
    ],
    ...MECHANISMS.map((name) => `${name} `),
    ...["\0", "\x1b[2J", "\x07", "\x7f", "\x80", "\x9b", "\xff", "\xe2\x80\xae", "\xc2\x9b", "\r", "\x85", "\xe2\x80\xa8", "\t"],
    ...[
      "VXNlcm5hbWU6",
      "UGFzc3dvcmQ6",
      "PDEuMkByZWxheT4=",
      "=",
      "***",
      "r=%N",
      ",s=QSXCR+Q6sek8bf92",
      ",i=4096",
      ",i=99999999",
      "v=",
      "e=x",
    ],
    ...['realm="a",nonce="b",qop="auth",charset=utf-8,algorithm=md5-sess', "otp-md5 499 ke1234 ext", "rspauth=", "%{", "}", "%N", "%{%N}"],
    ...["charset=", "cipher=", "maxbuf=", 'qop="auth-conf"', "stale=true", "otp-sha1 ", "i=0", "i=2147483648", "m=x", "AAAA"],
  ],
  *seeds(): Iterable<Uint8Array> {
    const greeting = "220 relay.example.com ESMTP\r\n";
    yield script("PLAIN", greeting, EHLO, "235 OK\r\n", "221 bye\r\n");
    yield script("--verbose LOGIN", greeting, EHLO, "334 VXNlcm5hbWU6\r\n", "334 UGFzc3dvcmQ6\r\n", "535 %B\r\n", "221 bye\r\n");
    yield script("--json --verbose CRAM-MD5", greeting, EHLO, challenge("<1@relay>"), "535-%L\r\n535 %L\r\n", "221 bye\r\n");
    yield script(
      "--verbose DIGEST-MD5",
      greeting,
      EHLO,
      challenge('realm="a",nonce="b",qop="auth",charset=utf-8,algorithm=md5-sess'),
      "334 %L\r\n",
    );
    yield script("SCRAM-SHA-256", greeting, EHLO, challenge("r=%Nx,s=QSXCR+Q6sek8bf92,i=4096"), challenge("v=AAAA"), "501 no\r\n");
    yield script("OTP", greeting, EHLO, challenge("otp-md5 499 ke1234 ext"), "235 OK\r\n", "221 bye\r\n");
  },
  async run(input, note) {
    const [head, text] = splitHead(input);
    const options = argumentsOf(head);
    answers = textOf(text).split(SEPARATOR);
    isPatient = head.split(" ").includes("patient");
    const start = performance.now();
    const { exit, text: printed } = await run([
      "probe",
      "--relay",
      await relay(),
      "--map",
      map,
      "--timeout",
      String(TIME_LIMIT),
      ...options,
    ]);
    assert.ok(performance.now() - start < MOST_TIME, "it takes long");
    assert.ok([0, 1, 2].includes(exit), `an exit code of its own: ${exit}`);
    assert.doesNotMatch(printed, /internal error/, "an internal error");
    assert.doesNotMatch(printed, /[^\P{Cc}\n]/u, "a control character is printed");
    assert.match(printed, /\S[\s\S]*\n$/, "nothing is printed");
    assertSilent(printed, "the probe");
    for (const form of FORMS) assert.ok(!printed.includes(form), `the probe says a secret: ${printed}`);
    for (const line of printed.split("\n").slice(0, 8))
      note(
        `${exit}: ${shapeOf(line)
          .replace(/[.*+].*$/, "")
          .slice(0, 40)}`,
      );
  },
};
