/**
 * What is fuzzed: something that takes bytes of any kind, and what has to hold
 * of it whatever they are.
 */
import type { Random } from "../support/random.ts";

/**
 * Tells of something that happened, for what coverage does not see, such as the
 * engine: an input with which something happens for the first time is kept.
 */
export type Note = (what: string) => void;

export interface Target {
  readonly name: string;
  /** Texts, one character a byte, that inputs are put together from. */
  readonly dictionary: readonly string[];
  /** Whose blocks count besides all that is ours, in parts of paths. */
  readonly covered?: RegExp;
  /** The longest input, in bytes. */
  readonly longest: number;
  /** Inputs to be tried between two looks at the coverage. */
  readonly batch?: number;
  /** What to begin with besides the corpus. */
  seeds(): Iterable<Uint8Array>;
  /** A change of its own; undefined for one of the usual kinds. */
  change?(input: Uint8Array, random: Random): Uint8Array | undefined;
  /** @throws {Error} what has to hold does not; the message begins with what, up to a colon. */
  run(input: Uint8Array, note: Note): void | Promise<void>;
}
