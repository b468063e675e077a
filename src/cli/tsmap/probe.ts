/**
 * tsmap probe: logs in to a relay with the entry that sendmail would choose,
 * and says what the relay answers.
 */
import { randomBytes } from "node:crypto";
import { isIP } from "node:net";
import { type ClientAttempt, type ClientOutcome, predictClient } from "../../authinfo/client.ts";
import { loginNames } from "../../authinfo/login/login-names.ts";
import { LOGIN_CLIENTS, PLAIN_TEXT_MECHANISMS } from "../../authinfo/login/mechanisms.ts";
import { type Resolution, resolveAuthinfo } from "../../authinfo/resolve.ts";
import type { AuthinfoCredentials, AuthinfoItem } from "../../authinfo/value.ts";
import { MOST_TEXT, readWhole } from "../../files/read-whole.ts";
import { jsonMember } from "../../map-file/dump-text.ts";
import { jsonText } from "../../map-file/json-text.ts";
import type { Attempt } from "../../smtp/attempt.ts";
import { SmtpError } from "../../smtp/error.ts";
import { SmtpSession } from "../../smtp/session.ts";
import { printable, shownBytes } from "../printable.ts";
import { type AuthinfoFile, type AuthinfoFlags, mechanismList, readAuthinfo } from "./authinfo-map.ts";
import { isShown, lookupLines, lookupsJson, missedText, OUTCOME_TEXTS, reasonText, shownItem, shownReason } from "./authinfo-texts.ts";
import type { Context } from "./context.ts";
import { smtpErrorText } from "./probe-texts.ts";
import { type RelayAddress, relayAddress } from "./relay-address.ts";
import { Trouble, withFile } from "./trouble.ts";

interface Options extends Omit<AuthinfoFlags, "serverMechanisms"> {
  readonly relay: string;
  readonly map?: string;
  readonly authinfo?: string;
  readonly mechanism?: string;
  readonly starttls?: true;
  readonly ca?: string;
  readonly insecure?: true;
  readonly timeout?: string;
  readonly verbose?: true;
}

interface Line {
  readonly from: "client" | "server";
  readonly text: string;
}

/** What came of it. */
interface Probe {
  readonly relay: RelayAddress;
  readonly address: string;
  readonly offered: readonly string[];
  readonly resolution: Resolution;
  readonly attempts: readonly Attempt[];
  /** Mechanisms that sendmail would try before the last, and that are not known here. */
  readonly untried: readonly string[];
  readonly outcome: "authenticated" | "sent-without-auth" | "deferred";
  readonly warnings: readonly string[];
  readonly dialogue: readonly Line[];
}

const DEFAULT_TIME_LIMIT = 30;
const LONGEST_TIME_LIMIT = 3600;
/** Characters of a server's line that are shown. */
const LONGEST_TEXT = 500;

/** @returns 0 where the relay lets in, 1 where it does not. */
export async function run(context: Context, _operands: readonly (string | readonly string[])[], options: Options): Promise<number> {
  const relay = relayAddress(options.relay);
  if (options.addr !== undefined && isIP(options.addr) === 0) throw new Trouble("--addr: it is an address");
  const seconds = timeLimit(options.timeout);
  const map = readAuthinfo(context, mapOf(options), options);
  const tls = tlsOf(options);
  const dialogue: Line[] = [];
  const onLine = (from: Line["from"], line: string): void => {
    const text = shownText(line);
    if (options.json) dialogue.push({ from, text });
    else context.output.write(`${from === "client" ? ">>>" : "<<<"} ${text}\n`);
  };
  try {
    const probe = await logIn(map, relay, options, { timeLimit: seconds * 1000, tls, ...(options.verbose && { onLine }) });
    if (options.json) context.output.write(`${jsonText(toJson({ ...probe, dialogue }, options))}\n`);
    else for (const line of report(probe)) context.output.write(`${printable(line)}\n`);
    return probe.outcome === "authenticated" ? 0 : 1;
  } catch (error) {
    if (!(error instanceof SmtpError)) throw error;
    throw new Trouble(`${options.relay}: ${shownText(smtpErrorText(error, seconds))}`);
  }
}

/** @throws {Trouble} */
function mapOf({ map, authinfo }: Options): string {
  const file = map ?? authinfo;
  if (file === undefined) throw new Trouble("a map is needed: --map or --authinfo");
  return file;
}

