/**
 * What the real sendmail does with a configuration, and what tsmap cf check
 * says of it: many of both in one namespace, where sendmail has a host name,
 * a wire to nowhere, and files below folders that only root may write to.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type NativeTool, nativePath, needs, runNative, type Skippable } from "./native.ts";
import { isRoot } from "./program.ts";
import { type Cleanup, temporaryFolder } from "./temp.ts";

const TOOLS: readonly NativeTool[] = ["unshare", "ip", "hostname", "mount", "setpriv", "sendmail", "makemap", "m4", "sendmail cf"];

/** Where the files are inside. */
export const INSIDE = "/mnt";

const HOST = "host.example.com";

/** Whether all of that is there; if not, the test is marked as skipped and has to return. */
export function needsOracle(t: Skippable): boolean {
  if (!needs(t, ...TOOLS)) return false;
  if (!isRoot) t.skip("needs root, for namespaces");
  return isRoot;
}

/** Configurations that sendmail is asked about at the same time. */
const AT_ONCE = 8;

const CF = "/usr/share/sendmail/cf/";

/** A configuration as Debian's sendmail-cf makes it, one character for each byte. */
export function stockCf(kind: "relay" | "submit"): string {
  const mc = kind === "relay" ? "OSTYPE(linux)\nDOMAIN(generic)\nMAILER(local)\nMAILER(smtp)\n" : readFileSync(`${CF}cf/submit.mc`);
  const { status, stdout, stderr } = runNative("m4", [`-D_CF_DIR_=${CF}`, `${CF}m4/cf.m4`, "-"], { input: mc });
  if (status !== 0) throw new Error(`m4: ${stderr}`);
  return stdout.toString("latin1");
}

/** A program that is run inside, by a shell: `$CF` is the configuration, `$OUT` the file of its output. */
export interface Probe {
  readonly script: string;
  readonly input?: string;
}

/** What is offered to a client, which talks after an answer alone: whoever talks before is refused. */
export const EHLO: Probe = {
  script: `wait_for() { n=0; until grep -q "$1" "$OUT" || [ $n -gt 200 ]; do sleep 0.05; n=$((n + 1)); done; }
{ wait_for '^[245]'; printf 'EHLO x\\r\\n'; wait_for '^250 \\|^[45]'; printf 'QUIT\\r\\n'; } | "$sendmail" -C "$CF" -bs`,
};

export interface OracleCase {
  readonly cf: string;
  /** Arguments of tsmap cf check before the file. */
  readonly check: readonly string[];
  readonly probes: Readonly<Record<string, Probe>>;
}

export interface OracleAnswer {
  readonly exit: number;
  /** The lines of cf check --json. */
  readonly findings: readonly { readonly code: string; readonly status: string; readonly line: number | null }[];
  /** Both outputs of each probe, one character for each byte. */
  readonly outputs: Readonly<Record<string, string>>;
}

/**
 * Asks both.
 * @param prepare shell commands that run first, inside, in the folder of the files.
 */
export function askOracle(t: Cleanup, prepare: string, cases: readonly OracleCase[]): OracleAnswer[] {
  const folder = temporaryFolder(t);
  for (const name of ["cf", "in", "out"]) mkdirSync(join(folder, name));
  writeFileSync(join(folder, "hosts"), `127.0.0.1 ${HOST} localhost\n`);
  const script = [
    "set -e",
    "ip link set lo up",
    `mount --bind "$1/hosts" /etc/hosts`,
    `hostname ${HOST}`,
    `mount -t tmpfs -o mode=0755 none ${INSIDE}`,
    `cd ${INSIDE}`,
    `sendmail=${nativePath("sendmail")} makemap=${nativePath("makemap")} setpriv=${nativePath("setpriv")} out="$1/out" in="$1/in"`,
    'cp -r "$1/cf" .',
    "chmod 0755 cf",
    "chmod 0644 cf/*",
    prepare,
    '"$2" "$3" < "$1/lines" > "$1/answers"',
    "set +e",
  ];
  const lines: string[][] = [];
  for (const [i, { cf, check, probes }] of cases.entries()) {
    writeFileSync(join(folder, "cf", `${i}.cf`), cf, "latin1");
    lines.push(["cf", "check", "--json", ...check, `${INSIDE}/cf/${i}.cf`]);
    script.push(`CF=${INSIDE}/cf/${i}.cf`);
    for (const [name, { script: command, input = "" }] of Object.entries(probes)) {
      writeFileSync(join(folder, "in", `${i}.${name}`), input, "latin1");
      // Several at once: some wait for an answer.
      script.push(`OUT="$out/${i}.${name}"; { ${command}; } < "$in/${i}.${name}" > "$OUT" 2>&1 &`);
    }
    if (i % AT_ONCE === AT_ONCE - 1) script.push("wait");
  }
  script.push("wait");
  writeFileSync(join(folder, "lines"), JSON.stringify(lines));
  writeFileSync(join(folder, "script"), script.map((line) => `${line}\n`).join(""));
  const batch = fileURLToPath(new URL("tsmap-batch.child.js", import.meta.url));
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const args = [
    "--net",
    "--mount",
    "--uts",
    "--pid",
    "--fork",
    "--kill-child",
    "sh",
    join(folder, "script"),
    folder,
    process.execPath,
    batch,
  ];
  const { status, stderr } = runNative("unshare", args, { timeout: 120_000, env });
  if (status !== 0) throw new Error(`exit ${status}: ${stderr}`);
  const answers = JSON.parse(readFileSync(join(folder, "answers"), "utf8")) as { exit: number; stdout: string; stderr: string }[];
  return cases.map(({ probes }, i) => {
    const { exit, stdout, stderr: complaint } = answers[i] as (typeof answers)[number];
    if (complaint !== "") throw new Error(complaint);
    return {
      exit,
      findings: stdout
        .split("\n")
        .filter((line) => line !== "")
        .map((line) => JSON.parse(line) as OracleAnswer["findings"][number]),
      outputs: Object.fromEntries(Object.keys(probes).map((name) => [name, readFileSync(join(folder, "out", `${i}.${name}`), "latin1")])),
    };
  });
}
