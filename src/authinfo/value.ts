/**
 * The value of an AuthInfo entry, as sendmail's client reads it: getauth() and
 * smtpauth() of sendmail 8.17.1 (usersmtp.c).
 *
 * It is a list of items `"TDtext"`: a tag T (U, I, P, R or M), a delimiter D
 * (":" for plain text, "=" for base64) and text, in double quotes.
 */
import { type Base64Fault, decodeBase64 } from "./base64.ts";
import { LONGEST_TOKEN, type Token, type TokenFault, tokenize } from "./tokens.ts";

/** User (authorization id), authentication id, password, realm, mechanisms. */
export type AuthinfoTag = "U" | "I" | "P" | "R" | "M";

/** Offsets are of bytes in the value. */
export interface AuthinfoItem {
  readonly tag: AuthinfoTag;
  readonly delimiter: ":" | "=";
  /** As sendmail has it: decoded, up to its first NUL; plain text with 0x7f for each 0xff. It may be a secret. */
  readonly text: Uint8Array;
  /** Of the opening quote. */
  readonly start: number;
  /** Behind the closing quote. */
  readonly end: number;
  /** The tag is at `start` + 1, the delimiter at `start` + 2. */
  readonly textStart: number;
  readonly textEnd: number;
  /** Whether the closing quote is missing; sendmail supplies it. */
  readonly isUnclosed: boolean;
}

/** Where the reading of items ended. */
export interface AuthinfoStop {
  /**
   * "end": everything was read. "not-quoted": what stands here does not begin
   * with a quote, and it is ignored with all behind it. "item-limit": seven
   * items were read, and the rest is ignored. "fault": see `fault`.
   */
  readonly reason: "end" | "not-quoted" | "item-limit" | "fault";
  readonly offset: number;
}

/** Why sendmail has no credentials. Each of them sends mail without authentication. */
export type AuthinfoFault =
  /** The value as a whole; see `TokenFault`. */
  | TokenFault
  /** The item's tag is none of U, I, P, R and M. */
  | { readonly code: "unknown-tag"; readonly offset: number }
  /** No delimiter behind the tag. */
  | { readonly code: "item-too-short"; readonly offset: number }
  /** The delimiter is neither ":" nor "=". */
  | { readonly code: "unknown-delimiter"; readonly offset: number }
  | ({ readonly code: "bad-base64"; readonly tag: AuthinfoTag } & Base64Fault)
  /** The first thing in the value is no item. */
  | { readonly code: "not-quoted"; readonly offset: number }
  /** No item P. */
  | { readonly code: "no-password" }
  /** Neither an item U nor an item I. */
  | { readonly code: "no-user" }
  | { readonly code: "empty-password"; readonly offset: number }
  /** Both U and I are empty. */
  | { readonly code: "empty-user"; readonly offset: number };

/** What sendmail has for the SASL library. Bytes of any kind, without a NUL. */
export interface AuthinfoCredentials {
  /** U, or a copy of I. */
  readonly authorizationId: Uint8Array;
  /** I, or a copy of U. */
  readonly authenticationId: Uint8Array;
  readonly password: Uint8Array;
  /** R; undefined where there is none: sendmail takes its own host name. */
  readonly realm: Uint8Array | undefined;
  /** The text of M; undefined where there is none, or an empty one: sendmail takes its AuthMechanisms. */
  readonly mechanisms: Uint8Array | undefined;
}

export interface AuthinfoValue {
  /**
   * A value with a meaning of its own: "temporary-failure" defers the mail,
   * "not-found" lets the ruleset go on as if the key were not there.
   */
  readonly special: "temporary-failure" | "not-found" | undefined;
  /** The items that sendmail reads, at most seven, up to the first that has a fault. */
  readonly items: readonly AuthinfoItem[];
  readonly stop: AuthinfoStop;
  /** The items in force, by tag: of those with the same tag the last. */
  readonly inForce: Readonly<Partial<Record<AuthinfoTag, AuthinfoItem>>>;
  readonly fault: AuthinfoFault | undefined;
  /** Undefined where there is a fault, or where the value is special. */
  readonly credentials: AuthinfoCredentials | undefined;
}

