/**
 * tssasldblist: sasldblistusers, as a program (Cyrus SASL 2.1.28, utils/sasldblistusers.c).
 */
import { strerror } from "../files/strerror.ts";
import { HashFileError } from "../hash-file/error.ts";
import { jsonText } from "../map-file/json-text.ts";
import { type KeyParts, listSasldb } from "../sasldb/listing.ts";
import { endBySignals } from "./cleanup.ts";
import { say, sayOutputFailure, sayText } from "./error-output.ts";
import { forgetLastMatch } from "./last-match.ts";
import { isShown, Output, OutputError } from "./output.ts";
import { printable } from "./printable.ts";
import { BANNER, SASL_FAIL, SASL_OK, saslVersion } from "./sasl-messages.ts";
import { parseSasldblistArguments, type SasldblistArguments, type SasldblistRequest } from "./sasldblist-arguments.ts";
import { unreadableArgument } from "./unreadable-argument.ts";
import { programName, versionText } from "./version.ts";

const DEFAULT_DATABASE = "/etc/sasldb2";
const AT = 0x40;
const COLON = 0x3a;
const BLANK = 0x20;
const NEWLINE = 0x0a;
/** Of a malformed key so many bytes are shown. */
const SHOWN = 60;

function usageText(program: string): string {
  return `${BANNER}${program}: usage: ${program} [-v] [[-f] sasldb]
\t-f sasldb\tuse given file as sasldb
\t-v\tprint version numbers and exit
`;
}

/** @returns the exit code. */
export async function main(argv: readonly string[] = process.argv): Promise<number> {
  const program = programName(argv, "tssasldblist");
  const output = new Output();
  endBySignals();
  const unreadable = unreadableArgument(argv.slice(2));
  if (unreadable !== undefined) {
    say(`${program}: ${unreadable}\n`);
    return SASL_FAIL;
  }
  try {
    const code = await answer(parseSasldblistArguments(argv.slice(2), program, process.env), program, output);
    await output.flush();
    return code;
  } catch (error) {
    if (!(error instanceof OutputError)) throw error;
    return sayOutputFailure(program, error, SASL_FAIL);
  } finally {
    forgetLastMatch();
  }
}

async function answer(request: SasldblistRequest, program: string, output: Output): Promise<number> {
  switch (request.kind) {
    case "help":
      output.write(request.text);
      return SASL_OK;
    case "version":
      output.write(await versionText(program));
      return SASL_OK;
    case "sasl-version":
      sayText(request.complaints + saslVersion());
      return SASL_OK;
    case "usage":
      sayText(request.complaints + usageText(program) + (request.isUnrecognized ? "Unrecognized command line option\n" : ""));
      return SASL_FAIL;
    case "list":
      return list(request.args, program, output);
  }
}

function list(args: SasldblistArguments, program: string, output: Output): number {
  const file = args.file ?? DEFAULT_DATABASE;
  const listing = newListing(args, output);
  const isWanted = filter(args);
  let code = SASL_OK;
  try {
    listSasldb(file, {
      onRecord: (parts) => {
        if (isWanted(parts)) listing.add(parts);
      },
      onMalformedKey: (key) => {
        code = SASL_FAIL;
        output.push();
        say(`${program}: ${file}: malformed key, left out: ${shown(key)}\n`);
      },
    });
  } catch (error) {
    if (error instanceof OutputError) throw error;
    code = SASL_FAIL;
    const reason = error instanceof HashFileError ? error.message : strerror(error);
    say(`${program}: ${file}: ${reason}\n`);
    say("listusers failed\n");
  }
  listing.end();
  return code;
}

function newListing({ json, sort }: SasldblistArguments, output: Output): Listing {
  if (json) return new JsonListing(output, sort);
  const lines = isShown() ? new ShownLines(output) : new Lines(output);
  return sort ? new SortedListing(lines) : lines;
}

/** Whether a record is one of those that were asked for. */
function filter({ user, realm }: SasldblistArguments): (parts: KeyParts) => boolean {
  if (user === undefined && realm === undefined) return () => true;
  const isPart = (bytes: Buffer, start: number, end: number, wanted: Buffer | undefined): boolean =>
    wanted === undefined || bytes.compare(wanted, 0, wanted.length, start, end) === 0;
  const wanted = { user: user === undefined ? undefined : Buffer.from(user), realm: realm === undefined ? undefined : Buffer.from(realm) };
  return ({ bytes, start, userEnd, realmEnd }) =>
    isPart(bytes, start, userEnd, wanted.user) && isPart(bytes, userEnd + 1, realmEnd, wanted.realm);
}