/** @throws {Trouble} */
function timeLimit(text: string | undefined): number {
  const seconds = text === undefined ? DEFAULT_TIME_LIMIT : /^\d+(?:\.\d+)?$/.test(text) ? Number(text) : 0;
  if (seconds <= 0 || seconds > LONGEST_TIME_LIMIT) throw new Trouble(`--timeout: seconds, up to ${LONGEST_TIME_LIMIT}`);
  return seconds;
}

type Tls = { readonly rejectUnauthorized: boolean; readonly ca?: Buffer } | undefined;

/** @throws {Trouble} Node would take a file without a certificate for one that trusts nobody. */
function certificatesOf(file: string): Buffer {
  const text = withFile(file, () => readWhole(file, MOST_TEXT));
  if (!text.includes("-----BEGIN CERTIFICATE-----")) throw new Trouble(`${file}: no certificate in PEM is in it`);
  return text;
}

/** @throws {Trouble} */
function tlsOf({ starttls, ca, insecure }: Options): Tls {
  if (starttls === undefined && (ca !== undefined || insecure !== undefined)) {
    throw new Trouble(`${ca === undefined ? "--insecure" : "--ca"}: without --starttls there is no certificate`);
  }
  if (starttls === undefined) return undefined;
  return { rejectUnauthorized: insecure === undefined, ...(ca !== undefined && { ca: certificatesOf(ca) }) };
}

interface Connection {
  readonly timeLimit: number;
  readonly tls: Tls;
  readonly onLine?: (from: Line["from"], line: string) => void;
}

/** @throws {SmtpError} */
async function logIn(
  { records, mapFlags }: AuthinfoFile,
  relay: RelayAddress,
  options: Options,
  connection: Connection,
): Promise<Omit<Probe, "dialogue">> {
  const session = await SmtpSession.open({
    ...connection,
    ...{ host: relay.host, port: relay.port, address: options.addr ?? relay.address, mechanisms: LOGIN_CLIENTS.keys() },
  });
  try {
    const { address, mechanisms: offered } = session;
    const clientMechanisms = mechanismList(options.clientMechanisms);
    const settings = { mapFlags, clientMechanisms, serverMechanisms: offered };
    const found = resolveAuthinfo(records, { name: relay.name, address }, settings);
    const resolution = options.mechanism === undefined ? found : { ...found, client: withMechanism(found, options.mechanism, offered) };
    const { client, entry } = resolution;
    const credentials = entry?.value.credentials;
    const warnings =
      session.offersStartTls && connection.tls === undefined
        ? [
            "the relay offers STARTTLS, and was not asked for it (--starttls): a sendmail that has TLS asks, and may be offered other mechanisms then",
          ]
        : [];
    const shared = { relay, address, offered, resolution };
    if (client.outcome !== "authenticates" || credentials === undefined) {
      await session.quit();
      return { ...shared, attempts: [], untried: [], outcome: client.outcome === "deferred" ? "deferred" : "sent-without-auth", warnings };
    }
    for (const secret of [credentials.password, ...hiddenNames(resolution)]) session.hide(secret);
    const { attempts, untried } = await tryAll(session, client, credentials, relay);
    await session.quit();
    return {
      ...shared,
      attempts,
      untried,
      outcome: outcomeOf(client, attempts),
      warnings: [...warnings, ...loginWarnings(attempts, untried, connection.tls)],
    };
  } finally {
    session.close();
  }
}

/** What sendmail would do if the entry named this mechanism alone. */
function withMechanism({ entry }: Resolution, mechanism: string, offered: readonly string[]): ClientOutcome {
  const value = entry?.value;
  const credentials = value?.credentials === undefined ? undefined : { ...value.credentials, mechanisms: Buffer.from(mechanism) };
  return predictClient(value && { ...value, credentials }, { serverMechanisms: offered });
}

/** A name in which a password stands, since a quote is missing before it. */
function hiddenNames({ entry }: Resolution): Uint8Array[] {
  const { U, I } = entry?.value.inForce ?? {};
  return [U, I].flatMap((item) => (item === undefined || isShown(item, false) ? [] : [item.text]));
}

async function tryAll(
  session: SmtpSession,
  client: ClientAttempt,
  credentials: AuthinfoCredentials,
  relay: RelayAddress,
): Promise<Pick<Probe, "attempts" | "untried">> {
  const attempts: Attempt[] = [];
  const untried: string[] = [];
  const nonce = (): string => randomBytes(24).toString("base64");
  for (const mechanism of client.mechanisms) {
    const start = LOGIN_CLIENTS.get(mechanism);
    if (start === undefined) {
      untried.push(mechanism);
      continue;
    }
    const names = loginNames(client, credentials);
    const attempt = await session.login(
      mechanism,
      start({ ...names, password: credentials.password, digestUri: `smtp/${relay.name}`, nonce }),
    );
    attempts.push(attempt);
    if (attempt.result === "accepted") break;
  }
  return { attempts, untried };
}

