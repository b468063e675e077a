/**
 * What the processes of a crowd at one SASL database have in common.
 */

export const REALM = "mail.example.com";

export type CrowdTask = "read" | "stop";

export type CrowdAnswer =
  | { readonly kind: "written"; readonly user: string; readonly sequence: number; readonly took: number }
  /** Users, each with the number of its password. */
  | { readonly kind: "read"; readonly found: readonly (readonly [user: string, sequence: number])[] }
  | { readonly kind: "failed"; readonly message: string };

/** The password that a user is given as its nth. */
export function passwordOf(user: string, sequence: number): string {
  return `password ${sequence} of ${user}`;
}

/** Which it is, from 1; NaN for none that a user was given. */
export function sequenceOf(user: string, password: string): number {
  const sequence = Number(/^password (\d+) of /.exec(password)?.[1]);
  return password === passwordOf(user, sequence) ? sequence : Number.NaN;
}