/** Control characters never raw. */
function shown(key: Uint8Array): string {
  const text = jsonText(Buffer.from(key.subarray(0, SHOWN)).toString());
  return key.length > SHOWN ? `${text}… (${key.length} bytes)` : text;
}

interface Listing {
  add(parts: KeyParts): void;
  end(): void;
}

/** `user@realm: property`, as it comes. */
class Lines implements Listing {
  readonly #output: Output;
  #buffer = Buffer.allocUnsafe(1 << 16);
  #length = 0;

  constructor(output: Output) {
    this.#output = output;
  }

  add({ bytes, start, userEnd, realmEnd, end }: KeyParts): void {
    const most = end - start + 2;
    if (this.#length + most > this.#buffer.length) this.#handOn(most);
    // Byte by byte: for names so short that is faster than a call for each part.
    const buffer = this.#buffer;
    let at = this.#length;
    for (let i = start; i < realmEnd; i++) buffer[at++] = i === userEnd ? AT : (bytes[i] as number);
    buffer[at++] = COLON;
    buffer[at++] = BLANK;
    for (let i = realmEnd + 1; i < end; i++) buffer[at++] = bytes[i] as number;
    buffer[at++] = NEWLINE;
    this.#length = at;
  }

  end(): void {
    this.#handOn(0);
  }

  /** At once, so that the same memory can take what follows, which has to find so much room. */
  #handOn(room: number): void {
    this.#output.write(this.#buffer.subarray(0, this.#length));
    this.#output.flushNow();
    this.#length = 0;
    if (room > this.#buffer.length) this.#buffer = Buffer.allocUnsafe(room);
  }
}

/** The same lines for a terminal, to which control characters in names do nothing. */
class ShownLines implements Listing {
  readonly #output: Output;

  constructor(output: Output) {
    this.#output = output;
  }

  add({ bytes, start, userEnd, realmEnd, end }: KeyParts): void {
    const name = `${bytes.toString("utf8", start, userEnd)}@${bytes.toString("utf8", userEnd + 1, realmEnd)}`;
    this.#output.write(`${printable(`${name}: ${bytes.toString("utf8", realmEnd + 1, end)}`)}\n`);
  }

  end(): void {}
}

/** The lines by user, realm and property. */
class SortedListing implements Listing {
  readonly #lines: Listing;
  readonly #keys: Buffer[] = [];

  constructor(lines: Listing) {
    this.#lines = lines;
  }

  add({ bytes, start, end }: KeyParts): void {
    this.#keys.push(Buffer.from(bytes.subarray(start, end)));
  }

  end(): void {
    for (const key of this.#keys.sort(Buffer.compare)) {
      const userEnd = key.indexOf(0);
      this.#lines.add({ bytes: key, start: 0, userEnd, realmEnd: key.indexOf(0, userEnd + 1), end: key.length });
    }
    this.#lines.end();
  }
}

/** A user to a line; text that is no UTF-8 comes with its bytes in hexadecimal. */
class JsonListing implements Listing {
  readonly #output: Output;
  readonly #isSorted: boolean;
  readonly #users = new Map<string, { readonly user: Buffer; readonly realm: Buffer; readonly properties: string[] }>();

  constructor(output: Output, isSorted: boolean) {
    this.#output = output;
    this.#isSorted = isSorted;
  }

  add({ bytes, start, userEnd, realmEnd, end }: KeyParts): void {
    const name = bytes.toString("latin1", start, realmEnd);
    const property = bytes.toString("utf8", realmEnd + 1, end);
    const known = this.#users.get(name);
    if (known !== undefined) known.properties.push(property);
    else {
      const user = Buffer.from(bytes.subarray(start, userEnd));
      this.#users.set(name, { user, realm: Buffer.from(bytes.subarray(userEnd + 1, realmEnd)), properties: [property] });
    }
  }

  end(): void {
    const users = [...this.#users.values()];
    if (this.#isSorted) users.sort((a, b) => Buffer.compare(a.user, b.user) || Buffer.compare(a.realm, b.realm));
    for (const { user, realm, properties } of users) {
      if (this.#isSorted) properties.sort();
      this.#output.write(`${jsonText({ ...text("user", user), ...text("realm", realm), properties })}\n`);
    }
  }
}

function text(name: string, bytes: Buffer): Record<string, string> {
  const value = bytes.toString();
  return Buffer.from(value).equals(bytes) ? { [name]: value } : { [name]: value, [`${name}Hex`]: bytes.toString("hex") };
}