/** The items that sendmail reads of a value: SASL_ENTRIES. */
const MOST_ITEMS = 7;

const QUOTE = 0x22;
const COLON = 0x3a;
const EQUALS = 0x3d;
const TAGS = "UIPRM";

/**
 * Reads a value.
 * @param value the bytes after the percent expansion (`expandPercent`); they end at the first NUL.
 */
export function parseAuthinfoValue(value: Uint8Array): AuthinfoValue {
  const tokens = tokenize(value);
  if (!Array.isArray(tokens)) {
    const fault = tokens as TokenFault;
    const offset = "offset" in fault ? fault.offset : 0;
    return { special: undefined, items: [], stop: { reason: "fault", offset }, inForce: {}, fault, credentials: undefined };
  }
  const special = specialMeaning(tokens as readonly Token[]);
  const { items, stop, fault } = readItems(tokens as readonly Token[], value.length);
  const inForce: Partial<Record<AuthinfoTag, AuthinfoItem>> = {};
  for (const item of items) inForce[item.tag] = item;
  const what = fault ?? missing(inForce, items.length === 0 ? stop : undefined);
  const credentials = special === undefined && what === undefined ? credentialsOf(inForce) : undefined;
  return { special, items, stop, inForce, fault: special === undefined ? what : undefined, credentials };
}

function specialMeaning([first, second]: readonly Token[]): AuthinfoValue["special"] {
  const text = Buffer.from(first?.bytes ?? []).toString("latin1");
  if (text === "?" && second === undefined) return "not-found";
  return /^temp/i.test(text) ? "temporary-failure" : undefined;
}

interface Reading {
  readonly items: AuthinfoItem[];
  readonly stop: AuthinfoStop;
  readonly fault?: AuthinfoFault;
}

function readItems(tokens: readonly Token[], length: number): Reading {
  const items: AuthinfoItem[] = [];
  for (const token of tokens) {
    if (items.length === MOST_ITEMS) return { items, stop: { reason: "item-limit", offset: token.start } };
    if (token.bytes[0] !== QUOTE) return { items, stop: { reason: "not-quoted", offset: token.start } };
    const item = readItem(token);
    if ("code" in item) return { items, stop: { reason: "fault", offset: token.start }, fault: item };
    items.push(item);
  }
  return { items, stop: { reason: "end", offset: length } };
}

function readItem({ bytes, start, end, isUnclosed }: Token): AuthinfoItem | AuthinfoFault {
  const tag = String.fromCharCode(bytes[1] ?? 0).toUpperCase();
  if (!TAGS.includes(tag)) return { code: "unknown-tag", offset: start + 1 };
  if (bytes.length < 4) return { code: "item-too-short", offset: start };
  const delimiter = bytes[2];
  const raw = bytes.slice(3, -1);
  const textStart = start + 3;
  const item = (isPlain: boolean, text: Uint8Array): AuthinfoItem => ({
    tag: tag as AuthinfoTag,
    delimiter: isPlain ? ":" : "=",
    text,
    start,
    end,
    textStart,
    textEnd: isUnclosed ? end : end - 1,
    isUnclosed,
  });
  if (delimiter === COLON) return item(true, raw);
  if (delimiter !== EQUALS) return { code: "unknown-delimiter", offset: start + 2 };
  const decoded = decodeBase64(raw);
  if (decoded instanceof Uint8Array) return item(false, upToNul(decoded));
  return { code: "bad-base64", tag: tag as AuthinfoTag, problem: decoded.problem, offset: textStart + decoded.offset };
}

