/**
 * What has to be undone where a signal ends the program.
 */
const SIGNALS = ["SIGHUP", "SIGINT", "SIGTERM"] as const;

/**
 * Has `undo` called when a signal ends the program, which then ends by that
 * signal, as its parent expects.
 * @returns a function that takes it back.
 */
export function onSignal(undo: () => void): () => void {
  const handlers = SIGNALS.map((signal) => {
    const handler = (): void => {
      undo();
      process.removeListener(signal, handler);
      process.kill(process.pid, signal);
    };
    process.on(signal, handler);
    return [signal, handler] as const;
  });
  return () => {
    for (const [signal, handler] of handlers) process.removeListener(signal, handler);
  };
}

/** A file size limit is then an error of the write, and no signal. */
export function ignoreFileSizeSignal(): void {
  if (process.listenerCount("SIGXFSZ") === 0) process.on("SIGXFSZ", () => {});
}