/** The last answer decides what sendmail does. */
function outcomeOf({ ifRefused }: ClientAttempt, attempts: readonly Attempt[]): Probe["outcome"] {
  const last = attempts.at(-1)?.result;
  if (last === "accepted") return "authenticated";
  return last === "temporary" ? "deferred" : ifRefused;
}

function* loginWarnings(attempts: readonly Attempt[], untried: readonly string[], tls: Tls): Generator<string> {
  const plain = attempts.filter(({ mechanism }) => PLAIN_TEXT_MECHANISMS.includes(mechanism));
  if (tls === undefined && plain.length > 0) {
    yield `the password went over the network in clear, as sendmail sends it: ${plain.map(({ mechanism }) => mechanism).join(", ")} without TLS`;
  }
  if (tls?.rejectUnauthorized === false && plain.length > 0) yield "the password went to a relay whose certificate was not verified";
  if (attempts.some(({ result, isProven }) => result === "accepted" && !isProven)) {
    yield "the relay accepted before the mechanism came to its end: it has not proved that it knows the password";
  }
  if (untried.length > 0) yield `sendmail would try ${untried.join(", ")} too, which this program does not know`;
}

function* report({ relay, address, offered, resolution, attempts, outcome, warnings }: Omit<Probe, "dialogue">): Generator<string> {
  const { steps, entry, missed } = resolution;
  yield `relay        ${relay.name}, ${address} port ${relay.port}`;
  yield* lookupLines(steps, entry);
  for (const key of missed) yield `note         ${missedText(key)}`;
  yield `relay        offers ${offered.length === 0 ? "no authentication" : shownText(offered.join(" "))}`;
  const name = loginItem(resolution);
  if (name !== undefined) yield `login        ${shownBytes(shownItem(name, false))}`;
  for (const attempt of attempts) yield `${attempt.mechanism.padEnd(12)} ${answerText(attempt)}`;
  for (const warning of warnings) yield `warning      ${warning}`;
  const last = attempts.at(-1);
  if (outcome === "authenticated") yield `result       OK Authenticated, with ${last?.mechanism}`;
  else if (last !== undefined) yield `result       the relay accepts none of these: ${OUTCOME_TEXTS[outcome]}`;
  else
    yield `result       ${OUTCOME_TEXTS[outcome]}: ${reasonText(shownReason(resolution)) ?? "this program knows none of the mechanisms"}`;
}

function answerText({ result, reply, problem }: Attempt): string {
  const said = shownText(`${reply.code} ${reply.lines.join(" ")}`);
  if (problem !== undefined) return `no: the client gives up, ${problem.message}`;
  return `${result === "accepted" ? "yes" : result === "refused" ? "no" : "not now"}: ${said}`;
}

function loginItem({ entry }: Resolution): AuthinfoItem | undefined {
  return entry?.value.inForce.I ?? entry?.value.inForce.U;
}

/** Text of a server, no longer than anybody reads. */
function shownText(text: string): string {
  return printable(text.length > LONGEST_TEXT ? `${text.slice(0, LONGEST_TEXT)}...` : text);
}

function toJson(
  { relay, address, offered, resolution, attempts, untried, outcome, warnings, dialogue }: Probe,
  { starttls, verbose }: Options,
): object {
  const { steps, entry, missed } = resolution;
  const name = loginItem(resolution);
  const last = attempts.at(-1);
  return {
    outcome,
    mechanism: outcome === "authenticated" ? (last?.mechanism ?? null) : null,
    reason: shownReason(resolution) ?? null,
    relay: { name: relay.name, address, port: relay.port, isEncrypted: starttls === true },
    lookups: lookupsJson(steps, entry),
    missedKeys: missed.map(({ key, differences }) => ({ ...jsonMember("key", key), differences })),
    offered: offered.map(shownText),
    ...(name === undefined ? {} : jsonMember("login", shownItem(name, false))),
    attempts: attempts.map(({ mechanism, result, reply, problem, isProven }) => ({
      mechanism,
      result,
      code: reply.code,
      text: shownText(reply.lines.join(" ")),
      problem: problem === undefined ? null : { code: problem.code, text: problem.message },
      isProven,
    })),
    untried,
    warnings,
    ...(verbose && { dialogue }),
  };
}
