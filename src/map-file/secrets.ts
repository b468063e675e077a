/**
 * Which part of a record is secret, and the record with it masked.
 *
 * Secrets are the data of a SASL database (Cyrus SASL 2.1, plugins/sasldb.c),
 * the P items of an authinfo value (sendmail, usersmtp.c, parseauthinfo), and
 * the data of a sasl_passwd map (Postfix, SASL_README). A value that is not
 * understood may be one of these with a mistake in it, and is masked whole.
 */
import { nodeNet } from "../files/late.ts";
import { MASK } from "../makemap/mask.ts";

export interface MaskedRecord {
  /** The bytes that went in, where nothing in them is secret. */
  readonly key: Uint8Array;
  readonly data: Uint8Array;
  /** Whether anything was masked. */
  readonly isMasked: boolean;
}

const MASK_BYTES: Uint8Array = new Uint8Array(Buffer.from(MASK));

const NUL = 0x00;
const COLON = 0x3a;
const EQUALS = 0x3d;

/** Masks what is secret in a record; the bytes that go in are not changed. */
export function maskRecord(key: Uint8Array, data: Uint8Array): MaskedRecord {
  if (!mayHoldSecret(key, 0, key.length, data, 0, data.length)) return { key, data, isMasked: false };
  if (hasInnerNul(key)) return { key, data: MASK_BYTES, isMasked: true };
  const keyText = latin1(key);
  const shownKey = maskKey(keyText);
  const dataText = latin1(data);
  // Where an item of the key has no end, its rest is in the data.
  const shownData = shownKey === keyText ? maskData(keyText, dataText) : dataText && MASK;
  const isMasked = shownKey !== keyText || shownData !== dataText;
  return isMasked ? { key: bytesOf(shownKey, keyText, key), data: bytesOf(shownData, dataText, data), isMasked } : { key, data, isMasked };
}

/** Whether anything in a record is secret. */
export function holdsSecret(key: Uint8Array, data: Uint8Array): boolean {
  return maskRecord(key, data).isMasked;
}

/**
 * Whether a record has to be understood to tell whether it holds a secret. Most
 * records of most maps do not: every secret comes with one of these bytes.
 * @param keyStart where in the bytes the key begins; so for the rest.
 */
export function mayHoldSecret(
  keyBytes: Uint8Array,
  keyStart: number,
  keyEnd: number,
  dataBytes: Uint8Array,
  dataStart: number,
  dataEnd: number,
): boolean {
  for (let i = keyStart; i < keyEnd; i++) {
    const byte = keyBytes[i] as number;
    if (byte <= COLON) {
      if (byte === COLON || (byte === NUL && i < keyEnd - 1)) return true;
    } else if (byte === EQUALS) return true;
  }
  for (let i = dataStart; i < dataEnd; i++) {
    const byte = dataBytes[i] as number;
    if (byte === COLON || byte === EQUALS) return true;
  }
  return false;
}

/** Items, and the names of records whose data have no mark of their own. */
const SECRET_NAME = /authinfo:|"[uiprm][:=]|userpassword|cmusaslsecret/i;
/** A server or an address with a tag before it, as keys of access maps have: no user and password. */
const TAGGED_KEY = /^(?:[a-z_]+:)(?:[a-z0-9.-]*@?[a-z0-9-]+(?:\.[a-z0-9-]+)+|\d+(?:\.\d+)*)$/;

/** Whether a text, which may be a key or data or a part of them, may belong to a record that holds a secret. */
export function mayBeOfSecret(text: string): boolean {
  if (SECRET_NAME.test(text)) return true;
  return !TAGGED_KEY.test(text) && (PASSWORD_ITEM.test(text) || isCredentials("", text));
}

/** user NUL realm NUL property; and any other key with a NUL that does not just end it, which no map of names has. */
function hasInnerNul(key: Uint8Array): boolean {
  const at = key.indexOf(NUL);
  return at >= 0 && at < key.length - 1;
}

/** The tag, behind a byte order mark or a quote too. */
const AUTHINFO_TAG = /^[^a-z0-9]{0,4}authinfo:/i;
/**
 * What stands behind the tag: nothing, a name or an address, maybe in brackets,
 * maybe with a port; but not the `P:1234` of an item that the blank before is missing of.
 */
const SERVER = /^(?:[a-z0-9._-]*|\[[a-z0-9._:-]*\]|(?:ipv6:)?[0-9a-f:.]+)(?:(?<!p):\d{1,5})?\0?$/i;
const SERVER_NAME = /^[a-z0-9._-]+(?=["'])/i;
/** An item for a password, with or without quotes. */
const PASSWORD_ITEM = /(?<![a-z0-9])p[:=]/i;

/** A key holds items where the blank behind it is missing. */
function maskKey(key: string): string {
  const tag = AUTHINFO_TAG.exec(key)?.[0];
  if (tag !== undefined) {
    const server = key.slice(tag.length);
    return SERVER.test(server) ? key : `${tag}${SERVER_NAME.exec(server)?.[0] ?? ""}${MASK}`;
  }
  const item = PASSWORD_ITEM.exec(key);
  return item === null ? key : `${key.slice(0, item.index + 2)}${MASK}`;
}

/** What the value of an authinfo record may be instead of items. */
const AUTHINFO_ANSWER = /^(?:no|\?|temp)?[ \t\r\n\0]*$/i;

function maskData(key: string, data: string): string {
  const items = maskItems(data);
  if (items !== undefined) return items;
  if (AUTHINFO_TAG.test(key)) return AUTHINFO_ANSWER.test(data) ? data : MASK;
  return PASSWORD_ITEM.test(data) || isCredentials(key, data) ? MASK : data;
}

const ITEM = /[ \t]*"([uiprm][:=])([^"]*)"/giy;
const END = /[ \t\r\n\0]*$/y;
/** Within another item: that item's closing quote is missing. */
const SWALLOWED = /p(?::|=[^=])/i;

