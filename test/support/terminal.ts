/**
 * A command in a pseudo-terminal, as somebody at a keyboard has it: what is
 * typed goes through the terminal's line editing, ^C is a signal, and the
 * terminal's settings can be looked at from outside.
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { constants } from "node:os";
import type { Readable, Writable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { type NativeTool, nativePath } from "./native.ts";
import type { Cleanup } from "./temp.ts";

/** What `needs` has to be asked for. */
export const TERMINAL_TOOLS: readonly NativeTool[] = ["perl POSIX", "stty"];

/**
 * Stands where a login shell would: it leads the session and outlives the
 * command, since the system resets a terminal whose leader ends. Node opens no
 * pseudo-terminals, and script(1) takes its terminal away with the command.
 *
 * Standard input is what is typed, and hangs up at its end; standard output is
 * what is shown; descriptor 3 has a line for what happens.
 */
const LEADER = `
use strict;
use Fcntl;
use POSIX qw(:sys_wait_h);

my ($stty, $settings, @command) = @ARGV;
my @signals = qw(HUP INT QUIT TSTP TTIN TTOU PIPE);
$SIG{$_} = "IGNORE" for @signals;
open(my $report, ">&=", 3) or die "descriptor 3: $!";
fcntl($report, F_SETFD, FD_CLOEXEC);
sub report { syswrite($report, "@_\\n") }

sysopen(my $master, "/dev/ptmx", O_RDWR | O_NOCTTY) or die "/dev/ptmx: $!";
my ($unlock, $number) = (pack("i", 0), pack("i", 0));
# TIOCSPTLCK and TIOCGPTN, as most processors have them and as some do.
ioctl($master, 0x40045431, $unlock) or ioctl($master, 0x80045431, $unlock) or die "TIOCSPTLCK: $!";
ioctl($master, 0x80045430, $number) or ioctl($master, 0x40045430, $number) or die "TIOCGPTN: $!";
my $device = "/dev/pts/" . unpack("i", $number);
# The first that a leader opens becomes its own.
sysopen(my $slave, $device, O_RDWR) or die "$device: $!";
system($stty, "-F", $device, split(/ /, $settings)) == 0 or die "stty $settings";
chomp(my $before = qx($stty -F $device -g));

defined(my $pid = fork()) or die "fork: $!";
if ($pid == 0) {
  POSIX::setpgid(0, 0);
  POSIX::tcsetpgrp(fileno($slave), $$);
  POSIX::dup2(fileno($slave), $_) for 0 .. 2;
  $SIG{$_} = "DEFAULT" for @signals;
  exec { $command[0] } @command or POSIX::_exit(127);
}
report("started", $pid, $device, $before);

my ($runs, $typed, $limit) = (1, 0);
sub readable {
  my ($in, @handles) = ("", @_);
  vec($in, fileno($_), 1) = 1 for @handles;
  my $count = select($in, undef, undef, 0.02);
  return $count > 0 ? grep { vec($in, fileno($_), 1) } @handles : ();
}
sub show { my $shown; sysread($master, $shown, 65536) and syswrite(STDOUT, $shown) }
while ($runs || !$limit) {
  for my $handle (readable($limit ? () : (\\*STDIN, $master))) {
    if ($handle == $master) { show() }
    elsif (sysread(STDIN, my $keys, 65536)) { report("typed", $typed += syswrite($master, $keys)) }
    else {
      $limit = time + 3;
      close($master);
      # The system tells the leader alone, and a shell the others.
      kill($_, -$pid) for $runs ? qw(HUP CONT) : ();
      last;
    }
  }
  kill("KILL", -$pid) if $runs && $limit && time > $limit;
  next unless $runs && waitpid($pid, WNOHANG | WUNTRACED) == $pid;
  my $status = $?;
  # The status of a stop is 0: what has ended is no longer there.
  if (kill(0, $pid)) { report("stopped"); next }
  $runs = 0;
  # What it showed last may be on its way.
  show() while !$limit && readable($master);
  report("ended", $status);
}
`;

/** For what takes a second where the machine has other things to do. */
const TIME_LIMIT = 10_000;

export interface TerminalOptions {
  readonly cwd?: string;
  /** Besides PATH, HOME, TERM and the C locale. */
  readonly env?: NodeJS.ProcessEnv;
  /** For stty, with blanks between them; default "sane". */
  readonly settings?: string;
}

/** As a shell sees it. */
export interface TerminalEnd {
  /** Null where a signal ended it. */
  readonly exit: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly dumpedCore: boolean;
}

export class Terminal {
  readonly #leader: ChildProcess;
  readonly #closed: Promise<unknown>;
  readonly #shown: Buffer[] = [];
  #reports = "";
  #errors = "";
  /** Bytes. */
  #typed = 0;
  /** Where waitFor looks on. */
  #seen = 0;

