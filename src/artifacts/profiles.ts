/**
 * Parts of hosts laid over each other: profiles, and the host that has them.
 */
import type { ManifestDatabase, ManifestHost, ManifestMap, ManifestUser } from "./manifest.ts";

/** What the second says comes over what the first says. */
export function mergeHost(a: ManifestHost, b: ManifestHost): ManifestHost {
  return {
    ...a,
    ...b,
    ...((a.databases ?? b.databases) && { databases: mergeNamed(a.databases, b.databases, mergeDatabase) }),
    ...((a.maps ?? b.maps) && { maps: mergeNamed(a.maps, b.maps, mergeMap) }),
  };
}

function mergeDatabase(a: ManifestDatabase, b: ManifestDatabase): ManifestDatabase {
  return { ...a, ...b, ...((a.users ?? b.users) && { users: mergeNamed(a.users, b.users, mergeUser) }) };
}

function mergeUser(a: string | ManifestUser | null, b: string | ManifestUser | null): string | ManifestUser | null {
  if (a === null || b === null) return b;
  return { ...asUser(a), ...asUser(b) };
}

function asUser(user: string | ManifestUser): ManifestUser {
  return typeof user === "string" ? { password: user } : user;
}

/** A source takes the place of entries, and they of it. */
function mergeMap(a: ManifestMap, b: ManifestMap): ManifestMap {
  const { source, entries, ...rest } = a;
  const kept = b.source === undefined && b.entries === undefined ? { source, entries } : b.source === undefined ? { entries } : {};
  const merged =
    b.source === undefined && (kept.entries ?? b.entries) ? mergeNamed(kept.entries, b.entries, (_, entry) => entry) : undefined;
  return {
    ...rest,
    ...b,
    ...(kept.source !== undefined && { source: kept.source }),
    ...(merged !== undefined && { entries: merged }),
  };
}

function mergeNamed<T>(
  a: Readonly<Record<string, T>> | undefined = {},
  b: Readonly<Record<string, T>> | undefined = {},
  merge: (a: T, b: T) => T,
): Record<string, T> {
  const merged = new Map(Object.entries(a));
  for (const [name, part] of Object.entries(b)) merged.set(name, merged.has(name) ? merge(merged.get(name) as T, part) : part);
  return Object.fromEntries(merged);
}
