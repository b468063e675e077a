/**
 * What mail-network.ts, in the test, and mail-network.child.ts, inside the
 * namespaces, know in common.
 */

export type MachineName = "relay" | "client";

/** Addresses and domains for documentation (RFC 5737, RFC 2606): none of them is anywhere else. */
export const HOSTS = {
  relay: { hostname: "relay.example.com", address: "192.0.2.1" },
  client: { hostname: "client.austin.example.com", address: "192.0.2.2" },
  /** Name server of the network, and a mail server that accepts everything. It has no name of its own, but that of its mail domain. */
  elsewhere: { hostname: "elsewhere.example.net", address: "192.0.2.3" },
} as const;

/** The folders that a machine has for its own: sendmail takes each with its parents to be safe, since root alone may write there. */
export const MOUNTS: Readonly<Record<string, { readonly outside: string; readonly mode: number }>> = {
  "/etc": { outside: "etc", mode: 0o755 },
  "/run": { outside: "run", mode: 0o755 },
  "/usr/lib/sasl2": { outside: "sasl2", mode: 0o755 },
  // As in Debian: mail.local locks a mailbox as its owner.
  "/var/mail": { outside: "mail", mode: 0o1777 },
  "/var/spool": { outside: "spool", mode: 0o755 },
};

export type Request =
  | { readonly build: string }
  | {
      readonly run: MachineName;
      readonly command: string;
      readonly args: readonly string[];
      readonly options: { readonly uid?: number; readonly input?: string; readonly timeout?: number };
    }
  | {
      readonly start: MachineName;
      readonly command: string;
      readonly args: readonly string[];
      readonly port: number;
      /** Outside. */
      readonly log: string;
    }
  | { readonly stop: number }
  | { readonly elsewhere: true };

export interface Reply {
  readonly id: number;
  readonly value?: unknown;
  readonly error?: string;
}
