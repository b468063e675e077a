/**
 * All of a fleet's files made, and held against the set that is there.
 */
import { turn } from "../files/turn.ts";
import type { Artifact } from "./artifact.ts";
import { changeOf, changeOfText, type FileChange, removals } from "./plan.ts";
import type { Project } from "./project.ts";
import { type SetFile, setFiles, summarize } from "./set-files.ts";
import type { NewSet } from "./set-folder.ts";

export interface SetPlan {
  /** Artifact by artifact, then of the files that say what is in the set, then of those that go. */
  readonly changes: readonly FileChange[];
  /** Files that stay as they are. */
  readonly unchanged: number;
  /** Hexadecimal digits, of SHA256SUMS: it stands for all of the set. */
  readonly digest: string;
}

export interface PlanOptions {
  /** Called with each artifact when it is made; none is kept. */
  readonly onArtifact?: (artifact: Artifact) => void;
  /** Called with each file of the set and its content. */
  readonly onFile?: (file: SetFile, content: Uint8Array | string) => void;
}

/** @throws {ManifestError | SetFolderError} and errors of the file system. */
export async function planSet(project: Project, { onArtifact, onFile }: PlanOptions = {}): Promise<SetPlan> {
  const { output } = project;
  const found: (FileChange | undefined)[] = [];
  const summaries = [];
  for await (const artifact of project.artifacts()) {
    const summary = summarize(artifact);
    found.push(changeOf(artifact, output));
    onArtifact?.(artifact);
    onFile?.(summary, artifact.bytes);
    summaries.push(summary);
  }
  const texts = setFiles(summaries, project.facts);
  for (const text of texts) {
    found.push(changeOfText(text, output));
    onFile?.(text, text.text);
  }
  const files = [...summaries, ...texts];
  const changes = found.filter((change) => change !== undefined);
  return {
    changes: [...changes, ...removals(files, output)],
    unchanged: files.length - changes.length,
    digest: texts.at(-1)?.sha256 as string,
  };
}

/**
 * Makes the set, and puts it in the place of the one that is there if they differ.
 * @param onBegin called with what will have to be abandoned if the program ends before its time.
 * @throws {ManifestError | SetFolderError | LockedError} and errors of the file system; the old set is there still.
 */
export async function buildSet(project: Project, onBegin?: (set: NewSet) => void): Promise<SetPlan> {
  const set = project.output.begin();
  try {
    onBegin?.(set);
    const plan = await planSet(project, { onFile: (file, content) => set.write(file, content) });
    // A signal that came while the program was busy goes first.
    await turn();
    if (plan.changes.length > 0) await set.commit(plan.digest);
    else await project.output.tidy();
    return plan;
  } finally {
    set.abandon();
  }
}
