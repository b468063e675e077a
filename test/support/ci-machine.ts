/**
 * A machine of a CI service, as far as the scripts of ci/ see one: a folder
 * with a manifest, a tsmap in the PATH, and the files that the service reads
 * afterwards.
 *
 * The tsmap is one that does what the test says, by the contract of the
 * commands plan, build and check; or the real one.
 */
import { chmodSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { rootFolder } from "./fixtures.ts";
import { launcherOf, type Outcome, run } from "./program.ts";
import { type Cleanup, temporaryFolder } from "./temp.ts";

export const CI_FOLDER: string = `${rootFolder}ci/`;

/** A password that is in what the stub builds, and nowhere else. */
export const STUB_SECRET = "Tr0ub4dor-26zXq";

export interface StubAnswers {
  readonly plan?: { readonly exit: number; readonly stdout: string };
  /** The set, file by file; undefined: as if it had failed. */
  readonly set?: Readonly<Record<string, string>> | undefined;
  readonly check?: { readonly exit: number; readonly stdout: string };
}

export const EMPTY_SARIF: string = sarif([]);

export function sarif(results: readonly object[]): string {
  const driver = { name: "tsmap", rules: [] };
  return JSON.stringify({ version: "2.1.0", runs: [{ tool: { driver }, results }] });
}

const SET = {
  "relay1.example.com/sasldb2": `users\0${STUB_SECRET}`,
  "client1.example.com/smtp-auth.db": STUB_SECRET,
  "index.json": "{}\n",
};

/** What it was called with goes to calls.txt. Plain shell: what it stands for has the exit codes and the files, no more. */
function stubProgram(answers: string): string {
  return `#!/bin/sh
printf '%s\\n' "$*" >>'${answers}/calls.txt'
echo "tsmap: at work on $1" >&2
case $1 in
  plan | check)
    cat '${answers}'/"$1".out
    exit "$(cat '${answers}'/"$1".exit)"
    ;;
  build)
    output=\${TSMAP_OUTPUT:-artifacts}
    case $* in *--show-settings*) echo "[{\\"name\\":\\"output\\",\\"value\\":\\"$output\\"}]"; exit 0 ;; esac
    [ -d '${answers}/set' ] || { echo "tsmap: cannot build" >&2; exit 2; }
    folder=$(dirname "$2") name=$output
    mkdir -p "$folder/.$name.sets"
    rm -rf "$folder/.$name.sets/new"
    cp -r '${answers}/set' "$folder/.$name.sets/new"
    (cd "$folder/.$name.sets/new" && find . -type f | LC_ALL=C sort | xargs sha256sum >../sums && mv ../sums SHA256SUMS)
    chmod 640 "$folder/.$name.sets/new/client1.example.com/smtp-auth.db"
    chmod 600 "$folder/.$name.sets/new/relay1.example.com/sasldb2"
    ln -sfn ".$name.sets/new" "$folder/$name"
    ;;
esac
`;
}

export class CiMachine {
  readonly folder: string;
  readonly #programs: string;
  readonly #answers: string;

  constructor(t: Cleanup, tsmap: "stub" | "real" = "stub") {
    const root = temporaryFolder(t);
    this.folder = join(root, "project");
    this.#programs = join(root, "programs");
    this.#answers = join(root, "answers");
    for (const folder of [this.folder, this.#programs, this.#answers]) mkdirSync(folder);
    const program = join(this.#programs, "tsmap");
    if (tsmap === "real") symlinkSync(launcherOf("tsmap"), program);
    else {
      writeFileSync(program, stubProgram(this.#answers));
      chmodSync(program, 0o755);
    }
    this.answer({});
  }

  /** What the stub does from now on; what is not named is what it does when all is well. */
  answer(answers: StubAnswers): void {
    const plan = answers.plan ?? { exit: 2, stdout: "+ user alice@relay1.example.com\n" };
    const check = answers.check ?? { exit: 0, stdout: EMPTY_SARIF };
    for (const [name, { exit, stdout }] of Object.entries({ plan, check })) {
      writeFileSync(join(this.#answers, `${name}.out`), stdout);
      writeFileSync(join(this.#answers, `${name}.exit`), String(exit));
    }
    for (const [name, content] of Object.entries("set" in answers ? (answers.set ?? {}) : SET)) {
      const path = join(this.#answers, "set", name);
      mkdirSync(join(path, ".."), { recursive: true });
      writeFileSync(path, content);
    }
  }

  /** What the stub was called with, but for the question where it builds. */
  get calls(): string[] {
    const path = join(this.#answers, "calls.txt");
    const lines = existsSync(path) ? readFileSync(path, "utf8").split("\n").slice(0, -1) : [];
    return lines.filter((line) => !line.includes("--show-settings"));
  }

  /** The PATH of the steps. */
  get path(): string {
    return [this.#programs, process.env["PATH"]].join(delimiter);
  }

  /** A program of the test's own in the PATH. */
  addProgram(name: string, text: string): void {
    writeFileSync(join(this.#programs, name), text);
    chmodSync(join(this.#programs, name), 0o755);
  }

  write(name: string, content: string | Uint8Array): void {
    writeFileSync(join(this.folder, name), content);
  }

  /** A file of the project, or of what the service was told; undefined where there is none. */
  read(name: string): string | undefined {
    const path = join(this.folder, name);
    return existsSync(path) ? readFileSync(path, "latin1") : undefined;
  }

  /** A step, by the name of its script. */
  step(name: string, env: NodeJS.ProcessEnv = {}, umask = 0o022): Promise<Outcome> {
    return run("sh", [`${CI_FOLDER}${name}.sh`], { cwd: this.folder, env: { PATH: this.path, ...env }, umask });
  }

  /** As GitHub runs it; what it is told goes to files of the folder. */
  githubStep(name: string, env: NodeJS.ProcessEnv = {}): Promise<Outcome> {
    return this.step(name, { ...this.github, ...env });
  }

  get github(): NodeJS.ProcessEnv {
    return {
      GITHUB_ACTIONS: "true",
      GITHUB_OUTPUT: join(this.folder, "output.txt"),
      GITHUB_STEP_SUMMARY: join(this.folder, "summary.txt"),
      GITHUB_PATH: join(this.folder, "path.txt"),
      // Gone with the folder.
      RUNNER_TEMP: join(this.folder, ".."),
    };
  }
}
