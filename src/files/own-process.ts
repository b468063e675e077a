/**
 * This process, as the system knows it.
 *
 * An `import` of node:process asks for each thing that it has, which makes the
 * standard streams: a fifth of the time in which the library loads.
 */
type Process = NodeJS.Process;

export const pid: Process["pid"] = process.pid;
export const kill: Process["kill"] = process.kill;
export const geteuid: Process["geteuid"] = process.geteuid;
export const getegid: Process["getegid"] = process.getegid;
export const availableMemory: Process["availableMemory"] = process.availableMemory;
export const getBuiltinModule: Process["getBuiltinModule"] = process.getBuiltinModule;