/** The items of an authinfo value with the text of its passwords masked; undefined where it is not made of items alone. */
function maskItems(data: string): string | undefined {
  let shown = "";
  let at = 0;
  ITEM.lastIndex = 0;
  for (let item = ITEM.exec(data); item !== null; item = ITEM.exec(data)) {
    const [whole, tag = "", text = ""] = item;
    const isPassword = tag[0] === "P" || tag[0] === "p";
    // A password that begins with a quote ends before it has begun.
    if (isPassword ? text === "" : SWALLOWED.test(text)) return undefined;
    shown += isPassword ? `${whole.slice(0, whole.length - text.length - 1)}${MASK}"` : whole;
    at = ITEM.lastIndex;
  }
  END.lastIndex = at;
  return at > 0 && END.test(data) ? shown + data.slice(at) : undefined;
}

/** [host]:port and host:port, which sasl_passwd maps have for keys, and others hardly. */
const SERVER_PORT = /^(?:\[[^\]]*\]:|[a-z0-9-]+(?:\.[a-z0-9-]+)+:\d{1,5}\0?$)/i;
/**
 * What a value of an access map begins with. Behind a number or a word stands a
 * blank: `250123:` and `5.7.1@h.example:` are users.
 */
const VERDICT =
  /^(?:(?:[245]\d\d|[245]\.\d{1,3}\.\d{1,3}|OK|RELAY|REJECT|DISCARD|DUNNO|HOLD|WARN|INFO|SKIP|FILTER|PREPEND|REDIRECT|BCC|DEFER(?:_IF_\w+)?)(?= )|QUARANTINE:|(?:(?:TEMP|PERM)\+)?(?:VERIFY|ENCR):\d{1,3}(?:\+|\0?$))/;
/** An error that has a code, or sendmail's word for one, before its text. */
const CODED_ERROR =
  /^(?:error|retry):(?:"?[245]\d\d |[245]\.\d{1,3}\.\d{1,3}[: ]|(?:nouser|nohost|unavailable|tempfail|protocol|config|usage) )/i;
/** Of an alias. */
const ALIAS = /^(?::include:|"?\|)/;
/** A mailer or transport alone, or with a host that no password looks like; maybe with a port. */
const SURE_ROUTE =
  /^(?:(?:e?smtp|dsmtp|smtp8|smtps|relay|lmtp|uucp(?:-\w+)?):(?:\[(?:[a-z0-9-]+(?:\.[a-z0-9-]+)+|%\d|(?:ipv6:)?[0-9a-f.]*:[0-9a-f:.]*)\]|\$h|%\d)?(?::(?:\d{1,5}|smtp|smtps|submission|submissions))?|(?:error|local|discard|hold|retry|virtual):)\0?$/i;
/** A host by its name alone, as `relay:Summer.2024` seems to be one. */
const NAMED_ROUTE = /^(?:e?smtp|dsmtp|smtp8|smtps|relay|lmtp|uucp(?:-\w+)?):([a-z0-9-]+(?:\.[a-z0-9-]+)+)(?::\w{1,10})?\0?$/i;
const LOCAL = /^local:/i;
/** Keys that only routes have: the hosts of a domain, or all. */
const ROUTED_KEY = /^(?:\.|\*\0?$)/;

/** user:password. What may be that, or something else, is taken for it. */
function isCredentials(key: string, data: string): boolean {
  if (!data.includes(":")) return false;
  if (SERVER_PORT.test(key)) return true;
  if (VERDICT.test(data) || CODED_ERROR.test(data) || ALIAS.test(data) || SURE_ROUTE.test(data)) return false;
  return !isRouteByKey(key, data) && !nodeNet().isIPv6(data.replace(/^ipv6:|\0$/gi, ""));
}

/** Whether what seems to be a mailer with its host is one, by its key: mail for a domain goes to a host of that domain. */
function isRouteByKey(key: string, data: string): boolean {
  const host = NAMED_ROUTE.exec(data)?.[1]?.toLowerCase();
  if (host === undefined) return ROUTED_KEY.test(key) && LOCAL.test(data);
  const domain = key.replace(/\0$/, "").toLowerCase();
  return ROUTED_KEY.test(key) || (domain.includes(".") && `.${host}`.endsWith(`.${domain}`));
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
}

function bytesOf(text: string, before: string, bytes: Uint8Array): Uint8Array {
  return text === before ? bytes : new Uint8Array(Buffer.from(text, "latin1"));
}
