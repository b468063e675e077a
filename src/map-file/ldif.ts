/**
 * A map as LDIF (RFC 2849), for the directory that sendmail's own LDAP map class
 * reads: entries of sendmail's schema (sendmailMTAMap, sendmailMTAMapObject), as
 * cf/README shows them, which its default lookup finds.
 *
 * What is not plain ASCII is in Base64, and what is in a DN is escaped as in
 * RFC 4514. Lines are folded at 76 bytes.
 */
import type { VisitRecord } from "../hash-file/visit.ts";

/** Where a map is in the directory, and for whom. */
export interface MapPlace {
  /** A DN, which has to be there already. */
  readonly base: string;
  /** sendmailMTAMapName. */
  readonly name: string;
  /** Who finds it: the hosts of a cluster, or one host. */
  readonly scope: { readonly attribute: "sendmailMTACluster" | "sendmailMTAHost"; readonly value: string };
}

const CHUNK = 1 << 18;
const LINE = 76;

const NUL = 0x00;
const BLANK = 0x20;
const NUMBER_SIGN = 0x23;
const TILDE = 0x7e;
const COLON = 0x3a;
const LESS_THAN = 0x3c;

/** Writes maps as LDIF, record by record. */
export class LdifWriter {
  readonly #onChunk: (bytes: Uint8Array) => void;
  readonly #out = Buffer.allocUnsafe(CHUNK);
  #length = 0;
  /** Of the map that is being written. */
  #entry = { dnEnd: Buffer.alloc(0), common: "" };

  /** @param onChunk called with the text, piece by piece; a piece is a view that is good during the call. */
  constructor(onChunk: (bytes: Uint8Array) => void) {
    this.#onChunk = onChunk;
    this.#text("version: 1\n");
  }

  /** Begins a map, with an entry for itself, below which those of its records are. */
  begin({ base, name, scope }: MapPlace): void {
    const nameBytes = Buffer.from(name);
    const dn = `sendmailMTAMapName=${dnValue(nameBytes)},${base}`;
    const names = ldifLine("sendmailMTAMapName", nameBytes) + ldifLine(scope.attribute, Buffer.from(scope.value));
    const classes = "objectClass: sendmailMTA\nobjectClass: sendmailMTAMap\n";
    this.#text(`\n${ldifLine("dn", Buffer.from(dn))}${classes}${names}`);
    this.#entry = { dnEnd: Buffer.from(`,${dn}`), common: `${classes}objectClass: sendmailMTAMapObject\n${names}` };
  }

  /** Writes a record, for `DatabaseFile.visitRecords`. The NUL that may end key and data is left out. */
  readonly visit: VisitRecord = (keyBytes: Buffer, keyStart, keyEnd, dataBytes: Buffer, dataStart, dataEnd) => {
    const key = keyBytes.subarray(keyStart, endOf(keyBytes, keyStart, keyEnd));
    const data = dataBytes.subarray(dataStart, endOf(dataBytes, dataStart, dataEnd));
    const { dnEnd, common } = this.#entry;
    const dn = Buffer.concat([Buffer.from(`sendmailMTAKey=${dnValue(key)}`), dnEnd]);
    this.#text(`\n${ldifLine("dn", dn)}${common}${ldifLine("sendmailMTAKey", key)}${ldifLine("sendmailMTAMapValue", data)}`);
  };

  /** Hands over what is left of the text. */
  end(): void {
    if (this.#length > 0) this.#onChunk(this.#out.subarray(0, this.#length));
    this.#length = 0;
  }

  /** All of it is ASCII. */
  #text(text: string): void {
    for (let from = 0; from < text.length; ) {
      if (this.#length === CHUNK) this.end();
      const count = Math.min(text.length - from, CHUNK - this.#length);
      this.#length += this.#out.write(text.slice(from, from + count), this.#length, "latin1");
      from += count;
    }
  }
}

/** Where they end without the NUL that a map may have behind its keys and data (makemap -N). */
export function endOf(bytes: Uint8Array, start: number, end: number): number {
  return end > start && bytes[end - 1] === NUL ? end - 1 : end;
}

/** An attribute with its value, folded. */
function ldifLine(name: string, value: Buffer): string {
  const line = isSafe(value) ? `${name}: ${value.toString("latin1")}` : `${name}:: ${value.toString("base64")}`;
  if (line.length <= LINE) return `${line}\n`;
  let folded = line.slice(0, LINE);
  for (let from = LINE; from < line.length; from += LINE - 1) folded += `\n ${line.slice(from, from + LINE - 1)}`;
  return `${folded}\n`;
}

/** A SAFE-STRING, but for control characters, that does not end in a blank. */
function isSafe(value: Uint8Array): boolean {
  const first = value[0];
  if (first === BLANK || first === COLON || first === LESS_THAN || value[value.length - 1] === BLANK) return false;
  for (const byte of value) if (byte < BLANK || byte > TILDE) return false;
  return true;
}

/** A value as a DN has it, in ASCII alone. */
function dnValue(bytes: Uint8Array): string {
  const last = bytes.length - 1;
  let text = "";
  for (let i = 0; i <= last; i++) {
    const byte = bytes[i] as number;
    if (byte < BLANK || byte > TILDE) text += `\\${byte.toString(16).toUpperCase().padStart(2, "0")}`;
    else {
      const character = String.fromCharCode(byte);
      const isAtEdge = (byte === BLANK && (i === 0 || i === last)) || (byte === NUMBER_SIGN && i === 0);
      text += isAtEdge || '"+,;<>\\'.includes(character) ? `\\${character}` : character;
    }
  }
  return text;
}

const ATTRIBUTE = /(?:[a-z][a-z0-9-]*|\d+(?:\.\d+)*) *= */;
const VALUE = /(?:[^"+,;<>\\\p{Cc}]|\\(?:[0-9a-f]{2}|["+,;<>\\ #=]))+/u;
const DN = new RegExp(`^(?:${ATTRIBUTE.source}${VALUE.source}(?: *[,+] *(?!$)|$))+$`, "iu");

/** Whether a text may be a DN, other than the empty one; a server knows it for certain. */
export function isDn(text: string): boolean {
  return DN.test(text);
}
