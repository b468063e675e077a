/**
 * What the commands resolve and auth say, in words: codes of src/authinfo to
 * sentences. None of them quotes a value, in which a password may stand.
 */
import type { DeferredReason, WithoutAuthReason } from "../../authinfo/client.ts";
import type { FoundEntry, LookupStep } from "../../authinfo/lookup.ts";
import type { MissedKey, Resolution } from "../../authinfo/resolve.ts";
import type { AuthinfoFault, AuthinfoItem } from "../../authinfo/value.ts";
import { MASK } from "../../makemap/mask.ts";
import { jsonMember } from "../../map-file/dump-text.ts";
import { jsonText } from "../../map-file/json-text.ts";
import { maskRecord } from "../../map-file/secrets.ts";
import { printable, shownBytes } from "../printable.ts";

/** Offsets are from 0 in the value; a person counts from 1. */
function faultText(fault: AuthinfoFault): string {
  const at = "offset" in fault ? ` (byte ${fault.offset + 1} of the value)` : "";
  switch (fault.code) {
    case "empty":
      return "its value is empty";
    case "not-quoted":
      return `its value does not begin with a double quote${at}`;
    case "unknown-tag":
      return `an item has a tag that is none of U, I, P, R and M${at}`;
    case "item-too-short":
      return `an item has no delimiter behind its tag${at}`;
    case "unknown-delimiter":
      return `an item has a delimiter that is neither ":" nor "="${at}`;
    case "bad-base64":
      return `the base64 of ${fault.tag} cannot be decoded: ${BASE64_TEXTS[fault.problem]}${at}`;
    case "no-password":
      return "it has no password (P)";
    case "no-user":
      return "it has neither a user (U) nor an authentication id (I)";
    case "empty-password":
      return `its password (P) is empty${at}`;
    case "empty-user":
      return `its user (U, I) is empty${at}`;
    case "token-too-long":
      return `an item or a word of it is too long: ${fault.length} bytes${at}`;
    case "value-too-long":
      return `it is longer than sendmail's buffer${at}`;
  }
}

const BASE64_TEXTS = {
  character: "a character that is none of base64's",
  padding: 'an "=" in a wrong place',
  length: "its length is no multiple of four",
} as const;

function withoutAuthText(reason: WithoutAuthReason): string {
  switch (reason.code) {
    case "no-entry":
      return "there is no entry for this server";
    case "bad-entry":
      return `the entry cannot be used: ${faultText(reason.fault)}`;
    case "not-offered":
      return "the server offers no authentication";
    case "unusable-name":
      return `the SASL library takes a user of the entry for an empty one, with ${reason.mechanisms.join(", ")}`;
  }
}

function deferredText(reason: DeferredReason): string {
  switch (reason.code) {
    case "temporary-failure":
      return 'the entry begins with "temp", a temporary failure';
    case "no-common-mechanism":
      return printable(
        `no mechanism that is wanted (${listText(reason.wanted)}) is among those that the server offers (${listText(reason.offered)})`,
      );
    case "cannot-begin":
      return `the SASL library chooses ${reason.mechanism}, and cannot begin with it`;
  }
}

/** @returns undefined for a client that authenticates. */
export function reasonText(reason: Reason | undefined): string | undefined {
  if (reason === undefined) return undefined;
  return reason.code === "temporary-failure" || reason.code === "no-common-mechanism" || reason.code === "cannot-begin"
    ? deferredText(reason)
    : withoutAuthText(reason);
}

export type Reason = WithoutAuthReason | DeferredReason;

/** Why a client does not authenticate, without what may be a password: M can have swallowed one. */
export function shownReason({ client, entry }: Resolution, showSecrets = false): Reason | undefined {
  if (client.outcome === "authenticates") return undefined;
  const { reason } = client;
  const M = entry?.value.inForce.M;
  if (reason.code !== "no-common-mechanism" || M === undefined || isShown(M, showSecrets)) return reason;
  return { ...reason, wanted: [MASK] };
}

export const OUTCOME_TEXTS = {
  authenticated: "sendmail authenticates",
  "sent-without-auth": "sendmail sends mail without authentication",
  deferred: "sendmail defers mail",
} as const;

function listText(names: readonly string[]): string {
  return names.length === 0 ? "none" : names.join(" ");
}

/** A line for each lookup. */
export function* lookupLines(steps: readonly LookupStep[], entry: FoundEntry | undefined): Generator<string> {
  for (const { key, found } of steps) {
    const what = found === undefined ? "not found" : found === entry ? "found" : 'found, and passed over: its value is "?"';
    yield `lookup       "${printable(key)}": ${what}`;
  }
}

export function missedText({ key, differences }: MissedKey): string {
  const how = differences.map((difference) => (difference === "case" ? "in letter case" : "in a NUL behind it"));
  return `the map has ${shownKey(key)}, which differs ${how.join(" and ")} from what is asked for: see the flags of makemap and of the K line`;
}

function shownKey(key: Uint8Array): string {
  return jsonText(shownBytes(maskRecord(key, new Uint8Array()).key));
}

/** What an item that is no password may show: one whose quote is missing can hold the next one, a password. */
export function shownItem(item: AuthinfoItem, showSecrets: boolean): Uint8Array {
  return isShown(item, showSecrets) ? item.text : Buffer.from(MASK);
}

export function isShown({ text }: AuthinfoItem, showSecrets: boolean): boolean {
  if (showSecrets) return true;
  return !maskRecord(Buffer.from("authinfo:"), Buffer.concat([Buffer.from('"U:'), text, Buffer.from('"')])).isMasked;
}

/** The lookups in JSON. */
export function lookupsJson(steps: readonly LookupStep[], entry: FoundEntry | undefined): object[] {
  return steps.map(({ key, asked, found }) => ({
    key,
    asked: asked.map((bytes) => jsonMember("key", bytes)),
    isFound: found !== undefined,
    isUsed: found !== undefined && found === entry,
  }));
}
