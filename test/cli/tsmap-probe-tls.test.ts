/**
 * tsmap probe with TLS: a login inside of it, and whose certificate is accepted.
 */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { TLSSocket } from "node:tls";
import { needs } from "../support/native.ts";
import { temporaryFolder } from "../support/temp.ts";
import { Workbench } from "../support/tsmap.ts";

const PASSWORD = "tls-hunter2";
const SOURCE = `AuthInfo: "U:user" "P:${PASSWORD}"\n`;

interface Certificate {
  readonly key: Buffer;
  readonly certificate: Buffer;
  readonly file: string;
}

/** Signed by itself, for a name. */
function selfSigned(t: TestContext, name: string): Certificate {
  const folder = temporaryFolder(t);
  const [key, file] = [join(folder, "key.pem"), join(folder, "certificate.pem")];
  const subject = ["-subj", `/CN=${name}`, "-addext", `subjectAltName=DNS:${name}`];
  const args = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"];
  execFileSync("openssl", [...args, ...subject, "-keyout", key, "-out", file], { stdio: "ignore" });
  return { key: readFileSync(key), certificate: readFileSync(file), file };
}

interface Relay {
  readonly port: number;
  /** Commands that came in plain text, and those that came in TLS. */
  readonly plain: string[];
  readonly inside: string[];
}

/** Greets, offers STARTTLS, and AUTH PLAIN within TLS alone. */
async function startRelay(t: TestContext, { key, certificate: cert }: Certificate, { silent = false } = {}): Promise<Relay> {
  const relay = { port: 0, plain: [] as string[], inside: [] as string[] };
  const sockets = new Set<Socket>();
  const answer = (socket: NodeJS.WritableStream, line: string, offer: string): void => {
    if (line.startsWith("EHLO")) socket.write(`250-relay.example.com\r\n250 ${offer}\r\n`);
    else if (line.startsWith("AUTH PLAIN ")) socket.write("235 2.0.0 OK Authenticated\r\n");
    else socket.write("221 2.0.0 bye\r\n");
  };
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.write("220 relay.example.com ESMTP\r\n");
    const onPlain = (chunk: Buffer): void => {
      const line = chunk.toString("latin1").trim();
      relay.plain.push(line);
      if (line !== "STARTTLS") return answer(socket, line, "STARTTLS");
      socket.off("data", onPlain);
      socket.write("220 go\r\n");
      if (silent) return;
      const tls = new TLSSocket(socket, { isServer: true, key, cert });
      tls.on("error", () => {});
      tls.on("data", (inner: Buffer) => {
        const command = inner.toString("latin1").trim();
        relay.inside.push(command);
        answer(tls, command, "AUTH PLAIN");
      });
    };
    socket.on("data", onPlain);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  relay.port = (server.address() as AddressInfo).port;
  return relay;
}

async function probe(t: TestContext, { port }: Relay, args: readonly string[]): ReturnType<Workbench["tsmap"]> {
  const bench = new Workbench(t);
  bench.write("smtp-auth", SOURCE);
  return bench.tsmap([
    "probe",
    "--starttls",
    "--relay",
    `relay.example.com:${port}`,
    "--addr",
    "127.0.0.1",
    "--map",
    "smtp-auth",
    "--client-mechanisms",
    "PLAIN",
    "--timeout",
    "5",
    ...args,
  ]);
}

test("a certificate that is trusted: the login is inside, and nothing of it outside", async (t) => {
  if (!needs(t, "openssl")) return;
  const certificate = selfSigned(t, "relay.example.com");
  const relay = await startRelay(t, certificate);
  const { exit, stdout, stderr } = await probe(t, relay, ["--ca", certificate.file]);
  assert.equal(exit, 0, stdout + stderr);
  assert.match(stdout, /OK Authenticated/);
  assert.ok(relay.inside.some((line) => line.startsWith("AUTH PLAIN ")));
  assert.ok(!relay.plain.some((line) => line.startsWith("AUTH")));
});

test("a certificate of nobody's is refused before the login, with what to do, and taken with --insecure", async (t) => {
  if (!needs(t, "openssl")) return;
  const relay = await startRelay(t, selfSigned(t, "relay.example.com"));
  const refused = await probe(t, relay, []);
  assert.equal(refused.exit, 2);
  assert.match(refused.stderr, /^tsmap: [^\n]*TLS failed: self-signed certificate \(--ca FILE [^\n]*--insecure[^\n]*\n$/);
  assert.deepEqual(relay.inside, []);
  const taken = await probe(t, relay, ["--insecure"]);
  assert.equal(taken.exit, 0, taken.stdout + taken.stderr);
});

test("a certificate for another name is refused", async (t) => {
  if (!needs(t, "openssl")) return;
  const certificate = selfSigned(t, "other.example.com");
  const relay = await startRelay(t, certificate);
  const { exit, stderr } = await probe(t, relay, ["--ca", certificate.file]);
  assert.equal(exit, 2);
  assert.match(stderr, /TLS failed: .*--ca FILE/);
  assert.deepEqual(relay.inside, []);
});

test("a handshake that does not come ends in time", async (t) => {
  if (!needs(t, "openssl")) return;
  const certificate = selfSigned(t, "relay.example.com");
  const relay = await startRelay(t, certificate, { silent: true });
  const { exit, stderr } = await probe(t, relay, ["--ca", certificate.file, "--timeout", "0.7"]);
  assert.equal(exit, 2);
  assert.match(stderr, /no end in 0\.7 s/);
});

test("a file without a certificate is no --ca", async (t) => {
  const file = join(temporaryFolder(t), "empty.pem");
  writeFileSync(file, "rubbish\n");
  const { exit, stderr } = await probe(t, { port: 1, plain: [], inside: [] }, ["--ca", file]);
  assert.equal(exit, 2);
  assert.match(stderr, /empty\.pem: no certificate in PEM is in it/);
});
