/**
 * Which faults a run of so many calls can meet: each call, and at each of them
 * every kind that its call is known to meet.
 */
import type { Call, Fault, FaultKind } from "./file-faults.ts";

/** What becomes of a run is for the kind to say. */
type FaultClass =
  /** The call fails. */
  | "fails"
  /** It and all that come after it fail. */
  | "fails-on"
  /** The program has to go on, as if it were nothing. */
  | "absorbed";

export interface NamedFault {
  /** "write m.db, call 12: ENOSPC". */
  readonly name: string;
  readonly call: Call;
  readonly at: number;
  readonly class: FaultClass;
  /** Of an error. */
  readonly code: string | undefined;
  readonly fault: Fault;
}

/** Of calls that need room, or a name in a folder. */
const FULL = ["ENOSPC", "EDQUOT"] as const;
/** Of calls with a path, and of those that change whose a file is, or for whom: what is allowed may change at any time. */
const DENIED = ["open", "rename", "unlink", "chmod", "fchmod", "lchown", "fchown", "mkdir", "symlink", "rmdir", "scandir"];
/** How many bytes of those that were asked for: the classes of short writes and reads. */
const SHORT: Readonly<Record<string, (length: number) => number>> = {
  "one byte": () => 1,
  half: (length) => Math.max(1, length >> 1),
  "all but one": (length) => Math.max(1, length - 1),
};
const A_LITTLE = (length: number): number => Math.max(1, Math.ceil(length / 3));

/**
 * @param step take every so many of them.
 * @param seed which is the first of them: with as many seeds as that, one after the other, all are taken.
 */
export function faultsOf(calls: readonly Call[], step: number, seed: number): NamedFault[] {
  const all = calls.flatMap((call, at) => faultsAt(call, at));
  return all.filter((_, i) => i % step === seed % step);
}

function faultsAt(call: Call, at: number): NamedFault[] {
  const found: NamedFault[] = [];
  const add = (what: string, kind: FaultKind, rest: Pick<NamedFault, "class"> & { readonly goesOn?: true }): void => {
    found.push({
      name: `call ${at}, ${call.name} ${call.path}: ${what}`,
      call,
      at,
      class: rest.class,
      code: "code" in kind ? kind.code : undefined,
      fault: { at, kind, ...(rest.goesOn && { goesOn: true }) },
    });
  };
  add("EIO", { code: "EIO" }, { class: "fails" });
  if (call.writes) for (const code of FULL) add(code, { code }, { class: "fails" });
  if (DENIED.includes(call.name)) add("EACCES", { code: "EACCES" }, { class: "fails" });
  if (call.writes) add("ENOSPC from there on", { code: "ENOSPC" }, { class: "fails-on", goesOn: true });
  add("EIO from there on", { code: "EIO" }, { class: "fails-on", goesOn: true });
  // A signal came in between. Of other calls libuv does not let that through: it makes them once more.
  if (call.name === "read") add("EINTR", { code: "EINTR" }, { class: call.length > 0 ? "absorbed" : "fails" });
  if (call.length > 1) {
    const part = (of: (length: number) => number): FaultKind => ({ call: call.name as "read" | "write", of });
    for (const [what, of] of Object.entries(SHORT)) add(what, part(of), { class: "absorbed" });
    add("a third, from there on", part(A_LITTLE), { class: "absorbed", goesOn: true });
  }
  if (call.name === "write" && call.length > 0) {
    const nothing: FaultKind = { call: "write", of: () => 0 };
    add("no byte, once", nothing, { class: "absorbed" });
    add("no byte, from there on", nothing, { class: "fails-on", goesOn: true });
  }
  return found;
}