  private constructor(command: readonly string[], options: TerminalOptions) {
    this.#leader = spawn(nativePath("perl POSIX"), ["-e", LEADER, nativePath("stty"), options.settings ?? "sane", ...command], {
      cwd: options.cwd ?? "/",
      // A session of its own.
      detached: true,
      env: { PATH: process.env["PATH"], HOME: "/", TERM: "dumb", LC_ALL: "C", ...options.env },
      stdio: ["pipe", "pipe", "pipe", "pipe"],
    });
    const [, stdout, stderr, reports] = this.#leader.stdio as unknown as [Writable, Readable, Readable, Readable];
    stdout.on("data", (chunk: Buffer) => this.#shown.push(chunk));
    stderr.on("data", (chunk: Buffer) => {
      this.#errors += chunk;
    });
    reports.on("data", (chunk: Buffer) => {
      this.#reports += chunk;
    });
    this.#leader.stdin?.on("error", () => {});
    this.#closed = new Promise((resolve) => this.#leader.on("close", resolve).on("error", resolve));
  }

  /** @param t whose end is that of the terminal too. */
  static async start(t: Cleanup, command: readonly string[], options: TerminalOptions = {}): Promise<Terminal> {
    const terminal = new Terminal(command, options);
    t.after(() => terminal.hangUp());
    await terminal.until(() => terminal.#report("started") !== undefined, "the start");
    return terminal;
  }

  /** What follows that word in the last line that begins with it. */
  #report(word: string): readonly string[] | undefined {
    const lines = this.#reports.split("\n").slice(0, -1);
    return lines
      .map((line) => line.split(" "))
      .findLast(([first]) => first === word)
      ?.slice(1);
  }

  #started(): readonly string[] {
    return this.#report("started") ?? [];
  }

  get pid(): number {
    return Number(this.#started()[0]);
  }

  get #device(): string {
    return this.#started()[1] ?? "";
  }

  /** The settings before the command began. */
  get settingsBefore(): string {
    return this.#started()[2] ?? "";
  }

  /** The settings now: what `stty -g` prints. */
  settings(): string {
    return this.#stty("-g").trim();
  }

  /** What is on and off now, in the words of stty. */
  flags(): readonly string[] {
    return this.#stty("-a")
      .replaceAll(/.*;/g, "")
      .split(/\s+/)
      .filter((word) => word !== "");
  }

  /** Changes settings, as a shell does between its commands. */
  set(settings: string): void {
    this.#stty(...settings.split(" "));
  }

  #stty(...args: readonly string[]): string {
    const { status, stdout, stderr } = spawnSync(nativePath("stty"), ["-F", this.#device, ...args], { encoding: "utf8" });
    if (status !== 0) throw new Error(`stty ${args.join(" ")}: ${stderr}`);
    return stdout;
  }

  /** Everything that the terminal showed; one byte, one character. */
  get shown(): string {
    return Buffer.concat(this.#shown).toString("latin1");
  }

  /** How often the command was stopped. */
  get stops(): number {
    return this.#reports.split("\n").filter((line) => line === "stopped").length;
  }

  /** Resolves when the terminal has it, so that what follows comes after it. */
  async type(keys: string | Uint8Array): Promise<void> {
    const bytes = Buffer.from(keys);
    this.#typed += bytes.length;
    const typed = this.#typed;
    this.#leader.stdin?.write(bytes);
    await this.until(() => Number(this.#report("typed")?.[0]) >= typed, "the keys to be typed");
  }

  signal(name: NodeJS.Signals): void {
    process.kill(this.pid, name);
  }

  /** As a shell does it: what the command has started may have been stopped with it, and is waited for. */
  continue(): void {
    process.kill(-this.pid, "SIGCONT");
  }

  /** Resolves when the text is shown, after the one that was waited for last. */
  async waitFor(text: string): Promise<void> {
    const find = (): number => this.shown.indexOf(text, this.#seen);
    await this.until(() => find() >= 0, JSON.stringify(text));
    this.#seen = find() + text.length;
  }

  /**
   * Resolves when something is so.
   * @throws {Error} it is not in time, or the command ended without it.
   */
  async until(condition: () => boolean, what: string): Promise<void> {
    const deadline = Date.now() + TIME_LIMIT;
    const isOver = (): boolean => this.#report("ended") !== undefined || this.#leader.exitCode !== null || Date.now() > deadline;
    while (!condition()) {
      const over = isOver();
      // What is shown last comes before the end.
      if (over) await sleep(50);
      if (condition()) return;
      if (over) throw new Error(`waited for ${what}; shown: ${JSON.stringify(this.shown)}; ${this.#reports}${this.#errors}`);
      await sleep(5);
    }
  }

  /** How the command ended, when it has. */
  async end(): Promise<TerminalEnd> {
    await this.until(() => this.#report("ended") !== undefined, "the end");
    const status = Number(this.#report("ended")?.[0]);
    const signal = status & 0x7f;
    const name = (Object.keys(constants.signals) as NodeJS.Signals[]).find((one) => constants.signals[one] === signal);
    return { exit: signal === 0 ? status >> 8 : null, signal: name ?? null, dumpedCore: (status & 0x80) !== 0 };
  }

  /** Takes the terminal away; a command that does not end by that is killed. Resolves when it has ended. */
  async hangUp(): Promise<void> {
    this.#leader.stdin?.end();
    await this.#closed;
  }
}
