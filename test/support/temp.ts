/**
 * Temporary folders.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** What of a test's context, or of a suite's, removes things after it. */
export interface Cleanup {
  after(action: () => void): void;
}

/** A new empty folder, removed after the test. */
export function temporaryFolder(t: Cleanup): string {
  const folder = mkdtempSync(join(tmpdir(), "tsmakemap-test-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