/** What sendmail misses when it has read the items, in its order. */
function missing(inForce: AuthinfoValue["inForce"], stopAtFirst: AuthinfoStop | undefined): AuthinfoFault | undefined {
  const { U, I, P } = inForce;
  if (stopAtFirst?.reason === "not-quoted") return { code: "not-quoted", offset: stopAtFirst.offset };
  const user = I ?? U;
  if (user === undefined) return { code: "no-user" };
  if (P === undefined) return { code: "no-password" };
  if (P.text.length === 0) return { code: "empty-password", offset: P.start };
  const isEmpty = (U?.text.length ?? 0) === 0 && (I?.text.length ?? 0) === 0;
  return isEmpty ? { code: "empty-user", offset: user.start } : undefined;
}

function credentialsOf({ U, I, P, R, M }: AuthinfoValue["inForce"]): AuthinfoCredentials {
  const none = new Uint8Array();
  return {
    authorizationId: (U ?? I)?.text ?? none,
    authenticationId: (I ?? U)?.text ?? none,
    password: P?.text ?? none,
    realm: R?.text,
    mechanisms: M === undefined || M.text.length === 0 ? undefined : M.text,
  };
}

function upToNul(bytes: Uint8Array): Uint8Array {
  const nul = bytes.indexOf(0);
  return nul < 0 ? bytes : bytes.subarray(0, nul);
}

export interface AuthinfoParts {
  readonly authorizationId?: Uint8Array | string | undefined;
  /** One of the two is needed; sendmail takes the one for the other. */
  readonly authenticationId?: Uint8Array | string | undefined;
  readonly password: Uint8Array | string;
  readonly realm?: Uint8Array | string | undefined;
  readonly mechanisms?: readonly string[] | undefined;
}

/**
 * Writes a value that sendmail reads back as these parts, whatever bytes they
 * hold. Text is written as it is where that is safe, and as base64 elsewhere.
 * @throws {RangeError} for a part that sendmail could not read: an empty name or password, a NUL, a part that is too long, a mechanism that is no name.
 */
export function formatAuthinfoValue(parts: AuthinfoParts): string {
  const { authorizationId, authenticationId, password, realm, mechanisms = [] } = parts;
  if (isEmpty(authorizationId) && isEmpty(authenticationId)) throw new RangeError("a user is needed");
  if (isEmpty(password)) throw new RangeError("a password is needed");
  const wrong = mechanisms.find((name) => !/^[A-Za-z0-9_-]+$/.test(name));
  if (wrong !== undefined) throw new RangeError(`${JSON.stringify(wrong)} is no name of a mechanism`);
  const list = mechanisms.length === 0 ? undefined : mechanisms.join(" ");
  return [
    ...formatItem("U", authorizationId),
    ...formatItem("I", authenticationId),
    ...formatItem("P", password),
    ...formatItem("R", realm),
    ...formatItem("M", list),
  ].join(" ");
}

function isEmpty(part: Uint8Array | string | undefined): boolean {
  return part === undefined || part.length === 0;
}

function formatItem(tag: AuthinfoTag, part: Uint8Array | string | undefined): string[] {
  if (part === undefined) return [];
  const bytes = Buffer.from(part as Uint8Array);
  if (bytes.includes(0)) throw new RangeError(`${tag}: a NUL, at which the text would end`);
  const text = bytes.toString("latin1");
  const item = isPlain(text) ? `"${tag}:${text}"` : `"${tag}=${bytes.toString("base64")}"`;
  if (item.length > LONGEST_TOKEN)
    throw new RangeError(`${tag}: ${item.length} bytes as an item, of which sendmail reads ${LONGEST_TOKEN}`);
  return [item];
}

/** A quote would end the text, "%" is expanded, and a backslash keeps a quote from ending it; other than ASCII is left to base64. */
function isPlain(text: string): boolean {
  return /^[ -~]*$/.test(text) && !/["%\\]/.test(text);
}
