/**
 * The ways in which a manifest says where a secret comes from.
 */
import type { SecretSource } from "./manifest.ts";

/** One of them, and no more. */
export const WAYS = ["env", "file", "command", "age", "sops", "inline"] as const;

/** The way that a source says, for provenance: "sops passwords.enc.yaml". */
export function sourceText(source: SecretSource): string {
  const way = WAYS.find((name) => source[name] !== undefined);
  if (way === undefined || way === "inline") return "inline";
  const field = source.field === undefined ? "" : ` ${[source.field].flat().join(".")}`;
  // Arguments may say more than is good to be published.
  return `${way} ${way === "command" ? source.command?.[0] : source[way]}${field}`;
}
