/**
 * What tsmap says beforehand, held against what sendmail did.
 */
import assert from "node:assert/strict";
import type { Predictions, Submission } from "./guide-machines.ts";

/** @throws {AssertionError} where one of the predictions was wrong. */
export function assertPredicted({ auth, resolve, probe }: Predictions, { outcome, attempts, transcript }: Submission): void {
  assert.equal(auth.outcome, outcome, `tsmap auth\n${transcript}`);
  const accepted = attempts.find(({ reply }) => reply.startsWith("235 "))?.mechanism;
  assert.equal(auth.mechanism, accepted ?? null, `tsmap auth\n${transcript}`);
  // Of those that could be tried, the ones behind the one that is accepted are not.
  const verdicts = auth.verdicts.slice(0, attempts.length);
  assert.deepEqual(
    verdicts.map(({ mechanism, isAccepted }) => [mechanism, isAccepted]),
    attempts.map(({ mechanism, reply }) => [mechanism, reply.startsWith("235 ")]),
    `tsmap auth\n${transcript}`,
  );
  // Its own dialogue with the relay is that of sendmail.
  assert.equal(probe.outcome, outcome, `tsmap probe\n${transcript}`);
  assert.equal(probe.mechanism, accepted ?? null, `tsmap probe\n${transcript}`);
  assert.deepEqual(
    probe.attempts.map(({ mechanism, code }) => [mechanism, code]),
    attempts.map(({ mechanism, reply }) => [mechanism, Number(reply.slice(0, 3))]),
    `tsmap probe\n${transcript}`,
  );
  // The client alone: what it tries, and what becomes of the mail where none of it is accepted.
  assert.deepEqual(
    resolve.mechanisms.slice(0, attempts.length),
    attempts.map(({ mechanism }) => mechanism),
    `tsmap resolve\n${transcript}`,
  );
  assert.equal(resolve.outcome === "authenticates", attempts.length > 0, `tsmap resolve\n${transcript}`);
  if (accepted === undefined)
    assert.equal(attempts.length > 0 ? resolve.ifRefused : resolve.outcome, outcome, `tsmap resolve\n${transcript}`);
}
