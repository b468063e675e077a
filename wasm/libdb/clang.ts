/**
 * clang and lld, as the npm package brings them: WebAssembly programs that see
 * only the file tree they are given.
 */
import { commands, runLLVM, type Tree } from "@yowasp/clang";
import type { SourceTree } from "./unpack.ts";

const TARGET = "--target=wasm32-wasip1";

/** What decides speed and size; free to change. */
const OPTIMISE = ["-O3", "-ffunction-sections", "-fdata-sections"];

/** What the sources need; not free to change. */
const LANGUAGE = [
  "-D_WASI_EMULATED_SIGNAL",
  "-D_WASI_EMULATED_GETPID",
  "-D_WASI_EMULATED_MMAN",
  "-D_WASI_EMULATED_PROCESS_CLOCKS",
  "-Iconfig",
  "-Isrc",
  "-I.",
];

/** libdb is C of 1989 to 1999 with warnings that are not ours to mend; the shim must have none. */
export const LIBDB_FLAGS: readonly string[] = [TARGET, ...OPTIMISE, ...LANGUAGE, "-std=gnu89", "-w"];
export const SHIM_FLAGS: readonly string[] = [
  TARGET,
  ...OPTIMISE,
  ...LANGUAGE,
  "-std=gnu99",
  "-Wall",
  "-Wextra",
  "-Werror",
  "-isystemsrc",
  "-isystemconfig",
];

export const LINK_FLAGS: readonly string[] = [
  TARGET,
  "-O3",
  "-mexec-model=reactor",
  "-lwasi-emulated-signal",
  "-lwasi-emulated-process-clocks",
  "-lwasi-emulated-mman",
  "-Wl,--gc-sections",
  "-Wl,--strip-all",
  // shim/walk.c
  "-Wl,--wrap=__memp_fget",
  "-Wl,--wrap=__db_vrfy_dbinfo_destroy",
  "-Wl,-z,stack-size=262144",
  // What recurses without end comes to the end of memory, not to the variables.
  "-Wl,--stack-first",
];

/** The headers and sources of libdb, with our configuration, as clang sees them. */
export function compilerTree(source: SourceTree, config: ReadonlyMap<string, Uint8Array>): Tree {
  const root: Tree = {};
  for (const [path, bytes] of source) {
    if (path.startsWith("src/")) place(root, path, bytes);
    else if (path.startsWith("build_android/")) place(root, path.replace("build_android", "config"), bytes);
  }
  for (const [name, bytes] of config) place(root, `config/${name}`, bytes);
  return root;
}

export function place(root: Tree, path: string, bytes: Uint8Array | string): void {
  const folders = path.split("/");
  const name = folders.pop() ?? path;
  let folder = root;
  for (const part of folders) {
    folder[part] ??= {};
    folder = folder[part] as Tree;
  }
  folder[name] = bytes;
}

/**
 * Runs clang over the tree.
 * @returns the bytes of the file `output`.
 * @throws {Error} with what clang printed.
 */
export async function clang(args: readonly string[], tree: Tree, output: string): Promise<Uint8Array> {
  // Loads the programs, once a thread; without this they print how that gets on.
  await runLLVM(undefined, {}, { fetchProgress: () => {} });
  const printed: Uint8Array[] = [];
  try {
    const result = await commands.clang([...args, "-o", output], tree, {
      stderr: (bytes) => {
        if (bytes !== null) printed.push(bytes);
      },
    });
    const bytes = result?.[output];
    if (bytes instanceof Uint8Array) return bytes;
  } catch (error) {
    throw new Error(`clang ${output}: ${(error as Error).message}\n${Buffer.concat(printed).toString()}`, { cause: error });
  }
  throw new Error(`clang made no ${output}\n${Buffer.concat(printed).toString()}`);
}
