/**
 * The keys of an authinfo map: what follows the tag `AuthInfo:`, and whether
 * sendmail would ever ask for it. It asks for the name and then for the address
 * of the server, each as a whole, and for the tag alone (FEATURE(`authinfo')).
 */
import { nodeNet } from "../../files/late.ts";
import { AUTHINFO_TAG, LONGEST_KEY } from "../../makemap/map-key.ts";
import { MASK } from "../../makemap/mask.ts";
import type { Edit, LocalFinding } from "./finding.ts";
import type { LintCode, Severity } from "./rules.ts";

/** In lower case, as makemap stores it. */
export const TAG: string = AUTHINFO_TAG.toLowerCase();

/** Tags of the access map, in which authinfo entries can stand too. */
const ACCESS_TAGS =
  /^(?:connect|from|to|spam|delay|quarantine|greetpause|clientrate|clientconn|srv_features|clt_features|tls_(?:srv|clt|rcpt)|try_tls|certissuer|certsubject):/i;

/** What such entries say. */
const ACCESS_VERDICT = /^(?:OK|RELAY|REJECT|DISCARD|SKIP|ERROR:|QUARANTINE:|(?:TEMP\+|PERM\+)?(?:VERIFY|ENCR)|[245]\d\d\b)/i;

/** One character a byte: what an item begins with, in whatever quotes. */
const ITEM_START = /(?:["'`]|\xe2\x80[\x98-\x9f])[UIPRM][:=]/i;
const ANY_QUOTE = /["'`]|\xe2\x80[\x98-\x9f]/;
const NO_BREAK_SPACE = "\xc2\xa0";
const HOST = /^[a-z0-9_-]+(?:\.[a-z0-9_-]+)*$/i;

export interface KeyOptions {
  /** -f: keys keep their case, and so does what sendmail asks for. */
  readonly keepCase: boolean;
  /** What divides key and value. */
  readonly delimiter: string;
}

export interface KeyCheck {
  readonly findings: readonly LocalFinding[];
  /** Whether the entry is meant for sendmail's client, so that its value is worth a look. */
  readonly isEntry: boolean;
  /** Where within the key the first item stands for want of a blank before it. */
  readonly itemsAt?: number;
  /** What follows the tag, in lower case, where it is well formed. */
  readonly server?: string;
}

/** Whether a key, one character a byte, begins with the tag. */
export function hasTag(key: string): boolean {
  return key.slice(0, TAG.length).toLowerCase() === TAG;
}

/** Looks at a key, one character a byte, without a byte order mark. */
export function checkKey(key: string, value: string, options: KeyOptions): KeyCheck {
  const whole = { offset: 0, length: key.length };
  const only = (code: LintCode, severity: Severity, isEntry: boolean): KeyCheck => ({ findings: [{ code, severity, ...whole }], isEntry });
  if (hasTag(key)) return checkServer(key, options);
  const looksQuoted = ANY_QUOTE.exec(value)?.index === 0;
  if (ANY_QUOTE.exec(key)?.index === 0) return only("quoted-key", "error", false);
  if (/^authinfo$/i.test(key) || /^authinfo["'=.]/i.test(key)) return only("tag-without-colon", "error", looksQuoted);
  if (!looksQuoted && (ACCESS_TAGS.test(key) || ACCESS_VERDICT.test(value))) return only("missing-tag", "note", false);
  return only("missing-tag", "error", looksQuoted);
}

function checkServer(key: string, { keepCase, delimiter }: KeyOptions): KeyCheck {
  const findings: LocalFinding[] = [];
  const server = key.slice(TAG.length);
  const add = (code: LintCode, severity: Severity, at = 0, length = server.length - at, edits?: readonly Edit[]): void => {
    findings.push({ code, severity, offset: TAG.length + at, length, ...(edits && { edits }) });
  };
  if (keepCase && !key.startsWith(AUTHINFO_TAG)) {
    findings.push({ code: "tag-case", severity: "error", offset: 0, length: TAG.length });
  }
  const quote = ANY_QUOTE.exec(server)?.index ?? -1;
  const space = server.indexOf(NO_BREAK_SPACE);
  if (space >= 0 && (quote < 0 || space < quote)) {
    let end = space;
    while (server.startsWith(NO_BREAK_SPACE, end)) end += NO_BREAK_SPACE.length;
    const isCertain = isServer(server.slice(0, space)) && ITEM_START.exec(server)?.index === end;
    const edit = { offset: TAG.length + space, length: end - space, text: delimiter };
    add("no-break-space-in-key", "error", space, end - space, isCertain ? [edit] : undefined);
    return { findings, isEntry: true, itemsAt: TAG.length + end };
  }
  if (quote >= 0) {
    // Where there is no name, it may have been forgotten: an entry for all servers would send them the password.
    const isCertain = quote > 0 && isServer(server.slice(0, quote)) && ITEM_START.exec(server)?.index === quote;
    const edit = { offset: TAG.length + quote, length: 0, text: delimiter };
    add("missing-blank-after-key", "error", quote, 1, isCertain ? [edit] : undefined);
    return { findings, isEntry: true, itemsAt: TAG.length + quote };
  }
  if (key.length > LONGEST_KEY) add("key-too-long", "error");
  else findings.push(...checkHost(server).map((found) => ({ ...found, offset: found.offset + TAG.length })));
  if (keepCase && /[A-Z]/.test(server)) add("server-case", "warning");
  const isGood = findings.every(({ severity }) => severity !== "error");
  return { findings, isEntry: true, ...(isGood && { server: server.toLowerCase() }) };
}

function isServer(server: string): boolean {
  return server === "" || HOST.test(server) || /^\[[0-9a-z.:-]+\]$/i.test(server);
}

/** Never a finding for the empty name: that is the entry for all servers. */
function checkHost(server: string): LocalFinding[] {
  const found = (code: LintCode, severity: Severity, offset = 0, length = server.length): LocalFinding[] => [
    { code, severity, offset, length },
  ];
  if (server === "") return [];
  const port = /(?<=^(?:\[[^\]]*\]|[^:]*)):\d*$/.exec(server);
  if (port !== null) return found("port-in-key", "error", port.index, port[0].length);
  if (/^\[.*\]$/.test(server)) return checkBrackets(server, found);
  const address = server.replace(/^ipv6:/i, "");
  if (nodeNet().isIPv6(address)) return found("ipv6-key", "note");
  if (/[^\0-\x7f]/.test(server)) return found("non-ascii-key", "warning");
  if (/^\.|\*/.test(server)) return found("pattern-key", "error");
  if (/^[\d.]+(?:\/\d*)?$/.test(server) && !nodeNet().isIPv4(server)) return found("network-key", "error");
  if (/\.$/.test(server) && HOST.test(server.slice(0, -1))) return found("trailing-dot", "warning", server.length - 1, 1);
  if (!HOST.test(server)) return found("malformed-key", "error");
  return /^[^.]+\.[^.]+$/.test(server) ? found("domain-key", "note") : [];
}

function checkBrackets(server: string, found: (code: LintCode, severity: Severity) => LocalFinding[]): LocalFinding[] {
  const inner = server.slice(1, -1);
  if (nodeNet().isIPv4(inner)) return found("brackets-around-address", "note");
  if (nodeNet().isIPv6(inner.replace(/^ipv6:/i, ""))) return found("ipv6-key", "note");
  if (/^[\d.]*$/.test(inner)) return found("network-key", "error");
  return HOST.test(inner.replace(/\.$/, "")) ? found("brackets-around-name", "warning") : found("malformed-key", "error");
}

/** Whether a well-formed server is an address in brackets; the address, if so. */
export function addressInBrackets(server: string): string | undefined {
  return /^\[([\d.]+)\]$/.exec(server)?.[1];
}

/**
 * A key as it may be shown. Where a blank is missing behind it, items and with
 * them a password are part of it: what is not plainly a server stays unsaid.
 * @param key one character a byte.
 */
export function shownKey(key: string): string {
  const text = key.replace(/\0$/, "");
  if (!hasTag(text)) return maskedKey(text);
  const server = text.slice(TAG.length);
  const inner = /^\[(.*)\]$/.exec(server)?.[1] ?? server;
  const isPlain = server === "" || HOST.test(inner) || nodeNet().isIPv6(inner.replace(/^ipv6:/i, ""));
  return isPlain ? text : maskedKey(text);
}

/** Nothing of a key but its tag. */
export function maskedKey(key: string): string {
  return hasTag(key) ? `${key.slice(0, TAG.length)}${MASK}` : MASK;
}
