/**
 * Secrets from where a manifest says that they come from.
 *
 * Programs are run without a shell, and nothing secret is in their arguments.
 * What they say on standard error goes where ours goes.
 */
import { spawnSync } from "node:child_process";
import { parseDocument } from "yaml";
import { MOST_TEXT, readWhole } from "../files/read-whole.ts";
import type { SecretUse } from "./fleet.ts";
import type { SecretSource } from "./manifest.ts";
import { ManifestError } from "./manifest-error.ts";
import { fileIn, reasonOf } from "./paths.ts";

export interface SecretReaderOptions {
  /** Of the manifest. */
  readonly folder: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Whether a secret may stand in the manifest. */
  readonly allowInline: boolean;
  /** Milliseconds that a program may take. */
  readonly timeout: number;
  /** Variables that hold secrets, which programs are not given. */
  readonly hidden: readonly string[];
}

const NEWLINE = 0x0a;

/** Why there is no secret: a sentence, without a value. */
class NoSecret extends Error {}

/** Reads each source once; `clear` overwrites what was read. */
export class SecretReader implements Disposable {
  readonly #options: SecretReaderOptions;
  readonly #environment: Record<string, string | undefined>;
  /** Whole texts, by where they come from; or why there is none: a program that fails is not run once more for each user. */
  readonly #texts = new Map<string, Uint8Array | NoSecret>();
  readonly #values = new Map<string, Uint8Array>();

  constructor(options: SecretReaderOptions) {
    this.#options = options;
    this.#environment = { ...options.environment };
    for (const name of options.hidden) delete this.#environment[name];
  }

  /**
   * A secret as it is used: without the newline at its end.
   * @returns bytes that stay this reader's.
   * @throws {ManifestError} names the secret and its place.
   */
  read(use: SecretUse): Uint8Array {
    return this.#remember("value", use, () => {
      const text = this.#text(use.source);
      return withoutNewline(use.source.field === undefined ? text : fieldOf(text, [use.source.field].flat() as (string | number)[]));
    });
  }

  /**
   * A secret that is a text of lines, whole.
   * @returns bytes that stay this reader's.
   * @throws {ManifestError}
   */
  readText(use: SecretUse): Uint8Array {
    return this.#remember("text", use, () =>
      use.source.field === undefined
        ? this.#text(use.source)
        : fieldOf(this.#text(use.source), [use.source.field].flat() as (string | number)[]),
    );
  }

  /** Overwrites everything that was read. */
  clear(): void {
    for (const bytes of [...this.#texts.values(), ...this.#values.values()]) if (!(bytes instanceof NoSecret)) bytes.fill(0);
    this.#texts.clear();
    this.#values.clear();
  }

  [Symbol.dispose](): void {
    this.clear();
  }

  #remember(form: "value" | "text", use: SecretUse, read: () => Uint8Array): Uint8Array {
    const id = `${form} ${JSON.stringify(use.source)}`;
    let value = this.#values.get(id);
    if (value === undefined) {
      try {
        value = read();
        if (value.length === 0) throw new NoSecret("it is empty");
      } catch (error) {
        if (!(error instanceof NoSecret)) throw error;
        throw new ManifestError([{ place: use.place, message: `secret ${use.name}: ${error.message}` }]);
      }
      this.#values.set(id, value);
    }
    return value;
  }

  #text(source: SecretSource): Uint8Array {
    const { env, file, command, age, identity, sops, inline } = source;
    if (inline !== undefined) return this.#inline(inline);
    if (env !== undefined) return this.#variable(env);
    const id = JSON.stringify([file, command, age, identity, sops]);
    let text = this.#texts.get(id);
    if (text === undefined) {
      text = orNoSecret(() => (file !== undefined ? this.#file(file) : this.#run(commandOf(source))));
      this.#texts.set(id, text);
    }
    if (text instanceof NoSecret) throw text;
    return text;
  }

  #inline(inline: string): Uint8Array {
    if (!this.#options.allowInline)
      throw new NoSecret("it stands in the manifest, which wants settings.allow-inline, --allow-inline or TSMAP_ALLOW_INLINE=true");
    return Buffer.from(inline);
  }

  #variable(name: string): Uint8Array {
    const { environment } = this.#options;
    const value = Object.hasOwn(environment, name) ? environment[name] : undefined;
    if (value === undefined) throw new NoSecret(`the environment has no ${name}`);
    return Buffer.from(value);
  }

  #file(name: string): Uint8Array {
    try {
      return readWhole(fileIn(this.#options.folder, name), MOST_TEXT);
    } catch (error) {
      throw new NoSecret(`${name}: ${reasonOf(error)}`);
    }
  }

  #run([program = "", ...args]: readonly string[]): Uint8Array {
    const { folder, timeout } = this.#options;
    if ([program, ...args].some((arg) => arg.includes("\0"))) throw new NoSecret("a NUL in the command, at which it would end");
    const { status, signal, stdout, error } = spawnSync(program, args, {
      cwd: folder,
      env: this.#environment as NodeJS.ProcessEnv,
      stdio: ["ignore", "pipe", "inherit"],
      timeout,
      killSignal: "SIGKILL",
      maxBuffer: MOST_TEXT,
    });
    const code = (error as NodeJS.ErrnoException | undefined)?.code;
    if (code === "ETIMEDOUT") throw new NoSecret(`${program} took longer than ${timeout / 1000} s (command-timeout)`);
    if (code === "ENOENT") throw new NoSecret(`there is no program ${program}`);
    if (code === "ENOBUFS") throw new NoSecret(`${program} gave more than ${MOST_TEXT} bytes`);
    if (code !== undefined) throw new NoSecret(`${program}: ${code}`);
    if (signal !== null) throw new NoSecret(`${program} was ended by ${signal}`);
    if (status !== 0) throw new NoSecret(`${program} ended with exit code ${status}`);
    return stdout;
  }
}

function orNoSecret(read: () => Uint8Array): Uint8Array | NoSecret {
  try {
    return read();
  } catch (error) {
    if (error instanceof NoSecret) return error;
    throw error;
  }
}

function commandOf({ command, age, identity, sops }: SecretSource): readonly string[] {
  if (sops !== undefined) return ["sops", "--decrypt", fileOperand(sops)];
  if (age !== undefined) return ["age", "--decrypt", ...(identity === undefined ? [] : ["--identity", identity]), fileOperand(age)];
  return command ?? [];
}

/** No option, whatever its name begins with. */
function fileOperand(name: string): string {
  return name.startsWith("-") ? `./${name}` : name;
}

function withoutNewline(bytes: Uint8Array): Uint8Array {
  return bytes.slice(0, bytes.at(-1) === NEWLINE ? -1 : bytes.length);
}

/** A value of a text that is YAML or JSON. */
function fieldOf(text: Uint8Array, path: readonly (string | number)[]): Uint8Array {
  const document = parseDocument(Buffer.from(text.buffer, text.byteOffset, text.length).toString(), {
    prettyErrors: false,
    stringKeys: true,
  });
  if (document.errors.length > 0) throw new NoSecret("its text is neither YAML nor JSON, of which field names a part");
  const value: unknown = document.getIn(path);
  if (value === undefined) throw new NoSecret(`its text has no ${path.join(".")}`);
  // A number is taken as it is written.
  const written: unknown = document.getIn(path, true);
  const source = typeof written === "object" && written !== null && "source" in written ? written.source : undefined;
  const word = typeof value === "string" ? value : typeof value === "number" && typeof source === "string" ? source : undefined;
  if (word === undefined) throw new NoSecret(`${path.join(".")} of its text is neither text nor a number`);
  return Buffer.from(word);
}
