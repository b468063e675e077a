/**
 * tsmap resolve: which entry of an authinfo map sendmail uses for a server, and
 * what it does with it.
 */
import type { ClientAttempt } from "../../authinfo/client.ts";
import type { FoundEntry } from "../../authinfo/lookup.ts";
import { type Resolution, resolveAuthinfo } from "../../authinfo/resolve.ts";
import type { AuthinfoItem } from "../../authinfo/value.ts";
import { jsonMember } from "../../map-file/dump-text.ts";
import { jsonText } from "../../map-file/json-text.ts";
import { shownBytes } from "../printable.ts";
import { type AuthinfoFlags, mechanismList, readAuthinfo } from "./authinfo-map.ts";
import { lookupLines, lookupsJson, missedText, OUTCOME_TEXTS, reasonText, shownItem, shownReason } from "./authinfo-texts.ts";
import type { Context } from "./context.ts";

interface Options extends AuthinfoFlags {
  readonly server: string;
  readonly showSecrets?: true;
}

/** @returns 0 where sendmail would authenticate, 1 where it would not. */
export function run(context: Context, [map]: readonly (string | readonly string[])[], options: Options): number {
  const { records, mapFlags } = readAuthinfo(context, String(map), options);
  const resolution = resolveAuthinfo(
    records,
    { name: options.server, address: options.addr },
    {
      mapFlags,
      clientMechanisms: mechanismList(options.clientMechanisms),
      serverMechanisms: mechanismList(options.serverMechanisms),
    },
  );
  const show = options.showSecrets === true;
  if (options.json) context.output.write(`${jsonText(toJson(resolution, show))}\n`);
  else for (const line of report(resolution, show)) context.output.write(`${line}\n`);
  return resolution.client.outcome === "authenticates" ? 0 : 1;
}

function* report(resolution: Resolution, show: boolean): Generator<string> {
  const { steps, entry, client, missed } = resolution;
  yield* lookupLines(steps, entry);
  for (const key of missed) yield `note         ${missedText(key)}`;
  if (entry !== undefined) yield* entryLines(entry, show);
  if (client.outcome === "authenticates") {
    yield `mechanisms   ${client.mechanisms.join(" ")}, tried in this order`;
    yield `result       ${OUTCOME_TEXTS.authenticated}; if the server refuses all of these, ${refusedText(client)}`;
  } else yield `result       ${OUTCOME_TEXTS[client.outcome]}: ${reasonText(shownReason(resolution, show))}`;
}

function refusedText({ ifRefused }: ClientAttempt): string {
  return ifRefused === "deferred" ? "mail is deferred" : "mail is sent without authentication";
}

function* entryLines(entry: FoundEntry, show: boolean): Generator<string> {
  const { value } = entry;
  const { U, I, P, R } = value.inForce;
  const name = (item: AuthinfoItem | undefined, other: AuthinfoItem | undefined, from: string): string => {
    if (item !== undefined) return shownBytes(shownItem(item, show));
    return other === undefined ? "not set" : `${shownBytes(shownItem(other, show))} (that of ${from})`;
  };
  if (U !== undefined || I !== undefined) {
    yield `user         ${name(U, I, "I")} (authorization id, U)`;
    yield `             ${name(I, U, "U")} (authentication id, I)`;
  }
  if (P !== undefined) yield `password     ${show ? shownBytes(P.text) : "set"}`;
  if (value.special === undefined && value.items.length > 0) {
    yield `realm        ${R === undefined ? "not set: sendmail takes its own host name" : shownBytes(shownItem(R, show))}`;
  }
  if (P !== undefined && isExpanded(entry, P)) {
    yield 'note         the password is not the one in the map: sendmail expands its "%" (%% is a %, %0 the key, %1 to %9 nothing)';
  }
  const { reason, offset } = value.stop;
  const isMore = value.items.length > 0 && (reason === "not-quoted" || reason === "item-limit");
  if (isMore)
    yield `note         ${reason === "item-limit" ? "sendmail reads seven items" : "sendmail reads no further than the first thing that is not in double quotes"}: the rest of the value, from byte ${offset + 1} on, is ignored`;
}

/** Whether percent expansion has changed an item. */
function isExpanded({ expansion: { offsets } }: FoundEntry, { textStart, textEnd }: AuthinfoItem): boolean {
  if (offsets === undefined) return false;
  const places = offsets.slice(textStart - 1, textEnd + 1);
  return places.some((place, i) => i > 0 && place !== (places[i - 1] as number) + 1);
}

function toJson(resolution: Resolution, show: boolean): object {
  const { steps, entry, client, missed } = resolution;
  const items = entry?.value.inForce ?? {};
  const text = (name: string, item: AuthinfoItem | undefined): object =>
    item === undefined ? {} : jsonMember(name, shownItem(item, show));
  const { P } = items;
  return {
    outcome: client.outcome,
    reason: shownReason(resolution, show) ?? null,
    lookups: lookupsJson(steps, entry),
    missedKeys: missed.map(({ key, differences }) => ({ ...jsonMember("key", key), differences })),
    entry:
      entry === undefined
        ? null
        : {
            ...jsonMember("key", entry.key),
            ...text("authorizationId", items.U ?? items.I),
            ...text("authenticationId", items.I ?? items.U),
            ...text("realm", items.R),
            ...text("mechanisms", items.M),
            password:
              P === undefined
                ? null
                : { isExpanded: isExpanded(entry, P), ...(show && { length: P.text.length, ...jsonMember("text", P.text) }) },
            stop: entry.value.stop,
          },
    mechanisms: client.outcome === "authenticates" ? client.mechanisms : [],
    ifRefused: client.outcome === "authenticates" ? client.ifRefused : null,
  };
}
