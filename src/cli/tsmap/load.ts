/**
 * tsmap load: a database from text.
 */
import { createReadStream, statSync } from "node:fs";
import { BerkeleyDBError, type DatabaseType } from "berkeley-db-js";
import { strerror } from "../../files/strerror.ts";
import { DatabaseBuilder } from "../../map-file/database-builder.ts";
import { type LoadFormat, type LoadHeader, TextError, TextReader } from "../../map-file/load-text.ts";
import { ignoreFileSizeSignal } from "../cleanup.ts";
import { messagesRead, say } from "../error-output.ts";
import { type FormatFlags, readFormatLayers, SettingError, type SettleFormat } from "../format-settings.ts";
import { type Input, InputError, openInput } from "../input.ts";
import { failureText } from "../makemap-messages.ts";
import { printable } from "../printable.ts";
import { Progress } from "../progress.ts";
import type { Context } from "./context.ts";
import { putInPlace, withLock } from "./replacing.ts";
import { type TargetFile, targetFile } from "./target-file.ts";
import { Trouble, troubleWith, withFile } from "./trouble.ts";

interface Options extends FormatFlags {
  readonly input?: string;
  readonly format: LoadFormat;
  readonly type?: DatabaseType;
  readonly duplicates?: true;
  /** False with -n. */
  readonly overwrite: boolean;
}

const CHUNK = 1 << 18;

/** @returns 1 where records were refused. */
export async function run(context: Context, operands: readonly (string | readonly string[])[], options: Options): Promise<number> {
  const [name] = operands as [string];
  ignoreFileSizeSignal();
  try {
    const settle = await readFormatLayers(options, context.environment);
    // What is wrong with the options is told before anything is read.
    settle({});
    const target = targetFile(name);
    const input = await openText(options.input);
    return await new Load(context, name, target, options, settle).run(input);
  } catch (error) {
    if (error instanceof SettingError) throw new Trouble(error.message);
    if (error instanceof InputError) throw new Trouble(`${textName(options)}: ${strerror(error.cause)}`);
    if (error instanceof TextError) throw new Trouble(`${textName(options)}: ${error.message}`);
    if (error instanceof BerkeleyDBError) throw new Trouble(`${name}: ${failureText(error)}`);
    throw troubleWith(name, error);
  }
}

function textName({ input }: Options): string {
  return input ?? "standard input";
}

async function openText(name: string | undefined): Promise<Input> {
  if (name === undefined) return openInput(false);
  return withFile(name, () => ({ chunks: readFile(name), size: sizeOf(name) }));
}

/** Bytes, where that can be known: a pipe says 0. */
function sizeOf(name: string): number | undefined {
  const status = statSync(name);
  return status.isFile() ? status.size : undefined;
}

async function* readFile(name: string): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    yield* createReadStream(name, { highWaterMark: CHUNK }) as AsyncIterable<Uint8Array>;
  } catch (error) {
    throw new InputError(name, { cause: error });
  }
}

/** One database, from the first line of its text to the last. */
class Load {
  readonly #context: Context;
  readonly #name: string;
  readonly #target: TargetFile;
  readonly #options: Options;
  readonly #settle: SettleFormat;
  #progress: Progress | undefined;
  #refused = 0;

  constructor(context: Context, name: string, target: TargetFile, options: Options, settle: SettleFormat) {
    this.#context = context;
    this.#name = name;
    this.#target = target;
    this.#options = options;
    this.#settle = settle;
  }

  /** @returns the exit code. */
  async run(input: Input): Promise<number> {
    const progress = new Progress({ wanted: undefined, label: this.#name, total: input.size });
    this.#progress = progress;
    try {
      // Where ^C ended what feeds the pipe, the signal for this program has come too: it goes first.
      await putInPlace((begin) => this.#read(input, progress, begin), withLock(this.#context.program, this.#target.path));
      return this.#refused > 0 ? 1 : 0;
    } finally {
      progress.stop();
    }
  }

  async #read(input: Input, progress: Progress, begin: (builder: DatabaseBuilder) => void): Promise<void> {
    let builder: DatabaseBuilder | undefined;
    const reader = new TextReader(this.#options.format, {
      onHeader: (header) => {
        builder = this.#open(header, input.size);
        begin(builder);
      },
      onRecord: (key, data, line) => builder?.add(key, data, line),
    });
    let bytes = 0;
    for await (const chunk of input.chunks) {
      reader.write(chunk);
      bytes += chunk.length;
      await messagesRead();
      await progress.update(bytes, reader.lines);
    }
    reader.end();
  }

  #open(header: LoadHeader, size: number | undefined): DatabaseBuilder {
    const options = this.#options;
    const { byteOrder, pageSize, hashElements, fillFactor, minimumKeys } = header;
    const type = options.type ?? header.type ?? (options.format === "dump" ? undefined : "hash");
    if (type === undefined) throw new Trouble(`${textName(options)}: the header names no type: --type hash or --type btree does`);
    const settings = this.#settle({ ...(byteOrder && { byteOrder }), ...(pageSize && { pageSize }) });
    if (type === "btree" && settings.hasHashVersion) throw new Trouble("--hash-version: a btree file has none");
    if (header.unsupported.length > 0) this.#say(`${this.#name}: made without what the text asks for: ${header.unsupported.join(", ")}`);
    return new DatabaseBuilder(this.#target.path, {
      type,
      duplicates: header.duplicates || (options.duplicates ? "unsorted" : false),
      again: options.overwrite ? "replace" : "refuse",
      format: settings.format,
      fileId: settings.fileId,
      expectedSize: size,
      // A file with other names has to stay that file.
      inPlace: (this.#target.status?.nlink ?? 1) > 1,
      onRefused: (line) => this.#sayRefused(line),
      hashElements,
      fillFactor,
      minimumKeys,
    });
  }

  #sayRefused(line: number): void {
    this.#refused += 1;
    this.#say(`${textName(this.#options)}: line ${line}: the key is there already; the record is left out`);
  }

  #say(message: string): void {
    this.#progress?.stop();
    say(printable(`${this.#context.program}: ${message}`).concat("\n"));
  }
}
