/**
 * gitlab-ci-local, which knows GitLab's schema and runs jobs without GitLab:
 * it wants methods of sets that Node has from version 22 on.
 */
const methods = {
  union<T>(this: Set<T>, other: ReadonlySet<T>): Set<T> {
    return new Set([...this, ...other]);
  },
  intersection<T>(this: Set<T>, other: ReadonlySet<T>): Set<T> {
    return new Set([...this].filter((value) => other.has(value)));
  },
  difference<T>(this: Set<T>, other: ReadonlySet<T>): Set<T> {
    return new Set([...this].filter((value) => !other.has(value)));
  },
};
for (const [name, value] of Object.entries(methods)) {
  if (!(name in Set.prototype)) Object.defineProperty(Set.prototype, name, { value, writable: true, configurable: true });
}

// @ts-expect-error a program: it has no types, and reads the arguments of this one.
await import("gitlab-ci-local");

export {};
